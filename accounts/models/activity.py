"""What was seen in the mail server's log: which programs use a mailbox, and how far the log was read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.hosting import Mailbox


class ProgramUse(models.Model):
    """A program that signed in to a hosted mailbox from one network. `program` is what it called itself, "" for nothing;
    `device` is what its owner calls the password by which it came, "" for the mailbox's own; `network` is its address without
    the last part. Casilla's own sessions are not among them. `retrieved` and `deleted`
    count messages of POP3 sessions that have ended; of SMTP, `sign_ins` counts messages that were sent."""

    class Protocol(models.TextChoices):
        IMAP = "imap", "IMAP"
        POP3 = "pop3", "POP3"
        SMTP = "smtp", "SMTP"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="program_uses")
    protocol = models.CharField(max_length=4, choices=Protocol)
    program = models.CharField(max_length=60, blank=True)
    version = models.CharField(max_length=60, blank=True)
    device = models.CharField(max_length=60, blank=True)
    network = models.CharField(max_length=43, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    sign_ins = models.BigIntegerField(default=0)
    retrieved = models.BigIntegerField(default=0)
    deleted = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "protocol", "program", "device", "network"],
                name="one_use_per_program_device_network",
            )
        ]

    def __str__(self) -> str:
        return f"{self.protocol} {self.program} {self.network}"


class MailboxEvent(models.Model):
    """What was done to a mailbox in one session on one day: so many messages of a kind, from a folder, perhaps into `target`.
    What was moved stands among the copied too; what was removed has a target where copies lie, though it is no move. For
    deliveries and refusals a session is an hour of them, for what was sent an hour of one device in one network. `back` is how
    many of what POP3 removed were put back, `back_run` how many of those not by the owner but by whoever runs the mailbox;
    `reserve` its numbers in the reserve ("1:3,7"). Nothing of what is in the messages."""

    class Kind(models.TextChoices):
        FETCHED = "fetched", _("downloaded")
        TAKEN = "taken", _("removed by POP3")
        READ = "read", _("read")
        REMOVED = "removed", _("deleted")
        COPIED = "copied", _("copied")
        MOVED = "moved", _("moved")
        SAVED = "saved", _("stored")
        ARRIVED = "arrived", _("arrived")
        REFUSED = "refused", _("refused")
        BACK = "back", _("put back")
        SENT = "sent", _("sent")

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="events")
    day = models.DateField()
    session = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind)
    folder = models.CharField(max_length=200, blank=True)
    target = models.CharField(max_length=200, blank=True)
    protocol = models.CharField(max_length=5)
    program = models.CharField(max_length=60, blank=True)
    device = models.CharField(max_length=60, blank=True, db_default="")
    network = models.CharField(max_length=43, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    back = models.BigIntegerField(default=0, db_default=0)
    back_run = models.BigIntegerField(default=0, db_default=0)
    reserve = models.TextField(blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "day", "session", "kind", "folder", "target"], name="one_event_per_session_and_kind"
            )
        ]
        indexes = [
            models.Index(fields=["mailbox", "-last_at"], name="event_mailbox_at"),
            models.Index(fields=["day"], name="event_day"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.count}"


class LogPosition(models.Model):
    """How far a log was read and counted, saved in one transaction with what was counted. `waiting` is what the sessions
    still wait for (accounts/activity/sessions.py)."""

    path = models.CharField(max_length=255, unique=True)
    first_line = models.CharField(max_length=64, blank=True)
    offset = models.BigIntegerField(default=0)
    waiting = models.JSONField(default=dict, blank=True)
    began = models.DateTimeField()
    checked = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.path} {self.offset}"
