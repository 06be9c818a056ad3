"""Changing where an account's mail lives: a job that copies, compares, and only then switches."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import MailAccount
from webmail.models.outgoing import folder_octets, folder_of
from webmail.models.store import LocalMessage
from webmail.values import Ref


class Transfer(models.Model):
    """One change of mode. A worker owns it through `lease_token` as long as `lease_until` lasts; `stopping` asks it to stop after
    the message at hand. `sealed` holds the password of a foreign IMAP server until the end (context `transfer:<pk>`)."""

    class Kind(models.TextChoices):
        TO_DOWNLOAD = "to_download"
        TO_IMAP = "to_imap"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        STOPPED = "stopped"
        FAILED = "failed"
        DONE = "done"
        CANCELLED = "cancelled"

    class Step(models.TextChoices):
        COPYING = "copying"
        COMPARING = "comparing"
        SWITCHED = "switched"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="transfers")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    step = models.CharField(max_length=10, choices=Step, default=Step.COPYING)
    policy = models.JSONField(default=dict)
    """The fields of a `Policy`, for TO_DOWNLOAD."""
    sealed = models.TextField(blank=True)
    stopping = models.BooleanField(default=False)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    folder = models.CharField(max_length=400, blank=True)
    """The folder at hand, as people read it."""
    problem = models.CharField(max_length=30, blank=True)
    detail = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(default=timezone.now)
    created = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True, blank=True)
    undo_until = models.DateTimeField(null=True, blank=True)
    cleaned = models.BooleanField(default=False)
    """What the change leaves behind on the other side has been taken away."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="one_transfer_at_a_time",
                condition=Q(state__in=["waiting", "running", "stopped", "failed"]),
            )
        ]
        indexes = [models.Index(fields=["account", "-created"], name="transfer_of_account")]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind} {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether it has not come to an end, and another cannot begin."""
        return self.state in {self.State.WAITING, self.State.RUNNING, self.State.STOPPED, self.State.FAILED}


class TransferItem(models.Model):
    """One message of a transfer, on both sides: the server's (folder as octets, UIDVALIDITY, UID) and the row here. `flags` are
    those that both have."""

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="items")
    message = models.ForeignKey(LocalMessage, on_delete=models.SET_NULL, null=True, related_name="+")
    folder = models.BinaryField()
    validity = models.BigIntegerField()
    uid = models.CharField(max_length=10)
    size_bytes = models.BigIntegerField()
    verified = models.BooleanField(default=False)
    removed = models.BooleanField(default=False)
    """The server's copy was taken away by the policy."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transfer", "folder", "validity", "uid"], name="one_item_per_message")
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def ref(self) -> Ref:
        """The message on the server."""
        return Ref(folder_of(self.folder), self.validity, self.uid)


def item_for(transfer: Transfer, ref: Ref, *, message: LocalMessage, size_bytes: int) -> TransferItem:
    """A message on both sides, not saved yet."""
    return TransferItem(
        transfer=transfer,
        message=message,
        folder=folder_octets(ref.folder),
        validity=ref.validity,
        uid=ref.id,
        size_bytes=size_bytes,
    )
