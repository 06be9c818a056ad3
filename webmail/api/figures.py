"""What would stay on the server if a mailbox were downloaded, month by month: counted from its own messages."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.api.callers import caller_of, fails, needs
from webmail.api.boxes import settings_box
from webmail.services.access import account_credentials, open_account
from webmail.services.downloads import KEEP_DAYS_MAX
from webmail.services.switch_figures import Figures, figures_of

router = Router(tags=["Where mail lives"])
Days = Annotated[int, Query(ge=0, le=KEEP_DAYS_MAX)]


class PointOut(Schema):
    """The octets on the server on a day: read over IMAP, and downloaded with copies left for so many days, in the past as if it
    had been so all along; `ahead`: foreseen, if downloading begins today."""

    day: date
    imap_bytes: int
    pop3_bytes: int
    ahead: bool


class FiguresOut(Schema):
    """With copies left for `days`: all `messages` of today leave the server by `leaves_on`, since days count from the download;
    from then on copies take `steady_bytes`, and `freed_bytes` are free that are used now (null: the server does not tell what is
    used). `full_on` is when the quota is full as it goes on (null: not within three years, or no quota), `full_with_copies_on`
    when with these copies (null: never, at the rate of today) and `room_on` when it is no longer (null: never). Had it
    been downloaded all along, `stays` messages would be on the server now, and `peak_bytes` at most in the last year. `whole` is
    false where only the newest messages were looked at."""

    days: int
    messages: int
    size_bytes: int | None
    quota_bytes: int | None
    stays: int
    stays_bytes: int
    leaves: int
    leaves_on: date
    steady_bytes: int
    freed_bytes: int | None
    full_on: date | None
    full_with_copies: bool
    full_with_copies_on: date | None
    room_on: date | None
    peak_bytes: int
    whole: bool
    points: list[PointOut]

    @classmethod
    def of(cls, found: Figures) -> FiguresOut:
        """The figures as they are shown."""
        course, (stays, stays_bytes) = found.course, found.stays
        points = [PointOut(day=p.day, imap_bytes=p.imap, pop3_bytes=p.pop3, ahead=p.ahead) for p in course.points]
        return cls(
            days=found.days,
            messages=found.plan.messages,
            size_bytes=found.plan.size_bytes,
            quota_bytes=course.quota_bytes,
            stays=stays,
            stays_bytes=stays_bytes,
            leaves=found.plan.messages,
            leaves_on=course.leave_on,
            steady_bytes=course.steady,
            freed_bytes=found.freed,
            full_on=course.full_on,
            full_with_copies=course.full_with_copies_on is not None,
            full_with_copies_on=course.full_with_copies_on,
            room_on=course.room_on,
            peak_bytes=course.peak,
            whole=found.bag.whole,
            points=points,
        )


@router.get(
    "/mailboxes/{mailbox_id}/mode/figures",
    response=FiguresOut,
    summary="What would stay on the server with copies for so many days, month by month",
)
@needs("mailboxes:read")
@fails(409, 503)
def mode_figures(request: HttpRequest, mailbox_id: int, days: Days = 14) -> Any:
    """Read from the mailbox now; 409 for one that is shut, 503 while its server does not answer."""
    account = settings_box(request, mailbox_id)
    with open_account(account, account_credentials(account, origin=caller_of(request).origin)) as source:
        return FiguresOut.of(figures_of(account, source, days=days))
