"""How much space is used: as Dovecot counts it, as pages show it, and how it has grown."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.access import MailAccount
from accounts.models.hosting import Customer, Domain, Mailbox, MailServer, Plan, Reseller
from accounts.models.people import User

FULL_PERMILLE = 1000


class MailboxUsage(models.Model):
    """How much a mailbox holds, as Dovecot itself writes it within ten seconds of a change (quota_clone,
    deploy/dovecot/usage.conf): three columns, and no constraint that could refuse a row."""

    username = models.CharField(max_length=254, primary_key=True)
    bytes = models.BigIntegerField(default=0, db_default=0)
    messages = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "mail_usage"

    def __str__(self) -> str:
        return f"{self.username} {self.bytes}"


def _copy_of(model: type[models.Model], *, index: bool = False, null: bool = False) -> Any:
    """A key that stands elsewhere already, where the database holds it. Reseller, plan and server have no index here: a large
    part of all rows is found sooner by the order that is asked for."""
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=index, null=null
    )


class _Filling:
    """What has a forecast, and is full at some time."""

    permille: Any
    full_on: Any

    @property
    def is_full(self) -> bool:
        return bool(self.permille >= FULL_PERMILLE)

    @property
    def full_day(self) -> date | None:
        """The day on which it is full as it goes on: today when it is now. None when that is not to be seen, or when the
        day of an older forecast went by without it."""
        today = timezone.localdate()
        if self.is_full:
            return today
        found: date | None = self.full_on
        return found if found and found >= today else None


class MailboxSpace(_Filling, models.Model):
    """How a mailbox stands, for tables of 100,000 of them: a copy of what is counted, brought up every two minutes
    (services/usage/standing.py), with what is found once a day: its growth in 30 days, the day on which it will be full (and
    between which days in four of five cases, `full_late` None: perhaps not at all), the last jump, and when somebody used it last
    (`idle_since` is that, or when it was made). `permille` is what is used of the quota (0 without one); `alerted` the highest
    threshold in percent of which its owner was told; `checked` when Dovecot was last asked for its own figure.

    Whose it is stands in it too, so that a page about 100,000 of them joins nothing: a domain, its customer and its server are
    for life, reseller and plan go with the customer (`standing.follow_customer` at once; every two minutes all that differs)."""

    class Mode(models.TextChoices):
        IMAP = "imap", "IMAP"
        POP3 = "pop3", "POP3"

    mailbox = models.OneToOneField(Mailbox, primary_key=True, on_delete=models.CASCADE, related_name="space")
    domain = _copy_of(Domain, index=True)
    customer = _copy_of(Customer, index=True)
    plan = _copy_of(Plan)
    reseller = _copy_of(Reseller, null=True)
    server = _copy_of(MailServer, null=True)
    bytes = models.BigIntegerField(default=0)
    messages = models.BigIntegerField(default=0)
    quota_bytes = models.BigIntegerField(default=0)
    permille = models.IntegerField(default=0)
    mode = models.CharField(_("mode"), max_length=4, choices=Mode, default=Mode.IMAP)
    month_bytes = models.BigIntegerField(default=0)
    full_on = models.DateField(null=True)
    full_early = models.DateField(null=True)
    full_late = models.DateField(null=True)
    jump_bytes = models.BigIntegerField(default=0)
    jump_on = models.DateField(null=True)
    used_at = models.DateTimeField(null=True)
    idle_since = models.DateTimeField()
    alerted = models.PositiveSmallIntegerField(default=0)
    checked = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-permille"], name="space_permille"),
            models.Index(fields=["-bytes", "mailbox"], name="space_bytes"),
            models.Index(
                fields=["full_on", "-permille"], name="space_full_on"
            ),  # as PostgreSQL sorts; SQLite puts NULL first
            models.Index(fields=["idle_since"], name="space_idle_since"),
            models.Index(fields=["-jump_on", "-bytes"], name="space_jumped"),
            models.Index(fields=["checked"], name="space_checked"),
            models.Index(fields=["alerted"], name="space_alerted", condition=models.Q(alerted__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id} {self.bytes}"


class MailboxHistory(models.Model):
    """What a mailbox used, day by day at first and thinned later: packed by accounts/usage/series.py, some 950 bytes after five
    years."""

    mailbox = models.OneToOneField(Mailbox, primary_key=True, on_delete=models.CASCADE, related_name="history")
    samples = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return str(self.mailbox_id)


class DomainSpace(_Filling, models.Model):
    """The same of a domain: what its mailboxes use and what was promised to them, brought up every two minutes, the rest once a
    day. `alerted` is the highest threshold of which somebody was told. `samples` is what was used, `promised` what was promised,
    each a series (accounts/usage/series.py)."""

    domain = models.OneToOneField(Domain, primary_key=True, on_delete=models.CASCADE, related_name="space")
    bytes = models.BigIntegerField(default=0)
    quota_bytes = models.BigIntegerField(default=0)
    mailboxes = models.IntegerField(default=0)
    permille = models.IntegerField(default=0)
    month_bytes = models.BigIntegerField(default=0)
    full_on = models.DateField(null=True)
    full_early = models.DateField(null=True)
    full_late = models.DateField(null=True)
    jump_bytes = models.BigIntegerField(default=0)
    jump_on = models.DateField(null=True)
    alerted = models.PositiveSmallIntegerField(default=0)
    samples = models.BinaryField(default=b"")
    promised = models.BinaryField(default=b"")

    class Meta:
        indexes = [
            models.Index(fields=["-permille"], name="domain_space_permille"),
            models.Index(fields=["-jump_on"], name="domain_space_jumps", condition=models.Q(jump_on__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} {self.bytes}"


class CustomerSpace(_Filling, models.Model):
    """The same of a customer, for whom `permille` is of the plan's space in all (0 without such a limit), brought up every two
    minutes; the rest once a day. `alerted` is the highest threshold of which it was told, `seller_alerted` of which its reseller
    was, by a list of its own."""

    customer = models.OneToOneField(Customer, primary_key=True, on_delete=models.CASCADE, related_name="space")
    bytes = models.BigIntegerField(default=0)
    quota_bytes = models.BigIntegerField(default=0)
    mailboxes = models.IntegerField(default=0)
    permille = models.IntegerField(default=0)
    month_bytes = models.BigIntegerField(default=0)
    full_on = models.DateField(null=True)
    full_early = models.DateField(null=True)
    full_late = models.DateField(null=True)
    jump_bytes = models.BigIntegerField(default=0)
    jump_on = models.DateField(null=True)
    alerted = models.PositiveSmallIntegerField(default=0)
    seller_alerted = models.PositiveSmallIntegerField(default=0)
    samples = models.BinaryField(default=b"")
    promised = models.BinaryField(default=b"")

    class Meta:
        indexes = [
            models.Index(fields=["-permille"], name="customer_space_permille"),
            models.Index(fields=["-jump_on"], name="customer_space_jumps", condition=models.Q(jump_on__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.bytes}"


class ServerSpace(models.Model):
    """The same of a server, brought up once a day; `server` is its key, 0 for the installation's own mail folder."""

    server = models.PositiveIntegerField(primary_key=True)
    bytes = models.BigIntegerField(default=0)
    quota_bytes = models.BigIntegerField(default=0)
    mailboxes = models.IntegerField(default=0)
    samples = models.BinaryField(default=b"")
    promised = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return f"{self.server} {self.bytes}"


