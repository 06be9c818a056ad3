"""vCard files: what programs write is read, what we write is read again, nothing hostile breaks or slows it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.fold import fold, search_text
from webmail.mime.vcard import Card, card_uid, parse_cards, write_cards


def one(text: str | bytes) -> Card:
    cards, defects = parse_cards(text if isinstance(text, bytes) else text.encode())
    assert defects == []
    (card,) = cards
    return card


def codes(data: bytes, limit: int = 10) -> list[str]:
    return [defect.code for defect in parse_cards(data, limit)[1]]


def test_version_4_is_read() -> None:
    card = one(
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\r\nFN;PID=1.1:Ana\\, la de\r\n"
        "  ventas\r\nN:Pérez;Ana;;;\r\nEMAIL;TYPE=work;PREF=1:ana@x.test\r\nEMAIL:mailto:ana@y.test\r\n"
        'TEL;VALUE=uri;TYPE="voice,home":tel:+56-2\r\nPHOTO:data:image/png;base64,AAAA\r\nX-THING:1\r\nEND:VCARD\r\n'
    )
    assert card.name == "Ana, la de ventas"
    assert card.emails == ("ana@x.test", "ana@y.test")
    assert card.uid == "4fbe8971-0bc3-424c-9c26-36c3e1eff6b1"
    assert card.left == {"TEL", "PHOTO"}


def test_version_3_of_apple_is_read() -> None:
    card = one(
        "BEGIN:VCARD\nVERSION:3.0\nN:Ñandú;José;;Dr.;\nFN:\nitem1.EMAIL;type=INTERNET;type=pref:jose@x.test\n"
        "item1.X-ABLabel:_$!<Other>!$_\nEND:VCARD\n"
    )
    assert card.name == "Dr. José Ñandú"
    assert card.emails == ("jose@x.test",)


def test_version_2_1_in_quoted_printable_is_read() -> None:
    card = one(
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=91u=C3=B1ez;=C3=81l=\r\n=76aro;;;\r\n"
        b"EMAIL;PREF;INTERNET:alvaro@x.test\r\nPHOTO;JPEG;ENCODING=BASE64:\r\n /9j/4AAQ\r\n\r\nEND:VCARD\r\n"
    )
    assert card.name == "Álvaro Ñuñez"
    assert card.emails == ("alvaro@x.test",)


def test_another_charset_is_read() -> None:
    card = one(b"BEGIN:VCARD\r\nVERSION:2.1\r\nFN;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:Mu=F1oz\r\nEND:VCARD")
    assert card.name == "Muñoz"
    assert one(b"BEGIN:VCARD\nFN:Mu\xf1oz\nEND:VCARD").name == "Muñoz"
    assert one("BEGIN:VCARD\nFN:Muñoz\nEND:VCARD".encode("utf-16")).name == "Muñoz"
    assert one(b"\xef\xbb\xbfBEGIN:VCARD\nFN:Mu\xc3\xb1oz\nEND:VCARD").name == "Muñoz"


def test_groups_are_read_in_both_ways() -> None:
    new = one(
        "BEGIN:VCARD\nVERSION:4.0\nKIND:group\nFN:Familia\nMEMBER:urn:uuid:a1\nMEMBER:mailto:tia@x.test\nEND:VCARD"
    )
    apple = one(
        "BEGIN:VCARD\nVERSION:3.0\nN:Familia\nFN:Familia\nX-ADDRESSBOOKSERVER-KIND:group\n"
        "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:a1\nEND:VCARD"
    )
    assert new.group
    assert new.members == ("a1", "mailto:tia@x.test")
    assert apple.group
    assert apple.members == ("a1",)


def test_a_card_within_a_card_is_read_over() -> None:
    card = one(
        "BEGIN:VCARD\nFN:Jefa\nAGENT:\nBEGIN:VCARD\nFN:Agente\nEMAIL:a@x.test\nEND:VCARD\nEMAIL:j@x.test\nEND:VCARD"
    )
    assert card == Card("Jefa", ("j@x.test",))


def test_a_torn_card_keeps_what_it_has_and_the_next_one_is_whole() -> None:
    cards, defects = parse_cards(b"BEGIN:VCARD\nFN:Uno\nBEGIN:VCARD\nFN:Dos\nEND:VCARD\nBEGIN:VCARD\nFN:Tres")
    assert [card.name for card in cards] == ["Uno", "Dos", "Tres"]
    assert [defect.code for defect in defects] == ["torn"]


def test_the_number_of_cards_is_bounded() -> None:
    card = b"BEGIN:VCARD\nFN:A\nEND:VCARD\n"
    assert codes(card * 10) == []
    assert codes(card * 11) == ["too-many"]
    assert len(parse_cards(card * 11, 10)[0]) == 10


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"Nombre,Correo\nAna,ana@x.test\n", b"\xff\xfe\x00", b"END:VCARD\n"]
)
def test_what_is_no_vcard_says_so(data: bytes) -> None:
    assert codes(data) == ["empty"]


def test_names_are_made_harmless() -> None:
    card = one("BEGIN:VCARD\nFN:Ana\\n\u202eBcc: x\x07\nEND:VCARD")
    assert card.name == "Ana Bcc: x"


HOSTILE = [
    b"BEGIN:VCARD\n" * 200_000,
    b"BEGIN:VCARD\nAGENT:\n" * 100_000,
    b"BEGIN:VCARD\nFN;QUOTED-PRINTABLE:" + b"=\n" * 900_000,
    b"BEGIN:VCARD\nFN" + b';A="' * 300_000 + b":x\nEND:VCARD",
    b"BEGIN:VCARD\nN:" + b"\\;" * 500_000 + b"\nEND:VCARD",
    b"BEGIN:VCARD\nFN:a\n" + b" a\n" * 380_000 + b"END:VCARD",
    b"BEGIN:VCARD\nFN:a\n" + b"EMAIL:a@x.test\n" * 100_000 + b"END:VCARD",
    b"a." * 1_000_000,
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files_take_no_time(data: bytes) -> None:
    start = time.process_time()
    cards, _defects = parse_cards(data)
    assert time.process_time() - start < 4
    assert all(len(card.name) <= 200 and len(card.emails) <= 20 for card in cards)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    parse_cards(b"BEGIN:VCARD\n" + data + b"\nEND:VCARD\n")
    parse_cards(data)


@given(
    st.lists(
        st.sampled_from(
            [
                "BEGIN:VCARD",
                "END:VCARD",
                "AGENT:",
                "FN:Ana",
                "EMAIL:a@x.test",
                "N:;;",
                " ",
                "",
                "KIND:group",
                "FN;",
                "=",
                ":",
            ]
        ),
        max_size=30,
    )
)
def test_any_order_of_lines_is_read(lines: list[str]) -> None:
    cards, defects = parse_cards("\n".join(lines).encode())
    assert bool(cards) != ("empty" in [defect.code for defect in defects])


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120)


@given(st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=3), st.booleans()), min_size=1, max_size=4))
def test_what_is_written_is_read_again(people: list[tuple[str, list[str], bool]]) -> None:
    written = [
        Card(name, tuple(emails), group, card_uid(name), (card_uid("a"), "mailto:b@x.test") if group else ())
        for name, emails, group in people
    ]
    data = b"".join(write_cards(written))
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    read, defects = parse_cards(data)
    assert defects == []
    assert [(card.group, card.uid, card.members) for card in read] == [
        (card.group, card.uid, card.members) for card in written
    ]
    again = [Card(card.name, card.emails, card.group, card.uid, card.members) for card in read]
    assert parse_cards(b"".join(write_cards(again)))[0] == again or any(not card.name for card in again)


def test_what_is_written_follows_the_rules() -> None:
    data = b"".join(write_cards([Card("Ruiz; Ana, y\r\nFN:otra", ("a@x.test",), uid="u1")]))
    assert data == (
        b"BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nUID:urn:uuid:u1\r\nFN:Ruiz\\; Ana\\, y  FN:otra\r\n"
        b"EMAIL:a@x.test\r\nEND:VCARD\r\n"
    )


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Álvaro  ÑUÑEZ", "alvaro nunez"),
        ("Straße", "strasse"),
        ("Łódź Øre", "lodz ore"),
        ("İstanbul", "istanbul"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_the_search_text_begins_each_word_behind_a_space() -> None:
    assert search_text("O'Higgins, Ana-María", "ana@x.test") == " o'higgins, ana-maria o higgins ana maria ana@x.test"
    assert search_text("", "ana@x.test") == " ana@x.test"


@given(st.text(max_size=300))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text) or len(text) > 100
