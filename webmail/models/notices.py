"""What was answered to requests for a receipt, and what reports said of messages that were sent."""

from __future__ import annotations

from django.db import models

from accounts.models import MailAccount
from webmail.models.outgoing import folder_of
from webmail.values import Ref

MESSAGE_ID_LIMIT = 400
RECIPIENT_LIMIT = 254


class ReceiptAnswer(models.Model):
    """That a person answered a request for a receipt: never asked twice, and never sent twice, also where the server keeps no
    keywords. `key` is a digest of what names the message."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="receipt_answers")
    key = models.CharField(max_length=64)
    sent = models.BooleanField()
    answered = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="one_receipt_per_message")]

    def __str__(self) -> str:
        return str(self.pk)


class Report(models.Model):
    """What a report said of a sent message for one recipient, kept when the report is read, so that the sent message tells it
    too. `status` is the code of RFC 3463, `reply` the server's words; folder, validity and uid are those of the report."""

    class Kind(models.TextChoices):
        FAILED = "failed"
        DELAYED = "delayed"
        DELIVERED = "delivered"
        READ = "read"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="reports")
    message_id = models.CharField(max_length=MESSAGE_ID_LIMIT)
    recipient = models.CharField(max_length=RECIPIENT_LIMIT)
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=12, blank=True)
    reply = models.TextField(blank=True)
    reported = models.DateTimeField()
    folder = models.BinaryField()
    validity = models.BigIntegerField()
    uid = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "message_id", "recipient", "kind"], name="one_report_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind}"

    @property
    def ref(self) -> Ref:
        """The report."""
        return Ref(folder_of(self.folder), self.validity, self.uid)
