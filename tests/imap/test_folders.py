"""The tree of folders, as servers tell it in all their ways."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest

from tests.imap.scripted import Reply, scripted
from webmail.imap.folders import list_folders
from webmail.values import Folder, Role


def plain(lines: Iterable[str], *, subscribed: Iterable[str] = (), namespace: str = "") -> dict[str, Reply]:
    """A server without extensions: LIST and LSUB lines such as r'(\\Sent) "/" Sent'."""
    replies: dict[str, Reply] = {
        "LIST": "".join(f"* LIST {line}\r\n" for line in lines).encode() + b"TAG OK done\r\n",
        "LSUB": "".join(f"* LSUB {line}\r\n" for line in subscribed).encode() + b"TAG OK done\r\n",
        "STATUS": b"TAG NO not now\r\n",
    }
    if namespace:
        replies["CAPABILITY"] = b"* CAPABILITY IMAP4rev1 NAMESPACE\r\nTAG OK done\r\n"
        replies["NAMESPACE"] = f"* NAMESPACE {namespace}\r\nTAG OK done\r\n".encode()
    return replies


def folders(replies: dict[str, Reply], *, subscribed_only: bool = False) -> list[Folder]:
    with scripted(replies) as server:
        return list_folders(server.connect(), subscribed_only=subscribed_only)


def tree(found: list[Folder]) -> list[str]:
    return ["/".join(folder.path) for folder in found]


def test_thunderbirds_order_parents_first_names_without_case() -> None:
    names = [
        "zeta",
        "Beta",
        "alfa",
        "Trash",
        "Sent",
        "Drafts",
        "alfa/dos",
        "alfa/Uno",
        "Archive",
        "Archive/2024",
        "INBOX",
    ]
    found = folders(plain(f'() "/" {name}' for name in names))
    assert tree(found) == [
        "INBOX", "Drafts", "Sent", "Archive", "Archive/2024", "Trash", "alfa", "alfa/dos", "alfa/Uno", "Beta", "zeta",
    ]  # fmt: skip
    assert [folder.name for folder in found if folder.has_children] == ["Archive", "alfa"]


def test_a_parent_that_the_server_left_out_is_put_in_unselectable() -> None:
    found = folders(plain(['() "/" a/b/c']))
    assert [(folder.id, folder.parent, folder.selectable) for folder in found] == [
        ("a", None, False),
        ("a/b", "a", False),
        ("a/b/c", "a/b", True),
    ]


def test_subscribed_folders_that_are_missing_stay_as_grey_parents() -> None:
    replies = plain(['() "/" INBOX', '(\\NoSelect) "/" x'], subscribed=['() "/" lost', '() "/" x'])
    found = folders(replies, subscribed_only=True)
    assert [(folder.id, folder.selectable) for folder in found] == [("INBOX", True), ("lost", False), ("x", False)]


@pytest.mark.parametrize("attribute", ["\\Junk", "\\junk", "\\Spam", "\\JUNK"])
def test_the_servers_word_comes_before_the_name(attribute: str) -> None:
    found = folders(plain(['() "/" Junk', f'({attribute}) "/" "Correo basura"']))
    assert {folder.id: folder.role for folder in found} == {"Correo basura": Role.JUNK, "Junk": Role.NONE}


def test_never_two_folders_with_one_role() -> None:
    found = folders(plain(['(\\Sent) "/" A', '(\\Sent) "/" B', '() "/" "Sent Items"', '() "/" Sent', '() "/" x/Trash']))
    assert [folder.id for folder in found if folder.role is Role.SENT] == ["A"]
    assert Role.TRASH not in {folder.role for folder in found}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Sent Items", Role.SENT),
        ("Deleted Messages", Role.TRASH),
        ("Junk E-mail", Role.JUNK),
        ("Enviados", Role.SENT),
        ("&AMk-l&AOk-ments envoy&AOk-s", Role.NONE),
        ("Envoy&AOk-s", Role.SENT),
        ("Entw&APw-rfe", Role.DRAFTS),
        ("Templates", Role.TEMPLATES),
        ("trash", Role.TRASH),
    ],
)
def test_without_its_word_the_names_that_programs_use(name: str, role: Role) -> None:
    assert folders(plain([f'() "/" "{name}"']))[0].role is role


def test_couriers_prefix_is_not_shown() -> None:
    lines = ['() "." INBOX', '() "." INBOX.Sent', '() "." INBOX.Sent.2024', '() "." INBOX.Obra']
    found = folders(plain(lines, namespace='(("INBOX." ".")) NIL (("#shared." "."))'))
    assert [(folder.id, folder.path, folder.parent, folder.role) for folder in found] == [
        ("INBOX", ("INBOX",), None, Role.INBOX),
        ("INBOX.Sent", ("Sent",), None, Role.SENT),
        ("INBOX.Sent.2024", ("Sent", "2024"), "INBOX.Sent", Role.NONE),
        ("INBOX.Obra", ("Obra",), None, Role.NONE),
    ]


def test_folders_of_others_stand_under_their_prefix() -> None:
    lines = ['() "/" INBOX', '() "/" "Other Users/beto/Obra"', '() "." "#shared.sales"']
    found = folders(plain(lines, namespace='(("" "/")) (("Other Users/" "/")) (("#shared." "."))'))
    assert tree(found) == [
        "INBOX",
        "#shared",
        "#shared/sales",
        "Other Users",
        "Other Users/beto",
        "Other Users/beto/Obra",
    ]


def test_inbox_in_any_case_is_the_inbox_and_holds_what_is_below() -> None:
    found = folders(plain(['() "/" Inbox', '() "/" INBOX/a']))
    assert [(folder.id, folder.role, folder.parent) for folder in found] == [
        ("Inbox", Role.INBOX, None),
        ("INBOX/a", Role.NONE, "Inbox"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "()",
        '() "/"',
        '() "/" ""',
        '() NIL ""',
        "x y z",
        '(\\Sent "/" x',
        '() "/" {3}\r\na\r\n',
        '(()) "/" ((',
        '() "/" NIL',
    ],
)
def test_a_broken_line_spoils_nothing(line: str) -> None:
    found = folders(plain(['() "/" a', line, '() "/" z']))
    assert {"a", "z"} <= {folder.id for folder in found}


def test_strange_names_are_kept_raw_shown_harmless_and_never_sent() -> None:
    replies = plain(['() "/" {4}\r\na\xff\x1bb', "() NIL a//b", '() "/" x//y'])
    replies["LIST"] = replies["LIST"].replace("\xff".encode(), b"\xff")  # type: ignore[union-attr]
    with scripted(replies) as server:
        found = {str(folder.id): folder for folder in list_folders(server.connect(), subscribed_only=False)}
    strange = found["a\udcff\x1bb"]
    assert strange.name.isprintable()
    assert not strange.selectable
    assert found["a//b"].path == ("a//b",)
    assert found["x//y"].path == ("x", "?", "y")
    assert not any(b"\x1b" in command for command in server.commands)


def test_ten_thousand_folders_and_bottomless_ones_take_no_time() -> None:
    lines = [f'() "/" "carpeta {number // 100}/{number}"' for number in range(10_000)]
    lines += [f'() "/" "{"a/" * 400}{number}"' for number in range(20)] + ['() "/" "' + "b/" * 4_000 + '"']
    with scripted(plain(lines)) as server:
        connection = server.connect()
        started = time.process_time()
        found = list_folders(connection, subscribed_only=False)
        assert time.process_time() - started < 2
    assert len(found) == 10_000 + 100 + 20
    assert connection.round_trips == 2
