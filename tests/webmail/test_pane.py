"""An opened message in its pane: drawn as the template draws it, kept for its own account, and true all the same."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import MailAccount
from accounts.services.login import clean_address
from tests.contract.test_source import MIXED, letter
from webmail.services.access import open_source
from webmail.services.threads import Conversation
from webmail.tokens import encode_folder
from webmail.values import FolderId, Ref
from webmail.views.around import draw_letter
from webmail.views.box import Box
from webmail.views.letters import letter_context, open_here
from webmail.views.pane import _around, _opened

pytestmark = [pytest.mark.server]
HTMX = {"HX-Request": "true"}
HTML = (
    b"From: Ana <ana@afuera.test>\r\nTo: b@afuera.test\r\nSubject: <b>uno</b> & dos\r\nMessage-ID: <a+b/c@afuera.test>\r\n"
    b"List-Post: <mailto:l@afuera.test>\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: text/html; charset=utf-8\r\n\r\n<p>hola <img src="https://afuera.test/x.png"></p>\r\n'
)
BARE = b"\r\nnada\r\n"
RICH = (
    b'From: "O\'Higgins <x>" <o@afuera.test>\r\nTo: Ana & Co <ana@afuera.test>, b@afuera.test\r\nCc: <c@afuera.test>\r\n'
    b"Reply-To: Otra <otra@afuera.test>\r\nList-Unsubscribe: <https://afuera.test/u?a=1&b=2>\r\nSubject: mucho\r\n"
    b"Date: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\nhola <b> & https://afuera.test/?a=1&b=2 zq1n0_0qz\r\n"
    + b"> dijo\r\n" * 9
    + b">> antes\r\n\r\n-- \r\nO'Higgins\r\n"
)


@pytest.fixture
def mine(mailbox_factory: Any, client: Client, imap: Any) -> dict[str, Any]:
    """A signed-in person with five messages, and another program's connection to the same mailbox."""
    made = mailbox_factory()
    other = imap(made.address)
    for raw in (letter("uno"), HTML, MIXED, BARE, RICH):
        other.append("INBOX", raw)
    validity = other.select_folder("INBOX")[b"UIDVALIDITY"]
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    account = MailAccount.objects.get(address=clean_address(made.address))
    return {"client": client, "account": account, "imap": other, "validity": validity, "made": made}


def url(mine: dict[str, Any], uid: int, rest: str = "") -> str:
    return f"/mail/{mine['account'].pk}/f/{encode_folder(FolderId('INBOX'))}/m/{mine['validity']}.{uid}/{rest}"


