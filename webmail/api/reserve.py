"""What POP3 programs have removed and can be put back: how much each of their sessions took, and no word of what is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema

from accounts.api.callers import caller_of, fails, needs
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Given, Id, Moment, example
from accounts.models import MailAccount
from webmail.api.boxes import settings_box
from webmail.services.access import account_credentials, open_live
from webmail.services.put_back import put_back
from webmail.services.reserve import Reserve, ended_at, reserve_of, sessions_of
from webmail.services.space import forget
from webmail.templatetags.reservepage import left_words
from webmail.values import Credentials

router = Router(tags=["Reserve"])


class SessionOut(Schema):
    """What is held of one POP3 session, which ended `at`; null: the log does not tell which it was. By its `id`
    it is put back."""

    id: int | None
    at: datetime | None
    messages: int
    size_bytes: int


class ReserveOut(Schema):
    """What is held, for `days` since it was removed; the `oldest` goes first."""

    messages: int
    size_bytes: int
    oldest: datetime | None
    days: int
    sessions: list[SessionOut]

    @classmethod
    def of(cls, account: MailAccount, found: Reserve) -> ReserveOut:
        """What is held, session by session."""
        sessions = sessions_of(account.mailbox, found) if account.mailbox else []
        shown = [
            SessionOut(id=one.key, at=one.at, messages=one.messages, size_bytes=one.size_bytes) for one in sessions
        ]
        sizes = {"messages": len(found.refs), "size_bytes": found.size_bytes}
        return cls(oldest=found.oldest, days=settings.RESERVE_DAYS, sessions=shown, **sizes)


class BackIn(Given):
    """What a `session` removed, by its id, or all that ended `at` a moment, or `all` of it."""

    model_config = example(session=41207)

    session: Id | None = None
    at: Moment | None = None
    all: bool = False


class BackOut(Schema):
    """So many messages are in the Inbox again. For `left` more the mailbox had no room: they are held on, and take
    `left_bytes`."""

    messages: int
    left: int = 0
    left_bytes: int = 0


@router.get(
    "/mailboxes/{mailbox_id}/reserve", response=ReserveOut, summary="What POP3 programs removed and can be put back"
)
@needs("mailboxes:read")
@fails(409, 503)
def reserve_get(request: HttpRequest, mailbox_id: int) -> Any:
    """By its owner and those who run it."""
    account, credentials = _opened(request, mailbox_id)
    return ReserveOut.of(account, reserve_of(account, credentials))


@router.post("/mailboxes/{mailbox_id}/reserve", response=BackOut, summary="Put what was removed back into the Inbox")
@needs("mailboxes:write")
@fails(503, 507)
@idempotent
def reserve_back(request: HttpRequest, mailbox_id: int, data: BackIn) -> Any:
    """By its owner and those who run it; 422 without saying which."""
    account, credentials = _opened(request, mailbox_id)
    if (data.session is not None) + (data.at is not None) + data.all != 1:
        raise ValidationError({"session": _("Say which session, or all of it.")})
    if data.at is not None and data.at.tzinfo is None:
        raise ValidationError({"at": _("Write the time with its zone.")})
    sessions = None if data.all else [data.session] if data.session is not None else _ended_at(account, data.at)
    found = reserve_of(account, credentials, sessions=sessions)
    with open_live(account, credentials) as live:
        by = caller_of(request).actor
        back = put_back(account, live, found, found.refs, by=by, credentials=credentials)
    forget(account)
    if back.left and not back.messages:
        raise Problem(507, left_words(back))
    return BackOut(messages=back.messages, left=back.left, left_bytes=back.left_bytes)


def _ended_at(account: MailAccount, at: datetime | None) -> list[int]:
    return ended_at(account, at) if at else []


def _opened(request: HttpRequest, mailbox_id: int) -> tuple[MailAccount, Credentials]:
    """Raises Problem 409 for a mailbox that is downloaded: our own downloads leave nothing there."""
    account = settings_box(request, mailbox_id)
    if account.downloads:
        raise Problem(409, _("The mail of this mailbox is downloaded here: nothing is held of it on the server."))
    return account, account_credentials(account, origin=caller_of(request).origin)
