"""What a page asks for when it hears that something changed: its owner's alone, and as things are now."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.services.login import account_of_mailbox
from tests.contract.test_source import letter
from tests.webmail.conftest import english
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

INBOX = encode_folder(FolderId("INBOX"))


def part(client: Client, account_id: int, **query: str) -> Any:
    return english(client).get(reverse("live_part", args=[account_id]), query, headers={"HX-Request": "true"})


def test_what_came_since_the_mark_is_told_once(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    account = account_of_mailbox(made.mailbox)
    other = imap(made.address)
    other.append("INBOX", letter("antes"))
    first = part(client, account.pk, current=INBOX, after="").content.decode()
    assert "antes" not in first.partition("<hx-partial")[0]
    mark = first.partition('data-mark="')[2].partition('"')[0]
    other.append("INBOX", letter("nueva"))
    other.append("INBOX", letter("leída"), [b"\\Seen"])
    second = part(client, account.pk, current=INBOX, after=mark).content.decode()
    assert "New message from Beto: nueva" in second
    assert "leída" not in second.partition("<hx-partial")[0]
    assert 'data-unread="2"' in second
    assert ", 2 unread" in second.partition('hx-target="#bar-unread"')[2]
    mark = second.partition('data-mark="')[2].partition('"')[0]
    assert (
        "nueva" not in part(client, account.pk, current=INBOX, after=mark).content.decode().partition("<hx-partial")[0]
    )


def test_the_open_message_is_told_as_it_is_now_and_not_when_it_is_gone(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    account = account_of_mailbox(made.mailbox)
    other = imap(made.address)
    other.append("INBOX", letter("abierta"))
    validity = other.select_folder("INBOX")[b"UIDVALIDITY"]
    other.add_flags([1], [b"\\Seen"])
    shown = part(client, account.pk, current=INBOX, open=f"{validity}.1").content.decode()
    place = f"[data-ref=&quot;{validity}.1&quot;][data-within=&quot;{INBOX}&quot;] #letter-state"
    assert f'hx-target="{place}"' in shown  # nothing else may be marked, should another be open when it arrives
    for gone in (f"{validity}.99", f"{validity + 1}.1", "no.ref", "1.x.y"):
        page = part(client, account.pk, current=INBOX, open=gone)
        assert page.status_code == 200
        assert "#letter-state" not in page.content.decode()


def test_an_open_message_that_left_is_told_with_its_place_now(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    account = account_of_mailbox(made.mailbox)
    other = imap(made.address)
    for name in ("uno", "dos"):
        other.append("INBOX", letter(name, extra=f"Message-ID: <{name}@x.test>\r\n"))
    other.create_folder("Obras")
    validity = other.select_folder("INBOX")[b"UIDVALIDITY"]
    query = {
        "current": encode_folder(FolderId("Obras")),
        "within": INBOX,
        "open": f"{validity}.1",
        "id": "<uno@x.test>",
    }
    assert "letter-astray" not in part(client, account.pk, **query).content.decode()
    other.move([1], "Obras")
    text = part(client, account.pk, **query).content.decode().partition("letter-astray")[2]
    assert "It is in “Obras” now." in text
    assert f'data-ref="{validity}.1"' in text
    assert "Open it there" in text
    other.append("INBOX", letter("uno", extra="Message-ID: <uno@x.test>\r\n"))
    other.select_folder("Obras")
    other.delete_messages([1])
    other.expunge()
    assert "Open the new one" in part(client, account.pk, **query).content.decode()
    for unknown in ("<otro@x.test>", "", "no id"):
        text = part(client, account.pk, **query | {"id": unknown}).content.decode().partition("letter-astray")[2]
        assert "deleted this message, or moved it away" in text
        assert "acts" not in text


def test_a_list_of_what_was_found_keeps_its_own_words(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    imap(made.address).append("INBOX", letter("una"))
    text = part(client, account_of_mailbox(made.mailbox).pk, current=INBOX, filtered="1").content.decode()
    assert "#bar-unread" not in text


def test_what_is_no_folder_is_a_bad_request(sign_in: Any) -> None:
    client, made = sign_in()
    assert part(client, account_of_mailbox(made.mailbox).pk, current="!!").status_code == 400


@pytest.mark.parametrize("name", ["live", "live_part"])
def test_strangers_and_wrong_methods_are_refused(sign_in: Any, mailbox_factory: Any, name: str) -> None:
    client, made = sign_in()
    account = account_of_mailbox(made.mailbox)
    colleague = account_of_mailbox(mailbox_factory("beto").mailbox)
    path = reverse(name, args=[account.pk])
    assert Client().get(path).status_code == 302
    assert client.get(reverse(name, args=[colleague.pk])).status_code == 404
    assert client.get(reverse(name, args=[999_999])).status_code == 404
    assert client.post(path).status_code == 405


def test_without_an_asgi_server_the_browser_is_told_that_there_is_no_stream(sign_in: Any) -> None:
    client, made = sign_in()
    assert client.get(reverse("live", args=[account_of_mailbox(made.mailbox).pk])).status_code == 204
