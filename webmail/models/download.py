"""Download mode: how an account is pulled over POP3, what is known of the server's copies, and each pull."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import MailAccount
from webmail.models.store import LocalMessage


class Download(models.Model):
    """How an account's mail is pulled, and how that stands.

    `sealed` holds the password or token of a foreign server (context `download:<account>`), "" for a hosted mailbox. A worker
    owns the account through `lease_token` as long as `lease_until` lasts. `digest` is the SHA-256 of the server's last UIDL
    answer if everything in it is dealt with: until `quiet_until`, the same answer means that there is nothing to do.
    """

    class Keep(models.TextChoices):
        DELETE = "delete", _("Delete after download")
        DAYS = "days", _("Leave for some days")
        ALWAYS = "always", _("Leave always")

    class Auth(models.TextChoices):
        PASSWORD = "password", _("Password")
        OAUTH2 = "oauth2", _("OAuth2 token")

    account = models.OneToOneField(MailAccount, on_delete=models.CASCADE, related_name="download")
    auth = models.CharField(max_length=10, choices=Auth, default=Auth.PASSWORD)
    sealed = models.TextField(blank=True)

    keep = models.CharField(max_length=8, choices=Keep, default=Keep.DAYS)
    keep_days = models.PositiveIntegerField(default=14)
    max_bytes = models.BigIntegerField(null=True, blank=True)
    every_s = models.PositiveIntegerField(null=True, blank=True)
    paused = models.BooleanField(default=False)

    due = models.DateTimeField(default=timezone.now)
    interval_s = models.PositiveIntegerField(default=600)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=30, blank=True)
    problem_at = models.DateTimeField(null=True, blank=True)
    asks_owner = models.BooleanField(default=False)

    waiting = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    quiet_until = models.DateTimeField(null=True, blank=True)
    pipelining = models.BooleanField(default=False)
    started = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["due"], name="download_due", condition=Q(paused=False, asks_owner=False))]

    def __str__(self) -> str:
        return f"{self.account_id}"


class LedgerEntry(models.Model):
    """What is known of one message on the POP3 server. `uidl` is the server's unique-id ("" where it has none), `blob` the
    SHA-256 of what RETR carried ("" until then). A row outlives the server's copy, and the message here, by 30 days at least,
    so that nothing comes twice."""

    class State(models.TextChoices):
        WAITING = "waiting"
        """Listed, not stored: too large, or RETR failed."""
        KEPT = "kept"
        """Stored here, and on the server."""
        DELETING = "deleting"
        """Stored here, and DELE was sent: whether it is gone, the answer to QUIT or the next listing tells."""
        REMOVED = "removed"
        """Stored here, and gone from the server after our DELE: it said +OK to the QUIT, or lists it no more."""
        TAKEN = "taken"
        """Not listed any more, without a DELE of ours."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="ledger")
    uidl = models.CharField(max_length=255, blank=True)
    blob = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    message = models.ForeignKey(LocalMessage, on_delete=models.SET_NULL, null=True, blank=True, related_name="copies")
    first_seen = models.DateTimeField(default=timezone.now)
    stored_at = models.DateTimeField(null=True, blank=True)
    remove_at = models.DateTimeField(null=True, blank=True)
    """When the server's copy is due to go; None = it stays."""
    hold = models.BooleanField(default=False)
    """The owner decided about this one copy: the policy does not change `remove_at`."""
    gone_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=30, blank=True)

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [models.UniqueConstraint(fields=["account", "uidl", "blob"], name="one_entry_per_copy")]
        indexes = [
            models.Index(fields=["account", "blob"], name="ledger_by_blob"),
            models.Index(fields=["account", "state", "remove_at"], name="ledger_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class Pull(models.Model):
    """One pull of one account, and what came of it."""

    class Outcome(models.TextChoices):
        RUNNING = "running"
        COMPLETE = "complete"
        PARTIAL = "partial"
        """It ended well, but something is left on the server that could not be stored."""
        FAILED = "failed"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="pulls")
    started = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.RUNNING)
    problem = models.CharField(max_length=30, blank=True)
    detail = models.TextField(blank=True)
    by_hand = models.BooleanField(default=False)
    listed = models.PositiveIntegerField(default=0)
    wanted = models.PositiveIntegerField(default=0)
    """How many messages it set out to fetch."""
    fetched = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    doubles = models.PositiveIntegerField(default=0)
    """Fetched, and found to be here already."""
    skipped = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    """Left on the server, not stored, at its end."""
    unfetched = 0
    """Of those, how many only time was short for; known to the worker alone."""
    bytes = models.BigIntegerField(default=0)
    answer_ms = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["account", "-started"], name="pull_of_account")]

    def __str__(self) -> str:
        return f"{self.pk} {self.outcome}"
