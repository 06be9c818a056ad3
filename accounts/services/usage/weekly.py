"""The letter of the week to whoever runs something: what is used, how it grew, and which mailboxes need somebody."""

from __future__ import annotations

import logging
import smtplib
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import MailboxSpace, User, WeeklySummary
from accounts.models.usage import FULL_PERMILLE
from accounts.services.letters import notify
from accounts.services.limits import size_words
from accounts.services.permissions import held_by
from accounts.services.usage.alerts import plan_lists
from accounts.services.usage.letters import FAILURES
from accounts.services.usage.parts import unused
from accounts.services.usage.report import SpaceReport, read_limits, read_report
from accounts.services.usage.scope import Scope
from accounts.services.usage.steps import near_step

MONDAY, HOUR = 0, 7
"""From this hour of Monday on, of the installation's time zone, and on no other day: what could not go out then waits a week."""
NAMED = 5
ROUND = 500

log = logging.getLogger(__name__)


def wants_summary(person: User) -> bool:
    """Whether a person is written to each week."""
    return not WeeklySummary.objects.filter(person=person, wanted=False).exists()


def want_summary(person: User, *, wanted: bool) -> None:
    """Begins or ends the letters."""
    WeeklySummary.objects.update_or_create(person=person, defaults={"wanted": wanted})


def send_summaries(*, now: datetime | None = None) -> int:
    """Writes to everybody who runs something, wants it, and was not written to this week; gives how many letters were taken. A
    person is claimed before the letter goes out, so nobody gets two; to whom the server did not answer is written in the next
    round, and holds nobody else back."""
    here = timezone.localtime(now)
    monday = here.date()
    if here.weekday() != MONDAY or here.hour < HOUR:
        return 0
    runs = Q(roles__isnull=False) | Q(is_superuser=True)
    done = Q(weekly_summary__wanted=False) | Q(weekly_summary__week__gte=monday)
    sent = failures = 0
    for person in User.objects.filter(runs, is_active=True).exclude(done).distinct().order_by("pk")[:ROUND]:
        row, _made = WeeklySummary.objects.get_or_create(person=person)
        unclaimed = Q(week__isnull=True) | Q(week__lt=monday)
        if not WeeklySummary.objects.filter(unclaimed, pk=row.pk, wanted=True).update(week=monday):
            continue
        try:
            sent += _write(person, monday)
        except (OSError, smtplib.SMTPException) as error:
            WeeklySummary.objects.filter(pk=row.pk).update(week=row.week)
            log.warning("summaries: %s", type(error).__name__)
            failures += 1
            if failures == FAILURES:
                break
    return sent


def _write(person: User, monday: date) -> bool:
    scope = Scope(held_by(person))
    report = read_report(scope)
    if report is None:
        return False
    with translation.override(person.language or settings.LANGUAGE_CODE):
        subject = _("Space of your mailboxes, week of %(day)s") % {"day": date_format(monday, "SHORT_DATE_FORMAT")}
        where = settings.SITE_URL + reverse("usage")
        ends = _("This letter comes once a week. There you can end it, too.")
        return notify(person.email, subject, [*summary_lines(scope, report), where, ends])


def summary_lines(scope: Scope, report: SpaceReport) -> list[str]:
    """What the letter says, in the language that is in force."""
    today = report.today
    used = {
        "used": size_words(report.taken_bytes),
        "limit": size_words(today.disk_bytes or 0),
        "percent": report.used_percent or 0,
    }
    if today.disk_bytes is None:
        first = _("%(used)s are used.") % used
    elif report.of_plan:
        first = _("%(used)s of the plan's %(limit)s are used (%(percent)s %%).") % used
    else:
        first = _("%(used)s of the disk's %(limit)s are used (%(percent)s %%).") % used
    lines = [first]
    if report.week_bytes is not None:
        change = {"size": size_words(abs(report.week_bytes))}
        lines.append(
            (_("In a week: %(size)s more.") if report.week_bytes >= 0 else _("In a week: %(size)s less.")) % change
        )
    if report.alert_on:
        when = {"percent": report.alert_percent, "day": date_format(report.alert_on, "DATE_FORMAT")}
        lines.append(_("As it goes on, %(percent)s %% are reached on %(day)s.") % when)
    return [" ".join(lines), *_mailbox_lines(scope)]


def _mailbox_lines(scope: Scope) -> list[str]:
    rows = MailboxSpace.objects.filter(scope.of_mailboxes())
    filling, percent = _filling(rows)
    count = filling.count()
    values = {"n": count, "percent": percent}
    found = []
    if count:
        if percent:
            text = ngettext(
                "%(n)d mailbox is fuller than %(percent)d %%:", "%(n)d mailboxes are fuller than %(percent)d %%:", count
            )
        else:
            text = ngettext(
                "%(n)d mailbox is nearly full by the thresholds of its plan:",
                "%(n)d mailboxes are nearly full by the thresholds of their plans:",
                count,
            )
        fullest = filling.order_by("-permille", "pk").values_list("mailbox__address", "permille")[:NAMED]
        names = [f"  {address}  {_filled(permille)}" for address, permille in fullest]
        if count > NAMED:
            names.append("  …")
        found.append("\n".join([text % values, *names]))
    elif percent:
        found.append(_("No mailbox is fuller than %(percent)d %%.") % values)
    else:
        found.append(_("No mailbox is nearly full by the thresholds of its plan."))
    if idle := rows.filter(unused()).count():
        text = ngettext(
            "%(n)d mailbox was not opened for half a year.", "%(n)d mailboxes were not opened for half a year.", idle
        )
        found.append(text % {"n": idle})
    return found


def _filled(permille: int) -> str:
    words = f"{permille // 10} %"
    return f"{words} ({_('full')})" if permille >= FULL_PERMILLE else words


def _filling(rows: QuerySet[MailboxSpace]) -> tuple[QuerySet[MailboxSpace], int]:
    """Those that are nearly full by the list of their plan, and from how many percent on that is; 0 where plans differ."""
    usual = near_step(read_limits().owner_steps)
    there = set(rows.order_by().values_list("plan", flat=True).distinct())
    from_: dict[int, list[int]] = {}
    for steps, plans in plan_lists().items():
        if own := [plan for plan in plans if plan in there]:
            from_.setdefault(near_step(steps), []).extend(own)
    others = Q(permille__gte=usual * 10) & ~Q(plan__in=[plan for plans in from_.values() for plan in plans])
    nearly = others
    for percent, plans in from_.items():
        nearly |= Q(plan__in=plans, permille__gte=percent * 10)
    percents = {*from_, *([usual] if there - {plan for plans in from_.values() for plan in plans} or not there else [])}
    return rows.filter(nearly), percents.pop() if len(percents) == 1 else 0
