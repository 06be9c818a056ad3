"""What is being written: composers with their text, files on their way up, who one writes as and to."""

from __future__ import annotations

import uuid

from django.db import models
from django.urls import reverse
from django.utils import timezone

from accounts.models import MailAccount
from webmail.models.outgoing import Outgoing, folder_octets, folder_of
from webmail.values import Ref


def upload_path(upload: Upload, _name: str) -> str:
    """Where a file that is attached is kept until it is sent; never under the name that somebody gave it."""
    return f"uploads/{upload.composing_id}/{upload.pk}"


class Identity(models.Model):
    """Somebody as whom one writes from an account: name, address, where answers go, signature."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="identities")
    name = models.CharField(max_length=120, blank=True)
    address = models.CharField(max_length=254)
    reply_to = models.CharField(max_length=254, blank=True)
    signature = models.TextField(blank=True, max_length=4000)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name_plural = "identities"

    def __str__(self) -> str:
        return self.address


class Contact(models.Model):
    """Somebody that one has written to or heard from, ranked by use, or put in by hand (`kept`). `written` counts messages
    sent to them, `heard` messages read from them; `search` is the folded name and address."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="contacts")
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    search = models.TextField(blank=True)
    written = models.PositiveIntegerField(default=0)
    heard = models.PositiveIntegerField(default=0)
    kept = models.BooleanField(default=False)
    last_used = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "email"], name="one_contact_per_address")]

    def __str__(self) -> str:
        return self.email


class ContactGroup(models.Model):
    """Several contacts under one name: written to together."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="contact_groups")
    name = models.CharField(max_length=200)
    search = models.TextField(blank=True)
    members = models.ManyToManyField(Contact, related_name="groups", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "search"], name="one_group_per_name")]

    def __str__(self) -> str:
        return self.name


class Composing(models.Model):
    """One composer, open or not: all that stands in its fields, so that no closed tab and no refusing server loses it.

    `html` is what the editor holds, cleaned when it goes out; in a plain text ("") only `text` counts. `quote` is the HTML of
    the message that is answered or forwarded, as it came: it is shown in a sandboxed frame only, and cleaned when it goes
    out. The parent of a NEW one is the template that it changes. `saved` is when the server's Drafts folder last took it,
    `failed` the code of why it did not. Folder ids are kept as the octets that the server writes."""

    class Kind(models.TextChoices):
        NEW = "new"
        REPLY = "reply"
        FORWARD = "forward"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="composing")
    identity = models.ForeignKey(Identity, on_delete=models.SET_NULL, null=True, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.NEW)
    to = models.TextField(blank=True)
    cc = models.TextField(blank=True)
    bcc = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    plain = models.BooleanField(default=False)
    quote = models.TextField(blank=True)
    quote_intro = models.TextField(blank=True)
    receipt = models.BooleanField(default=False)
    message_id = models.CharField(max_length=400)
    in_reply_to = models.TextField(blank=True)
    references = models.JSONField(default=list)

    parent_folder = models.BinaryField(default=b"")
    parent_validity = models.BigIntegerField(default=0)
    parent_uid = models.CharField(max_length=64, blank=True)
    draft_folder = models.BinaryField(default=b"")
    draft_validity = models.BigIntegerField(default=0)
    draft_uid = models.CharField(max_length=64, blank=True)

    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)
    saved = models.DateTimeField(null=True, blank=True)
    failed = models.CharField(max_length=20, blank=True)
    outgoing = models.ForeignKey(Outgoing, on_delete=models.SET_NULL, null=True, blank=True)
    closed = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["account", "closed", "failed"], name="composing_to_rescue")]
        verbose_name_plural = "composing"

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def parent(self) -> Ref | None:
        """The message that is answered or forwarded, the first of several; or the template that is changed."""
        return _ref(self.parent_folder, self.parent_validity, self.parent_uid)

    @parent.setter
    def parent(self, ref: Ref | None) -> None:
        self.parent_folder, self.parent_validity, self.parent_uid = _fields(ref)

    @property
    def template(self) -> Ref | None:
        """The template that is being changed."""
        return self.parent if self.kind == self.Kind.NEW else None

    @property
    def draft(self) -> Ref | None:
        """Its copy in the server's Drafts folder."""
        return _ref(self.draft_folder, self.draft_validity, self.draft_uid)

    @draft.setter
    def draft(self, ref: Ref | None) -> None:
        self.draft_folder, self.draft_validity, self.draft_uid = _fields(ref)


class Upload(models.Model):
    """A file of a composer. `size_bytes` is what was announced, `received_bytes` what is here: both are the same when it is
    whole. With `cid` it stands inside the HTML."""

    composing = models.ForeignKey(Composing, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=120, default="application/octet-stream")
    cid = models.CharField(max_length=200, blank=True)
    size_bytes = models.PositiveBigIntegerField()
    received_bytes = models.PositiveBigIntegerField(default=0)
    file = models.FileField(upload_to=upload_path, max_length=200)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def whole(self) -> bool:
        return self.received_bytes == self.size_bytes

    @property
    def image_url(self) -> str:
        """Where the editor finds it, when it stands inside the HTML."""
        return reverse("file_image", args=[self.composing.account_id, self.composing_id, self.pk])


def _ref(folder: bytes | memoryview[int], validity: int, uid: str) -> Ref | None:
    return Ref(folder_of(folder), validity, uid) if uid else None


def _fields(ref: Ref | None) -> tuple[bytes, int, str]:
    return (folder_octets(ref.folder), ref.validity, ref.id) if ref else (b"", 0, "")
