"""For the provider: downloads that leave copies on the server for longer than need be, and shortening that."""

from __future__ import annotations

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.services.usage.permissions import may_see_usage
from accounts.views.portal.doors import actor_of
from webmail.services.retention import SHORT_DAYS, could_be_shorter, shorten


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: HttpRequest) -> HttpResponse:
    """The mailboxes, and what would be freed. POST shortens that of the chosen ones. 404 but for the provider's people."""
    if not may_see_usage(request.user):
        raise Http404
    if request.method == "POST":
        chosen = [one for one in request.POST.getlist("account") if one.isascii() and one.isdigit() and len(one) < 19]
        changed = shorten((int(one) for one in chosen), by=actor_of(request))
        text = ngettext("Retention of %(n)s mailbox shortened", "Retention of %(n)s mailboxes shortened", changed)
        notices.info(request, text % {"n": changed})
        return redirect("usage_retention")
    rows = could_be_shorter()
    total = sum(row.size_bytes for row in rows)
    return render(
        request, "usage/retention.html", {"rows": rows, "total": total, "days": SHORT_DAYS, "place": "retention"}
    )
