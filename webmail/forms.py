"""The form of an identity."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.form_parts import one_line
from webmail.mime.headers import make_safe
from webmail.mime.recipients import check_recipient, parse_recipients
from webmail.models import Identity
from webmail.services.identities import SIGNED, allowed_address, allowed_addresses


class SignatureField(forms.CharField):
    """Plain text of some lines, ended by LF; the line of dashes above it, which is put there in any case, goes."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value) or ""
        text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().lstrip("\n")
        return text.removeprefix(SIGNED) if text.startswith(SIGNED) else text


class IdentityForm(forms.ModelForm):  # type: ignore[type-arg]
    """As whom one writes: the address must be the account's own or one of its aliases."""

    signature = SignatureField(label=_("Signature"), required=False, max_length=4000, strip=False)

    class Meta:
        model = Identity
        fields = ["name", "address", "reply_to", "signature"]
        labels = {"name": _("Name"), "address": _("Address"), "reply_to": _("Answers go to")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = allowed_addresses(self.instance.account)
        self.fields["name"].widget.attrs |= {"autocomplete": "name", "dir": "auto"}
        for name in ("address", "reply_to"):
            self.fields[name].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}
        if len(own) > 1:
            self.fields["address"].widget.attrs["list"] = "own-addresses"
            self.fields["address"].help_text = gettext("One of %(addresses)s") % {"addresses": ", ".join(own[:20])}
        self.fields["reply_to"].help_text = gettext("Empty: to the address above")
        self.fields["signature"].widget.attrs |= {"rows": 5, "dir": "auto"}
        self.fields["signature"].help_text = gettext("Plain text; a line with two dashes is put above it")
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def clean_name(self) -> str:
        """On one line; something of it shows."""
        return one_line(" ".join(make_safe(self.cleaned_data["name"]).split()))

    def clean_address(self) -> str:
        """The address as the account has it."""
        address = allowed_address(self.instance.account, self.cleaned_data["address"])
        if address is None:
            raise forms.ValidationError(
                gettext("“%(address)s” is not an address of this account, and the server would not send from it.")
                % {"address": self.cleaned_data["address"]}
            )
        return address

    def clean_reply_to(self) -> str:
        """Addresses that can be sent to, or nothing."""
        text: str = self.cleaned_data["reply_to"]
        people = parse_recipients(text)
        wrong = next((one for one in people if not one.email or check_recipient(one.email)), None)
        if wrong or (text and not people):
            about = (wrong.email or wrong.name) if wrong else text
            raise forms.ValidationError(gettext("“%(about)s” is no mail address") % {"about": about})
        return make_safe(text)
