"""Whose mailbox an address leads to: its own, that of an alias, those of a group's members."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from accounts.models import Alias, GroupMember, Mailbox

CHUNK = 5_000
DEPTH = 5
"""Groups within groups, at most."""
REACHED_MAX = 500
"""So many mailboxes at most, of one group."""


def mailboxes_behind(addresses: Iterable[str]) -> dict[str, list[str]]:
    """The addresses of the mailboxes behind others, in lower case, as Postfix finds them: as they are, else without what follows
    a "+". What leads to none here is not among them."""
    wanted = sorted(set(addresses))
    found: dict[str, list[str]] = {}
    for start in range(0, len(wanted), CHUNK):
        found |= _behind(wanted[start : start + CHUNK])
    return found


def _behind(addresses: list[str]) -> dict[str, list[str]]:
    open_: dict[str, set[str]] = {address: {address} for address in addresses}
    found: dict[str, dict[str, None]] = {address: {} for address in addresses}
    seen: dict[str, set[str]] = {address: set() for address in addresses}
    for _round in range(DEPTH):
        asked = {one for some in open_.values() for one in some} - {""}
        if not asked:
            break
        ends, leads = _step(asked | {without_detail(one) for one in asked})
        for address, some in open_.items():
            further: set[str] = set()
            for one in some - seen[address]:
                name = one if one in ends or one in leads else without_detail(one)
                if name in ends:
                    found[address][name] = None
                further |= leads.get(name, set())
            seen[address] |= some
            open_[address] = further - seen[address]
    return {address: list(some)[:REACHED_MAX] for address, some in found.items() if some}


def _step(asked: Collection[str]) -> tuple[set[str], dict[str, set[str]]]:
    """Which of these are mailboxes, and where the others lead."""
    ends = set(Mailbox.objects.filter(address__in=asked).values_list("address", flat=True))
    rest = [one for one in asked if one not in ends]
    leads: dict[str, set[str]] = {}
    for address, target in Alias.objects.filter(address__in=rest).values_list("address", "target__address"):
        leads.setdefault(address, set()).add(target)
    members = GroupMember.objects.filter(group__address__in=rest).values_list("group__address", "address")
    for address, target in members[: REACHED_MAX * 10]:
        leads.setdefault(address, set()).add(target)
    return ends, leads


def without_detail(address: str) -> str:
    """ "ana@x.test" of "ana+tag@x.test" (recipient_delimiter in deploy/postfix/main.cf)."""
    local, at, domain = address.rpartition("@")
    return local.partition("+")[0] + at + domain