def flags(mine: dict[str, Any], uid: int) -> tuple[bytes, ...]:
    found: tuple[bytes, ...] = mine["imap"].fetch([uid], ["FLAGS"])[uid][b"FLAGS"]
    return found


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("uid", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("query", ["", "?sort=subject&q=u%20%26"])
def test_it_is_what_the_template_draws(mine: dict[str, Any], rf: Any, uid: int, language: str, query: str) -> None:
    request = rf.get(url(mine, uid) + query)
    request.user, request.session, request.resolver_match = mine["account"].owner, mine["client"].session, None
    ref = Ref(FolderId("INBOX"), mine["validity"], str(uid))
    with translation.override(language), open_source(request, mine["account"]) as source:
        box = Box(request, mine["account"], source)
        folder = box.known_folder(ref.folder)
        opened = open_here(box, folder, ref)
        seen = not opened.message.summary.unread
        drawn = draw_letter(request, _opened(box, opened), _around(box, folder, ref, opened.message.summary.flags))
        whole = render_to_string("webmail/letter.html", letter_context(box, opened, seen=seen), request)
    token = re.compile(r'(csrfmiddlewaretoken" value=")[^"]+')
    assert token.sub(r"\1", str(drawn)) == token.sub(r"\1", whole)
    assert get_token(request)


def test_a_second_opening_shows_the_same_and_the_flags_of_now(mine: dict[str, Any]) -> None:
    first = mine["client"].get(url(mine, 1), headers=HTMX).content.decode()
    mine["imap"].add_flags([1], [b"\\Flagged", b"$label1"])
    again = mine["client"].get(url(mine, 1), headers=HTMX).content.decode()
    assert "data-recount" in first
    assert "data-recount" not in again
    state = re.compile(r'<p class="meta" id="letter-state"[^>]*>')
    assert "data-flagged" not in state.search(first)[0]  # type: ignore[index]
    assert "data-flagged" in state.search(again)[0]  # type: ignore[index]
    assert "$label1" in state.search(again)[0]  # type: ignore[index]


def test_opening_marks_as_read_also_what_was_kept(mine: dict[str, Any]) -> None:
    mine["client"].get(url(mine, 1), headers=HTMX)
    assert b"\\Seen" in flags(mine, 1)
    mine["imap"].remove_flags([1], [b"\\Seen"])
    page = mine["client"].get(url(mine, 1), headers=HTMX).content.decode()
    assert "data-recount" in page
    assert b"\\Seen" in flags(mine, 1)


def test_opening_ahead_marks_nothing_and_spares_the_reading(mine: dict[str, Any]) -> None:
    assert mine["client"].get(url(mine, 2, "ahead/")).status_code == 204
    assert b"\\Seen" not in flags(mine, 2)
    page = mine["client"].get(url(mine, 2), headers=HTMX).content.decode()
    assert "&lt;b&gt;uno&lt;/b&gt; &amp; dos" in page
    assert b"\\Seen" in flags(mine, 2)


def test_what_was_kept_of_a_message_that_has_gone_is_not_shown(mine: dict[str, Any]) -> None:
    mine["client"].get(url(mine, 1), headers=HTMX)
    mine["imap"].delete_messages([1])
    mine["imap"].expunge()
    assert mine["client"].get(url(mine, 1), headers=HTMX).status_code == 410
    assert mine["client"].get(url(mine, 1, "ahead/")).status_code in {204, 410}


def test_another_site_s_link_marks_nothing(mine: dict[str, Any]) -> None:
    mine["client"].get(url(mine, 1, "ahead/"))
    mine["client"].get(url(mine, 1), headers=HTMX | {"Sec-Fetch-Site": "cross-site"})
    assert b"\\Seen" not in flags(mine, 1)


def test_nobody_else_opens_it_or_gets_what_was_kept(mine: dict[str, Any], mailbox_factory: Any) -> None:
    mine["client"].get(url(mine, 1), headers=HTMX)
    stranger, made = Client(), mailbox_factory("otra")
    assert stranger.get(url(mine, 1, "ahead/")).status_code == 302
    stranger.post(reverse("account_login"), {"login": made.address, "password": made.password})
    for rest in ("", "ahead/"):
        assert stranger.get(url(mine, 1, rest), headers=HTMX).status_code == 404
    assert mine["client"].post(url(mine, 1, "ahead/")).status_code == 405


def test_language_and_zone_have_their_own(mine: dict[str, Any]) -> None:
    mine["client"].get(url(mine, 1), headers=HTMX)
    mine["account"].owner.language = "en"
    mine["account"].owner.save()
    assert "On the server" in mine["client"].get(url(mine, 1), headers=HTMX).content.decode()
    mine["client"].cookies["zone"] = "Asia/Tokyo"
    assert "19:00" in mine["client"].get(url(mine, 2), headers=HTMX).content.decode()


def test_without_redis_it_opens(mine: dict[str, Any]) -> None:
    mine["client"].get(url(mine, 1), headers=HTMX)
    cache.clear()
    assert mine["client"].get(url(mine, 1), headers=HTMX).status_code == 200


def test_a_message_that_stands_alone_has_the_templates_conversation(mine: dict[str, Any]) -> None:
    answer = mine["client"].get(url(mine, 1, "conversation/"), headers=HTMX)
    context = {"conversation": Conversation(), "account": mine["account"], "ref": Ref(FolderId("INBOX"), 1, "1")}
    with translation.override(answer.headers["Content-Language"]):
        assert answer.content.decode() == render_to_string("webmail/conversation.html", context)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
