"""Moves that are not over."""

from __future__ import annotations

from django.db import models

from accounts.models import MailAccount


class OpenMove(models.Model):
    """A move that a server does in two steps, COPY and then EXPUNGE (RFC 6851 section 3.3), from before the first until after
    the last, so that one that was cut between them is found and finished. `uids` is a UID set of the folder it leaves,
    `next_uid` the first UID that its copies can have in the other. Nobody else goes on with it before `held_until`."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="open_moves")
    folder = models.BinaryField()
    validity = models.BigIntegerField()
    uids = models.TextField()
    target = models.BinaryField()
    target_validity = models.BigIntegerField()
    next_uid = models.BigIntegerField()
    held_until = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)
