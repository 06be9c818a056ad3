"""Networks that have a name: "the office", "at home"."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.hosting import Customer, Domain, Mailbox

NAME_MAX = 40


class NamedNetwork(models.Model):
    """What a network is called: for everybody here (no target), for the mailboxes of a customer or of a domain, or by the owner
    of one mailbox, for their own eyes. `network` is as accounts/services/networks.py writes it: "192.0.2.0/24"."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="networks", null=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="networks", null=True)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="networks", null=True)
    network = models.CharField(_("network"), max_length=43)
    name = models.CharField(_("name"), max_length=NAME_MAX)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["network"],
                condition=models.Q(customer__isnull=True, domain__isnull=True, mailbox__isnull=True),
                name="one_name_per_network",
            ),
            models.UniqueConstraint(fields=["customer", "network"], name="one_name_per_network_of_customer"),
            models.UniqueConstraint(fields=["domain", "network"], name="one_name_per_network_of_domain"),
            models.UniqueConstraint(fields=["mailbox", "network"], name="one_name_per_network_of_mailbox"),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.name}"

    @property
    def target(self) -> Customer | Domain | Mailbox | None:
        """For whose mailboxes it is called so; None for everybody's."""
        return self.customer or self.domain or self.mailbox
