"""What networks are called: by the provider, by whoever runs mailboxes, by the owner of one. Nothing is looked up elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.activity.sessions import IPV4_PREFIX, IPV6_PREFIX
from accounts.models import Customer, Domain, Mailbox, NamedNetwork
from accounts.models.networks import NAME_MAX
from accounts.services.audit import Actor, record, record_provider
from accounts.services.names import clean_name

Network = IPv4Network | IPv6Network
Target = Customer | Domain | Mailbox | None
NAMES_MAX = 200
"""So many networks have a name at most, for each customer, domain and mailbox."""
WIDEST = {4: 8, 6: 16}
KEPT = {4: IPV4_PREFIX, 6: IPV6_PREFIX}
"""No more of an address is recorded, so a name is for no less than this."""


@dataclass(frozen=True, slots=True)
class Places:
    """The names that are good for one mailbox, those that count first at the front."""

    named: tuple[tuple[Network, str], ...] = ()

    def name_of(self, network: str) -> str:
        """What a recorded network is called, "" for nothing."""
        if not self.named or not network:
            return ""
        try:
            found = ip_network(network)
        except ValueError:
            return ""
        return next((name for one, name in self.named if _holds(one, found)), "")

    def words(self, network: str) -> str:
        """Its name, or itself."""
        return self.name_of(network) or network


def places_of(mailbox: Mailbox, *, own: bool) -> Places:
    """The names that are good for a mailbox: its owner's (`own`: only they see those), its domain's, its customer's, everybody's.
    Among the same ones the smaller network counts."""
    whose = Q(customer__isnull=True, domain__isnull=True, mailbox__isnull=True)
    whose |= Q(domain=mailbox.domain_id) | Q(customer__domains=mailbox.domain_id)
    if own:
        whose |= Q(mailbox=mailbox)
    rows = [(_nearness(row), ip_network(row.network), row.name) for row in NamedNetwork.objects.filter(whose)]
    rows.sort(key=lambda row: (row[0], -row[1].prefixlen))
    return Places(tuple((network, name) for _near, network, name in rows))


def names_for(target: Target) -> QuerySet[NamedNetwork]:
    """The networks that were named for a customer, a domain, a mailbox, or for everybody (None)."""
    return NamedNetwork.objects.filter(**_whose(target)).order_by("name", "network")


def parse_network(text: str) -> Network:
    """The network that somebody means by "192.0.2.0/24" or an address in it; never less than is recorded of an address. Raises
    ValidationError."""
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValidationError(_("Write a network such as 192.0.2.0/24, or an address in it.")) from None
    if isinstance(found, IPv6Network) and (mapped := found.network_address.ipv4_mapped):
        found = ip_network(mapped)
    if found.prefixlen < WIDEST[found.version]:
        raise ValidationError(_("That is too large to be one place: /%(n)s at most.") % {"n": WIDEST[found.version]})
    if found.is_multicast or found.is_unspecified:
        raise ValidationError(_("Nobody signs in from there."))
    if found.prefixlen > KEPT[found.version]:
        found = found.supernet(new_prefix=KEPT[found.version])
    return found


@transaction.atomic
def name_network(*, target: Target, network: str, name: str, by: Actor) -> NamedNetwork | None:
    """Calls a network by a name from now on; with "" it is called by none again. Raises ValidationError with the field."""
    try:
        found = str(parse_network(network))
    except ValidationError as error:
        raise ValidationError({"network": error.messages}) from error
    name = clean_name(name, most=NAME_MAX)
    rows = names_for(target).select_for_update()
    row = rows.filter(network=found).first()
    before = row.name if row else ""
    if name and row is None:
        if len(rows) >= NAMES_MAX:
            raise ValidationError(
                {"network": _("%(n)s networks have a name already: remove one first.") % {"n": NAMES_MAX}}
            )
        row = NamedNetwork(network=found, **_owners(target))
    if row is None or name == before:
        return row
    _record(target, found, before, name, by)
    if not name:
        row.delete()
        return None
    row.name = name
    row.save()
    return row


def _record(target: Target, network: str, before: str, after: str, by: Actor) -> None:
    """Into the log. What an owner calls a place is theirs: the log, which others read, says only that they named one."""
    if isinstance(target, Mailbox):
        record(by=by, verb="network.own", thing=target, after={"network": network})
        return
    values = (
        {"network": network, "name": before} if before else {},
        {"network": network, "name": after} if after else {},
    )
    if target is None:
        record_provider(by=by, verb="network.name", name=network, before=values[0], after=values[1])
    else:
        record(by=by, verb="network.name", thing=target, before=values[0], after=values[1])


def _nearness(row: NamedNetwork) -> int:
    return 0 if row.mailbox_id else 1 if row.domain_id else 2 if row.customer_id else 3


def _owners(target: Target) -> dict[str, Customer | Domain | Mailbox]:
    return {} if target is None else {type(target).__name__.lower(): target}


def _whose(target: Target) -> dict[str, object]:
    if target is None:
        return {"customer__isnull": True, "domain__isnull": True, "mailbox__isnull": True}
    return dict(_owners(target))


def _holds(outer: Network, inner: Network) -> bool:
    same = outer.version == inner.version
    return same and int(outer.network_address) <= int(inner.network_address) <= int(outer.broadcast_address)
