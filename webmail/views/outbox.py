"""What is on its way: waiting, failed, in doubt; held back, sent now, tried again, forgotten."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from webmail.models import Composing, Outgoing
from webmail.services import composing as writing
from webmail.services import sending
from webmail.services.access import account_for


@login_required
@require_safe
def outbox(request: HttpRequest, account_id: int) -> HttpResponse:
    """The messages that are not sent yet, and those of which something is left to tell."""
    account = account_for(request, account_id)
    rows = list(sending.pending(account))
    texts = {
        one.outgoing_id: one for one in Composing.objects.filter(account=account, outgoing__in=[row.pk for row in rows])
    }
    entries = [{"row": row, "composing": texts.get(row.pk)} for row in rows]
    return render(request, "webmail/outbox.html", {"account": account, "entries": entries})


@login_required
@require_POST
def outgoing_cancel(request: HttpRequest, account_id: int, outgoing_id: int) -> HttpResponse:
    """Takes a message back and opens its composer again; a toast says so when it is too late."""
    outgoing = _mine(request, account_id, outgoing_id)
    composing = Composing.objects.filter(outgoing=outgoing).first()
    done = writing.reopen(composing) if composing else sending.cancel(outgoing=outgoing)
    if not done:
        return _told(request, account_id, _("It is too late: the message is on its way."))
    if composing is None:
        return _told(request, account_id, _("The message was not sent."))
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "webmail/compose.html#reopened", {"composing": composing, "account": composing.account})
    return redirect("compose", account_id, composing.pk)


@login_required
@require_POST
def outgoing_change(request: HttpRequest, account_id: int, outgoing_id: int) -> HttpResponse:
    """`do`: now, retry or dismiss."""
    outgoing = _mine(request, account_id, outgoing_id)
    change = _CHANGES.get(request.POST.get("do", ""))
    if change is None:
        raise Http404
    if not change(outgoing):
        notices.info(request, _("The message is no longer in that state."))
    return redirect("outbox", account_id)


_CHANGES: dict[str, Callable[[Outgoing], bool]] = {
    "now": lambda outgoing: sending.send_now(outgoing=outgoing),
    "retry": lambda outgoing: sending.retry(outgoing=outgoing),
    "dismiss": lambda outgoing: sending.dismiss(outgoing=outgoing),
}


def _mine(request: HttpRequest, account_id: int, outgoing_id: int) -> Outgoing:
    account = account_for(request, account_id)
    outgoing = Outgoing.objects.filter(account=account, pk=outgoing_id).first()
    if outgoing is None:
        raise Http404
    return outgoing


def _told(request: HttpRequest, account_id: int, text: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "parts/toast.html", {"text": text})
    notices.info(request, text)
    return redirect("outbox", account_id)
