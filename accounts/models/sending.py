"""How much a mailbox has sent today."""

from __future__ import annotations

from django.db import models


class SentToday(models.Model):
    """Recipients to whom a mailbox has sent on a day (of the installation's time zone): one row for each, changed by
    `accounts/services/sending_limit.py` alone."""

    mailbox = models.ForeignKey("Mailbox", on_delete=models.CASCADE, related_name="+")
    day = models.DateField(db_index=True)
    recipients = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "day"], name="sent_today_once")]

    def __str__(self) -> str:
        return f"{self.mailbox_id} {self.day}: {self.recipients}"
