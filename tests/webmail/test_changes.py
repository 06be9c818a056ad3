"""Actions over HTTP: what they answer, what they refuse, and to whom."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract.test_source import letter
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

HTMX = {"HX-Request": "true"}


def signed_in(made: Any) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    return client


@pytest.fixture
def box(mailbox_factory: Any, imap: Any) -> dict[str, Any]:
    """An owner with three messages in the Inbox: its client, its refs by subject, the address for changes."""
    made = mailbox_factory("ana")
    connection = imap(made.address)
    for index, subject in enumerate(("uno", "dos", "tres")):
        connection.append("INBOX", letter(subject, day=index))
    client = signed_in(made)
    home = client.get("/", follow=True)
    found = re.findall(
        r'href="(/mail/(\d+)/f/[\w-]+/)m/(\d+\.\d+)/"[^>]*>.*?(uno|dos|tres)</a>', home.content.decode(), re.S
    )
    return {
        "made": made,
        "client": client,
        "account": int(found[0][1]),
        "refs": {subject: ref for _url, _account, ref, subject in found},
        "change": found[0][0] + "change/",
    }


def subjects(imap: Any, made: Any, folder: str) -> set[str]:
    client = imap(made.address)
    client.select_folder(folder, readonly=True)
    uids = client.search()
    found = client.fetch(uids, ["BODY.PEEK[HEADER.FIELDS (SUBJECT)]"]) if uids else {}
    return {one[b"BODY[HEADER.FIELDS (SUBJECT)]"].decode().partition(":")[2].strip() for one in found.values()}


def test_one_message_is_deleted_and_its_undo_is_offered_once(box: dict[str, Any], imap: Any) -> None:
    answer = box["client"].post(box["change"], {"do": "delete", "ref": box["refs"]["dos"]}, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert subjects(imap, box["made"], "INBOX") == {"uno", "tres"}
    undo = re.search(r'action="(/mail/\d+/undo/[\w-]+/)"', page)
    assert undo is not None
    data = {"from": "SU5CT1g"}
    assert box["client"].post(undo[1], data, headers=HTMX).status_code == 200
    assert subjects(imap, box["made"], "INBOX") == {"uno", "dos", "tres"}
    assert box["client"].post(undo[1], data, headers=HTMX).status_code == 410


def test_an_undo_is_nobody_elses(box: dict[str, Any], mailbox_factory: Any, imap: Any) -> None:
    answer = box["client"].post(box["change"], {"do": "delete", "ref": box["refs"]["dos"]}, headers=HTMX)
    undo = re.search(r'action="(/mail/\d+/undo/[\w-]+/)"', answer.content.decode())
    assert undo is not None
    stranger = signed_in(mailbox_factory("beto"))
    assert stranger.post(undo[1], {"from": "SU5CT1g"}, headers=HTMX).status_code == 404
    assert subjects(imap, box["made"], "INBOX") == {"uno", "tres"}


def test_without_htmx_it_leads_back_to_the_list_and_says_so(box: dict[str, Any]) -> None:
    answer = box["client"].post(box["change"] + "?sort=from", {"do": "archive", "ref": box["refs"]["uno"]}, follow=True)
    assert answer.redirect_chain[0][0].endswith("?sort=from")
    assert "1 mensaje archivado" in answer.content.decode()


def test_all_means_what_the_list_showed(box: dict[str, Any], imap: Any) -> None:
    validity = box["refs"]["uno"].partition(".")[0]
    imap(box["made"].address).append("INBOX", letter("nuevo"))
    data = {"do": "delete", "all": f"{validity}.4", "except": box["refs"]["dos"]}
    box["client"].post(box["change"], data, headers=HTMX)
    assert subjects(imap, box["made"], "INBOX") == {"dos", "nuevo"}


def test_all_of_a_folder_that_was_made_anew_changes_nothing(box: dict[str, Any], imap: Any) -> None:
    validity = int(box["refs"]["uno"].partition(".")[0]) + 1
    answer = box["client"].post(box["change"], {"do": "delete", "all": f"{validity}.4"}, headers=HTMX)
    assert answer.status_code == 410
    assert subjects(imap, box["made"], "INBOX") == {"uno", "dos", "tres"}


def test_all_of_a_search_is_what_was_found(box: dict[str, Any], imap: Any) -> None:
    validity = box["refs"]["uno"].partition(".")[0]
    box["client"].post(box["change"] + "?q=dos", {"do": "delete", "all": f"{validity}.4"}, headers=HTMX)
    assert subjects(imap, box["made"], "INBOX") == {"uno", "tres"}


@pytest.mark.parametrize(
    "data",
    [
        {"do": "explode", "ref": "1.1"},
        {"ref": "1.1"},
        {"do": "delete", "ref": "1.1; DROP"},
        {"do": "delete", "refs": "x" * 50},
        {"do": "delete", "all": "1"},
        {"do": "move", "ref": "REF", "to": "***"},
        {"do": "tag", "ref": "REF", "tag": "a b\r\nA1 LOGOUT"},
        {"do": "tag", "ref": "REF", "tag": "\\Deleted"},
    ],
)
def test_what_is_no_action_changes_nothing(box: dict[str, Any], imap: Any, data: dict[str, str]) -> None:
    data = {key: value.replace("REF", box["refs"]["uno"]) for key, value in data.items()}
    assert box["client"].post(box["change"], data, headers=HTMX).status_code == 400
    assert subjects(imap, box["made"], "INBOX") == {"uno", "dos", "tres"}


def test_a_folder_that_is_not_there_is_told(box: dict[str, Any], imap: Any) -> None:
    data = {"do": "move", "ref": box["refs"]["uno"], "to": "TmFkYQ"}
    answer = box["client"].post(box["change"], data, headers=HTMX)
    assert answer.status_code == 410
    assert "Esta carpeta ya no está aquí" in answer.content.decode()
    assert subjects(imap, box["made"], "INBOX") == {"uno", "dos", "tres"}


def test_a_message_that_is_gone_is_told(box: dict[str, Any], imap: Any) -> None:
    validity = box["refs"]["uno"].partition(".")[0]
    answer = box["client"].post(box["change"], {"do": "star", "ref": f"{validity}.999"}, headers=HTMX)
    assert "ya no están aquí" in answer.content.decode()


def test_what_another_program_took_a_moment_ago_is_not_said_to_be_done(box: dict[str, Any], imap: Any) -> None:
    other = imap(box["made"].address)
    other.select_folder("INBOX")
    other.delete_messages([2])
    other.expunge()
    for action in ("star", "read", "archive", "junk", "move", "copy"):
        data = {"do": action, "ref": box["refs"]["dos"], "to": "SU5CT1g" if action == "copy" else "VHJhc2g"}
        page = box["client"].post(box["change"], data, headers=HTMX).content.decode()
        assert "No se cambió nada" in page, action
        assert "/undo/" not in page, action
        assert "data-left" not in page, action
    reply = f"/mail/{box['account']}/compose/?kind=reply&folder=SU5CT1g&of={box['refs']['dos']}"
    told = box["client"].get(reply, headers=HTMX)
    assert told.status_code == 200
    assert 'hx-target="#toasts"' in told.content.decode()
    assert "ya no está aquí" in told.content.decode()


def test_strangers_and_other_methods_are_refused(box: dict[str, Any], mailbox_factory: Any, imap: Any) -> None:
    data = {"do": "delete", "ref": box["refs"]["uno"]}
    assert Client().post(box["change"], data).status_code == 302
    assert signed_in(mailbox_factory("beto")).post(box["change"], data).status_code == 404
    assert box["client"].get(box["change"]).status_code == 405
    forgery = Client(enforce_csrf_checks=True)
    forgery.cookies = box["client"].cookies
    assert forgery.post(box["change"], data).status_code == 403
    assert subjects(imap, box["made"], "INBOX") == {"uno", "dos", "tres"}


def test_a_thousand_messages_move_in_few_commands(mailbox_factory: Any, imap: Any, stack: Any) -> None:
    from tests.imap.proxy import proxied
    from webmail.imap.pool import pool
    from webmail.services import organising
    from webmail.sources.imap import open_imap
    from webmail.values import Credentials, Endpoint, Query, Role

    made = mailbox_factory("ana")
    connection = imap(made.address)
    for index in range(1000):
        connection.append("INBOX", letter(f"m{index}"))
    with proxied("127.0.0.1", stack.ports.imap) as proxy:
        endpoint = Endpoint("127.0.0.1", proxy.port, "none")
        with open_imap(endpoint, Credentials(made.address, made.password), account_key="thousand") as source:
            refs = source.refs(FolderId("INBOX"), Query())
            archive = next(folder for folder in source.folders() if folder.role is Role.ARCHIVE)
            before = source.connection.round_trips
            change = organising.move(source, refs, archive)
            assert change.count == 1000
            assert source.connection.round_trips - before <= 2
    pool.close_all()


@pytest.mark.parametrize("shown", ["", "x" * 4000])
def test_undoing_without_a_folder_to_go_back_to_is_a_bad_request(box: dict[str, Any], shown: str) -> None:
    assert box["client"].post(reverse("change_undo", args=[box["account"], "abc"]), {"from": shown}).status_code == 400
