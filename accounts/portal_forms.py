"""Forms of what holds mailboxes: aliases, groups, domains, customers, plans, people and lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.form_parts import SIZE_HINT, LinesField, PortalForm, SizeField, StepsField, one_line, reference_field
from accounts.mailbox_forms import PasswordForm
from accounts.models import Customer, Domain, Kind, MailServer, Plan, Reseller


class AliasForm(PortalForm):
    """An address, and the mailbox that it leads into."""

    address = forms.CharField(label=_("Address"), max_length=254)
    target = forms.CharField(label=_("Delivers into the mailbox"), max_length=254)


class GroupForm(PortalForm):
    """An address without a mailbox, whose mail goes to every member."""

    address = forms.CharField(label=_("Address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    members = LinesField(label=_("Members"), help_text=_("One address a line, here or elsewhere."))


class DomainForm(PortalForm):
    """The catch-all of a domain; its reference for who `sells` to its customer."""

    catch_all = forms.CharField(
        label=_("Mail addressed to nobody goes to"),
        max_length=254,
        required=False,
        help_text=_("A mailbox of this customer. Empty: it is refused, which keeps much spam out."),
    )
    reference = reference_field()

    @classmethod
    def of(cls, domain: Domain, data: Any = None, *, sells: bool) -> DomainForm:
        """Filled with what the domain has."""
        caught = domain.catch_all.address if domain.catch_all else ""
        form = cls(data, initial={"catch_all": caught, "reference": domain.reference or ""})
        if not sells:
            del form.fields["reference"]
        return form


class UsualForm(PortalForm):
    """With what a new mailbox of a domain begins."""

    quota = SizeField(label=_("Quota of a new mailbox"), required=False, help_text=_("Empty: as in the plan."))
    imap = forms.BooleanField(label=_("IMAP and webmail"), required=False)
    pop3 = forms.BooleanField(label=_("POP3"), required=False)
    smtp = forms.BooleanField(label=_("Sending (SMTP)"), required=False)
    sieve = forms.BooleanField(label=_("Filters (ManageSieve)"), required=False)

    @classmethod
    def of(cls, domain: Domain, data: Any = None) -> UsualForm:
        """Filled with what new mailboxes of the domain begin with."""
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
    """Name, plan and reference of a customer."""

    name = forms.CharField(label=_("Name"), max_length=120)
    plan = forms.ModelChoiceField(label=_("Plan"), queryset=Plan.objects.order_by("name"))
    reference = reference_field()

    @classmethod
    def of(cls, customer: Customer, data: Any = None) -> CustomerForm:
        """Filled with what the customer has."""
        return cls(data, initial={name: getattr(customer, name) for name in ("name", "plan", "reference")})


class CustomerNewForm(CustomerForm):
    """A customer of one of the `resellers`; or the provider's `own`, who says which. Whoever is of one reseller is not asked."""

    reseller = forms.ModelChoiceField(label=_("Reseller"), queryset=Reseller.objects.none(), required=False)

    def __init__(self, *args: Any, resellers: QuerySet[Reseller], own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        few = list(resellers.order_by("pk")[:2])
        self._only = few[0] if len(few) == 1 and not own else None
        if self._only or not few:
            del self.fields["reseller"]
            return
        field = self.fields["reseller"]
        field.queryset, field.required = resellers.order_by("name"), not own  # type: ignore[attr-defined]
        field.empty_label = _("Your own customer") if own else "---------"  # type: ignore[attr-defined]

    @property
    def seller(self) -> Reseller | None:
        """Whose the customer is; None: the provider's. Of a valid form."""
        return self._only or self.cleaned_data.get("reseller")


class DomainNewForm(PortalForm):
    """A domain; the provider says on which server its mail lies, where there is more than one."""

    name = forms.CharField(label=_("Domain"), max_length=253)
    reference = reference_field()
    server = forms.ModelChoiceField(
        label=_("Server"), queryset=MailServer.objects.order_by("name"), required=False, empty_label=_("This server")
    )

    def __init__(self, *args: Any, provider: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not provider or not MailServer.objects.exists():
            del self.fields["server"]


class NameForm(PortalForm):
    """A name, and nothing else."""

    name = forms.CharField(label=_("Name"), max_length=120)


class PlanForm(PortalForm):
    """What customers of a plan may have; an empty limit is none."""

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
        """One that no other plan has."""
        name = one_line(self.cleaned_data["name"], blank=False)
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
    """Who is offered which of the `kinds` that the page may give."""

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
    """A file with a list."""

    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}))
