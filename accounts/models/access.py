"""Where and how a mailbox is reached for a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.hosting import Mailbox


class MailAccount(models.Model):
    """One mailbox as its owner uses it. With `mailbox` set, Casilla hosts it and the addresses of the server come from
    the settings; otherwise they stand here, found or typed at sign-in. No password is kept here. `mode` says where its mail
    lives: read live over IMAP, or downloaded into the store here."""

    class Mode(models.TextChoices):
        """Where the mail lives."""

        IMAP = "imap", _("On the server")
        DOWNLOAD = "download", _("Downloaded here")

    class Tls(models.TextChoices):
        TLS = "tls", "TLS"
        STARTTLS = "starttls", "STARTTLS"
        NONE = "none", _("none")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_accounts")
    address = models.CharField(_("address"), max_length=254)
    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="account", null=True, blank=True)
    login = models.CharField(_("user name"), max_length=254, blank=True)
    imap_host = models.CharField(max_length=253, blank=True)
    imap_port = models.PositiveIntegerField(default=993)
    imap_tls = models.CharField(max_length=8, choices=Tls, default=Tls.TLS)
    smtp_host = models.CharField(max_length=253, blank=True)
    smtp_port = models.PositiveIntegerField(default=465)
    smtp_tls = models.CharField(max_length=8, choices=Tls, default=Tls.TLS)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.IMAP)
    pop3_host = models.CharField(max_length=253, blank=True)
    pop3_port = models.PositiveIntegerField(default=995)
    pop3_tls = models.CharField(max_length=8, choices=Tls, default=Tls.TLS)
    leave_days = models.PositiveSmallIntegerField(_("days on the server"), default=14)
    """For how many days programs that download its mail are told to leave copies on the server; 0 for none."""
    special_folders = models.JSONField(default=dict, blank=True)
    """Which folder is for what, where its owner has chosen: {"sent": folder token}; what is not in it is as the server says.
    "apart" lists the tokens of folders that look like special ones and were left as they are."""
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "address"], name="one_account_per_owner_and_address")]
        indexes = [models.Index(fields=["mailbox"], condition=models.Q(mode="download"), name="account_downloads")]

    def __str__(self) -> str:
        return self.address

    @property
    def hosted(self) -> bool:
        """True when Casilla's own mail server holds it, so that no password is needed to open it."""
        return self.mailbox_id is not None

    @property
    def downloads(self) -> bool:
        """True when its mail lives in the store here."""
        return self.mode == self.Mode.DOWNLOAD
