"""Comparisons of what Casilla shows with what is there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import MailAccount


class Comparison(models.Model):
    """One comparison of a mailbox (`webmail/services/parity.py`). A worker owns it through `lease_token` as long as
    `lease_until` lasts; `stopping` asks it to end. `sealed` holds the password of a foreign IMAP server until then (context
    `comparison:<pk>`). `differences` has one list for each that is told: folder path, folder token, UID (0 = of the
    folder), field, and what is shown and what is there, but for subjects and senders, which are nobody's but the owner's."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        FAILED = "failed"
        DONE = "done"
        CANCELLED = "cancelled"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="comparisons")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    sealed = models.TextField(blank=True)
    stopping = models.BooleanField(default=False)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    folders = models.PositiveIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    expected = models.PositiveIntegerField(default=0)
    untold = models.PositiveIntegerField(default=0)
    restless = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    differences = models.JSONField(default=list)
    problem = models.CharField(max_length=30, blank=True)
    """Why it failed: login, unreachable, refused or often (its worker died again and again)."""
    detail = models.TextField(blank=True)
    created = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], name="one_comparison_at_a_time", condition=Q(state__in=["waiting", "running"])
            )
        ]
        indexes = [models.Index(fields=["account", "-created"], name="comparison_of_account")]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether a worker has it, or will."""
        return self.state in {self.State.WAITING, self.State.RUNNING}
