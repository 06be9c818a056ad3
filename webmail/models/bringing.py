"""Files of mail that are being brought in."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import MailAccount


def import_path(job: Import, name: str) -> str:
    """Where a file waits until it is taken in; never under the name that somebody gave it."""
    return f"imports/{job.account_id}/{name}"


class Import(models.Model):
    """One file that is taken in. A worker owns it through `lease_token` as long as `lease_until` lasts; `stopping` asks it to
    stop after the message at hand. `entries` messages of the file are dealt with. `sealed` holds the password of a foreign IMAP
    server until the end (context `import:<pk>`)."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        STOPPED = "stopped"
        FAILED = "failed"
        DONE = "done"
        CANCELLED = "cancelled"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    file = models.FileField(upload_to=import_path, max_length=200)
    file_bytes = models.BigIntegerField()
    read_bytes = models.BigIntegerField(default=0)
    """How far in the file the worker is."""
    folder = models.BinaryField(default=b"")
    """The octets of the folder that takes everything; none for folders by the names in the file."""
    skip_doubles = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    sealed = models.TextField(blank=True)
    stopping = models.BooleanField(default=False)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    entries = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    doubles = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    folders = models.PositiveIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    marks = models.JSONField(default=dict)
    problem = models.CharField(max_length=30, blank=True)
    """Why it failed; of one that is done, why it ended early: kind, bomb, large or broken."""
    detail = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(default=timezone.now)
    created = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="one_import_at_a_time",
                condition=Q(state__in=["waiting", "running", "stopped", "failed"]),
            )
        ]
        indexes = [models.Index(fields=["account", "-created"], name="import_of_account")]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether it has not come to an end, and another cannot begin."""
        return self.state in {self.State.WAITING, self.State.RUNNING, self.State.STOPPED, self.State.FAILED}
