"""The list that an open page asks for: kept by what it is drawn of, and what its template draws all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from secrets import token_urlsafe
from typing import Any

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import MailAccount
from accounts.services.login import clean_address
from tests.contract.test_source import letter
from webmail.models import OwnTag
from webmail.services.access import open_source
from webmail.values import FolderId
from webmail.views import list_forms
from webmail.views.box import Box
from webmail.views.list_forms import LIST, PAGE, draw_list, draw_page
from webmail.views.listed import context_of, open_list

pytestmark = [pytest.mark.server]
INBOX = FolderId("INBOX")
OWN = re.compile(r'(csrfmiddlewaretoken" value="|X-CSRFToken": "|nonce=")[^"]{20,64}')
"""What each answer has for itself."""


@pytest.fixture
def mine(mailbox_factory: Any, client: Client, imap: Any) -> dict[str, Any]:
    made = mailbox_factory()
    other = imap(made.address)
    for name in ("uno", "dos & <b>", "treñs"):
        other.append("INBOX", letter(name))
    other.create_folder("Obra & <b>")
    other.subscribe_folder("Obra & <b>")
    other.select_folder("INBOX")
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    account = MailAccount.objects.get(address=clean_address(made.address))
    return {"client": client, "account": account, "imap": other}


def compare(mine: dict[str, Any], rf: Any, query: str = "", folder: str = "INBOX") -> str:
    """Draws a list and its page twice and once with the templates alone; gives the list."""
    drawn = []
    for template, draw in ((LIST, draw_list), (PAGE, draw_page))[: 1 if "q=" in query or "sort" in query else 2]:
        pages = []
        for way in (draw, draw, partial(whole, template)):
            request = rf.get("/" + query)
            request.user, request.session, request.resolver_match = mine["account"].owner, mine["client"].session, None
            request.csp_nonce = token_urlsafe(20)
            with open_source(request, mine["account"]) as source:
                box = Box(request, mine["account"], source)
                pages.append(OWN.sub(r"\1", way(box, open_list(box, FolderId(folder))).content.decode()))
        assert pages[0] == pages[1] == pages[2]
        drawn.append(pages[0])
    return drawn[0]


def whole(template: str, box: Box, listed: Any) -> HttpResponse:
    return HttpResponse(render_to_string(template, context_of(box, listed), box.request))


def changes(mine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(what the address asks, what the list must have then) after one change each."""
    account, owner, other = mine["account"], mine["account"].owner, mine["imap"]
    yield "", "treñs"
    yield "?start=1", 'data-start="1"'
    yield "?sort=subject&dir=desc", 'name="sort" value="subject"'
    yield "?unread=1", "data-total"
    yield "?q=dos+%26", 'value="dos &amp;"'
    yield "?q=nada+de+eso", "nada de eso"
    yield "?threads=1", "data-count"
    other.add_flags([1], [b"\\Seen", b"\\Flagged", b"$label1"])
    yield "", " (2)"
    OwnTag.objects.create(account=account, keyword="propia", name="Propia <i>", colour=3)
    yield "", "Propia &lt;i&gt;"
    owner.density, owner.name, owner.theme, owner.single_keys = "compact", "Ana <i>", "dark", False
    yield "", 'data-density="compact"'
    other.append("INBOX", letter("cuatro"))
    yield "", 'data-total="4"'
    other.unsubscribe_folder("Obra & <b>")
    yield "", "/folders/hidden/"
    account.special_folders = {"apart": ["x"]}
    yield "", "cuatro"


def test_it_is_what_the_template_draws(mine: dict[str, Any], rf: Any) -> None:
    for language in ("es", "en"):
        with translation.override(language):
            compare(mine, rf)
    for query, text in changes(mine):
        assert text in compare(mine, rf, query), (query, text)
    assert "data-ref" not in compare(mine, rf, folder="Obra &- <b>")


def test_each_has_a_token_of_its_own(mine: dict[str, Any]) -> None:
    address = f"/mail/{mine['account'].pk}/f/SU5CT1g/"
    pages = [mine["client"].get(address, headers={"HX-Request": "true"}).content.decode() for _turn in range(2)]
    whole_page = mine["client"].get(address)
    pages.append(whole_page.content.decode())
    tokens = [set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)) for page in pages]
    assert all(len(token) == 64 for found in tokens for token in found)
    assert tokens[0]
    assert tokens[0].isdisjoint(tokens[1])
    assert tokens[1].isdisjoint(tokens[2])
    for place in (list_forms._TOKEN, list_forms._ROWS, list_forms._NONCE):
        assert not any(place in page for page in pages)
    nonce = re.search(r'nonce="([^"]+)"', pages[2])
    assert nonce
    assert f"'nonce-{nonce[1]}'" in whole_page.headers["Content-Security-Policy"]
