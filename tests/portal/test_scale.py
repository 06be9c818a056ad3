"""10,000 domains and 100,000 mailboxes: every page of the portal, and every list of the API, stays quick and asks a bounded
number of questions, for each role that may open it.

What is measured follows from the addresses themselves: a new one is measured as it is added. `make test-variants` has the whole
size, every role, every way to search, sort and turn the pages, and the time; the suite counts the queries of a fiftieth, once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Alias
from accounts.services import listing
from accounts.services.usage import tables
from config.api import api
from deploy.stack import Stack
from tests.api.conftest import BASE
from tests.api.test_access import TABLE as API
from tests.portal.crowd import SCALE, Crowd, crowd
from tests.portal.test_access import TABLE as PORTAL
from tests.portal.test_space_access import TABLE as SPACE

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(3600)]

WHOLE = SCALE == 1
QUERIES = 20
CPU_MS = 150.0
TRIES = 3 if WHOLE else 0
ROLES = ("provider", "reseller", "customer", "domain", "owner")

NOT_LISTS = {
    "domain_dns": "asks the world's DNS",
    "mailbox_use": "leads to a page of the mailbox's own",
    "export": "a file, a line at a time",
    "batch_passwords": "a file of what was made",
    "usage_export": "a file, a line at a time",
    "usage_shares_export": "the rows of its page as a file",
    "mailbox_space_export": "the rows of its page as a file",
    "space": "asks the mail server",
    "space_archive": "a file of mail",
    "reserve": "asks the mail server",
    "mailbox_reserve": "asks the mail server",
    "reserve_held": "asks the mail server",
    "usage_retention": "counts copies in the store",
}
"""Addresses that show no list of the portal's rows; each of the others is measured."""

SORTS = [f"?sort={sign}{name}" for name in listing.SORTS for sign in ("", "-")]
MORE: dict[str, list[str]] = {
    "home": ["?q=", "?q=dominio99", "?q=&page=200", "?q=cliente+00"],
    "search": ["?q=persona777", "?q=dominio", "?q=persona", "?q=nada-de-esto"],
    "changes": ["", "?page=300"],
    "domain": [
        "",
        *SORTS,
        *(f"?show={name}" for name in listing.FILTERS),
        "?q=persona77",
        "?q=persona+4",
        "?page=200",
        "?show=full&sort=-usage&page=9",
    ],
    "domain_changes": ["", "?page=300"],
    "addresses": ["", "?q=persona7", "?aliases=50&groups=20&forwards=9"],
    "batch": ["", "?page=50"],
    "customers": ["", "?q=cliente+1", "?page=40"],
    "customer": ["", "?page=50"],
    "reseller": ["", "?page=30"],
    "resellers": ["", "?page=10", "?q=revende+01"],
    "plans": ["", "?page=4"],
    "people": ["", "?page=3"],
    "reseller_people": ["", "?page=3"],
    "customer_people": ["", "?page=3"],
    "domain_people": ["", "?page=3"],
    "usage": [
        *(
            f"?show={show}&least=0&sort={sort}"
            for show in tables.FIRST_SORT
            for sort in (tables.DOMAIN_SORTS if show in tables.DOMAIN_TABLES else tables.MAILBOX_SORTS)
        ),
        "",
        "?q=persona77&least=0",
        "?mode=pop3&page=20",
        "?show=domains&q=dominio9&least=0",
        "?page=200&least=0",
    ],
    "account_activity": ["", "?days=30&page=3", "?only=gone"],
    "mailbox_activity": ["", "?days=30&page=3", "?only=gone"],
}
"""The ways to search, narrow, sort and turn; the first is the one that the suite measures too. None: as it is."""
API_MORE = ["?limit=200", "?limit=50", "?limit=200&after=5000"]
API_WAYS: dict[str, list[str]] = {
    "/changes": ["?limit=200&verb=mailbox.change", "?limit=200&mailbox={mailbox_id}", "?limit=200&domain={domain_id}"],
    "/customers": ["?limit=200&name=cliente+1", "?limit=200&plan={plan_id}"],
    "/domains": ["?name=dominio99.test", "?limit=200&customer={customer_id}"],
    "/mailboxes": [
        "?address=persona777@dominio0.test",
        "?limit=200&domain={domain_id}",
        "?limit=200&customer={customer_id}",
        "?limit=200&deleted=true",
    ],
    "/roles": ["?limit=200&kind=domain"],
    "/space": ["?customer={customer_id}"],
    "/space/domains": ["?least=0&page=50", "?least=0&sort=name", "?show=promised&least=0"],
    "/space/mailboxes": [
        "?least=0&page=200",
        "?least=0&sort=name",
        "?least=0&address=persona77",
        "?show=unused",
        "?show=jumps",
    ],
    "/space/shares": ["?domain={domain_id}", "?customer={customer_id}"],
}
"""The ways to narrow, sort and turn a list of the API, beside those of every list."""
API_NOT_ASKED = {
    "/domains/{domain_id}/dns": "asks the world's DNS",
    "/mailboxes/{mailbox_id}/filters": "asks the mail server",
    "/mailboxes/{mailbox_id}/filters/script": "asks the mail server",
    "/mailboxes/{mailbox_id}/mode/figures": "asks the mail server",
    "/mailboxes/{mailbox_id}/reserve": "asks the mail server",
    "/mailboxes/{mailbox_id}/vacation": "asks the mail server",
}
"""What reads the API and is not measured; all else is, as each role that gets an answer (200)."""


