"""The forms that make a password for a device."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.form_parts import one_line
from accounts.models import Mailbox
from accounts.services.app_passwords import NAME_LIMIT

DOORS = [("imap", "IMAP"), ("pop3", "POP3"), ("smtp", _("Sending (SMTP)")), ("sieve", _("Filters (ManageSieve)"))]


class DeviceForm(forms.Form):
    """What the device is called for which a profile makes a password: one line; nothing is put right in silence."""

    device = forms.CharField(
        label=_("Name of the device"),
        max_length=NAME_LIMIT,
        error_messages={"required": _("Say for which device or program it is.")},
        widget=forms.TextInput({"class": "input", "autocomplete": "off", "dir": "auto"}),
    )

    def clean_device(self) -> str:
        """A name that shows, of one line."""
        return one_line(self.cleaned_data["device"], blank=False)


class AppPasswordForm(forms.Form):
    """For which device or program, and what it may do; only what the mailbox itself may is offered."""

    name = forms.CharField(
        label=_("Device or program"),
        max_length=NAME_LIMIT,
        error_messages={"required": _("Say for which device or program it is.")},
    )
    protocols = forms.MultipleChoiceField(
        label=_("It may"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )

    def __init__(self, data: Any = None, *, mailbox: Mailbox, initial: Any = None) -> None:
        super().__init__(data, initial={"protocols": ["imap", "smtp"]} | (initial or {}))
        offered = [(name, label) for name, label in DOORS if getattr(mailbox, name)]
        self.fields["protocols"].choices = offered  # type: ignore[attr-defined]
        self.fields["name"].widget.attrs |= {"class": "input", "autocomplete": "off", "dir": "auto"}

    def clean_name(self) -> str:
        """A name that shows, of one line."""
        return one_line(self.cleaned_data["name"], blank=False)
