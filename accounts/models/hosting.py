"""What a provider hosts: customers on plans, their domains, and the mailboxes and aliases in them.

Dovecot and Postfix read these rows through the SQL views of `accounts/provisioning/`; there is no second list.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Plan(models.Model):
    """What a customer has bought."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    mailbox_quota_bytes = models.BigIntegerField(_("quota of a mailbox"), default=5_000_000_000)

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """A customer of the provider, owner of domains."""

    name = models.CharField(_("name"), max_length=120)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="customers")

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A mail domain, in lower case A-label form."""

    name = models.CharField(_("domain"), max_length=253, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="domains")
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Mailbox(models.Model):
    """A hosted mailbox. `address` is the whole address in lower case, kept beside the domain so that the mail servers
    find it by one index; `password` is a Django Argon2 hash, which Dovecot reads as {ARGON2ID}."""

    address = models.CharField(_("address"), max_length=254, unique=True)
    number = models.PositiveIntegerField(_("number"), unique=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="mailboxes")
    name = models.CharField(_("name"), max_length=120, blank=True)
    password = models.CharField(max_length=255)
    quota_bytes = models.BigIntegerField(_("quota"), default=5_000_000_000)
    active = models.BooleanField(default=True)
    imap = models.BooleanField(default=True)
    pop3 = models.BooleanField(default=True)
    smtp = models.BooleanField(default=True)
    sieve = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "mailboxes"
        constraints = [models.CheckConstraint(condition=models.Q(address=Lower("address")), name="mailbox_lower")]

    def __str__(self) -> str:
        return self.address


class Alias(models.Model):
    """An address that delivers into a mailbox, and from which its owner may send."""

    address = models.CharField(_("address"), max_length=254, unique=True)
    target = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="aliases")
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "aliases"
        constraints = [models.CheckConstraint(condition=models.Q(address=Lower("address")), name="alias_lower")]

    def __str__(self) -> str:
        return self.address
