"""Contacts from a vCard file and into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import MailAccount
from webmail.mime.fold import search_text
from webmail.mime.recipients import check_recipient, compare_key
from webmail.mime.vcard import Card, card_uid, parse_cards, write_cards
from webmail.models import Contact, ContactGroup
from webmail.services.contacts import (
    CONTACTS_LIMIT,
    EMAIL_LIMIT,
    GROUPS_LIMIT,
    MEMBERS_LIMIT,
    UNFIT_FOR_GROUP,
    group_key,
)

FILE_LIMIT_BYTES = 10_000_000
SHOWN = 20
SHOWN_CHARS = 60
BATCH = 500


@dataclass(slots=True)
class Taken:
    """What became of a file: how many contacts are new, got a name, were there already; groups; the first SHOWN names of
    cards without an address and addresses that are none, and how many there were; members that the file does not have;
    `codes` of the parser, "full" when the address book has no more room; `left` whether there was more in the cards."""

    added: int = 0
    named: int = 0
    known: int = 0
    groups: int = 0
    without: list[str] = field(default_factory=list)
    without_count: int = 0
    wrong: list[str] = field(default_factory=list)
    wrong_count: int = 0
    missing_members: int = 0
    codes: list[str] = field(default_factory=list)
    left: bool = False


@transaction.atomic
def take_cards(account: MailAccount, data: bytes) -> Taken:
    """Adds what a vCard file has; what is there already is not doubled, and no name that was put in by hand is changed."""
    cards, defects = parse_cards(data)
    taken = Taken(codes=[defect.code for defect in defects], left=any(card.left for card in cards))
    emails = {id(card): _emails(card, taken) for card in cards if not card.group}
    contacts = {contact.email: contact for contact in Contact.objects.filter(account=account)}
    new: dict[str, Contact] = {}
    named: dict[str, Contact] = {}
    for card in cards:
        for key in emails.get(id(card), []):
            name = "" if card.name.lower() == key else card.name
            contact = contacts.get(key)
            if contact is None and len(contacts) >= CONTACTS_LIMIT:
                _note_once(taken, "full")
            elif contact is None:
                new[key] = contacts[key] = _contact(account, key, name)
            elif key not in new and name and name != contact.name and not (contact.kept and contact.name):
                contact.name, contact.search, contact.kept = name, search_text(name, key), True
                named[key] = contact
            else:
                taken.known += key not in new and key not in named
    Contact.objects.bulk_create(new.values(), batch_size=BATCH)
    Contact.objects.bulk_update(named.values(), ["name", "search", "kept"], batch_size=BATCH)
    taken.added, taken.named = len(new), len(named)
    _take_groups(account, cards, emails, contacts, taken)
    return taken


def _contact(account: MailAccount, key: str, name: str) -> Contact:
    return Contact(account=account, email=key, name=name, search=search_text(name, key), kept=True)


def _note_once(taken: Taken, code: str) -> None:
    if code not in taken.codes:
        taken.codes.append(code)


def _emails(card: Card, taken: Taken) -> list[str]:
    """The compare keys of a card's addresses that can be written to; the others are noted."""
    good: list[str] = []
    for email in card.emails:
        key = compare_key(email) if check_recipient(email) is None else ""
        if key and len(key) <= EMAIL_LIMIT:
            good.append(key)
        else:
            taken.wrong_count += 1
            taken.wrong += [email[:SHOWN_CHARS]] if len(taken.wrong) < SHOWN else []
    if not card.emails:
        taken.without_count += 1
        taken.without += [card.name[:SHOWN_CHARS] or "?"] if len(taken.without) < SHOWN else []
    return list(dict.fromkeys(good))


def _take_groups(
    account: MailAccount,
    cards: Sequence[Card],
    emails: dict[int, list[str]],
    contacts: dict[str, Contact],
    taken: Taken,
) -> None:
    """The groups of the file, added to those of the same name. A member is a card of the file, or an address."""
    by_uid = {card.uid: emails[id(card)] for card in cards if card.uid and not card.group}
    groups = {group.search: group for group in ContactGroup.objects.filter(account=account)}
    for card in cards:
        name = " ".join(UNFIT_FOR_GROUP.sub(" ", card.name).split())
        if not card.group or not name:
            continue
        key = group_key(name)
        if key not in groups and len(groups) >= GROUPS_LIMIT:
            _note_once(taken, "full")
            continue
        group = groups.get(key) or ContactGroup.objects.create(account=account, name=name, search=key)
        groups[key] = group
        members = [_member(one, by_uid, contacts) for one in card.members]
        taken.missing_members += sum(not found for found in members)
        known = set(group.members.values_list("pk", flat=True))
        wanted = dict.fromkeys(contact.pk for found in members for contact in found if contact.pk not in known)
        group.members.add(*list(wanted)[: max(0, MEMBERS_LIMIT - len(known))])
        taken.groups += 1


def _member(member: str, by_uid: dict[str, list[str]], contacts: dict[str, Contact]) -> list[Contact]:
    """The contacts of one MEMBER: all addresses of a person whom it names by UID."""
    scheme, _colon, address = member.partition(":")
    keys = [compare_key(address)] if scheme.lower() == "mailto" else by_uid.get(member, [])
    return [contacts[key] for key in keys if key in contacts]


def give_cards(account: MailAccount) -> Iterator[bytes]:
    """All contacts, then all groups, as vCard 4.0."""
    for contact in Contact.objects.filter(account=account).order_by("search", "pk").iterator(BATCH):
        yield from write_cards([_card_of(contact)])
    for group in ContactGroup.objects.filter(account=account).order_by("search").prefetch_related("members"):
        members = tuple(_uid_of(member) for member in group.members.all())
        uid = card_uid(f"casilla:group:{account.pk}:{group.pk}")
        yield from write_cards([Card(group.name, group=True, uid=uid, members=members)])


def _card_of(contact: Contact) -> Card:
    return Card(contact.name, (contact.email,), uid=_uid_of(contact))


def _uid_of(contact: Contact) -> str:
    return card_uid(f"mailto:{contact.email}")
