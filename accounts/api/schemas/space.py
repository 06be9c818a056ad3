"""Space that is used, and what happened to mail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field

from accounts.api.schemas.common import Given, Id, Steps, example
from accounts.models import CustomerSpace, DomainSpace, MailboxSpace, UsageLimits
from accounts.services.timeline import Entry
from accounts.services.usage.quotas import UNDO_AGE_S
from accounts.services.usage.report import SpaceReport
from accounts.services.usage.standing import Counted

Out = TypeVar("Out", bound=Schema)


class SpaceOut(Schema):
    """What is used now: of a mailbox as its mail server says it, else as it was counted at `as_of`, which is brought up every two
    minutes (null: nothing was counted yet). `month_bytes` and `full_on` are found four times a day: `full_on` is the day on which
    it will be full as it goes on, today when it is full now, null when that is not to be seen; a changed quota counts at once. In
    four of five cases it is between `full_early` and `full_late` (null beside a `full_on`: perhaps not within three years).
    `limit_bytes` is the quota, for a domain the quotas together, for a customer the plan's space (null: no limit)."""

    used_bytes: int
    limit_bytes: int | None
    month_bytes: int
    full_on: date | None
    full_early: date | None
    full_late: date | None
    as_of: datetime | None
    mailboxes: int | None = None
    messages: int | None = None

    @classmethod
    def of_mailbox(cls, space: MailboxSpace, now: datetime) -> SpaceOut:
        """Of one mailbox, as it is `now`."""
        values: dict[str, Any] = {
            "month_bytes": space.month_bytes,
            **_full(space),
            "messages": space.messages,
        }
        return cls(used_bytes=space.bytes, limit_bytes=space.quota_bytes or None, as_of=now, **values)

    @classmethod
    def of_many(cls, space: DomainSpace | CustomerSpace, counted: Counted, limit: int | None) -> SpaceOut:
        """`space` has what is found a few times a day, `counted` what its mailboxes use."""
        values: dict[str, Any] = {"month_bytes": space.month_bytes, **_full(space), "as_of": counted.at}
        return cls(used_bytes=counted.size_bytes, limit_bytes=limit, mailboxes=counted.mailboxes, **values)


def _full(space: MailboxSpace | DomainSpace | CustomerSpace) -> dict[str, Any]:
    known = space.full_day is not None and space.full_day == space.full_on
    return {"full_on": space.full_day} | {
        name: getattr(space, name) if known else None for name in ("full_early", "full_late")
    }


class EventOut(Schema):
    """What a program did: `kind` as in docs/activity.md, so many (`count`) messages at once, `removed` of them gone, `back` of
    those in the Inbox again, and of these `back_by_others` put there not by the owner but by whoever runs the mailbox; `session`
    is by what the reserve knows what a POP3 program took. A deletion with a `target` is one of which copies were put there
    before. `place` is what the `network` is called, `device` the one for which the password was made; `folder` and `target` as
    people call them; each "" for none. Of mail that was refused `why` is full or other, and `target` the address to which it was
    written, where that is not the mailbox's own."""

    at: datetime
    kind: str
    count: int
    removed: int
    back: int
    back_by_others: int
    session: int | None
    program: str
    device: str
    protocol: str
    network: str
    place: str
    folder: str
    target: str
    why: str
    size_bytes: int | None

    @classmethod
    def of(cls, entry: Entry) -> EventOut:
        """A line of the timeline as it is shown."""
        named: dict[str, Any] = {"place": "" if entry.of_server else entry.place_name}
        named |= {"back_by_others": entry.back_run, "folder": entry.folder_words, "target": entry.target_words}
        values: dict[str, Any] = {name: getattr(entry, name) for name in cls.model_fields if name not in named}
        return cls(**values, **named)


class MonthOut(Schema):
    """The last day of a month, or the end of one to come: then `low_bytes` to `high_bytes` hold what is likely."""

    day: date
    used_bytes: int
    promised_bytes: int | None
    low_bytes: int | None
    high_bytes: int | None


class ExpectedOut(Schema):
    """What is used on a day to come, in four of five cases between `low_bytes` and `high_bytes`."""

    day: date
    used_bytes: int
    low_bytes: int
    high_bytes: int


class JudgedOut(Schema):
    """Of so many (`trials`) earlier forecasts for `ahead_days`, `held` came true within such a band; the usual one was off by
    `error_bytes`, the worst by `worst_bytes`."""

    trials: int
    held: int
    error_bytes: int
    worst_bytes: int
    ahead_days: int


