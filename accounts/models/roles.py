"""Who may run what: roles, invitations to them, and the log of every change."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.hosting import Customer, Domain, Mailbox, Reseller


class Kind(models.TextChoices):
    """What somebody runs. Whose mailbox it is needs no row: it is in MailAccount.owner."""

    PROVIDER = "provider", _("Provider")
    RESELLER = "reseller", _("Reseller")
    CUSTOMER = "customer", _("Customer")
    DOMAIN = "domain", _("Domain administrator")


def _one_target() -> models.Q:
    """The provider's role is over everything; each other names the one thing that it is over."""
    targets = ("reseller", "customer", "domain")
    allowed = models.Q(kind=Kind.PROVIDER, **{f"{name}__isnull": True for name in targets})
    for kind in targets:
        allowed |= models.Q(kind=kind, **{f"{name}__isnull": name != kind for name in targets})
    return allowed


class Role(models.Model):
    """One role of one person; a person may hold several."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="roles")
    kind = models.CharField(max_length=8, choices=Kind)
    reseller = models.ForeignKey(Reseller, on_delete=models.CASCADE, related_name="roles", null=True, blank=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="roles", null=True, blank=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="roles", null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_one_target(), name="role_has_its_target"),
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(kind=Kind.PROVIDER), name="one_provider_role_per_person"
            ),
            models.UniqueConstraint(fields=["person", "reseller"], name="one_role_per_reseller"),
            models.UniqueConstraint(fields=["person", "customer"], name="one_role_per_customer"),
            models.UniqueConstraint(fields=["person", "domain"], name="one_role_per_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target or ''}".strip()

    @property
    def target(self) -> Reseller | Customer | Domain | None:
        """What it is over; None for the provider's."""
        return self.reseller or self.customer or self.domain


class Letter(models.TextChoices):
    """What became of a letter: handed to the mail server, refused for good, or not taken for now."""

    SENT = "sent"
    REFUSED = "refused"
    AWAY = "away"


class Invitation(models.Model):
    """A role that was offered by mail. Of its token only the SHA-256 is kept. `letter` is empty until the mail server was asked
    to take the letter, `letter_at` is when."""

    address = models.CharField(_("address"), max_length=254)
    kind = models.CharField(max_length=8, choices=Kind)
    reseller = models.ForeignKey(Reseller, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    inviter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    letter = models.CharField(max_length=8, choices=Letter, blank=True)
    letter_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=_one_target(), name="invitation_has_its_target")]

    def __str__(self) -> str:
        return f"{self.kind} {self.address}"

    @property
    def target(self) -> Reseller | Customer | Domain | None:
        return self.reseller or self.customer or self.domain


class Change(models.Model):
    """One change: who, what, before, after, from where. Never altered; no secret is in it. `customer`, `domain` and `mailbox`
    say whose thing was changed, for those may read it; they stay empty when the thing is gone, its name stays."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)
    actor_name = models.CharField(max_length=254, blank=True)
    origin = models.CharField(max_length=45, blank=True)
    verb = models.CharField(max_length=40)
    thing = models.CharField(max_length=254)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reseller = models.ForeignKey(Reseller, on_delete=models.SET_NULL, related_name="+", null=True, db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.SET_NULL, related_name="+", null=True, db_index=False)
    domain = models.ForeignKey(Domain, on_delete=models.SET_NULL, related_name="+", null=True, db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.SET_NULL, related_name="+", null=True, db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["reseller", "-id"], name="change_by_reseller"),
            models.Index(fields=["customer", "-id"], name="change_by_customer"),
            models.Index(fields=["domain", "-id"], name="change_by_domain"),
            models.Index(fields=["mailbox", "-id"], name="change_by_mailbox"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.thing}"
