"""The forms of download mode: which address, which server, which policy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import MailAccount
from accounts.services.login import Server, clean_address
from accounts.setup.discovery import is_domain
from accounts.vault import SealBroken, seal, unseal
from webmail.mime.recipients import check_recipient
from webmail.models import Download
from webmail.services.adding import Source
from webmail.services.downloads import KEEP_DAYS_MAX, Policy

POP3_PORTS = {"tls": 995, "starttls": 110, "none": 110}
IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}
MB = 1_000_000
LARGEST_MB = 2000
SLOWEST_MIN = 24 * 60
CLEAN = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off", "dir": "ltr"}


class AddressForm(forms.Form):
    """The address of a mailbox to add."""

    address = forms.CharField(label=_("Mail address"), max_length=254)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"].widget.attrs |= {"class": "input", "inputmode": "email", **CLEAN}

    def clean_address(self) -> str:
        """An address to which mail can be sent, in small letters."""
        address = clean_address(str(self.cleaned_data["address"]))
        if check_recipient(address) or not is_domain(address.rpartition("@")[2]):
            raise forms.ValidationError(gettext("“%(about)s” is no mail address") % {"about": address})
        return address


class EndpointForm(forms.Form):
    """Where a server listens."""

    host = forms.CharField(label=_("POP3 server"), max_length=253)
    port = forms.IntegerField(label=_("Port"), required=False, min_value=1, max_value=65535)
    tls = forms.ChoiceField(label=_("Encryption"), choices=MailAccount.Tls.choices[:2])
    ports = POP3_PORTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.POP3_ALLOW_CLEARTEXT:
            self.fields["tls"].choices = MailAccount.Tls.choices  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.widget.attrs |= {"class": "input select" if isinstance(field, forms.ChoiceField) else "input"}
            if name in {"host", "login"}:
                field.widget.attrs |= CLEAN

    def clean_host(self) -> str:
        """A server's name in small letters."""
        host = str(self.cleaned_data["host"]).strip().rstrip(".").lower()
        if not host.isprintable() or any(char in host for char in " /@:\\"):
            raise forms.ValidationError(gettext("Only the server's name, like pop.example.org"))
        return host

    def server(self) -> Server:
        """The server as it was typed; the port that its encryption usually has, where none was."""
        data = self.cleaned_data
        return data["host"], data["port"] or self.ports[data["tls"]], data["tls"]


class ImapForm(EndpointForm):
    """Where a mailbox is read on its server, and its password there: the one that is kept is for another server."""

    secret = forms.CharField(label=_("Password"), strip=False, max_length=4000, widget=forms.PasswordInput)
    ports = IMAP_PORTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["host"].label = _("IMAP server")


