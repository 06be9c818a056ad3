"""Forms of one mailbox: made, changed, its password, address, doors and forwards."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.confirm import FIELD as CONFIRM
from accounts.confirm import password_field
from accounts.form_parts import SIZE_HINT, LinesField, PortalForm, SizeField, reference_field
from accounts.models import Mailbox
from accounts.services.limits import size_words


class MailboxNewForm(PortalForm):
    """A mailbox to be made; without a password one is made."""

    address = forms.CharField(label=_("Address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("Who or what it is for."))
    quota = SizeField(label=_("Quota"), required=False)
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        required=False,
        strip=False,
        widget=forms.PasswordInput(render_value=False),
        help_text=_("Leave it empty and Casilla makes one, which is shown once."),
    )
    recovery_address = forms.CharField(
        label=_("Address for a new password"),
        max_length=254,
        required=False,
        help_text=_("Another mailbox of the person: a link for a new password goes there."),
    )

    def __init__(self, *args: Any, usual: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quota"].help_text = _("Empty: %(size)s, as is usual in this domain.") % {"size": size_words(usual)}
        self.fields["address"].widget.attrs |= {"dir": "ltr", "spellcheck": "false", "autocapitalize": "none"}
        self.fields["password"].widget.attrs["autocomplete"] = "new-password"


class SeenForm(PortalForm):
    """A form that carries what it showed (`show_hidden_initial`): only what was changed in it is set, so that two windows do not
    undo each other's work. What both changed is said at its field, with what it is now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.show_hidden_initial = name != CONFIRM

    def clean(self) -> dict[str, Any]:
        """Says at its field what somebody else changed meanwhile."""
        data = super().clean() or {}
        for name in self._moved():
            now, mark = self._text_now(name), self[name].html_initial_name
            if self.data.get(mark, now) != now and data.get(name) != self.initial.get(name):
                self.data = self.data.copy()  # type: ignore[attr-defined]
                self.data[mark] = now  # type: ignore[index]
                text = _("This was changed meanwhile, to %(now)s. Save again to have what you wrote.")
                self.add_error(name, text % {"now": self._words(name)})
        return data

    def chosen(self) -> dict[str, Any]:
        """What is to be set; a form that does not say what it showed sets all of it."""
        names = [name for name in self.fields if name != CONFIRM and not self.fields[name].disabled]
        moved = self._moved()
        return {
            name: self.cleaned_data[name]
            for name in names
            if name in moved or self[name].html_initial_name not in self.data
        }

    def _moved(self) -> list[str]:
        return [name for name in self.changed_data if name != CONFIRM]

    def _text_now(self, name: str) -> str:
        value = self.fields[name].prepare_value(self.initial.get(name))
        return "" if value is None else str(value)

    def _words(self, name: str) -> str:
        value = self.initial.get(name)
        if isinstance(value, bool):
            return str(_("yes") if value else _("no"))
        return self._text_now(name) or str(_("nothing"))


class MailboxForm(SeenForm):
    """What whoever runs the domain may set of a mailbox."""

    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    recovery_address = forms.CharField(label=_("Address for a new password"), max_length=254, required=False)
    quota = SizeField(label=_("Quota"), help_text=SIZE_HINT)
    imap = forms.BooleanField(label=_("IMAP and webmail"), required=False)
    pop3 = forms.BooleanField(label=_("POP3"), required=False)
    smtp = forms.BooleanField(label=_("Sending (SMTP)"), required=False)
    sieve = forms.BooleanField(label=_("Filters (ManageSieve)"), required=False)
    reference = reference_field()

    @classmethod
    def of(cls, mailbox: Mailbox, data: Any = None, *, sells: bool = False) -> MailboxForm:
        """The form of a mailbox; what its plan does not have can be seen and not switched on. Its reference is for who `sells`
        to its customer."""
        names = ("name", "recovery_address", "imap", "pop3", "smtp", "sieve")
        values = {"quota": mailbox.quota_bytes, "reference": mailbox.reference or ""}
        form = cls(data, initial={name: getattr(mailbox, name) for name in names} | values)
        if not sells:
            del form.fields["reference"]
        plan = mailbox.domain.customer.plan
        for name in ("imap", "pop3", "smtp", "sieve"):
            if not getattr(plan, name):
                form.fields[name].disabled = True
                form.fields[name].initial = form.initial[name] = False
                form.fields[name].help_text = _("Not in the plan.")
        return form


class OwnMailboxForm(SeenForm):
    """What its owner may set of a mailbox."""

    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    recovery_address = forms.CharField(
        label=_("Address for a new password"),
        max_length=254,
        required=False,
        help_text=_("Another mailbox of yours: a link for a new password goes there."),
    )
    current = password_field(_("Only to change the address for a new password."))


class PasswordForm(PortalForm):
    """A new password, twice; `everywhere` revokes those of devices as well."""

    password = forms.CharField(label=_("New password"), max_length=200, strip=False, widget=forms.PasswordInput)
    again = forms.CharField(label=_("The same once more"), max_length=200, strip=False, widget=forms.PasswordInput)
    everywhere = forms.BooleanField(
        label=_("Sign out every program and device"),
        required=False,
        initial=True,
        help_text=_("Passwords for single devices stop counting too. Without this they go on."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password", "again"):
            self.fields[name].widget.attrs["autocomplete"] = "new-password"

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        data = super().clean() or {}
        if "password" in data and "again" in data and data["password"] != data["again"]:
            self.add_error("again", _("The two are not the same."))
        return data


class OwnPasswordForm(PasswordForm):
    """One's own: the one that counts until now is asked for too."""

    current = forms.CharField(label=_("Password until now"), max_length=200, strip=False, widget=forms.PasswordInput)
    field_order = ["current", "password", "again", "everywhere"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["current"].widget.attrs["autocomplete"] = "current-password"
        self.fields["everywhere"].initial = False


class RenameForm(PortalForm):
    """Another address for the same mailbox."""

    address = forms.CharField(label=_("New address"), max_length=254)
    keep_alias = forms.BooleanField(
        label=_("Mail to the old address goes on arriving here"), required=False, initial=True
    )


class StateForm(PortalForm):
    """Each way shut or open on its own."""

    active = forms.BooleanField(label=_("May sign in"), required=False)
    receives = forms.BooleanField(label=_("Receives mail"), required=False)
    sends = forms.BooleanField(label=_("May send"), required=False)


class ForwardsForm(PortalForm):
    """Where a mailbox's mail goes on to, with a copy or without."""

    forwards = LinesField(label=_("Forward to"), required=False, help_text=_("One address a line."))
    keeps_copy = forms.BooleanField(label=_("Keep a copy in this mailbox"), required=False)
