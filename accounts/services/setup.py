"""Which settings a mail program is given for an address, without telling whether the address exists.

A mailbox is answered by its own choice. For an address that is none, a keyed hash picks one of the domain's mailboxes, and the
answer is that one's: it is always the same for this address, and the answers for addresses that exist and for those that do not
are spread alike. Both ways take the same two queries.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.utils.crypto import salted_hmac

from accounts.models import Domain, MailAccount, Mailbox
from accounts.services.login import clean_address
from accounts.setup.values import Choice, SetupValues, hosted_values, parse_places

_PLAN = "domain__customer__plan__"
_FIELDS = ("account__mode", "account__leave_days", "imap", "pop3", f"{_PLAN}imap", f"{_PLAN}pop3")
Row = tuple[str | None, int | None, bool, bool, bool, bool]


def values_for(address: str) -> SetupValues | None:
    """What a stranger who names this address is told; None only where its domain is not hosted here."""
    address = clean_address(address)
    domain = address.rpartition("@")[2]
    if not Domain.objects.filter(name=domain, active=True).exists():
        return None
    mine = Mailbox.objects.filter(address=address, deleted=None).values_list(*_FIELDS)
    spread = (
        Mailbox.objects.filter(domain__name=domain, deleted=None)
        .values_list(*_FIELDS)
        .annotate(n=Count("pk"))
        .order_by(*_FIELDS)
    )
    own, others = list(mine), list(spread)
    stand_in = _pick(address, others)
    return hosted_values(domain, _choice(own[0] if own else stand_in))


def values_of(account: MailAccount) -> SetupValues:
    """What the owner of an account is told: the same for a mailbox that is hosted here; for one of another server what is
    known of that server."""
    first = "pop3" if account.downloads else "imap"
    if account.mailbox:
        mailbox = account.mailbox
        plan = mailbox.domain.customer.plan
        row: Row = (account.mode, account.leave_days, mailbox.imap, mailbox.pop3, plan.imap, plan.pop3)
        return hosted_values(mailbox.domain.name, _choice(row))
    return SetupValues(
        domain=account.address.rpartition("@")[2],
        provider=account.address.rpartition("@")[2],
        imap=_places(account.imap_host, account.imap_port, account.imap_tls),
        pop3=_places(account.pop3_host, account.pop3_port, account.pop3_tls),
        smtp=_places(account.smtp_host, account.smtp_port, account.smtp_tls),
        choice=Choice("pop3" if first == "pop3" and account.pop3_host else "imap", account.leave_days),
        login=account.login,
    )


def _places(host: str, port: int, tls: str) -> Any:
    return parse_places([f"{host}:{port}:{tls}"]) if host else ()


def _choice(row: Row | None) -> Choice:
    """The choice in a row of _FIELDS; somebody who has never signed in here has made none."""
    if row is None:
        return Choice()
    mode, days, own_imap, own_pop3, plan_imap, plan_pop3 = row
    imap, pop3 = own_imap and plan_imap, own_pop3 and plan_pop3
    first = mode == MailAccount.Mode.DOWNLOAD and pop3
    return Choice("pop3" if first or not imap else "imap", Choice().leave_days if days is None else days, imap, pop3)


def _pick(address: str, spread: list[Any]) -> Row | None:
    """One of the rows (_FIELDS and how many mailboxes have them), each as likely as its share; the most common one when only
    a domain was named."""
    if address.startswith("@") and spread:
        return tuple(max(spread, key=lambda row: row[-1])[:-1])
    total = sum(row[-1] for row in spread)
    digest = salted_hmac("accounts.setup.stand-in", address, algorithm="sha256").digest()
    place = int.from_bytes(digest[:8]) % total if total else 0
    for *row, count in spread:
        if place < count:
            return tuple(row)
        place -= count
    return None