class ServerForm(EndpointForm):
    """Where a mailbox is downloaded from. A password that was typed once need not be typed again: `typed` carries it, sealed
    for this person, to the next step."""

    login = forms.CharField(label=_("User name"), max_length=254)
    auth = forms.ChoiceField(label=_("Sign in with"), choices=Download.Auth.choices)
    secret = forms.CharField(
        label=_("Password"), required=False, strip=False, max_length=4000, widget=forms.PasswordInput
    )
    typed = forms.CharField(required=False, widget=forms.HiddenInput, max_length=12_000)

    def __init__(self, *args: Any, person_id: int, kept: MailAccount | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._context, self._kept = f"typed:{person_id}", kept
        self.fields["secret"].widget.attrs |= {"autocomplete": "off"}

    def clean_login(self) -> str:
        """One that shows."""
        login = str(self.cleaned_data["login"]).strip()
        if not login.isprintable():
            raise forms.ValidationError(gettext("This is no user name"))
        return login

    def clean(self) -> dict[str, Any]:
        """A password that is kept goes to its own server only."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        secret = str(cleaned.get("secret") or "") or self._unsealed(str(cleaned.get("typed") or ""))
        if any(char in secret for char in "\r\n\0"):
            self.add_error("secret", gettext("A password has no line breaks"))
        elif not secret and self._kept is None:
            self.add_error("secret", gettext("The server wants a password or token"))
        elif not secret and not self._same_server(cleaned):
            self.add_error(
                "secret", gettext("For another server, type the password again: the one that is kept goes there only")
            )
        cleaned["secret"] = secret
        return cleaned

    def _same_server(self, cleaned: dict[str, Any]) -> bool:
        """Whether the kept password would go where it always went: it is never sent anywhere else by a click."""
        kept = self._kept
        port = cleaned.get("port") or POP3_PORTS.get(str(cleaned.get("tls")), 0)
        typed = (cleaned.get("host"), port, cleaned.get("tls"))
        return kept is not None and typed == (kept.pop3_host, kept.pop3_port, kept.pop3_tls)

    def _unsealed(self, token: str) -> str:
        if not token:
            return ""
        try:
            return unseal(token, context=self._context)
        except SealBroken:
            return ""

    @property
    def sealed(self) -> str:
        """What was typed as password, sealed for the next step; "" for nothing."""
        secret = str(getattr(self, "cleaned_data", {}).get("secret") or "")
        return seal(secret, context=self._context) if secret else ""

    def source(self) -> Source:
        """The server as it was typed, and how one signs in there."""
        data = self.cleaned_data
        return Source(self.server(), data["login"], data["secret"], data["auth"])


class PolicyForm(forms.Form):
    """How a mailbox is downloaded."""

    keep = forms.ChoiceField(label=_("On the server"), choices=Download.Keep.choices)
    keep_days = forms.IntegerField(label=_("Days"), required=False, min_value=1, max_value=KEEP_DAYS_MAX)
    limited = forms.BooleanField(label=_("Only messages up to"), required=False)
    limit_mb = forms.IntegerField(label=_("Megabytes"), required=False, min_value=1, max_value=LARGEST_MB)
    pace = forms.ChoiceField(
        label=_("How often"),
        choices=[
            ("adaptive", _("By how much arrives: from every 2 minutes to every hour")),
            ("fixed", _("Always the same")),
        ],
    )
    every_min = forms.IntegerField(label=_("Minutes"), required=False, min_value=2, max_value=SLOWEST_MIN)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("keep_days", "limit_mb", "every_min"):
            self.fields[name].widget.attrs |= {"class": "input input--number"}

    @classmethod
    def initial_of(cls, download: Download | None) -> dict[str, Any]:
        """What the fields show at first: the policy as it is, else what a new account begins with."""
        if download is None:
            return {"keep": "days", "keep_days": 14, "limit_mb": 25, "pace": "adaptive", "every_min": 10}
        return {
            "keep": download.keep,
            "keep_days": download.keep_days or 14,
            "limited": download.max_bytes is not None,
            "limit_mb": max(1, (download.max_bytes or 25 * MB) // MB),
            "pace": "fixed" if download.every_s else "adaptive",
            "every_min": (download.every_s or 600) // 60,
        }

    def clean(self) -> dict[str, Any]:
        """Asks for what each choice needs."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        needed = {
            "keep_days": cleaned.get("keep") == "days",
            "limit_mb": bool(cleaned.get("limited")),
            "every_min": cleaned.get("pace") == "fixed",
        }
        for name, wanted in needed.items():
            if wanted and cleaned.get(name) is None and name not in self.errors:
                self.add_error(name, gettext("A number is needed here"))
            elif not wanted and name in self.errors:
                del self.errors[name]
        return cleaned

    def policy(self) -> Policy:
        """What was chosen."""
        data = self.cleaned_data
        return Policy(
            data["keep"],
            data.get("keep_days") or 14,
            data["limit_mb"] * MB if data["limited"] else None,
            data["every_min"] * 60 if data["pace"] == "fixed" else None,
        )
