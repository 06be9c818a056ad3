"""What is typed on the pages of space."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer, UsageLimits
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
        data = self.cleaned_data
        if data.get("do") == "leave" and data.get("days") is None and "days" not in self.errors:
            self.add_error("days", _("Write a number of days, such as 14."))
        elif data.get("do") == "imap":
            self.errors.pop("days", None)
        return data


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The thresholds, in percent."""

    RANGES = {
        "owner_percent": (50, 99),
        "disk_percent": (10, 99),
        "promise_percent": (50, 1000),
    }

    class Meta:
        model = UsageLimits
        fields = ["owner_percent", "disk_percent", "promise_percent"]

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        for name, (least, most) in self.RANGES.items():
            value = cleaned.get(name)
            if isinstance(value, int) and not least <= value <= most:
                self.add_error(name, _("From %(least)s to %(most)s %%.") % {"least": least, "most": most})
        return cleaned


class CustomerLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """From how much of a plan's space on its customer is told, in percent."""

    class Meta:
        model = Customer
        fields = ["alert_percent"]

    def clean_alert_percent(self) -> int | None:
        value: int | None = self.cleaned_data["alert_percent"]
        if value is not None and not 50 <= value <= 99:
            raise forms.ValidationError(_("From %(least)s to %(most)s %%.") % {"least": 50, "most": 99})
        return value
