"""Every address of an account (`/mail/N/…`), found in the address table itself, is refused to whoever does not own it: another
owner, who runs another domain or customer, and a stranger; by GET and by POST. (Who runs its own
domain opens some: test_access.)"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from accounts.services.login import account_of_mailbox
from tests.portal.conftest import World

pytestmark = pytest.mark.django_db
FILLED = {
    "int": "1",
    "folder": "SU5CT1g",
    "uid": "1",
    "str": "x",
    "slug": "x",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""Something for each kind of part of an address."""
SENT = {
    "receipt/": {"do": "send"},
    "/SU5CT1g/change/": {"do": "star", "refs": "1.1"},
    "takeout/export/": {"format": "mbox"},
}
"""What those addresses are sent which look at that first."""


def addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """The addresses below /mail/N/, their other parts filled in with something."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        path = before + str(one.pattern).lstrip("^").rstrip("$")
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, path)
        elif isinstance(one, URLPattern) and path.startswith("mail/<int:account_id>/"):
            path = path.replace("<int:account_id>", "{account}")
            path = re.sub(r"<(\w+):\w+>", lambda part: FILLED.get(part[1], "1"), path)
            yield f"/{path}"


def test_nobody_opens_an_account_that_is_not_theirs(world: World) -> None:
    account = account_of_mailbox(world.one.mailbox)
    people = {kind: world.two.people[kind] for kind in ("owner", "domain", "customer")}
    wrong, asked = [], 0
    for path in addresses():
        address = path.format(account=account.pk)
        assert resolve(address)
        sent = next((data for end, data in SENT.items() if path.endswith(end)), {})
        for who, person in (*people.items(), ("stranger", None)):
            client = world.client(person)
            for method in ("get", "post"):
                answer = getattr(client, method)(address, sent)
                asked += 1
                login = answer.status_code in {302, 401} and person is None
                if not login and answer.status_code not in {404, 405}:
                    wrong.append((who, method, path, answer.status_code))
    assert wrong == []
    assert asked > 8 * 80