@dataclass(frozen=True, slots=True)
class Page:
    """An address, and who may open it."""

    name: str
    address: str
    allowed: set[str]
    token: bool = False


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[Crowd]:
    with django_db_blocker.unblock(), crowd() as found:
        yield found


def portal_pages(rows: Crowd) -> Iterator[Page]:
    doors = {name: (thing, allowed) for name, (thing, methods, allowed) in PORTAL.items() if "GET" in methods}
    for name, (thing, allowed) in doors.items():
        if name not in NOT_LISTS:
            args = [getattr(rows, thing).pk] if thing else []
            yield from _each(name, f"portal:{name}", args, allowed)
    for name, door in SPACE.items():
        if "GET" in door.methods and name not in NOT_LISTS:
            things = {"account_activity": [rows.account.pk], "mailbox_activity": [rows.mailbox.pk]}
            things["usage_advice"] = [rows.mailbox.pk]
            yield from _each(name, name, things.get(name, []), door.allowed)


def _each(name: str, route: str, args: list[int], allowed: set[str]) -> Iterator[Page]:
    ways = MORE.get(name, [""])
    for way in ways if WHOLE else ways[:1]:
        yield Page(f"{name}{way}", reverse(route, args=args) + way, allowed & {*ROLES})


def api_pages(rows: Crowd) -> Iterator[Page]:
    """Every GET of the API's own description, with the things that stand in its path, as those who may ask."""
    named = ("customer", "domain", "mailbox", "plan", "reseller", "group")
    alias = Alias.objects.order_by("pk").values_list("pk", flat=True)[0]
    keys: dict[str, Any] = {f"{name}_id": getattr(rows, name).pk for name in named}
    keys |= {"alias_id": alias, "list_id": rows.batch.pk, "program": "thunderbird"}
    for whole, methods in api.get_openapi_schema()["paths"].items():
        path = whole.removeprefix(BASE)
        if "get" not in methods or path in API_NOT_ASKED:
            continue
        known = {one["name"] for one in methods["get"]["parameters"]}
        ways = [way for way in API_MORE if "limit" in known and ("after" in known or "after" not in way)] or [""]
        ways += API_WAYS.get(path, [])
        allowed = API["GET", path][2] & {*ROLES}
        for way in ways if WHOLE else ways[:1]:
            # What is narrowed to a customer is for those who see all of it.
            ask = allowed - {"domain"} if path.startswith("/space") and "{customer_id}" in way else allowed
            yield Page(f"API {path}{way}", (whole + way).format(**keys), ask, token=True)


def test_every_page_of_lists_is_quick_for_everybody(redis: Stack, rows: Crowd, settings: Any) -> None:
    settings.API_CALLS_A_MINUTE = 10**6
    pages = [*portal_pages(rows), *api_pages(rows)]
    left_out = NOT_LISTS | API_NOT_ASKED
    print(f"{len(pages)} addresses; left out:", *(f"\n  {name}: {why}" for name, why in left_out.items()))
    wrong: list[str] = []
    for role in ROLES:
        client = Client(headers={"accept-language": "en"})
        client.force_login(rows.people[role], backend="accounts.backends.HostedMailboxBackend")
        caller = Client(headers={"authorization": f"Bearer {rows.tokens[role]}"}) if role in rows.tokens else None
        for page in pages:
            if role in askers(page) and (asking := caller if page.token else client):
                wrong += measure(asking, page, role)
    assert wrong == []


def askers(page: Page) -> set[str]:
    """Who asks: everybody who may; in the suite the one who has most."""
    usual = ("reseller", *ROLES) if page.token else ROLES
    first = next((role for role in usual if role in page.allowed), "")
    return page.allowed if WHOLE else {first}


def measure(client: Client, page: Page, role: str) -> list[str]:
    """What is wrong with a page, in words: too many queries, too long, or not there for whom it should be."""
    connection.queries_log.clear()
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(page.address)
    queries = len(asked)
    cpu, wall = 1e9, 1e9
    for _try in range(TRIES):  # without capturing, which asks the database once more for each query
        began, clock = time.process_time(), time.perf_counter()
        client.get(page.address)
        cpu = min(cpu, (time.process_time() - began) * 1000)
        wall = min(wall, (time.perf_counter() - clock) * 1000)
    line = f"{role}: {page.name}: {queries} queries"
    line += f", {cpu:.0f} ms of processor, {wall:.0f} ms by the clock" if TRIES else ""
    print(line)
    right = answer.status_code in ({200} if page.token else {200, 302})
    if right and queries < QUERIES and (cpu < CPU_MS or not WHOLE):
        return []
    return [f"{line}, {answer.status_code}"]


def test_nothing_is_excused_that_is_not_there() -> None:
    assert NOT_LISTS.keys() <= PORTAL.keys() | SPACE.keys()
    assert MORE.keys() <= PORTAL.keys() | SPACE.keys()
    assert API_NOT_ASKED.keys() | API_WAYS.keys() <= {path for method, path in API if method == "GET"}
