"""Where did my mail go: the timeline of one mailbox, for its owner and for the provider's people."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import MailAccount, Mailbox, MailboxSpace
from accounts.services.advice import offer_for
from accounts.services.csv_cells import safe_cell
from accounts.services.permissions import Action, may
from accounts.services.timeline import PERIODS, Timeline, programs_seen, timeline_of
from accounts.services.usage.permissions import may_see_mailbox, may_see_usage
from accounts.templatetags.timelinepage import said, who_name
from accounts.views.usage.export import BOM, Echo

PAGE = 100


@login_required
@require_safe
def account_activity(request: HttpRequest, account_id: int) -> HttpResponse:
    """The timeline of one's own mailbox; 404 for anybody else's, and for one that is not hosted here."""
    account = get_object_or_404(MailAccount.objects.select_related("mailbox"), pk=account_id, owner=request.user.pk)
    if account.mailbox is None:
        raise Http404
    return _answer(request, account.mailbox, {"base": "webmail/framed.html", "account": account})


@login_required
@require_safe
def mailbox_activity(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The same for whoever runs the mailbox."""
    mailbox = get_object_or_404(Mailbox, pk=mailbox_id)
    if not may_see_mailbox(request.user, mailbox):
        raise Http404
    own = MailAccount.objects.filter(mailbox=mailbox, owner=request.user.pk).first()
    if own:
        return redirect("account_activity", own.pk)
    context = {"base": "usage/framed.html", "account": None, "provider": may_see_usage(request.user)}
    return _answer(request, mailbox, context)


def _answer(request: HttpRequest, mailbox: Mailbox, context: dict[str, Any]) -> HttpResponse:
    days = request.GET.get("days", "")
    chosen = int(days) if days in {str(period) for period in PERIODS} else 7
    only_gone = request.GET.get("only") == "gone"
    timeline = timeline_of(mailbox, days=chosen, only_gone=only_gone)
    if request.GET.get("as") == "csv":
        return _csv(mailbox, timeline)
    taken = timeline.answer is not None and timeline.answer.kind == "took"
    context |= {
        "mailbox": mailbox,
        "timeline": timeline,
        "only_gone": only_gone,
        "page": Paginator(timeline.entries, PAGE).get_page(request.GET.get("page")),
        "programs": programs_seen(mailbox),
        "jump": MailboxSpace.objects.filter(mailbox=mailbox, jump_on__isnull=False).first(),
        "periods": PERIODS,
        "offer": offer_for(mailbox) if taken and may(request.user, Action.USE_MAILBOX, mailbox) else None,
    }
    return render(request, "usage/activity.html", context)


def _csv(mailbox: Mailbox, timeline: Timeline) -> HttpResponse:
    response = StreamingHttpResponse(_lines(timeline), content_type="text/csv; charset=utf-8")
    name = f"activity-{mailbox.number}-{timezone.localdate():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[return-value]


def _lines(timeline: Timeline) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield BOM
    yield writer.writerow([_("When"), _("Who"), _("Protocol"), _("Network"), _("What"), _("Bytes")])
    for entry in timeline.entries:
        when = timezone.localtime(entry.at).isoformat(timespec="minutes")
        row = [when, who_name(entry), entry.way, entry.network, said(entry), entry.size_bytes]
        yield writer.writerow([safe_cell(cell) for cell in row])
