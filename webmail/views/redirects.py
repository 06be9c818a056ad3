"""A message sent on as it is: the form that asks to whom."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.models import MailAccount
from webmail.models import Identity
from webmail.services.composing import Problem, daily_problems
from webmail.services.contacts import expand_groups
from webmail.services.identities import identity_for, usable
from webmail.services.redirecting import Redirect, problems, redirect_message
from webmail.values import FolderId, Message, Ref
from webmail.views.box import Box, open_box
from webmail.views.writing import secret_for, send_moment, sent_answer, shown_problems


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def message_redirect(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str
) -> HttpResponse:
    """Asks to whom a message is sent on; POST with `to`, `cc`, `bcc` and `identity` does so. A part for htmx, 422 with what
    has to be put right."""
    ref = Ref(folder_id, validity, uid)
    with open_box(request, account_id) as box:
        message = box.source.message(ref)
        wish = _wish(request, box.account, message)
        if request.method != "POST":
            return _form(box, message, wish)
        undo_s = box.account.owner.undo_s
        moment = send_moment(request, undo_s)
        found = problems(wish)
        if isinstance(moment, Problem):
            found.append(moment)
        elif not found:
            found = daily_problems(box.account, len(wish.everybody), moment)
        if found or isinstance(moment, Problem):
            return _form(box, message, wish, found)
        secret = secret_for(request, box.account)
        outgoing = redirect_message(box.account, box.source, ref, wish, send_at=moment, secret=secret)
        if outgoing is None:
            return _form(box, message, wish, [Problem("large")])
        return sent_answer(request, box.account, outgoing, undo_s=undo_s)


def _wish(request: HttpRequest, account: MailAccount, message: Message) -> Redirect:
    """What the form says; at first as whom the message was got."""
    if request.method != "POST":
        return Redirect(identity=identity_for(account, [*message.to, *message.cc]))
    to, cc, bcc = (expand_groups(account, request.POST.get(name, "")[:200_000]) for name in ("to", "cc", "bcc"))
    return Redirect(to, cc, bcc, _identity(account, request.POST.get("identity", "")))


def _identity(account: MailAccount, wanted: str) -> Identity | None:
    mine = usable(account)
    return next((one for one in mine if str(one.pk) == wanted), mine[0] if mine else None)


def _form(box: Box, message: Message, wish: Redirect, found: list[Problem] | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "account": box.account,
        "message": message,
        "wish": wish,
        "identities": usable(box.account),
        "action": box.message_url(message.ref, "message_redirect"),
        "back_url": box.message_url(message.ref),
        "problems": shown_problems(found or []),
    }
    part = box.request.htmx and not box.request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "webmail/redirect.html" + ("#composer" if part else "")
    return render(box.request, template, context, status=422 if found else 200)
