"""A network and what it is called."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.form_parts import PortalForm, one_line
from accounts.models.networks import NAME_MAX


class NetworkForm(PortalForm):
    """Both as they were typed; accounts/services/networks.py says what is wrong with them."""

    network = forms.CharField(
        label=_("Network"),
        max_length=64,
        help_text=_("An address in it, or all of it: 192.0.2.0/24. Of addresses no more than this is recorded."),
        error_messages={"required": _("Write a network such as 192.0.2.0/24, or an address in it.")},
    )
    name = forms.CharField(
        label=_("Called"),
        max_length=NAME_MAX,
        help_text=_("As people say it: Office, Warehouse."),
        error_messages={"required": _("Write what it is called.")},
    )

    def clean_name(self) -> str:
        """A name that shows."""
        return one_line(self.cleaned_data["name"], blank=False)


class PlaceForm(forms.Form):
    """A network that was seen, named by the owner of the mailbox; without a name it is called by none again."""

    network = forms.CharField(max_length=64)
    name = forms.CharField(max_length=NAME_MAX, required=False)
