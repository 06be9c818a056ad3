"""Where mail for an address goes: aliases, forwards, groups, and who catches what is addressed to nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Alias, Domain, Forward, Group, GroupMember, Mailbox
from accounts.services.addresses import check_free, parse_address, parse_local
from accounts.services.audit import Actor, record
from accounts.services.claims import check_claim
from accounts.services.limits import lock_customer
from accounts.services.names import clean_name

FORWARDS_LIMIT = 20
MEMBERS_LIMIT = 200


@transaction.atomic
def create_alias(*, domain: Domain, local: str, target: Mailbox, by: Actor) -> Alias:
    """An address of the domain that delivers into a mailbox of the same customer, and from which its owner may send."""
    lock_customer(domain.customer_id)
    address = parse_local(local, domain)
    check_free(address)
    if target.domain.customer_id != domain.customer_id or target.deleted:
        raise ValidationError({"target": _("Choose a mailbox of this customer.")})
    alias = Alias.objects.create(address=address, target=target)
    record(by=by, verb="alias.create", thing=alias, after={"target": target.address})
    return alias


@transaction.atomic
def delete_alias(*, alias: Alias, by: Actor) -> None:
    """Mail to the address is refused from then on, or goes to who catches the rest."""
    record(by=by, verb="alias.delete", thing=alias, before={"target": alias.target.address})
    alias.delete()


@transaction.atomic
def set_forwards(*, mailbox: Mailbox, addresses: Iterable[str], keeps_copy: bool, by: Actor) -> None:
    """Sends all that the mailbox receives on to these addresses, and keeps a copy of it or not. Raises ValidationError at
    `forwards` for what is no address, and where mail would go round in a circle."""
    lock_customer(mailbox.domain.customer_id)
    wanted = list(dict.fromkeys(parse_address(one, field="forwards") for one in addresses if one.strip()))
    if len(wanted) > FORWARDS_LIMIT:
        raise ValidationError({"forwards": _("At most 20 addresses.")})
    if mailbox.address in wanted:
        raise ValidationError({"forwards": _("A mailbox does not forward to itself: it keeps a copy or it does not.")})
    if not wanted and not keeps_copy:
        raise ValidationError({"keeps_copy": _("Without an address to forward to, the mailbox keeps its mail.")})
    if not keeps_copy and any(_leads_to(one, mailbox.address) for one in wanted):
        raise ValidationError({"forwards": _("Mail would go round in a circle: one of these forwards back to here.")})
    now = set(mailbox.forwards.values_list("address", flat=True))
    _check_there(mailbox.domain, [one for one in wanted if one not in now], field="forwards")
    before = {"forwards": sorted(mailbox.forwards.values_list("address", flat=True)), "keeps_copy": mailbox.keeps_copy}
    after = {"forwards": sorted(wanted), "keeps_copy": keeps_copy}
    if before == after:
        return
    mailbox.forwards.exclude(address__in=wanted).delete()
    known = set(mailbox.forwards.values_list("address", flat=True))
    Forward.objects.bulk_create([Forward(mailbox=mailbox, address=one) for one in wanted if one not in known])
    mailbox.keeps_copy = keeps_copy
    mailbox.save(update_fields=["keeps_copy"])
    record(by=by, verb="mailbox.forward", thing=mailbox, before=before, after=after)


@transaction.atomic
def save_group(
    *, domain: Domain, local: str, name: str, members: Iterable[str], by: Actor, group: Group | None = None
) -> Group:
    """An address whose mail goes to each member; one without an @ is of this domain. With `group` that one is changed; its
    address stays."""
    lock_customer(domain.customer_id)
    whole = (one if "@" in one else f"{one.strip()}@{domain.name}" for one in members if one.strip())
    wanted = list(dict.fromkeys(parse_address(one, field="members") for one in whole))
    if not wanted:
        raise ValidationError({"members": _("A group needs at least one member.")})
    if len(wanted) > MEMBERS_LIMIT:
        raise ValidationError({"members": _("At most 200 members.")})
    before = {}
    if group is None:
        address = parse_local(local, domain)
        check_free(address)
        group = Group.objects.create(domain=domain, address=address, name=clean_name(name))
    else:
        before = {"members": sorted(group.members.values_list("address", flat=True)), "name": group.name}
        group.name = clean_name(name)
        group.save(update_fields=["name"])
    known = set(group.members.values_list("address", flat=True))
    if group.address in wanted:
        raise ValidationError({"members": _("A group is no member of itself.")})
    _check_there(domain, [one for one in wanted if one not in known])
    group.members.exclude(address__in=wanted).delete()
    GroupMember.objects.bulk_create([GroupMember(group=group, address=one) for one in wanted if one not in known])
    after = {"members": sorted(wanted), "name": group.name}
    record(by=by, verb="group.change" if before else "group.create", thing=group, before=before, after=after)
    return group


def _check_there(domain: Domain, addresses: Collection[str], *, field: str = "members") -> None:
    """Raises ValidationError at the field for addresses in domains of this customer that take no mail. What catches the rest of a
    domain takes all."""
    rows = Domain.objects.filter(customer_id=domain.customer_id, catch_all__isnull=True)
    names = set(rows.values_list("name", flat=True))
    asked = [one for one in addresses if one.rpartition("@")[2] in names]
    there = {
        *Mailbox.objects.filter(address__in=asked, deleted__isnull=True).values_list("address", flat=True),
        *Alias.objects.filter(address__in=asked).values_list("address", flat=True),
        *Group.objects.filter(address__in=asked).values_list("address", flat=True),
    }
    if missing := [one for one in asked if one not in there]:
        text = ngettext("There is no such address: %(list)s", "There are no such addresses: %(list)s", len(missing))
        raise ValidationError({field: text % {"list": ", ".join(missing)}})


@transaction.atomic
def delete_group(*, group: Group, by: Actor) -> None:
    """As an alias; the members' own mailboxes stay."""
    record(
        by=by,
        verb="group.delete",
        thing=group,
        before={"members": list(group.members.values_list("address", flat=True))},
    )
    group.delete()


@transaction.atomic
def set_catch_all(*, domain: Domain, mailbox: Mailbox | None, by: Actor) -> None:
    """Who gets what is addressed to nobody in the domain; None: it is refused, as most should."""
    if mailbox and (mailbox.domain.customer_id != domain.customer_id or mailbox.deleted):
        raise ValidationError({"catch_all": _("Choose a mailbox of this customer.")})
    if mailbox:
        check_claim(domain.name, by, field="catch_all")
    before = domain.catch_all.address if domain.catch_all else ""
    domain.catch_all = mailbox
    domain.save(update_fields=["catch_all"])
    after = mailbox.address if mailbox else ""
    if before != after:
        record(by=by, verb="domain.catch_all", thing=domain, before={"catch_all": before}, after={"catch_all": after})


def _leads_to(start: str, goal: str) -> bool:
    """Whether mail for `start` ends at `goal` by forwards, aliases and groups alone."""
    seen: set[str] = set()
    ahead = {start}
    while ahead and len(seen) < 1000:
        if goal in ahead:
            return True
        seen |= ahead
        found = set(Forward.objects.filter(mailbox__address__in=ahead).values_list("address", flat=True))
        found |= set(Alias.objects.filter(address__in=ahead).values_list("target__address", flat=True))
        found |= set(GroupMember.objects.filter(group__address__in=ahead).values_list("address", flat=True))
        ahead = found - seen
    return False
