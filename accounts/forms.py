"""The sign-in form and the settings form."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.conf import settings
from django.forms.utils import ErrorList
from django.utils.translation import gettext_lazy as _

from accounts.models import MailAccount, User

SERVER_CODES = frozenset({"unknown_server", "server_down", "certificate"})


class SignInForm(LoginForm):  # type: ignore[misc]
    """Address and password, and where an unknown server is, for those who know."""

    imap_host = forms.CharField(label=_("IMAP server"), required=False, max_length=253)
    imap_port = forms.IntegerField(label=_("Port"), required=False, min_value=1, max_value=65535)
    imap_tls = forms.ChoiceField(label=_("Encryption"), required=False, choices=MailAccount.Tls.choices[:2])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Mail address")
        self.fields["password"].label = _("Password")
        self.fields["remember"].label = _("Keep it open on this computer for 30 days")

    @property
    def manual_servers(self) -> bool:
        """Whether people may type where their server is."""
        return bool(settings.MAIL_MANUAL_SERVERS)

    @property
    def has_server_error(self) -> bool:
        """Whether what went wrong is about the address's server, not about the password."""
        return bool(self._codes() & SERVER_CODES)

    @property
    def has_password_error(self) -> bool:
        return bool(self._codes() - SERVER_CODES)

    def _codes(self) -> set[str]:
        errors = self.errors.get("__all__")
        return {error.code or "" for error in errors.as_data()} if isinstance(errors, ErrorList) else set()

    def user_credentials(self) -> dict[str, Any]:
        credentials: dict[str, Any] = super().user_credentials()
        if settings.MAIL_MANUAL_SERVERS and self.cleaned_data.get("imap_host"):
            tls = self.cleaned_data.get("imap_tls") or "tls"
            port = self.cleaned_data.get("imap_port") or (993 if tls == "tls" else 143)
            credentials["server"] = (self.cleaned_data["imap_host"], port, tls)
        return credentials


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a person may choose about how Casilla looks and behaves."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ["name", "language", "theme", "density", "single_keys", "all_folders"]
