"""Searches without the server's find what the server's own search finds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from email.header import Header
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient import IMAPClient

from webmail.imap.pool import pool
from webmail.imap.search import filter_command, filter_result
from webmail.sources import texts
from webmail.sources.imap import ImapSource, open_imap
from webmail.sources.texts import Piece, fold, make_piece, unpack_piece
from webmail.values import Credentials, Endpoint, FolderId, Query, Window

INBOX = FolderId("INBOX")
WORDS = [
    "Cotización", "cotizacion", "José", "JOSÉ", "jose", "Straße", "STRASSE", "ﬁn", "Ñandú", "ΣΊΣΥΦΟΣ", "σίσυφος", "İstanbul",
    "ＡＢＣ", "日本語", "🎉 fiesta", "o\u0308l", "öl", "Ærø", "50 %", "Žluťoučký",
    "ǆ", "½ kilo", "e\u0301te\u0301", "été", "Привет", "ПРИВЕТ", "한국어", "①", "ß",
]  # fmt: skip


IN_SUBJECTS = ['"comillas"', "(paréntesis)", "a  b", "x\ty", "<menor>"]
"""Signs that mean something in an address: there a server may leave them out or put them in (Dovecot searches addresses as
its ENVELOPE has them), and we search what people see."""


def raw(subject: str, sender: str, to: str, cc: str) -> bytes:
    """A message with its words encoded, or in bare UTF-8."""
    encoded = [Header(part, "utf-8").encode(linesep="\r\n") for part in (subject, sender, to)]
    head = f"Subject: {encoded[0]}\r\nFrom: {encoded[1]} <{len(sender)}@remite.test>\r\nTo: {encoded[2]} <ana@destino.test>"
    return (head + f"\r\nCc: {cc} <copia@destino.test>\r\n\r\n{subject} solo aqui\r\n").encode()


class Box:
    """A mailbox with words in all fields, our sources on it and the server's own search."""

    def __init__(self, client: IMAPClient, open_: Callable[[], ImapSource]) -> None:
        self.client, self.open = client, open_

    def ours(self, text: str) -> tuple[set[int], int]:
        """What a list finds, and how many commands of search it took."""
        with self.open() as source:
            source.page(INBOX, Query(), Window())
            sent = source.connection.bytes_out
            found = {int(ref.id) for ref in source.refs(INBOX, Query(text=text))}
            return found, source.connection.bytes_out - sent

    def servers(self, text: str) -> set[int]:
        with self.open() as source:
            source._session.selected(INBOX)
            flight = source.connection.run(filter_command(source.connection, Query(text=text)))
            return filter_result(source.connection, flight, 0)


@pytest.fixture
def box(stack: Any, mailbox_factory: Any, imap: Any) -> Iterator[Box]:
    made = mailbox_factory("ana")
    client = imap(made.address)
    pick = random.Random(5)
    for _number in range(60):
        words = [" ".join(pick.sample(WORDS, 2)) for _field in range(4)]
        client.append("INBOX", raw(f"{words[0]} {pick.choice(IN_SUBJECTS)}", *words[1:]))
    client.append("INBOX", b"From: nadie@x.test\r\n\r\nx\r\n")
    client.append("INBOX", b"Subject: doblado\r\n  en dos\r\nTo: uno@x.test\r\nTo: otra@x.test\r\n\r\nx\r\n")
    url = stack.environment()["REDIS_URL"]
    endpoint, credentials = Endpoint("127.0.0.1", stack.ports.imap, "none"), Credentials(made.address, made.password)
    yield Box(client, lambda: open_imap(endpoint, credentials, account_key=made.address, redis_url=url))
    pool.close_all()


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_it_finds_what_the_server_finds(box: Box) -> None:
    box.ours("nada")
    needles = [
        *WORDS,
        *IN_SUBJECTS,
        *(word[:3] for word in WORDS),
        *(word[1:4] for word in WORDS),
        "remite.test>",
        "en dos",
        "otra@",
    ]
    needles = [text.strip() for text in needles if text.strip() and text.isprintable()]
    wrong = [text for text in needles if box.ours(text)[0] != box.servers(text)]
    assert not wrong


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_new_mail_is_found_and_what_left_is_not(box: Box) -> None:
    assert box.ours("aguacate")[0] == set()
    box.client.append("INBOX", raw("Aguacate maduro", "x", "y", "z"))
    found, _sent = box.ours("aguacate")
    assert found == box.servers("aguacate") != set()
    box.client.select_folder("INBOX")
    box.client.add_flags(list(found), [b"\\Deleted"])
    assert box.ours("aguacate")[0] == set()
    box.client.expunge()
    assert box.ours("aguacate")[0] == set()


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_large_folder_is_read_behind_and_searched_by_the_server_until_then(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BATCH", 7)
    monkeypatch.setattr(texts, "PIECE", 20)
    first, sent = box.ours("cotización")
    assert first == box.servers("cotización")
    assert sent > 120  # it was the server that searched
    until = time.monotonic() + 20
    while box.ours("fiesta")[1] > 100:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert box.ours("fiesta")[0] == box.servers("fiesta")
    assert box.ours("cotización")[0] == first


@given(st.dictionaries(st.integers(1, 2**32 - 1), st.text(max_size=30), max_size=20), st.text(min_size=1, max_size=3))
def test_a_piece_finds_what_is_in_its_texts(made: dict[int, str], needle: str) -> None:
    folded = {uid: fold(" ".join(text.split())) for uid, text in made.items()}
    piece = unpack_piece(make_piece(folded).pack())
    assert isinstance(piece, Piece)
    assert set(piece.find(fold(needle))) == {uid for uid, text in folded.items() if fold(needle) in text} or (
        "\n" in needle or fold(needle) == b""
    )


def test_what_is_no_piece_is_none() -> None:
    assert unpack_piece(None) is None
    assert unpack_piece(b"rest") is None
