"""What is typed on the pages of space."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.form_parts import StepsField
from accounts.models import Customer, Reseller, UsageLimits
from accounts.services.advice import DAYS_MAX

GIGA = 10**9


class QuotaForm(forms.Form):
    """A quota in GB, and the mailboxes that get it."""

    gb = forms.DecimalField(
        label=_("New quota"),
        min_value=Decimal("0.01"),
        max_value=Decimal(100_000),
        decimal_places=2,
        localize=True,
        error_messages={
            "required": _("Write how many GB."),
            "invalid": _("Write a number of GB, such as 10."),
            "min_value": _("That is too little: at least 0.01 GB."),
            "max_value": _("That is too much: at most 100,000 GB."),
            "max_decimal_places": _("No more than two decimals."),
        },
    )

    @property
    def quota_bytes(self) -> int:
        """What was written, in octets."""
        return int(self.cleaned_data["gb"] * GIGA)


class AdviceForm(forms.Form):
    """What is set of the advice: `leave` copies for some days, or `imap` alone."""

    USUAL_DAYS = 14
    do = forms.ChoiceField(
        choices=[("leave", "leave"), ("imap", "imap")],
        error_messages={"required": _("Choose one of both."), "invalid_choice": _("Choose one of both.")},
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=DAYS_MAX,
        required=False,
        error_messages={
            "invalid": _("Write a number of days, such as 14."),
            "min_value": _("At least one day."),
            "max_value": _("At most 365 days."),
        },
    )

    def clean(self) -> dict[str, Any]:
        """Days are needed where copies are left, and for nothing else."""
        data = self.cleaned_data
        if data.get("do") == "leave" and data.get("days") is None and "days" not in self.errors:
            self.add_error("days", _("Write a number of days, such as 14."))
        elif data.get("do") == "imap":
            self.errors.pop("days", None)
        return data


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The thresholds, in percent."""

    PROMISE = (50, 1000)
    owner_steps = StepsField(label=_("Tell the owner of a mailbox at"))
    disk_steps = StepsField(label=_("Tell the team when the disk passes"))

    class Meta:
        model = UsageLimits
        fields = ["owner_steps", "disk_steps", "promise_percent"]

    def clean_promise_percent(self) -> int:
        """Within what the thresholds may be."""
        value, (least, most) = int(self.cleaned_data["promise_percent"]), self.PROMISE
        if not least <= value <= most:
            raise forms.ValidationError(_("From %(least)s to %(most)s %%.") % {"least": least, "most": most})
        return value


class CustomerLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """At which parts of a plan's space its customer is told, in percent; nothing: as is usual."""

    alert_steps = StepsField(required=False)

    class Meta:
        model = Customer
        fields = ["alert_steps"]


class ResellerLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """At which parts of its customers' space a reseller is told, in percent; nothing: as is usual."""

    alert_steps = StepsField(required=False)

    class Meta:
        model = Reseller
        fields = ["alert_steps"]
