"""Messages on their way."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.models import MailAccount
from webmail.values import FolderId, Ref


class Outgoing(models.Model):
    """One message on its way, from the moment it may no longer get lost until it is filed.

    waiting -> sending -> handing -> sent | failed | doubt. `sending` is everything up to the final dot, `handing` what
    comes after: of a worker that died in `sending` it is known that nothing was handed over, in `handing` it is not.
    `results` has the last reply for each recipient, {address: [code, text]}; `delivered` tells that a server has taken the
    message for one of them at least. Folder ids are kept as the octets that the server writes.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        HANDING = "handing"
        DOUBT = "doubt"
        FAILED = "failed"
        SENT = "sent"
        CANCELLED = "cancelled"

    class Kind(models.TextChoices):
        NEW = ""
        REPLY = "reply"
        FORWARD = "forward"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="outgoing")
    raw = models.BinaryField()
    message_id = models.TextField()
    sender = models.CharField(max_length=320)
    recipients = models.JSONField(default=list)
    subject = models.TextField(blank=True)
    sealed = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    send_at = models.DateTimeField()
    next_try = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=32, blank=True)
    results = models.JSONField(default=dict)
    error = models.CharField(max_length=30, blank=True)
    delivered = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    parent_kind = models.CharField(max_length=10, choices=Kind, default=Kind.NEW, blank=True)
    parent_folder = models.BinaryField(default=b"")
    parent_validity = models.BigIntegerField(default=0)
    parent_uid = models.CharField(max_length=10, blank=True)
    draft_folder = models.BinaryField(default=b"")
    draft_validity = models.BigIntegerField(default=0)
    draft_uid = models.CharField(max_length=10, blank=True)
    draft_message_id = models.TextField(blank=True)

    sent_copy = models.BooleanField(default=False)
    parent_flagged = models.BooleanField(default=False)
    draft_removed = models.BooleanField(default=False)
    filed = models.BooleanField(default=False)
    file_attempts = models.PositiveIntegerField(default=0)
    file_next = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name_plural = "outgoing"
        indexes = [
            models.Index(fields=["state", "next_try"], name="outgoing_due"),
            models.Index(fields=["account", "-created"], name="outgoing_of_account"),
            models.Index(
                fields=["file_next"], name="outgoing_unfiled", condition=models.Q(delivered=True, filed=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"

    @property
    def parent(self) -> Ref | None:
        """The message that this one answers or forwards."""
        if not self.parent_kind:
            return None
        return Ref(folder_of(self.parent_folder), self.parent_validity, self.parent_uid)

    @property
    def draft(self) -> Ref | None:
        """The draft that this message was written in."""
        if not self.draft_uid:
            return None
        return Ref(folder_of(self.draft_folder), self.draft_validity, self.draft_uid)

    @property
    def open_recipients(self) -> list[str]:
        """Those for whom no server has said yes (2xx) or no (5xx) yet."""
        return [address for address in self.recipients if self._digit(address) not in {2, 5}]

    @property
    def refused_recipients(self) -> list[str]:
        """Those for whom the last reply was no, for good or for now."""
        return [address for address in self.recipients if self._digit(address) in {4, 5}]

    @property
    def refusals(self) -> list[tuple[str, list[str]]]:
        """(the server's words, those to whom they were said), each answer once."""
        found: dict[str, list[str]] = {}
        for address in self.refused_recipients:
            code, text = [*self.results[address], "", ""][:2]
            found.setdefault(f"{code} {text}".strip(), []).append(address)
        return list(found.items())

    def _digit(self, address: str) -> int:
        return int(self.results.get(address, [0])[0]) // 100


def folder_of(stored: Any) -> FolderId:
    """A folder id from its octets."""
    return FolderId(bytes(stored).decode("utf-8", "surrogateescape"))


def folder_octets(folder: FolderId) -> bytes:
    """The octets of a folder id, for the database: an id may hold what is no text."""
    return folder.encode("utf-8", "surrogateescape")
