"""What the space of mailboxes is made of: figures by folder, year and size, never whose mail it is or what is in it."""

from __future__ import annotations

from django.db import models

from accounts.models.hosting import Domain, Mailbox


class MailboxShares(models.Model):
    """What a worker found when it weighed a mailbox (webmail/services/shares.py). `shares` is in the form of
    accounts/usage/shares.py; `at` is when it was found, `tried` when that was last tried, and `problem` why it did not work then.
    `asked` is when somebody asked for it anew, None once that is done; meanwhile `done` of `expected` messages are weighed. A
    worker owns the row until `lease_until`. `reserve_bytes` is what POP3 programs removed and can still be put back."""

    mailbox = models.OneToOneField(Mailbox, primary_key=True, on_delete=models.CASCADE, related_name="shares")
    at = models.DateTimeField(null=True)
    tried = models.DateTimeField(null=True)
    asked = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    expected = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=12, blank=True)
    shares = models.JSONField(default=dict)
    reserve_bytes = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["tried"], name="shares_tried"),
            models.Index(fields=["asked"], name="shares_asked", condition=models.Q(asked__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id} {self.at}"


class DomainShares(models.Model):
    """The sum of a domain's mailboxes that were weighed, so many of them, the longest ago at `since`."""

    domain = models.OneToOneField(Domain, primary_key=True, on_delete=models.CASCADE, related_name="shares")
    mailboxes = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(null=True)
    shares = models.JSONField(default=dict)
    reserve_bytes = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.domain_id} {self.mailboxes}"


class SumShares(models.Model):
    """The sum of many domains, for pages about thousands of them: of everything ("all"), of a reseller's ("reseller:KEY"), or of
    what lies on a server ("server:KEY", 0 for the installation's own mail folder)."""

    name = models.CharField(max_length=40, primary_key=True)
    mailboxes = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(null=True)
    shares = models.JSONField(default=dict)
    reserve_bytes = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.mailboxes}"
