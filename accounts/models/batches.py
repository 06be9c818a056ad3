"""Lists of mailboxes that are made in one go."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models.hosting import Domain


class Batch(models.Model):
    """A list of mailboxes for one domain, read from a CSV file: shown row by row, then made all at once or not at all.

    `rows` are as accounts/services/batch_rows.py reads them, `unknown` the columns of the file that mean nothing here, [{"name",
    "near"}]: nothing is applied until somebody says to go on without them. The passwords that stood in
    the file are apart, sealed, until they are judged (state reading), then their hashes; those that were made are sealed too,
    for a day.
    """

    class State(models.TextChoices):
        """READING while its passwords are judged, CHECKED until it is applied, WAITING and RUNNING until all of it is
        there (DONE) or nothing (FAILED)."""

        READING = "reading"
        CHECKED = "checked"
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="batches")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    origin = models.CharField(max_length=45, blank=True)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.CHECKED)
    rows = models.JSONField(default=list)
    unknown = models.JSONField(default=list)
    sealed = models.TextField(blank=True)
    made = models.TextField(blank=True)
    total = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    lease = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"{self.domain_id} {self.state}"
