"""The people that one writes to and hears from, ranked by use, and groups of them."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db import connection, transaction
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Least
from django.utils import timezone

from accounts.models import MailAccount
from webmail.mime.addresses import format_address
from webmail.mime.fold import fold, search_text
from webmail.mime.headers import header_value, make_safe
from webmail.mime.recipients import compare_key
from webmail.models import Contact, ContactGroup, Identity
from webmail.services.reading import Letter
from webmail.values import Address, Role

SUGGESTIONS = 8
PEOPLE_LIMIT = 200
CONTACTS_LIMIT = 20_000
GROUPS_LIMIT = 500
MEMBERS_LIMIT = 500
NAME_LIMIT = 200
EMAIL_LIMIT = 254
KEY_LIMIT = 400
WORDS_LIMIT = 6
HEARD_MOST = 20
GROUP_SCORE = 100
"""Somebody heard from is worth at most HEARD_MOST, less than three messages written; a group as much as twelve."""

UNHEARD = frozenset({Role.JUNK, Role.TRASH, Role.SENT, Role.DRAFTS, Role.TEMPLATES})
LIST_FIELDS = ("List-Id", "List-Post", "List-Unsubscribe")
UNFIT_FOR_GROUP = re.compile(r'[@,;:<>"()\[\]\\]')
"""What would make a group's name look like an address among the recipients."""

