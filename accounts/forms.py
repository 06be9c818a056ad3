"""The sign-in form and the settings form."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.conf import settings
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.adapter import AccountAdapter
from accounts.models import MailAccount, User
from accounts.services.login import Server, seal_cookie, seal_noted_password
from accounts.services.usage.used import note_owner

SERVER_CODES = frozenset({"unknown_server", "server_down", "certificate", "other_server"})
PASSWORD_CODES = frozenset({"email_password_mismatch", "too_many_login_attempts", "suspended"})
IMAP_PORTS = {"tls": 993, "starttls": 143}
SMTP_PORTS = {"tls": 465, "starttls": 587}
ENCRYPTIONS = MailAccount.Tls.choices[:2]


class SignInForm(LoginForm):  # type: ignore[misc]
    """Address and password, and where an unknown server is, for those who know.

    What goes wrong is told by the codes of `SERVER_CODES`, at the address, and of `PASSWORD_CODES`, at the password.
    """

    imap_host = forms.CharField(label=_("IMAP server"), required=False, max_length=253)
    imap_port = forms.IntegerField(label=_("Port"), required=False, min_value=1, max_value=65535)
    imap_tls = forms.ChoiceField(label=_("Encryption"), required=False, choices=ENCRYPTIONS)
    smtp_host = forms.CharField(label=_("SMTP server (for sending)"), required=False, max_length=253)
    smtp_port = forms.IntegerField(label=_("Port"), required=False, min_value=1, max_value=65535)
    smtp_tls = forms.ChoiceField(label=_("Encryption"), required=False, choices=ENCRYPTIONS)

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
    def asks_for_server(self) -> bool:
        """Whether the server's fields are shown open: something stands in them, or the server could not be found."""
        return self.manual_servers and ("unknown_server" in self.codes or any(self[name].value() for name in _HOSTS))

    @property
    def has_server_error(self) -> bool:
        """Whether what went wrong is about the address's server, not about the password."""
        return bool(self.codes & SERVER_CODES)

    @property
    def has_password_error(self) -> bool:
        return bool(self.codes & PASSWORD_CODES)

    @property
    def codes(self) -> set[str]:
        """The codes of what is wrong with the sign-in as a whole."""
        return {error.code or "" for error in self.errors.as_data().get("__all__", [])}

    def user_credentials(self) -> dict[str, Any]:
        """What the backends get: email, password, and when servers were typed `server` and `smtp_server`."""
        credentials: dict[str, Any] = super().user_credentials()
        if self.manual_servers and self.cleaned_data.get("imap_host"):
            credentials["server"] = self._typed("imap", IMAP_PORTS)
            credentials["smtp_server"] = self._typed("smtp", SMTP_PORTS)
        return credentials

    def _typed(self, kind: str, ports: dict[str, int]) -> Server:
        tls = self.cleaned_data.get(f"{kind}_tls") or "tls"
        port = self.cleaned_data.get(f"{kind}_port") or ports[tls]
        return str(self.cleaned_data.get(f"{kind}_host") or "").strip(), port, tls

    def _clean_with_password(self, credentials: dict[str, Any]) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super()._clean_with_password(credentials)
        except ValidationError as error:
            if error.code != "email_password_mismatch":
                raise
            left = AccountAdapter().attempts_left(self.request, credentials["email"])
            raise ValidationError(wrong_password(left), code=error.code) from error
        return cleaned

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Signs in. A foreign server's password goes into the session, sealed, and the key into the browser's cookie."""
        half = seal_noted_password(request)
        response: HttpResponse = super().login(request, redirect_url)
        if isinstance(request.user, User):
            note_owner(request.user)
        if half:
            stays = not request.session.get_expire_at_browser_close()
            response.set_cookie(
                seal_cookie(),
                half,
                max_age=request.session.get_expiry_age() if stays else None,
                secure=settings.HTTPS,
                httponly=True,
                samesite="Lax",
            )
        return response


_HOSTS = ("imap_host", "smtp_host")


def wrong_password(left: int) -> str:
    """The same words for a wrong password and for an address that is not there, with the tries that are left."""
    if left == 0:
        return gettext("The password is not the one of this mailbox. Wait five minutes before you try again.")
    return ngettext(
        "The password is not the one of this mailbox. %(left)d attempt is left before a wait of five minutes.",
        "The password is not the one of this mailbox. %(left)d attempts are left before a wait of five minutes.",
        left,
    ) % {"left": left}


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a person may choose about how Casilla looks and behaves."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = [
            *("name", "language", "theme", "density", "single_keys", "all_folders"),
            *("undo_s", "quote_below", "write_plain", "archive_by"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.Select):
                field.widget.attrs["class"] = "input select"
            elif not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "input"
            if name == "name":
                field.widget.attrs["autocomplete"] = "name"

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under the headings of the page."""
        groups = {
            gettext("General"): ("name", "language", "theme", "density", "single_keys"),
            gettext("Writing"): ("undo_s", "quote_below", "write_plain"),
            gettext("Folders"): ("archive_by", "all_folders"),
        }
        return [(title, [self[name] for name in names]) for title, names in groups.items()]
