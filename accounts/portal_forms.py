"""The forms of the portal. What only a service can judge, it says as a ValidationError at one of these fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.confirm import FIELD as CONFIRM
from accounts.confirm import password_field
from accounts.models import Customer, Domain, Kind, Mailbox, MailServer, Plan, Reseller
from accounts.services.limits import parse_size, size_words
from accounts.services.usage.steps import parse_steps, steps_words

SIZE_HINT = _("For example 500 MB or 5 GB.")


def tried(form: forms.BaseForm, change: Callable[[], Any]) -> bool:
    """Makes a change; False, with the reason at the form's field, when it cannot be made."""
    try:
        change()
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for field, texts in found.items():
            for text in texts:
                form.add_error(field if field in form.fields else None, text)
        return False
    return True


class PortalForm(forms.Form):
    """Fields with the classes of the design."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            widget = field.widget
            if isinstance(widget, forms.Select):
                widget.attrs["class"] = "input select"
            elif not isinstance(widget, forms.CheckboxInput):
                widget.attrs.setdefault("class", "input")
                widget.attrs.setdefault("autocomplete", "off")


class SizeField(forms.CharField):
    """A size in octets, written with its unit."""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_size(text)
        except ValidationError as error:
            raise ValidationError(error.messages) from error

    def prepare_value(self, value: Any) -> Any:
        return size_words(value) if isinstance(value, int) else value


class StepsField(forms.CharField):
    """Percentages at which somebody is told, with commas between; None for nothing, where that may be."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=60, **kwargs)

    def clean(self, value: Any) -> list[int] | None:
        text = super().clean(value)
        return parse_steps(text) if text else None

    def prepare_value(self, value: Any) -> Any:
        return steps_words(value) if isinstance(value, list) else value


