"""The whole of it: disk, promised, used, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from accounts.models import DaySpace, UsageLimits
from accounts.usage.charts import Growth, Point, growth, thinned
from accounts.usage.forecast import Forecast, forecast
from accounts.usage.series import Sample

HISTORY_DAYS, CHART_DAYS, AHEAD_DAYS = 730, 365, 150
"""How much history the forecast looks at, how much of it the chart shows, and how far it shows ahead."""


@dataclass(frozen=True, slots=True)
class Month:
    """A line of the table that says the same as the chart; for a month to come `low_bytes` to `high_bytes` hold the band."""

    day: date
    used_bytes: int
    promised_bytes: int | None = None
    low_bytes: int | None = None
    high_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DiskReport:
    """What the dashboard says of everything together. Percentages are of the disk, None where its size is not known."""

    today: DaySpace
    limits: UsageLimits
    used_percent: int | None
    promised_percent: int | None
    kept_percent: int
    """How much of what is promised is used."""
    month_bytes: int | None
    alert_on: date | None
    chart: Growth | None
    months: tuple[Month, ...]

    @property
    def finding(self) -> str:
        """What the heading says: over (past the threshold), soon (`alert_on`), calm, early (too little history), or unknown (no
        disk known)."""
        if self.used_percent is None:
            return "unknown"
        if self.used_percent >= self.limits.disk_percent:
            return "over"
        if self.alert_on:
            return "soon"
        return "early" if self.month_bytes is None else "calm"

    @property
    def scale_bytes(self) -> int:
        """What the longest bar stands for."""
        return max(self.today.disk_bytes or 0, self.today.quota_bytes, self.today.bytes, 1)

    def bar(self, size_bytes: int | None) -> int:
        """A bar's length in percent of the longest."""
        return (size_bytes or 0) * 100 // self.scale_bytes

    @property
    def bars(self) -> dict[str, int]:
        """Lengths in percent: the disk, what is promised within it, what beyond it, and what is used."""
        disk, promised = self.bar(self.today.disk_bytes), self.bar(self.today.quota_bytes)
        within = min(disk, promised) if disk else promised
        return {"disk": disk, "within": within, "beyond": promised - within, "used": self.bar(self.today.bytes)}

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


def read_disk() -> DiskReport | None:
    """The report of today; None before anything was counted."""
    since = timezone.localdate() - timedelta(days=HISTORY_DAYS)
    days = list(DaySpace.objects.filter(day__gte=since).order_by("day"))
    if not days:
        return None
    today, limits = days[-1], read_limits()
    line = forecast([Sample(day.day.toordinal(), day.bytes) for day in days])
    disk = today.disk_bytes
    alert_bytes = disk * limits.disk_percent // 100 if disk else None
    reached = line.reaches(alert_bytes) if line and alert_bytes else None
    return DiskReport(
        today=today,
        limits=limits,
        used_percent=today.bytes * 100 // disk if disk else None,
        promised_percent=today.quota_bytes * 100 // disk if disk else None,
        kept_percent=today.bytes * 100 // today.quota_bytes if today.quota_bytes else 0,
        month_bytes=round(line.day_bytes * 30) if line else None,
        alert_on=date.fromordinal(reached) if reached else None,
        chart=_chart(days[-CHART_DAYS:], line, alert_bytes, reached),
        months=_months(days[-CHART_DAYS:], line),
    )


def _chart(days: list[DaySpace], line: Forecast | None, alert_bytes: int | None, reached: int | None) -> Growth | None:
    if len(days) < 2:
        return None
    used: list[Point] = [(day.day.toordinal(), day.bytes) for day in days]
    promised: list[Point] = [(day.day.toordinal(), day.quota_bytes) for day in days]
    far = min(AHEAD_DAYS, max(7, len(days) // 2))
    ahead = [(line.day + n, line.band(line.day + n)) for n in range(5, far + 1, 5)] if line else []
    points = [(day, low, line.at(day), high) for day, (low, high) in ahead] if line else []
    disk = days[-1].disk_bytes
    return growth(
        thinned(used),
        thinned(promised),
        points,
        disk_bytes=disk,
        alert_bytes=alert_bytes,
        alert_day=reached if reached and line and reached > line.day else None,
    )


def _months(days: list[DaySpace], line: Forecast | None) -> tuple[Month, ...]:
    """The last day of each month, and the ends of the five that come."""
    by_month = {(day.day.year, day.day.month): Month(day.day, day.bytes, day.quota_bytes) for day in days}
    rows = list(by_month.values())
    if line:
        for ahead in range(30, AHEAD_DAYS + 1, 30):
            day = line.day + ahead
            low, high = line.band(day)
            rows.append(Month(date.fromordinal(day), line.at(day), None, low, high))
    return tuple(rows)
