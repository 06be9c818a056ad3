"""For the provider: downloads that leave copies on the server for longer than need be, and shortening that."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.services.csv_cells import safe_cell
from accounts.services.usage.permissions import may_see_usage
from accounts.views.portal.doors import actor_of
from accounts.views.usage.export import BOM, Echo
from webmail.services.retention import SHORT_DAYS, SORTS, Shorter, could_be_shorter, shorten

PAGE_ROWS = 100
TEXT_LIMIT = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: HttpRequest) -> HttpResponseBase:
    """The mailboxes, and what would be freed, as the address says: `q`, `sort`, `page`, or all of it with `as=csv`. POST shortens
    that of the chosen ones. 404 but for the provider's people."""
    if not may_see_usage(request.user):
        raise Http404
    text = request.GET.get("q", "").replace("\0", "").strip()[:TEXT_LIMIT]
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "freed"
    kept = urlencode({name: value for name, value in (("q", text), ("sort", sort)) if value not in {"", "freed"}})
    if request.method == "POST":
        chosen = [one for one in request.POST.getlist("account") if one.isascii() and one.isdigit() and len(one) < 19]
        changed = shorten((int(one) for one in chosen), by=actor_of(request))
        words = ngettext("Retention of %(n)s mailbox shortened", "Retention of %(n)s mailboxes shortened", changed)
        notices.info(request, words % {"n": changed})
        return redirect(f"{reverse('usage_retention')}?{kept}")
    rows = could_be_shorter(text=text, sort=sort)
    if request.GET.get("as") == "csv":
        return _csv(rows)
    context = {
        "page": Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page")),
        "total": sum(row.size_bytes for row in rows),
        "days": SHORT_DAYS,
        "place": "retention",
        "text": text,
        "sort": sort,
        "kept": kept,
        "narrow": urlencode({"q": text}) if text else "",
    }
    return render(request, "usage/retention.html", context)


def _csv(rows: list[Shorter]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="retention-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


def _lines(rows: list[Shorter]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield BOM
    yield writer.writerow([_("Mailbox"), _("Leaves copies for, days"), _("Messages"), _("Would be freed, bytes")])
    for row in rows:
        days = "" if row.days is None else row.days
        yield writer.writerow([safe_cell(cell) for cell in (row.address, days, row.messages, row.size_bytes)])
