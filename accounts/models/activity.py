"""What was seen in the mail server's log: which programs use a mailbox, and how far the log was read."""

from __future__ import annotations

from django.db import models

from accounts.models.hosting import Mailbox


class ProgramUse(models.Model):
    """A program that signed in to a hosted mailbox from one network. `program` is what it called itself, "" for nothing;
    `network` is its address without the last part. Casilla's own sessions are not among them. `retrieved` and `deleted`
    count messages of POP3 sessions that have ended."""

    class Protocol(models.TextChoices):
        IMAP = "imap", "IMAP"
        POP3 = "pop3", "POP3"

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="program_uses")
    protocol = models.CharField(max_length=4, choices=Protocol)
    program = models.CharField(max_length=60, blank=True)
    version = models.CharField(max_length=60, blank=True)
    network = models.CharField(max_length=43, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    sign_ins = models.BigIntegerField(default=0)
    retrieved = models.BigIntegerField(default=0)
    deleted = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "protocol", "program", "network"], name="one_use_per_program_and_network"
            )
        ]

    def __str__(self) -> str:
        return f"{self.protocol} {self.program} {self.network}"


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