class PartSpace(models.Model):
    """What the mailboxes of a reseller on a plan and a server, read in one way, used and were promised, brought up once a day:
    any part by which the dashboard is narrowed is a sum of such rows. 0 is none, and the installation's own mail folder."""

    reseller = models.PositiveIntegerField(default=0)
    plan = models.PositiveIntegerField(default=0)
    server = models.PositiveIntegerField(default=0)
    mode = models.CharField(max_length=4, choices=MailboxSpace.Mode)
    samples = models.BinaryField(default=b"")
    promised = models.BinaryField(default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reseller", "plan", "server", "mode"], name="part_space_once"),
        ]

    def __str__(self) -> str:
        return f"{self.reseller} {self.plan} {self.server} {self.mode}"


class DaySpace(models.Model):
    """Everything together, a row for each day; that of today is brought up with the mailboxes. `disk_bytes` is the size of the
    disk that holds the mail, where it is known, `other_bytes` what else lies on it, where the disk is seen."""

    day = models.DateField(primary_key=True)
    at = models.DateTimeField()
    bytes = models.BigIntegerField(default=0)
    quota_bytes = models.BigIntegerField(default=0)
    mailboxes = models.IntegerField(default=0)
    pop3_bytes = models.BigIntegerField(default=0)
    pop3_mailboxes = models.IntegerField(default=0)
    disk_bytes = models.BigIntegerField(null=True)
    other_bytes = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.day} {self.bytes}"


