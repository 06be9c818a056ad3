"""Passwords for single devices and programs."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.hosting import Mailbox


class AppPassword(models.Model):
    """A password of one device or program, beside the mailbox's own, for some protocols only. It is random and long, so its
    SHA-256 (hex) is enough to keep and lets the mail servers find it by one index; it is shown once.

    `last_*` tell when and how it was last used (accounts/services/activity.py, from the mail servers' logs), `sent_*` when a
    message was last sent with it. A network is the address without its last part.
    """

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="app_passwords")
    name = models.CharField(_("name"), max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    imap = models.BooleanField("IMAP", default=True)
    pop3 = models.BooleanField("POP3", default=False)
    smtp = models.BooleanField(_("sending"), default=True)
    sieve = models.BooleanField(_("filters"), default=False)
    created = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(null=True, blank=True)
    last_protocol = models.CharField(max_length=8, blank=True)
    last_network = models.CharField(max_length=43, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_network = models.CharField(max_length=43, blank=True, null=True)  # noqa: DJ001 - null: never sent

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "name"], name="one_app_password_per_name")]

    def __str__(self) -> str:
        return self.name