_NOBODY = re.compile(r"(?:no|do)[-_.]?(?:not)?[-_.]?reply|mailer-daemon|bounces?[-+=]", re.ASCII)
_PIECES = re.compile(r'(?:"[^"]*"|<[^<>]*>|[^,;\n])+')


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A person, or with `group` (its id) a group of `size` people."""

    name: str
    email: str = ""
    group: int = 0
    size: int = 0


def remember(account: MailAccount, people: Iterable[Address], *, written: bool) -> None:
    """Notes people; `written` counts a message to them."""
    known = {compare_key(person.email): person.name for person in list(people)[:PEOPLE_LIMIT] if person.email}
    _note(account, known, count="written" if written else None, moment=timezone.now())


def hear_from(account: MailAccount, letter: Letter, *, first: bool) -> None:
    """Notes who wrote a message that is opened; `first` counts it. Not from Junk and Trash, not lists, machines or senders
    that failed their checks, not oneself. One query when they are known."""
    note_heard(account, heard_people(account, letter), first=first, moment=letter.message.summary.date.timestamp())


def heard_people(account: MailAccount, letter: Letter) -> dict[str, str]:
    """Who is to be remembered as the sender of a letter: names by compare key."""
    if letter.folder.role in UNHEARD or _is_machine(letter):
        return {}
    own = compare_key(account.address)
    people = {compare_key(person.email): person.name for person in letter.message.summary.sender[:5] if person.email}
    return {key: name for key, name in people.items() if key != own and not _NOBODY.match(key)}


NOTED_KEPT = 5_000
_noted: OrderedDict[tuple[int, tuple[str, ...]], None] = OrderedDict()


def note_heard(account: MailAccount, people: Mapping[str, str], *, first: bool, moment: float) -> None:
    """Remembers senders; `moment` in seconds since 1970. One query when they are known, none when they were just noted."""
    noted = (account.pk, tuple(sorted(people)))
    if people and (first or noted not in _noted):
        _noted[noted] = None
        while len(_noted) > NOTED_KEPT:
            _noted.popitem(last=False)
        when = min(datetime.fromtimestamp(moment, UTC), timezone.now())
        _note(account, people, count="heard" if first else None, moment=when)


def _is_machine(letter: Letter) -> bool:
    headers = letter.message.headers
    if letter.authentication.dmarc == "fail" or any(header_value(headers, name) for name in LIST_FIELDS):
        return True
    automatic = header_value(headers, "Auto-Submitted").strip().lower()
    return automatic not in {"", "no"} or header_value(headers, "Precedence").strip().lower() in {
        "bulk",
        "list",
        "junk",
    }


def _note(
    account: MailAccount, people: Mapping[str, str], *, count: Literal["written", "heard"] | None, moment: datetime
) -> None:
    """Counts those who are known, fills in names that were missing, adds the others. `people` are names by compare key."""
    people = {key: _heard_name(name) for key, name in people.items() if "@" in key and len(key) <= EMAIL_LIMIT}
    if not people:
        return
    known = _count_use(account.pk, people, count, moment) if count else _count_known(account.pk, people)
    if known == len(people):
        return
    own = set() if count == "written" else _own_addresses(account.pk)
    new = [(key, name, search_text(name, key)) for key, name in people.items() if key not in own]
    _add(account.pk, new, written=count == "written", heard=count == "heard", moment=moment)


# These are asked at the opening of nearly every message, in a tenth of the time that it takes Django to put them together.


def _count_known(account_id: int, keys: Collection[str]) -> int:
    """How many of these are known."""
    table, (account, email) = Contact._meta.db_table, ("account_id", "email")
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        question = f"SELECT COUNT(*) FROM {table} WHERE {account} = %s AND {email} IN ({places})"  # noqa: S608 - names of ours
        cursor.execute(question, [account_id, *keys])
        return int(cursor.fetchone()[0])


def _count_use(account_id: int, people: Mapping[str, str], count: Literal["written", "heard"], moment: datetime) -> int:
    """Counts a message for those of them who are known, and gives a name to whom had none; how many they are."""
    when = connection.ops.adapt_datetimefield_value(moment)
    each = "CASE email " + "WHEN %s THEN %s " * len(people) + "ELSE '' END"
    command = (
        f"UPDATE {Contact._meta.db_table} SET {count} = {count} + 1,"  # noqa: S608 - names of ours
        " last_used = CASE WHEN last_used < %s THEN %s ELSE last_used END,"
        f" search = CASE WHEN name = '' THEN {each} ELSE search END, name = CASE WHEN name = '' THEN {each} ELSE name END"
        f" WHERE account_id = %s AND email IN ({', '.join(['%s'] * len(people))})"
    )
    searched = [word for key, name in people.items() for word in (key, search_text(name, key))]
    named = [word for pair in people.items() for word in pair]
    with connection.cursor() as cursor:
        cursor.execute(command, [when, when, *searched, *named, account_id, *people])
        return int(cursor.rowcount)


def _own_addresses(account_id: int) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT address FROM {Identity._meta.db_table} WHERE account_id = %s", [account_id])  # noqa: S608
        return {compare_key(address) for (address,) in cursor.fetchall()}


def _add(account_id: int, new: list[tuple[str, str, str]], *, written: bool, heard: bool, moment: datetime) -> None:
    """Adds people (compare key, name, what they are searched by) who are not known yet."""
    if not new:
        return
    when = connection.ops.adapt_datetimefield_value(moment)
    command = (
        f"INSERT INTO {Contact._meta.db_table}"  # noqa: S608 - names of ours
        " (account_id, email, name, search, written, heard, kept, last_used) VALUES "
        + ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * len(new))
        + " ON CONFLICT DO NOTHING"
    )
    rows = [(account_id, key, name, search, int(written), int(heard), False, when) for key, name, search in new]
    with connection.cursor() as cursor:
        cursor.execute(command, [value for row in rows for value in row])


def _heard_name(name: str) -> str:
    """The name that somebody gives themselves; none when it passes for another address."""
    return "" if "@" in name else name[:NAME_LIMIT].strip()


def suggest(account: MailAccount, words: str) -> list[Suggestion]:
    """At most SUGGESTIONS people and groups in one query: first where each word begins a word of the name or the address,
    then where it stands anywhere; among them by use, written before heard, recent before old."""
    fits, begins = _fitting(words)
    if not fits:
        return []
    first = Case(When(begins, then=1), default=0)
    columns = ("first", "score", "name", "email", "group", "size")
    people = (
        Contact.objects.filter(fits, account=account)
        .annotate(first=first, score=_score(), group=Value(0), size=Value(0))
        .values_list(*columns)
    )
    groups = (
        ContactGroup.objects.filter(fits, account=account)
        .annotate(first=first, score=Value(GROUP_SCORE), email=Value(""), group=F("pk"), size=Count("members"))
        .values_list(*columns)
    )
    found = people.union(groups, all=True).order_by("-first", "-score", "name", "email")[:SUGGESTIONS]
    return [Suggestion(name, email, group, size) for _first, _score, name, email, group, size in found]


def _fitting(words: str) -> tuple[Q, Q]:
    """Where every word stands anywhere, and where every word begins one; both empty for no words."""
    fits, begins = Q(), Q()
    for word in fold(words.replace("\0", "")[:100]).split()[:WORDS_LIMIT]:
        fits &= Q(search__contains=word)
        begins &= Q(search__contains=f" {word}")
    return fits, begins


def _score() -> Any:
    """How much somebody is used: 8 for each message written, 1 for each heard, times 4 in the last month, 2 in the last
    half year."""
    now = timezone.now()
    recent = Case(
        When(last_used__gte=now - timedelta(days=30), then=4),
        When(last_used__gte=now - timedelta(days=180), then=2),
        default=1,
        output_field=IntegerField(),
    )
    kept = Case(When(kept=True, then=8), default=0, output_field=IntegerField())
    return (F("written") * 8 + Least(F("heard"), Value(HEARD_MOST)) + kept + 1) * recent


def find_people(account: MailAccount, words: str) -> QuerySet[Contact]:
    """The contacts in whose name or address every word stands, by name."""
    return Contact.objects.filter(_fitting(words)[0], account=account).order_by("search", "pk")


def find_groups(account: MailAccount, words: str) -> QuerySet[ContactGroup]:
    """The groups whose name has every word, by name, with their `size`."""
    found = ContactGroup.objects.filter(_fitting(words)[0], account=account)
    return found.annotate(size=Count("members")).order_by("search")


def contact_with(account: MailAccount, email: str) -> Contact | None:
    return Contact.objects.filter(account=account, email=compare_key(email)).first()


def save_contact(account: MailAccount, contact: Contact | None, *, name: str, email: str) -> Contact:
    """Keeps a person as somebody wrote them down. The address has been checked; it belongs to nobody else here."""
    contact = contact or Contact(account=account)
    contact.email, contact.name, contact.kept = compare_key(email), make_safe(name).strip()[:NAME_LIMIT], True
    contact.search = search_text(contact.name, contact.email)
    contact.save()
    return contact


def group_key(name: str) -> str:
    """What two groups of one account may not have in common."""
    return search_text(name).replace("\0", "")[:KEY_LIMIT]


@transaction.atomic
def save_group(
    account: MailAccount, group: ContactGroup | None, *, name: str, people: Sequence[Address]
) -> ContactGroup:
    """Keeps a group with exactly these members; those who are new become contacts."""
    group = group or ContactGroup(account=account)
    group.name, group.search = name, group_key(name)
    group.save()
    named = {compare_key(person.email): person.name for person in people if person.email}
    new = [
        Contact(
            account=account, email=key, name=label[:NAME_LIMIT], search=search_text(label[:NAME_LIMIT], key), kept=True
        )
        for key, label in named.items()
        if len(key) <= EMAIL_LIMIT
    ]
    Contact.objects.bulk_create(new, ignore_conflicts=True)
    group.members.set(Contact.objects.filter(account=account, email__in=named)[:MEMBERS_LIMIT])
    return group


def members_of(group: ContactGroup) -> list[Address]:
    return [Address(one.name, one.email) for one in group.members.order_by("search")]


def as_recipients(people: Iterable[Address]) -> str:
    """People as they stand in a recipients field."""
    return ", ".join(map(format_address, people))


def expand_groups(account: MailAccount, text: str) -> str:
    """The recipients with the members in place of each group's name; unchanged without one."""
    pieces = [piece.strip() for piece in _PIECES.findall(text)]
    keys = {group_key(piece.strip('"')) for piece in pieces[:PEOPLE_LIMIT] if piece and "@" not in piece}
    if not keys:
        return text
    groups = {group.search: group for group in ContactGroup.objects.filter(account=account, search__in=keys)}
    if not groups:
        return text
    full = [
        as_recipients(members_of(groups[key]))
        if "@" not in piece and (key := group_key(piece.strip('"'))) in groups
        else piece
        for piece in pieces
    ]
    return ", ".join(piece for piece in full if piece)