def usual_steps() -> list[int]:
    """At which percentages owners are told where nothing else is said."""
    return [80, 90, 95, 100]


def disk_steps() -> list[int]:
    """At which percentages the provider is told of the disk."""
    return [85, 90, 95, 100]


class UsageLimits(models.Model):
    """At which percentages somebody is told, the lowest first (services/usage/steps.py). One row; what is not in it has these
    defaults."""

    owner_steps = models.JSONField(_("Tell the owner of a mailbox at"), default=usual_steps)
    disk_steps = models.JSONField(_("Tell the team when the disk passes"), default=disk_steps)
    promise_percent = models.PositiveSmallIntegerField(_("Promise no more than this of the disk"), default=125)

    def __str__(self) -> str:
        return f"{self.owner_steps} {self.disk_steps} {self.promise_percent}"


class SpaceAlert(models.Model):
    """A threshold that was passed, once for each crossing: of a mailbox, of a domain, of a customer's plan, or of a disk (none
    of them): that of `server`, or the installation's own. With a `reseller` that one is told, of a customer's plan or, without a
    customer, of what was promised to all its customers. `cleared` is when it was well below again, `mailed` when somebody was
    written to, `taken` how many letters were taken then (None: not written yet, or before that was noted), of a mailbox those to
    its owner."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="alerts", null=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="+", null=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", null=True)
    server = models.ForeignKey(MailServer, on_delete=models.CASCADE, related_name="+", null=True)
    reseller = models.ForeignKey(Reseller, on_delete=models.CASCADE, related_name="+", null=True)
    percent = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    cleared = models.DateTimeField(null=True)
    mailed = models.DateTimeField(null=True)
    taken = models.PositiveSmallIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="alert_at"),
            models.Index(fields=["at"], name="alert_unmailed", condition=models.Q(mailed__isnull=True)),
            models.Index(
                fields=["cleared"],
                name="alert_of_disk",
                condition=models.Q(mailbox__isnull=True, domain__isnull=True, customer__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id or self.domain_id or self.customer_id or 'disk'} {self.percent}"


class AlertSeen(models.Model):
    """Somebody who does not want to be shown an alert any more; it stays what it is for all others."""

    alert = models.ForeignKey(SpaceAlert, on_delete=models.CASCADE, related_name="seen")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "person"], name="alert_seen_once")]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.person_id}"


class WeeklySummary(models.Model):
    """Who runs something is written to once a week: whether they want it, and for which week (its Monday) they were written to
    last. Without a row they want it."""

    person = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="weekly_summary")
    wanted = models.BooleanField(default=True)
    week = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.person_id} {self.week}"


class Clearing(models.Model):
    """Messages of one folder that are about to be deleted for good: which (`validity` is their UIDVALIDITY, `uids` a sequence
    set), and from when on (`due`). Until then it is cancelled with nothing lost. A worker owns it through `lease_token` as long
    as `lease_until` lasts. `sealed` holds the password of a foreign IMAP server until then (context `clearing:<pk>`)."""

    class State(models.TextChoices):
        """WAITING can be cancelled, RUNNING no more."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"
        FAILED = "failed"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="clearings")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    folder = models.BinaryField()
    validity = models.BigIntegerField()
    uids = models.TextField()
    role = models.CharField(max_length=10)
    days = models.PositiveSmallIntegerField()
    messages = models.PositiveIntegerField()
    size_bytes = models.BigIntegerField()
    created = models.DateTimeField()
    due = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    sealed = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-created"], name="clearing_of_account"),
            models.Index(fields=["due"], name="clearing_due", condition=models.Q(state__in=["waiting", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"
