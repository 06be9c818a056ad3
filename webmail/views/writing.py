"""What the views of writing share: whose composer it is, when it goes out, what is wrong, and how they answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import MailAccount
from webmail.models import Composing, Outgoing
from webmail.services import composing as service
from webmail.services.access import account_for, credentials_for
from webmail.services.composing import Problem
from webmail.services.identities import settle

LATEST = timedelta(days=366)
MISSED = timedelta(minutes=1)
"""A chosen time has no seconds: the minute that is running is not over yet."""


def composing_for(request: HttpRequest, account_id: int, composing_id: UUID) -> Composing:
    """A composer of this person; anybody else's is a 404."""
    account = account_for(request, account_id)
    composing = (
        Composing.objects.select_related("identity", "account", "outgoing")
        .filter(account=account, pk=composing_id)
        .first()
    )
    if composing is None:
        raise Http404
    if not composing.closed and settle(composing):
        service.keep(composing)
    return composing


def begin_again(request: HttpRequest, account_id: int, composing_id: UUID) -> Composing:
    """A composer in the place of one that is gone, for what a page still holds. Raises Http404 for somebody else's."""
    account = account_for(request, account_id)
    if Composing.objects.filter(pk=composing_id).exists():
        raise Http404
    composing = service.new_composing(account)
    composing.pk = composing_id
    composing.save(force_insert=True)
    return composing


def secret_for(request: HttpRequest, account: MailAccount) -> str | None:
    """The password that a worker sends with; None where it needs none. Raises LoginRefused."""
    if account.hosted:
        return None
    return credentials_for(request, account).password


def send_moment(request: HttpRequest, undo_s: int) -> datetime | Problem:
    """When it goes out: after the time in which it can be taken back, or at the moment `send_at` that was chosen; one without
    a zone is in the zone of the browser. A moment that is over, or more than a year ahead, is a problem."""
    text = request.POST.get("send_at", "").strip()
    now = timezone.now()
    soon = now + timedelta(seconds=undo_s)
    if not text:
        return soon
    try:
        chosen = parse_datetime(text)
    except ValueError:
        chosen = None
    if chosen is None:
        return Problem("time")
    moment = chosen if timezone.is_aware(chosen) else timezone.make_aware(chosen)
    if moment < now - MISSED:
        return Problem("past")
    return Problem("far") if moment > now + LATEST else max(soon, moment)


def problem_words(problem: Problem) -> str:
    """What stands between a message and its sending, in words."""
    words = {
        "nobody": _("Nobody to send it to yet"),
        "syntax": _("“%(about)s” is no mail address"),
        "no-domain": _("“%(about)s” lacks the domain after the @"),
        "too-long": _("“%(about)s” is too long for a mail address"),
        "control": _("“%(about)s” has a character that cannot be in a mail address"),
        "uploading": _("A file is still on its way; wait for it or take it out"),
        "past": _("That time is over already; choose one that is still to come"),
        "far": _("A message can wait for a year at most; choose an earlier time"),
        "time": _("That is no time; choose a day and an hour"),
        "large": _("The message is too large to be sent on"),
        "daily": _("Today this mailbox may send to %(about)s more; take recipients out, or send it tomorrow"),
        "daily-none": _("This mailbox has sent to as many as it may in a day; send it tomorrow"),
    }
    return words[problem.code] % {"about": problem.about}


def shown_problems(problems: list[Problem]) -> list[dict[str, str]]:
    """Problems as a template shows them: code, about, words."""
    return [{"code": one.code, "about": one.about, "words": problem_words(one)} for one in problems]


def sent_answer(request: HttpRequest, account: MailAccount, outgoing: Outgoing, *, undo_s: int) -> HttpResponse:
    """Says that a message is on its way, and offers to take it back."""
    later = outgoing.send_at > timezone.now() + timedelta(minutes=1)
    text = _("It goes out at the time that you chose.") if later else _("Sending")
    undo_url = reverse("outgoing_cancel", args=[account.pk, outgoing.pk]) if later or undo_s else ""
    return done(request, account.pk, text, undo_url=undo_url, seconds=undo_s, sent=not later)


def done(
    request: HttpRequest, account_id: int, text: str, *, undo_url: str = "", seconds: int = 0, sent: bool = False
) -> HttpResponse:
    """Takes a composer from the page and says what became of it."""
    if request.htmx:  # type: ignore[attr-defined]
        context = {"text": text, "undo_url": undo_url, "seconds": seconds, "sent": sent}
        response = render(request, "webmail/compose.html#told", context)
        response["HX-Reswap"] = "delete"
        return response
    notices.info(request, text, extra_tags=undo_url)
    return redirect("account", account_id)


def told(request: HttpRequest, url: str, text: str, **more: Any) -> HttpResponse:
    """Says something and leaves the page as it is; without htmx it leads to `url`. `more`: what else the toast shows."""
    if not request.htmx:  # type: ignore[attr-defined]
        notices.info(request, text)
        return redirect(url)
    return render(request, "webmail/compose.html#told", {"text": text, **more})


def under_way(request: HttpRequest, composing: Composing) -> HttpResponse:
    """Says that what somebody wants to go on with is sent, or about to be."""
    outbox = reverse("outbox", args=[composing.account_id])
    sent = composing.outgoing is not None and composing.outgoing.delivered
    text = _("This message was sent already.") if sent else _("This message is on its way already.")
    return told(request, outbox, text, link_url=outbox, link_text=_("Outbox"), changed=True)
