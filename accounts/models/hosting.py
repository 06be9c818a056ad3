"""What a provider hosts: customers on plans, their domains, and the mailboxes and addresses in them.

Dovecot and Postfix read these rows through the SQL views of `accounts/provisioning/`; there is no second list.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

REFERENCE_MAX = 120
"""Characters of what another panel calls a thing."""


class Plan(models.Model):
    """What a customer has bought. A limit that is None is none. Protocols that are off are off for every mailbox on the plan,
    whatever its own switches say. Deleted mailboxes can be had back for `retention_days`. `owner_steps` are the percentages
    at which the owner of a mailbox is told, the lowest first (None: as is usual, UsageLimits)."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    mailbox_quota_bytes = models.BigIntegerField(_("quota of a mailbox"), default=5_000_000_000)
    mailbox_limit = models.PositiveIntegerField(_("number of mailboxes"), null=True, blank=True)
    total_bytes = models.BigIntegerField(_("space in all"), null=True, blank=True)
    largest_mailbox_bytes = models.BigIntegerField(_("largest mailbox"), null=True, blank=True)
    imap = models.BooleanField("IMAP", default=True)
    pop3 = models.BooleanField("POP3", default=True)
    smtp = models.BooleanField(_("sending"), default=True)
    sieve = models.BooleanField("ManageSieve", default=True)
    retention_days = models.PositiveSmallIntegerField(_("days to have a deleted mailbox back"), default=30)

    owner_steps = models.JSONField(_("tell owners at"), null=True, blank=True)
    daily_sending_limit = models.PositiveIntegerField(_("recipients a day"), null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Reseller(models.Model):
    """Somebody who sells the provider's plans to customers of their own. `alert_steps` are the percentages of what was promised
    to all its customers, and of each customer's plan, at which its people are told (None: as is usual for owners)."""

    name = models.CharField(_("name"), max_length=120)
    alert_steps = models.JSONField(_("tell of customers' space at"), null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """A customer of the provider, or of one of its resellers; owner of domains. `alert_steps` are the percentages of
    the plan's space, and of what is promised in a domain, at which its people are told (None: as is usual for owners).

    While it is suspended (since then; None: it is not) nobody in its domains signs in, nothing is received or sent: the views of
    the mail servers read this one column, so that what was set of each domain and mailbox stays as it is. `reference` is what
    another panel calls it: once for each of those who sell."""

    name = models.CharField(_("name"), max_length=120)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="customers", verbose_name=_("plan"))
    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, related_name="customers", null=True, blank=True, verbose_name=_("reseller")
    )
    alert_steps = models.JSONField(_("tell of the plan's space at"), null=True, blank=True)
    suspended = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=REFERENCE_MAX, null=True, blank=True)  # noqa: DJ001 - null: without one

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reseller", "reference"],
                condition=models.Q(reseller__isnull=False, reference__isnull=False),
                name="customer_reference",
            ),
            models.UniqueConstraint(
                fields=["reference"],
                condition=models.Q(reseller__isnull=True, reference__isnull=False),
                name="own_customer_reference",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MailServer(models.Model):
    """Where mail lies: a disk or a storage server that Dovecot sees below `path`, beside the mail folder of the installation,
    which needs no row. `disk_bytes` is its size where `path` cannot be asked from here."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    path = models.CharField(max_length=254, unique=True)
    disk_bytes = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A mail domain, in lower case A-label form. `catch_all` gets what is addressed to nobody in it. With `new_...` a new mailbox
    begins: its quota (None: the plan's) and its switches (None: on). Its mail lies on `server` (None: in the installation's
    own mail folder), which is said when it is made."""

    name = models.CharField(_("domain"), max_length=253, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="domains")
    active = models.BooleanField(default=True)
    catch_all = models.ForeignKey("Mailbox", on_delete=models.SET_NULL, related_name="+", null=True, blank=True)
    server = models.ForeignKey(
        MailServer, on_delete=models.PROTECT, related_name="domains", null=True, blank=True, verbose_name=_("server")
    )
    new_quota_bytes = models.BigIntegerField(_("quota of a new mailbox"), null=True, blank=True)
    new_imap = models.BooleanField(null=True)
    new_pop3 = models.BooleanField(null=True)
    new_smtp = models.BooleanField(null=True)
    new_sieve = models.BooleanField(null=True)
    reference = models.CharField(max_length=REFERENCE_MAX, null=True, blank=True)  # noqa: DJ001 - null: without one

    class Meta:
        indexes = [
            models.Index(fields=["reference"], condition=models.Q(reference__isnull=False), name="domain_reference")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether neither it nor its customer is suspended."""
        return self.active and self.customer.suspended is None

    @property
    def usual_quota_bytes(self) -> int:
        """The quota of a new mailbox: the domain's own, else the plan's, and never more than the plan allows."""
        plan = self.customer.plan
        usual = plan.mailbox_quota_bytes if self.new_quota_bytes is None else self.new_quota_bytes
        return usual if plan.largest_mailbox_bytes is None else min(usual, plan.largest_mailbox_bytes)

    @property
    def usual_switches(self) -> dict[str, bool]:
        """The switches of a new mailbox."""
        return {name: getattr(self, f"new_{name}") is not False for name in ("imap", "pop3", "smtp", "sieve")}


class DnsCheck(models.Model):
    """How the DNS of a domain stood at `at`, when it last answered: which records that mail needs were right and which were not
    (their purposes, as accounts/setup/records.py calls them), and how many others were not. It was last asked at `asked`."""

    domain = models.OneToOneField(Domain, on_delete=models.CASCADE, primary_key=True, related_name="dns_check")
    asked = models.DateTimeField(db_index=True)
    at = models.DateTimeField(null=True, blank=True)
    right = models.JSONField(default=list)
    wrong = models.JSONField(default=list)
    others = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.domain_id} {self.wrong}"


class Mailbox(models.Model):
    """A hosted mailbox. `address` is the whole address in lower case, kept beside the domain so that the mail servers
    find it by one index; `password` is a Django Argon2 hash, which Dovecot reads as {ARGON2ID}.

    `home` is where its mail lies below the mail folder: the address it was made with, so that renaming moves nothing.
    `rounds` counts the changes of its password (None: none yet): a session that hands mail in is named by it, so that one which
    began with an earlier password sends no more. Signing in (`active`), receiving and sending are suspended each on its own. A
    deleted one is all three, and gone for good when its plan's retention is over.
    """

    address = models.CharField(_("address"), max_length=254, unique=True)
    number = models.PositiveIntegerField(_("number"), unique=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="mailboxes")
    name = models.CharField(_("name"), max_length=120, blank=True)
    password = models.CharField(max_length=255)
    rounds = models.PositiveIntegerField(null=True, blank=True, editable=False)
    quota_bytes = models.BigIntegerField(_("quota"), default=5_000_000_000)
    home = models.CharField(max_length=254, unique=True, null=True, editable=False)  # noqa: DJ001 - null: by the address
    active = models.BooleanField(default=True)
    receives = models.BooleanField(default=True)
    sends = models.BooleanField(default=True)
    imap = models.BooleanField(default=True)
    pop3 = models.BooleanField(default=True)
    smtp = models.BooleanField(default=True)
    sieve = models.BooleanField(default=True)
    keeps_copy = models.BooleanField(default=True)
    recovery_address = models.CharField(_("address for a new password"), max_length=254, blank=True)
    deleted = models.DateTimeField(null=True, blank=True, db_index=True)
    created = models.DateTimeField(auto_now_add=True)
    reference = models.CharField(max_length=REFERENCE_MAX, null=True, blank=True)  # noqa: DJ001 - null: without one

    class Meta:
        verbose_name_plural = "mailboxes"
        constraints = [models.CheckConstraint(condition=models.Q(address=Lower("address")), name="mailbox_lower")]
        indexes = [
            models.Index(fields=["domain", "number"], name="mailbox_by_number"),
            models.Index(fields=["domain", "address"], name="mailbox_by_address"),
            models.Index(fields=["created"], name="mailbox_created"),  # those that nobody has opened since
            # The figures above a domain's list, of which no row has to be read.
            models.Index(
                fields=["domain", "deleted", "active", "receives", "sends", "quota_bytes", "created"],
                name="mailbox_figures",
            ),
            models.Index(fields=["reference"], condition=models.Q(reference__isnull=False), name="mailbox_reference"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_open(self) -> bool:
        """Whether anybody may come in: not suspended, not deleted, nor its domain or customer shut."""
        return self.active and self.deleted is None and self.domain.is_open


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


class Forward(models.Model):
    """An address to which all that a mailbox receives is sent on; Mailbox.keeps_copy says whether it keeps its own."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="forwards")
    address = models.CharField(_("address"), max_length=254)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "address"], name="one_forward_per_address")]

    def __str__(self) -> str:
        return self.address


class Group(models.Model):
    """An address without a mailbox whose mail goes to each of its members, here or elsewhere."""

    address = models.CharField(_("address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="groups")

    def __str__(self) -> str:
        return self.address


class GroupMember(models.Model):
    """One address that a group's mail goes to."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    address = models.CharField(_("address"), max_length=254)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "address"], name="one_member_per_address")]

    def __str__(self) -> str:
        return self.address
