"""What a mailbox's space is made of, for whoever runs it: figures by folder, year, size and sending domain, how big the biggest
messages are, and no mail."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Mailbox, MailboxUsage
from accounts.services.permissions import Action, may
from accounts.services.usage.share_rows import biggest_of, share_lines
from accounts.services.usage.shares import ask_shares, shares_in, shares_row
from accounts.views.portal.doors import mailbox_for, show
from accounts.views.usage.export import csv_answer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_space(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The figures that were found last, or how far the count at work is; that alone for a part. POST has them found anew. The
    owner has a page of their own, which shows more, where the mail lies on the server."""
    mailbox = mailbox_for(request, mailbox_id, Action.SEE_MAILBOX)
    account = getattr(mailbox, "account", None)
    if account and account.owner_id == request.user.pk and not account.downloads and mailbox.is_open:
        return redirect("space", account.pk)
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    if request.method == "POST":
        if mailbox.is_open:
            ask_shares(mailbox)
        if not htmx:
            return redirect("portal:mailbox_space", mailbox.pk)
    context = _context(request, mailbox)
    if htmx and not htmx.history_restore_request:
        return render(request, "portal/mailbox_space.html#shares", context)
    return show(request, "portal/mailbox_space.html", context)


@login_required
@require_safe
def mailbox_space_export(request: HttpRequest, mailbox_id: int) -> StreamingHttpResponse:
    """The same as CSV."""
    mailbox = mailbox_for(request, mailbox_id, Action.SEE_MAILBOX)
    shares = shares_in(shares_row(mailbox))
    return csv_answer(
        f"space-{mailbox.pk}-{timezone.localdate():%Y-%m-%d}", share_lines(shares, biggest_of(shares, mailbox))
    )


def _context(request: HttpRequest, mailbox: Mailbox) -> dict[str, Any]:
    row = shares_row(mailbox)
    shares = shares_in(row) if row.at else None
    return {
        "mailbox": mailbox,
        "section": "space",
        "tab": "mailboxes",
        "runs": may(request.user, Action.RUN_MAILBOX, mailbox),
        "forward_count": mailbox.forwards.count(),
        "usage": MailboxUsage.objects.filter(username=mailbox.address).first(),
        "row": row,
        "working": row.asked is not None,
        "shares": shares,
        "biggest": biggest_of(shares, mailbox) if shares else [],
        "stamp": str(int(timezone.now().timestamp() * 1000)),
    }
