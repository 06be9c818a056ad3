"""Which settings a mail program is given for an address, without telling whether the address exists.

A program asks before anybody has signed in, and names an address. What it is told is the domain's own: that which most of its
mailboxes have, the same for every address, there or not. Only where the owner of a mailbox is known to be sitting, by having
signed in to Casilla or opened a guide from that very network within a day (`expect_program`), the answer is the mailbox's own: to
whoever asks from anywhere else, addresses that exist and those that do not are alike, now and after any change.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.utils.crypto import salted_hmac

from accounts.models import Domain, MailAccount, Mailbox
from accounts.services.login import clean_address
from accounts.setup.values import Choice, SetupValues, hosted_values, parse_places

EXPECTED_S = 24 * 3600
"""For so long a mailbox's own settings are told where its owner was."""
_PLAN = "domain__customer__plan__"
_FIELDS = ("account__mode", "account__leave_days", "imap", "pop3", f"{_PLAN}imap", f"{_PLAN}pop3")
Row = tuple[str | None, int | None, bool, bool, bool, bool]


def values_for(address: str, *, origin: str) -> SetupValues | None:
    """What somebody at the address `origin` who names a mail address is told; None only where its domain is not hosted here. The
    same is asked of the database for every address from elsewhere."""
    address = clean_address(address)
    domain = address.rpartition("@")[2]
    if not Domain.objects.filter(name=domain, active=True).exists():
        return None
    choice = _usual_choice(domain)
    if cache.get(_expected_key(address, origin)):
        own = Mailbox.objects.filter(address=address, deleted=None).values_list(*_FIELDS).first()
        choice = _choice(own) if own else choice
    return hosted_values(domain, choice)


def expect_program(mailbox: Mailbox | None, *, origin: str) -> None:
    """Who knows a mailbox, its owner or whoever runs it, is at the address `origin`: programs that are set up there get its own
    settings for a day. Lost while Redis is away."""
    if mailbox:
        cache.set(_expected_key(mailbox.address, origin), 1, EXPECTED_S)


def _expected_key(address: str, origin: str) -> str:
    """Of an address and a network: for IPv6 that is the first half of it, as a machine changes the rest."""
    try:
        place = ip_address(origin)
    except ValueError:
        return "setup:nowhere"
    network = int(place) >> 64 if isinstance(place, IPv6Address) else int(place)
    return "setup:" + salted_hmac("accounts.setup.expected", f"{address} {network}", algorithm="sha256").hexdigest()


def _usual_choice(domain: str) -> Choice:
    """The choice of most mailboxes of a domain; of two that are as frequent always the same."""
    rows = Mailbox.objects.filter(domain__name=domain, deleted=None).values_list(*_FIELDS).annotate(n=Count("pk"))
    found: Counter[Choice] = Counter()
    for *row, number in rows.order_by():
        found[_choice(tuple(row))] += number
    return max(found, key=lambda one: (found[one], one.first, one.leave_days, one.imap, one.pop3), default=Choice())


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


def _choice(row: Any) -> Choice:
    """The choice in a row of _FIELDS (a Row); somebody who has never signed in here has made none."""
    mode, days, own_imap, own_pop3, plan_imap, plan_pop3 = row
    imap, pop3 = own_imap and plan_imap, own_pop3 and plan_pop3
    first = mode == MailAccount.Mode.DOWNLOAD and pop3
    return Choice("pop3" if first or not imap else "imap", Choice().leave_days if days is None else days, imap, pop3)
