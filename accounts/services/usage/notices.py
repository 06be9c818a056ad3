"""Thresholds that are passed now, as they are shown on every page to whom they concern, until that person has seen enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.urls import reverse

from accounts.models import AlertSeen, Customer, Domain, Kind, MailAccount, MailServer, Reseller, User
from accounts.models.usage import FULL_PERMILLE

SHOWN = 20
Whose = tuple[int | None, int | None, int | None, int | None, int | None]
"""The keys of an alert's mailbox, domain, customer and server, of which it has one (none: the installation's own disk, or all
that a reseller has), and of the reseller that is told."""
Row = tuple[int, int | None, int | None, int | None, int | None, int | None, int, int | None]
"""An alert: its key, whose it is, percent, and how full a mailbox is now."""

# Asked for every page that is opened whole: put together by hand it costs a tenth of what the ORM takes. Each part of the
# condition has an index of its own.
_OPEN = """
    SELECT s.id, s.mailbox_id, s.domain_id, s.customer_id, s.server_id, s.reseller_id, s.percent,
           (SELECT p.permille FROM accounts_mailboxspace p WHERE p.mailbox_id = s.mailbox_id)
      FROM accounts_spacealert s
    WHERE s.cleared IS NULL AND (
        {own} (s.reseller_id IS NULL
               AND s.customer_id IN (SELECT customer_id FROM accounts_role WHERE person_id = %s AND kind = %s))
        OR s.reseller_id IN (SELECT reseller_id FROM accounts_role WHERE person_id = %s AND kind = %s)
        OR s.domain_id IN (SELECT r.domain_id FROM accounts_role r WHERE r.person_id = %s AND r.kind = %s
                           UNION SELECT d.id FROM accounts_role r JOIN accounts_domain d ON d.customer_id = r.customer_id
                                  WHERE r.person_id = %s AND r.kind = %s)
        OR (s.mailbox_id IS NULL AND s.domain_id IS NULL AND s.customer_id IS NULL AND s.reseller_id IS NULL
            AND (%s = 1 OR EXISTS (SELECT 1 FROM accounts_role WHERE person_id = %s AND kind = %s)))
    ) {unseen} ORDER BY s.percent DESC, s.at DESC LIMIT 100
"""
_UNSEEN = "AND NOT EXISTS (SELECT 1 FROM accounts_alertseen n WHERE n.alert_id = s.id AND n.person_id = %s)"


Named = Domain | Customer | MailServer | Reseller
_NAMED: tuple[type[Named], ...] = (Domain, Customer, MailServer, Reseller)
"""What an alert names, in the order of Row."""


@dataclass(frozen=True, slots=True)
class Notice:
    """The highest threshold that something has passed; `of` is mailbox, domain, customer, reseller, server or disk, `url` where
    more is said."""

    alert_id: int
    of: str
    name: str
    percent: int
    url: str


def notices_for(person: User, accounts: Iterable[MailAccount]) -> list[Notice]:
    """What the person is shown: of their own mailboxes, of domains, customers and resellers whose role they hold, of the
    disk for the provider; the fullest first. One question to the database where there is nothing to show."""
    own = _own(accounts)
    highest: dict[Whose, Row] = {}
    for row in _rows(person, own, unseen=True):
        highest.setdefault(row[1:6], row)
    rows = list(highest.values())[:SHOWN]
    names = {model: _named(model, [row[place] for row in rows]) for place, model in enumerate(_NAMED, 2)}
    return [_notice(row, own, names) for row in rows]


def dismiss(person: User, accounts: Iterable[MailAccount], alert_id: int) -> bool:
    """Shows this person an alert no more, nor those of lower thresholds of the same thing; whether there was one to dismiss."""
    rows = _rows(person, _own(accounts), unseen=False)
    one = next((row for row in rows if row[0] == alert_id), None)
    if one is None:
        return False
    seen = [row[0] for row in rows if row[1:6] == one[1:6] and row[6] <= one[6]]
    AlertSeen.objects.bulk_create([AlertSeen(alert_id=key, person=person) for key in seen], ignore_conflicts=True)
    return True


def _own(accounts: Iterable[MailAccount]) -> dict[int, MailAccount]:
    return {one.mailbox_id: one for one in accounts if one.mailbox_id is not None}


def _rows(person: User, own: dict[int, MailAccount], *, unseen: bool) -> list[Row]:
    """The alerts that concern somebody and are not over, the fullest first."""
    places = ", ".join(["%s"] * len(own))
    question = _OPEN.format(own=f"s.mailbox_id IN ({places}) OR" if own else "", unseen=_UNSEEN if unseen else "")
    key: int = person.pk
    runs: list[int | str] = [key, Kind.CUSTOMER, key, Kind.RESELLER, key, Kind.DOMAIN, key, Kind.CUSTOMER]
    values: list[int | str] = [*own, *runs, int(person.is_superuser), key, Kind.PROVIDER]
    with connection.cursor() as cursor:
        cursor.execute(question, [*values, key] if unseen else values)
        return list(cursor.fetchall())


def _named(model: type[Named], keys: list[int | None]) -> dict[int, str]:
    """The names of those that there are."""
    known = [key for key in keys if key is not None]
    return dict(model._default_manager.filter(pk__in=known).values_list("pk", "name")) if known else {}


def _notice(row: Row, own: dict[int, MailAccount], names: dict[type[Named], dict[int, str]]) -> Notice:
    key, mailbox_id, domain_id, customer_id, server_id, reseller_id, percent, permille = row
    if mailbox_id is not None:
        account = own[mailbox_id]
        where = reverse("account_activity" if account.downloads else "space", args=[account.pk])
        return Notice(key, "mailbox", account.address, _stage(percent, permille), where)
    if domain_id is not None:
        name = names[Domain][domain_id]
        return Notice(key, "domain", name, percent, f"{reverse('usage')}?least=0&q=%40{name}")
    if customer_id is not None:
        where = f"{reverse('usage')}?customer={customer_id}"
        return Notice(key, "customer", names[Customer][customer_id], percent, where)
    if reseller_id is not None:
        where = f"{reverse('usage')}?reseller={reseller_id}"
        return Notice(key, "reseller", names[Reseller][reseller_id], percent, where)
    if server_id is not None:
        return Notice(key, "server", names[MailServer][server_id], percent, f"{reverse('usage')}?server={server_id}")
    return Notice(key, "disk", "", percent, reverse("usage"))


def _stage(percent: int, permille: int | None) -> int:
    """What a mailbox has passed, by what it holds now: one is full whatever its list of thresholds ends with, and full no longer
    though that was told, until it is well below."""
    if permille is None:
        return percent
    return 100 if permille >= FULL_PERMILLE else min(percent, permille // 10)