class ReportOut(Schema):
    """What is used and promised today, and where it leads. `there_bytes` is what there is: of the disk, of a customer's plan,
    of a mailbox's quota, null where nothing says it. `other_bytes` is what lies on the disk besides the mail (`used_bytes`),
    where the disk is seen: months, growth and all days are of both then. `finding`: over (past the threshold), soon (on
    `alert_on`, in four of five cases between `alert_early` and `alert_late`), calm, early (too little history), unknown, or
    nothing (nothing was counted yet). `full_on` and its band are of all of `there_bytes`. `expected` is for a day as far ahead as
    earlier forecasts were compared with what came, which `judged` tells."""

    finding: str
    used_bytes: int = 0
    promised_bytes: int = 0
    there_bytes: int | None = None
    other_bytes: int | None = None
    mailboxes: int = 0
    pop3_mailboxes: int = 0
    pop3_bytes: int = 0
    alert_percent: int | None = None
    alert_on: date | None = None
    alert_early: date | None = None
    alert_late: date | None = None
    full_on: date | None = None
    full_early: date | None = None
    full_late: date | None = None
    month_bytes: int | None = None
    week_bytes: int | None = None
    months: list[MonthOut] = []
    expected: ExpectedOut | None = None
    judged: JudgedOut | None = None

    @classmethod
    def of(cls, report: SpaceReport | None) -> ReportOut:
        """The report as it is shown; None is that nothing was counted yet."""
        if report is None:
            return cls(finding="nothing")
        today = report.today
        same = (
            "alert_percent",
            "alert_on",
            "alert_early",
            "alert_late",
            "full_on",
            "full_early",
            "full_late",
            "month_bytes",
            "week_bytes",
            "finding",
        )
        values: dict[str, Any] = {name: getattr(report, name) for name in same}
        values |= {name: getattr(today, name) for name in ("mailboxes", "pop3_mailboxes", "pop3_bytes")}
        months = [_same(MonthOut, one) for one in report.months]
        there: dict[str, Any] = {
            "used_bytes": today.bytes,
            "promised_bytes": today.quota_bytes,
            "there_bytes": today.disk_bytes,
            "other_bytes": today.other_bytes,
        }
        if report.expected:
            values["expected"] = _same(ExpectedOut, report.expected)
        if report.judged:
            values["judged"] = _same(JudgedOut, report.judged)
        return cls(months=months, **there, **values)


def _same(kind: type[Out], thing: object) -> Out:
    """A schema whose fields are called as the thing's."""
    return kind(**{name: getattr(thing, name) for name in kind.model_fields})


class MailboxRow(Schema):
    """`permille` of the quota is used; `used_at` is when somebody opened it last; `jump_bytes` came at once on `jump_on`."""

    mailbox: int
    address: str
    mode: str
    used_bytes: int
    quota_bytes: int
    permille: int
    month_bytes: int
    full_on: date | None
    full_early: date | None
    full_late: date | None
    used_at: datetime | None
    jump_bytes: int
    jump_on: date | None

    @classmethod
    def of(cls, space: MailboxSpace) -> MailboxRow:
        """The row as it is shown."""
        names = set(cls.model_fields) - {"mailbox", "address", "used_bytes", "full_on"}
        values: dict[str, Any] = {name: getattr(space, name) for name in names} | {"full_on": space.full_day}
        return cls(mailbox=space.pk, address=space.mailbox.address, used_bytes=space.bytes, **values)


class DomainRow(Schema):
    """`permille` of what its mailboxes may hold is used; `quota_bytes` is that."""

    domain: int
    name: str
    mailboxes: int
    used_bytes: int
    quota_bytes: int
    permille: int
    month_bytes: int
    full_on: date | None
    full_early: date | None
    full_late: date | None

    @classmethod
    def of(cls, space: DomainSpace) -> DomainRow:
        """The row as it is shown."""
        names = set(cls.model_fields) - {"domain", "name", "used_bytes", "full_on"}
        values: dict[str, Any] = {name: getattr(space, name) for name in names} | {"full_on": space.full_day}
        return cls(domain=space.pk, name=space.domain.name, used_bytes=space.bytes, **values)


class MailboxTable(Schema):
    """A page of the table, and how many there are."""

    items: list[MailboxRow]
    page: int
    pages: int
    total: int


class DomainTable(Schema):
    """A page of the table, and how many there are."""

    items: list[DomainRow]
    page: int
    pages: int
    total: int


class QuotasIn(Given):
    """The same quota for each of these mailboxes, for all of them or for none."""

    model_config = example(mailboxes=[41, 42], quota_bytes=5_000_000_000)

    mailboxes: list[Id] = Field(min_length=1, max_length=200)
    quota_bytes: int = Field(ge=1_000_000, le=100_000 * 10**9)


class QuotasOut(Schema):
    """So many were changed. With `undo` that is taken back within `undo_s` seconds; null where nothing changed."""

    changed: int
    undo: str | None
    undo_s: int = UNDO_AGE_S


class QuotasUndoIn(Given):
    """What the change answered."""

    model_config = ConfigDict(
        str_max_length=20_000, json_schema_extra={"examples": [{"undo": "W1tbNDEsMTAwMDAwMDAwMF1d:1vOoK3:NQ0"}]}
    )

    undo: str = Field(max_length=20_000, min_length=1)


class QuotasBack(Schema):
    """So many have the quota that they had before."""

    changed: int


class Summary(Given):
    """Whether the token's person gets a letter once a week about the space of all that they run."""

    model_config = example(weekly=True)

    weekly: bool


class ProposedOut(Schema):
    """The letter was taken by the mailbox."""

    sent: bool


class Limits(Given):
    """In percent: when a mailbox's owner is told, and the team of the disk; how much of the disk may be promised."""

    model_config = example(owner_steps=[80, 90, 95, 100], disk_steps=[85, 95], promise_percent=125)

    owner_steps: Steps
    disk_steps: Steps
    promise_percent: int = Field(ge=50, le=1000)

    @classmethod
    def of(cls, limits: UsageLimits) -> Limits:
        """The thresholds as they are."""
        return cls(**{name: getattr(limits, name) for name in cls.model_fields})