class LinesField(forms.CharField):
    """One address a line (or with commas between), as a list."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs |= {"rows": 4, "dir": "ltr", "spellcheck": "false"}

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value) or ""
        return [one for one in text.replace(",", "\n").replace(";", "\n").split("\n") if one.strip()]


class MailboxNewForm(PortalForm):
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

    @classmethod
    def of(cls, mailbox: Mailbox, data: Any = None) -> MailboxForm:
        names = ("name", "recovery_address", "imap", "pop3", "smtp", "sieve")
        form = cls(data, initial={name: getattr(mailbox, name) for name in names} | {"quota": mailbox.quota_bytes})
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
    address = forms.CharField(label=_("New address"), max_length=254)
    keep_alias = forms.BooleanField(
        label=_("Mail to the old address goes on arriving here"), required=False, initial=True
    )


class StateForm(PortalForm):
    active = forms.BooleanField(label=_("May sign in"), required=False)
    receives = forms.BooleanField(label=_("Receives mail"), required=False)
    sends = forms.BooleanField(label=_("May send"), required=False)


class ForwardsForm(PortalForm):
    forwards = LinesField(label=_("Forward to"), required=False, help_text=_("One address a line."))
    keeps_copy = forms.BooleanField(label=_("Keep a copy in this mailbox"), required=False)


class AliasForm(PortalForm):
    address = forms.CharField(label=_("Address"), max_length=254)
    target = forms.CharField(label=_("Delivers into the mailbox"), max_length=254)


class GroupForm(PortalForm):
    address = forms.CharField(label=_("Address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    members = LinesField(label=_("Members"), help_text=_("One address a line, here or elsewhere."))


class DomainForm(PortalForm):
    catch_all = forms.CharField(
        label=_("Mail addressed to nobody goes to"),
        max_length=254,
        required=False,
        help_text=_("A mailbox of this customer. Empty: it is refused, which keeps much spam out."),
    )


class UsualForm(PortalForm):
    """With what a new mailbox of a domain begins."""

    quota = SizeField(label=_("Quota of a new mailbox"), required=False, help_text=_("Empty: as in the plan."))
    imap = forms.BooleanField(label=_("IMAP and webmail"), required=False)
    pop3 = forms.BooleanField(label=_("POP3"), required=False)
    smtp = forms.BooleanField(label=_("Sending (SMTP)"), required=False)
    sieve = forms.BooleanField(label=_("Filters (ManageSieve)"), required=False)

    @classmethod
    def of(cls, domain: Domain, data: Any = None) -> UsualForm:
        return cls(data, initial={"quota": domain.new_quota_bytes, **domain.usual_switches}, prefix="usual")


class ResellerForm(PortalForm):
    """To whom a customer belongs; nobody: to the provider itself."""

    reseller = forms.ModelChoiceField(
        label=_("Reseller"),
        queryset=Reseller.objects.order_by("name"),
        required=False,
        empty_label=_("Your own customer"),
    )


class CustomerForm(PortalForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    plan = forms.ModelChoiceField(label=_("Plan"), queryset=Plan.objects.order_by("name"))

    @classmethod
    def of(cls, customer: Customer, data: Any = None) -> CustomerForm:
        return cls(data, initial={"name": customer.name, "plan": customer.plan_id})


class DomainNewForm(PortalForm):
    """A domain; the provider says on which server its mail lies, where there is more than one."""

    name = forms.CharField(label=_("Domain"), max_length=253)
    server = forms.ModelChoiceField(
        label=_("Server"), queryset=MailServer.objects.order_by("name"), required=False, empty_label=_("This server")
    )

    def __init__(self, *args: Any, provider: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not provider or not MailServer.objects.exists():
            del self.fields["server"]


class NameForm(PortalForm):
    name = forms.CharField(label=_("Name"), max_length=120)


class PlanForm(PortalForm):
    name = forms.CharField(label=_("Name"), max_length=80)
    mailbox_limit = forms.IntegerField(
        label=_("Mailboxes"), required=False, min_value=0, max_value=10_000_000, help_text=_("Empty: no limit.")
    )
    total = SizeField(label=_("Space in all"), required=False, help_text=_("Empty: no limit."))
    mailbox_quota = SizeField(label=_("Quota of a new mailbox"), help_text=SIZE_HINT)
    largest = SizeField(label=_("Largest mailbox"), required=False, help_text=_("Empty: no limit."))
    retention_days = forms.IntegerField(
        label=_("Days to have a deleted mailbox back"), min_value=0, max_value=365, initial=30
    )
    daily_sending_limit = forms.IntegerField(
        label=_("Recipients a mailbox may send to in a day"),
        required=False,
        min_value=0,
        max_value=10_000_000,
        help_text=_("Empty: no limit."),
    )
    owner_steps = StepsField(
        label=_("Tell owners of mailboxes at, in percent"), required=False, help_text=_("Empty: as everywhere.")
    )
    imap = forms.BooleanField(label="IMAP", required=False, initial=True)
    pop3 = forms.BooleanField(label="POP3", required=False, initial=True)
    smtp = forms.BooleanField(label=_("Sending (SMTP)"), required=False, initial=True)
    sieve = forms.BooleanField(label=_("Filters (ManageSieve)"), required=False, initial=True)
    above = forms.BooleanField(label=_("Change the plan all the same"), required=False)

    SAME = (
        "name",
        "mailbox_limit",
        "retention_days",
        "daily_sending_limit",
        "owner_steps",
        "imap",
        "pop3",
        "smtp",
        "sieve",
    )
    SIZES = {"total": "total_bytes", "mailbox_quota": "mailbox_quota_bytes", "largest": "largest_mailbox_bytes"}

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        self.plan = plan
        if plan.pk:
            kwargs["initial"] = {name: getattr(plan, name) for name in self.SAME}
            kwargs["initial"] |= {name: getattr(plan, field) for name, field in self.SIZES.items()}
        super().__init__(*args, **kwargs)

    def asks(self) -> bool:
        """Whether somebody has more than the plan would give, so that the question is shown."""
        return "above" in self.errors or "above" in self.data

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Plan.objects.filter(name=name).exclude(pk=self.plan.pk).exists():
            raise ValidationError(_("There is a plan with this name."))
        return name

    def filled(self) -> Plan:
        """The plan with what was typed, not kept yet."""
        for name in self.SAME:
            setattr(self.plan, name, self.cleaned_data[name])
        for name, field in self.SIZES.items():
            setattr(self.plan, field, self.cleaned_data[name])
        return self.plan


class InviteForm(PortalForm):
    address = forms.CharField(label=_("Mail address"), max_length=254)
    kind = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind, label) for kind, label in Kind.choices if kind in kinds]  # type: ignore[attr-defined]


class JoinForm(PasswordForm):
    """A new person who was invited."""

    name = forms.CharField(label=_("Your name"), max_length=120)
    field_order = ["name", "password", "again"]


class BatchForm(PortalForm):
    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}))
