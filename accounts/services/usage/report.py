"""The report of everything, of a reseller, of a customer: what is there, promised, used, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db import transaction
from django.forms import model_to_dict
from django.utils import timezone

from accounts.models import (
    Customer,
    DaySpace,
    Mailbox,
    MailboxHistory,
    UsageLimits,
)
from accounts.services.audit import Actor, record_provider
from accounts.services.usage.history import past_of
from accounts.services.usage.parts import part_of
from accounts.services.usage.scope import Scope
from accounts.services.usage.standing import disk_of
from accounts.services.usage.steps import highest_passed
from accounts.usage.charts import Growth, Point, growth, thinned
from accounts.usage.forecast import Forecast, find_events, forecast
from accounts.usage.judging import AHEAD_DAYS as JUDGED_DAYS
from accounts.usage.judging import Judged, judge
from accounts.usage.series import Sample, at, unpack

HISTORY_DAYS, CHART_DAYS, AHEAD_DAYS = 730, 365, 150
"""How much history the forecast looks at, how much of it the chart shows, and how far it shows ahead."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A change that is no growth; `change_bytes` is below 0 for an emptying."""

    day: date
    change_bytes: int


@dataclass(frozen=True, slots=True)
class Month:
    """A line of the table that says the same as the chart; for a month to come `low_bytes` to `high_bytes` hold the band."""

    day: date
    used_bytes: int
    promised_bytes: int | None = None
    low_bytes: int | None = None
    high_bytes: int | None = None
    jumps: tuple[Jump, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What is used on a day to come, `days` from now: as far ahead as forecasts are judged by what came."""

    days: int
    day: date
    used_bytes: int
    low_bytes: int
    high_bytes: int


@dataclass(frozen=True, slots=True)
class SpaceReport:
    """What the dashboard says of everything, or of a part. `today.disk_bytes` is what there is: of the disk, of a customer's
    plan, or None where nothing says it; percentages are of that. Of a disk that is seen all counts that lies on it: mail and
    what else there is (`today.other_bytes`), in the percentage, the chart and the forecast."""

    today: DaySpace
    limits: UsageLimits
    steps: tuple[int, ...]
    """The thresholds that hold for it."""
    of_plan: bool
    """Whether it is a plan's space and no disk's."""
    alert_percent: int
    used_percent: int | None
    promised_percent: int | None
    kept_percent: int
    """How much of what is promised is used."""
    month_bytes: int | None
    week_bytes: int | None
    alert_on: date | None
    alert_early: date | None
    """Between this day and `alert_late` it is, in four of five cases; `alert_late` None: perhaps not within three years."""
    alert_late: date | None
    full_on: date | None
    """When all that there is is used, and between which days that is in four of five cases, as of the alert."""
    full_early: date | None
    full_late: date | None
    expected: Expected | None
    chart: Growth | None
    months: tuple[Month, ...]
    jumps: tuple[Jump, ...]
    """What is marked in the chart, oldest first."""
    judged: Judged | None
    """What the forecast was worth in the past."""
    of_mailbox: bool = False
    """Whether it is about one mailbox and its quota."""
    else_since: date | None = None
    """Since when it is known what else lies on the disk, where that is later than what it is told of."""

    @property
    def finding(self) -> str:
        """What the heading says: over (past the threshold), soon (`alert_on`), calm, early (too little history), or unknown
        (nothing says how much there is)."""
        if self.used_percent is None:
            return "unknown"
        if self.used_percent >= self.alert_percent:
            return "over"
        if self.alert_on:
            return "soon"
        return "early" if self.month_bytes is None else "calm"

    @property
    def taken_bytes(self) -> int:
        """What is used of what there is: the mail, and what else lies on a disk that is seen."""
        return self.today.bytes + (self.today.other_bytes or 0)

    @property
    def scale_bytes(self) -> int:
        """What the longest bar stands for."""
        return max(self.today.disk_bytes or 0, self.today.quota_bytes, self.taken_bytes, 1)

    def bar(self, size_bytes: int | None) -> int:
        """A bar's length in percent of the longest."""
        return (size_bytes or 0) * 100 // self.scale_bytes

    @property
    def bars(self) -> dict[str, int]:
        """Lengths in percent: the disk, what is promised within it, what beyond it, what is used, and what else lies there."""
        disk, promised = self.bar(self.today.disk_bytes), self.bar(self.today.quota_bytes)
        within = min(disk, promised) if disk else promised
        used, taken = self.bar(self.today.bytes), self.bar(self.taken_bytes)
        return {"disk": disk, "within": within, "beyond": promised - within, "used": used, "else": taken - used}

    @property
    def imap_bytes(self) -> int:
        return self.today.bytes - self.today.pop3_bytes

    @property
    def imap_mailboxes(self) -> int:
        return self.today.mailboxes - self.today.pop3_mailboxes

    @property
    def pop3_percent(self) -> int:
        return round(self.today.pop3_mailboxes * 100 / self.today.mailboxes) if self.today.mailboxes else 0


def read_limits() -> UsageLimits:
    """The thresholds that are in force."""
    return UsageLimits.objects.first() or UsageLimits()


@transaction.atomic
def save_limits(limits: UsageLimits, *, by: Actor) -> None:
    """Keeps the thresholds, as a form has filled them in."""
    old = model_to_dict(read_limits(), exclude=["id"])
    limits.save()
    new = model_to_dict(limits, exclude=["id"])
    if new != old:
        record_provider(by=by, verb="usage.limits", before=old, after=new)


def read_report(scope: Scope) -> SpaceReport | None:
    """The report of today; None before anything was counted."""
    limits = read_limits()
    if scope.everything:
        since = timezone.localdate() - timedelta(days=HISTORY_DAYS)
        days = list(DaySpace.objects.filter(day__gte=since).order_by("day"))
        return _report(days, limits, limits.disk_steps) if days else None
    days = _days(scope)
    customer = _whose_plan(scope)
    told = customer or scope.one_reseller
    steps = (told.alert_steps if told else None) or limits.owner_steps
    if scope.whole_server:
        steps = limits.disk_steps
    return _report(days, limits, steps, of_plan=customer is not None) if days else None


def mailbox_report(mailbox: Mailbox, *, now_bytes: int | None = None) -> SpaceReport | None:
    """What one mailbox used day by day, and how that goes on; None before anything was counted. `now_bytes` is what it uses at
    this moment, where that is known: samples are some hours old, and rounded."""
    samples = _samples(mailbox, now_bytes)
    if not samples:
        return None
    days = [DaySpace(day=one.date, bytes=one.size_bytes) for one in samples]
    days[-1].disk_bytes = mailbox.quota_bytes
    limits = read_limits()
    steps = mailbox.domain.customer.plan.owner_steps or limits.owner_steps
    return replace(_report(days, limits, steps), of_mailbox=True)


def mailbox_line(mailbox: Mailbox, *, now_bytes: int | None = None) -> Forecast | None:
    """How what one mailbox uses goes on, the same that its report says; None before there is a week of history."""
    return forecast(_samples(mailbox, now_bytes))


def _samples(mailbox: Mailbox, now_bytes: int | None) -> list[Sample]:
    """What a mailbox used, oldest first, and what it uses now, where that is known."""
    kept = MailboxHistory.objects.filter(mailbox=mailbox).first()
    today = timezone.localdate().toordinal()
    samples = [one for one in unpack(bytes(kept.samples)) if one.day >= today - HISTORY_DAYS] if kept else []
    if not samples or now_bytes is None:
        return samples
    return [*(one for one in samples if one.day < today), Sample(today, now_bytes)]


def _report(days: list[DaySpace], limits: UsageLimits, steps: list[int], *, of_plan: bool = False) -> SpaceReport:
    """Of days, oldest first, one or more. Of the thresholds it is about the highest that is passed, else about the first."""
    today = days[-1]
    taken = _taken(days)
    passed = highest_passed(steps, taken[-1] * 1000 // today.disk_bytes) if today.disk_bytes else 0
    percent = passed or steps[0]
    samples = [Sample(day.day.toordinal(), size) for day, size in zip(days, taken, strict=True)]
    events = find_events(samples)
    line, judged = forecast(samples, events), judge(samples, events)
    line = judged.widen(line) if line and judged else line
    shown = [day for day in days if (today.day - day.day).days <= CHART_DAYS]
    jumps = tuple(
        Jump(date.fromordinal(one.day), one.change_bytes) for one in events if one.day > shown[0].day.toordinal()
    )
    there = today.disk_bytes
    alert_bytes = there * percent // 100 if there else None
    alert_on, alert_early, alert_late = _reached(line, alert_bytes)
    full_on, full_early, full_late = _reached(line, there)
    week_ago = [size for day, size in zip(days, taken, strict=True) if (today.day - day.day).days >= 7]
    return SpaceReport(
        today=today,
        limits=limits,
        steps=tuple(steps),
        of_plan=of_plan,
        alert_percent=percent,
        used_percent=taken[-1] * 100 // there if there else None,
        promised_percent=today.quota_bytes * 100 // there if there else None,
        kept_percent=today.bytes * 100 // today.quota_bytes if today.quota_bytes else 0,
        month_bytes=round(line.day_bytes * 30) if line else None,
        week_bytes=taken[-1] - week_ago[-1] if week_ago else None,
        alert_on=alert_on,
        alert_early=alert_early,
        alert_late=alert_late,
        full_on=full_on,
        full_early=full_early,
        full_late=full_late,
        expected=_expected(line) if line else None,
        chart=_chart(shown, taken[-len(shown) :], line, alert_bytes, alert_on, jumps),
        months=_months(shown, taken[-len(shown) :], line, jumps),
        jumps=jumps,
        judged=judged if line else None,
        else_since=next((day.day for day in days if day.other_bytes is not None and day is not days[0]), None)
        if days[0].other_bytes is None
        else None,
    )


def _taken(days: list[DaySpace]) -> list[int]:
    """What was used on each day, with what else lay on the disk; before that was looked at, as much as at first."""
    first = next((day.other_bytes for day in days if day.other_bytes is not None), 0)
    found, last = [], first
    for day in days:
        last = last if day.other_bytes is None else day.other_bytes
        found.append(day.bytes + last)
    return found


def _reached(line: Forecast | None, size_bytes: int | None) -> tuple[date | None, date | None, date | None]:
    """When so much is used, and between which days in four of five cases; nothing where it is not to be seen."""
    day = line.reaches(size_bytes) if line and size_bytes else None
    if not line or not size_bytes or day is None:
        return None, None, None
    early, late = line.reaches_between(size_bytes)
    return date.fromordinal(day), date.fromordinal(early), date.fromordinal(late) if late else None


def _expected(line: Forecast) -> Expected:
    day = line.day + JUDGED_DAYS
    return Expected(JUDGED_DAYS, date.fromordinal(day), line.at(day), *line.band(day))


def _whose_plan(scope: Scope) -> Customer | None:
    """The customer whose plan it is about, where it is about all that the customer has."""
    return None if scope.mode or scope.server else scope.one_customer


def _days(scope: Scope) -> list[DaySpace]:
    """A part's days: what was used in the past, and all that is known of today, which is read from the mailboxes."""
    part = part_of(scope)
    sums = {name: part[name] for name in ("pop3_bytes", "pop3_mailboxes", "mailboxes", "quota_bytes", "bytes")}
    if not sums["mailboxes"]:
        return []
    customer = _whose_plan(scope)
    now = timezone.now()
    latest = DaySpace.objects.order_by("-day").values_list("at", flat=True).first()
    today = DaySpace(day=timezone.localdate(now), at=latest or now, **sums)
    today.disk_bytes = customer.plan.total_bytes if customer else None
    if scope.server and scope.whole_server:
        disk = disk_of(scope.server if scope.server.pk else None)
        today.disk_bytes = disk.size_bytes if disk else None
        if disk and disk.taken_bytes is not None:
            today.other_bytes = max(0, disk.taken_bytes - today.bytes)
    since, now_day = today.day.toordinal() - HISTORY_DAYS, today.day.toordinal()
    past = past_of(scope)
    used = [one for one in past.used if since <= one.day < now_day]
    return [*(_day(one, at(past.promised, one.day)) for one in used), today]


def _day(sample: Sample, promised: int | None) -> DaySpace:
    """A day of a part; without mailboxes where it is not known what was promised."""
    return DaySpace(
        day=sample.date, bytes=sample.size_bytes, quota_bytes=promised or 0, mailboxes=int(promised is not None)
    )


def _chart(
    days: list[DaySpace],
    taken: list[int],
    line: Forecast | None,
    alert_bytes: int | None,
    reached: date | None,
    jumps: tuple[Jump, ...],
) -> Growth | None:
    if len(days) < 2:
        return None
    sizes = {day.day: size for day, size in zip(days, taken, strict=True)}
    marks = [(one.day.toordinal(), float(sizes[one.day]), float(one.change_bytes)) for one in jumps]
    used: list[Point] = [(day.toordinal(), size) for day, size in sizes.items()]
    promised: list[Point] = [(day.day.toordinal(), day.quota_bytes) for day in days if day.mailboxes]
    promised = promised if len(promised) > 1 else []
    far = min(AHEAD_DAYS, max(7, (days[-1].day - days[0].day).days // 2))
    ahead = [(line.day + n, line.band(line.day + n)) for n in range(5, far + 1, 5)] if line else []
    points = [(day, low, line.at(day), high) for day, (low, high) in ahead] if line else []
    disk = days[-1].disk_bytes
    return growth(
        thinned(used, kept=frozenset(day for day, _size, _change in marks)),
        thinned(promised),
        points,
        disk_bytes=disk,
        alert_bytes=alert_bytes,
        alert_day=reached.toordinal() if reached and line and reached.toordinal() > line.day else None,
        marks=marks,
    )


def _months(
    days: list[DaySpace], taken: list[int], line: Forecast | None, jumps: tuple[Jump, ...]
) -> tuple[Month, ...]:
    """The last day of each month with what jumped in it, and the ends of the five that come."""
    last = {(day.day.year, day.day.month): (day, size) for day, size in zip(days, taken, strict=True)}
    rows = []
    for month, (end, size) in last.items():
        inside = tuple(one for one in jumps if (one.day.year, one.day.month) == month)
        rows.append(Month(end.day, size, end.quota_bytes if end.mailboxes else None, jumps=inside))
    if line:
        for ahead in range(30, AHEAD_DAYS + 1, 30):
            day = line.day + ahead
            low, high = line.band(day)
            rows.append(Month(date.fromordinal(day), line.at(day), None, low, high))
    return tuple(rows)
