"""The store of downloaded mail: folders and messages of accounts whose mail lives here.

A message's octets are a blob, named by their SHA-256 (`webmail/storage/blobs.py`); a row has what lists, search and the
reader need of it. Rows are changed by `webmail/sources/local.py` and by pulls only.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import MailAccount
from webmail.values import Role


class LocalFolder(models.Model):
    """One folder of an account's store. Its primary key is its id everywhere; names are unique among siblings."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="local_folders")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role], blank=True)
    subscribed = models.BooleanField(default=True)
    changes = models.BigIntegerField(default=0)
    """Goes up with every change of which messages are in it, or of what lists are ordered and filtered by."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="one_local_folder_per_name"),
            models.UniqueConstraint(
                fields=["account", "name"], name="one_local_folder_at_top", condition=Q(parent=None)
            ),
            models.UniqueConstraint(
                fields=["account", "role"], name="one_local_folder_per_role", condition=~Q(role="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class LocalMessage(models.Model):
    """One message of the store. `received` is when its server took it, else when it came here; `date` is what lists show and
    sort by. The keys are folded texts to sort by, `search` the folded subject and addresses. What its body tells is read from
    the blob after it is stored (`indexed`): snippet, paper clip, and its `LocalBody`. A row is kept short: lists and
    searches of large folders read all of them."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="local_messages")
    folder = models.ForeignKey(LocalFolder, on_delete=models.CASCADE, related_name="messages")
    blob = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    received = models.DateTimeField()
    sent = models.DateTimeField(null=True, blank=True)
    date = models.DateTimeField()
    subject = models.TextField(blank=True)
    sender = models.JSONField(default=list)
    recipients = models.JSONField(default=list)
    message_id = models.TextField(blank=True)
    own_id = models.BigIntegerField(default=0)
    """Its Message-ID as a number (`webmail/mime/threads.py`), 0 without one."""
    thread = models.BigIntegerField(default=0)
    """The number of its conversation: that of the first message that any of its messages names."""
    subject_key = models.CharField(max_length=120, blank=True)
    sender_key = models.CharField(max_length=120, blank=True)
    recipients_key = models.CharField(max_length=120, blank=True)
    search = models.TextField(blank=True)
    seen = models.BooleanField(default=False)
    flagged = models.BooleanField(default=False)
    keywords = models.TextField(blank=True)
    """Every other flag and keyword, sorted, a space between two."""
    indexed = models.BooleanField(default=False)
    has_attachment = models.BooleanField(default=False)
    snippet = models.TextField(blank=True)
    defects = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["folder", "date", "id"], name="local_by_date"),
            models.Index(fields=["folder", "seen"], name="local_unseen"),
            models.Index(fields=["account", "blob"], name="local_by_blob"),
            models.Index(fields=["account", "own_id"], name="local_by_own_id"),
            models.Index(fields=["folder", "thread", "date", "id"], name="local_threads"),
            models.Index(fields=["account", "id"], name="local_to_index", condition=Q(indexed=False)),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class LocalBody(models.Model):
    """The folded text of a message's bodies, to search in, and its MIME tree (None where that is not kept)."""

    message = models.OneToOneField(LocalMessage, on_delete=models.CASCADE, primary_key=True, related_name="body")
    text = models.TextField()
    structure = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.pk}"
