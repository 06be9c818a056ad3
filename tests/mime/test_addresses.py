"""Address lists: who a reader must see, above all when somebody does not want it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.addresses import format_address, parse_addresses
from webmail.values import Address

PIECES = st.lists(
    st.sampled_from(
        [
            b'"',
            b"\\",
            b"(",
            b")",
            b"<",
            b">",
            b"@",
            b",",
            b";",
            b":",
            b"a",
            b"b.c",
            b" ",
            b"=?utf-8?q?x?=",
            b"[",
            b"]",
            b"\xf1",
            b"\0",
        ]
    )
).map(b"".join)


def read(value: bytes) -> list[tuple[str, str]]:
    return [(address.name, address.email) for address in parse_addresses(value)[0]]


@pytest.mark.parametrize(
    ("raw", "people"),
    [
        (b"ana@example.org", [("", "ana@example.org")]),
        (b"Ana <ana@example.org>", [("Ana", "ana@example.org")]),
        (
            b'"P\xc3\xa9rez, Ana" <ana@example.org>, luis@example.org',
            [("Pérez, Ana", "ana@example.org"), ("", "luis@example.org")],
        ),
        (b'"Ana \\"la\\" P" <ana@example.org>', [('Ana "la" P', "ana@example.org")]),
        (b"=?utf-8?q?P=C3=A9rez=2C_Ana?= <ana@example.org>", [("Pérez, Ana", "ana@example.org")]),
        (b"=?utf-8?q?P=C3=A9rez,_Ana?= <ana@example.org>", [("Pérez, Ana", "ana@example.org")]),
        (b'"=?utf-8?q?=C3=B1?=" <ana@example.org>', [("ñ", "ana@example.org")]),
        (b"=?utf-8?q?=C3?=\r\n =?utf-8?q?=B1?= <ana@example.org>", [("ñ", "ana@example.org")]),
        (b"ana@example.org (Ana (de casa))", [("Ana (de casa)", "ana@example.org")]),
        (b"Ana(x) <ana(y)@example.org>", [("Ana", "ana@example.org")]),
        (b"friends: a@example.org, b@example.org;", [("", "a@example.org"), ("", "b@example.org")]),
        (b"undisclosed-recipients:;", [("undisclosed-recipients", "")]),
        (b"a@example.org; b@example.org", [("", "a@example.org"), ("", "b@example.org")]),
        (b"a@example.org b@example.org", [("", "a@example.org"), ("", "b@example.org")]),
        (b"Ana <@x.example,@y.example:ana@example.org>", [("Ana", "ana@example.org")]),
        (b"ana @ example . org", [("", "ana@example.org")]),
        (b"J. ana@example.org", [("J.", "ana@example.org")]),
        (b'"ana maria"@example.org', [("", '"ana maria"@example.org')]),
        (b"Ana <root>", [("Ana", "root")]),
        (b"Ana <>", [("Ana", "")]),
        (b"just a name", [("just a name", "")]),
        (b"Ana <ana@example.org", [("Ana", "ana@example.org")]),
        (b'"Ana <ana@example.org>', [("Ana", "ana@example.org")]),
        (b"Ana (work <ana@example.org>", [("Ana work", "ana@example.org")]),
        (b"A <a@example.org> B <b@example.org>", [("A", "a@example.org"), ("B", "b@example.org")]),
        (b"ana@[127.0.0.1]", [("", "ana@[127.0.0.1]")]),
        (b"'Ana' <ana@example.org>", [("Ana", "ana@example.org")]),
        (b"a@example.org\r Bcc: b@example.org", [("Bcc", "a@example.org"), ("", "b@example.org")]),
        (b"", []),
        (b" , ,, ", [(", ,,", "")]),
    ],
)
def test_a_list_is_read_as_a_person_would(raw, people):
    assert read(raw) == people


@pytest.mark.parametrize(
    "raw",
    [
        b"=?utf-8?q?boss=40bank=2Eexample?= <mallory@example.com>",
        b'"boss@bank.example" <mallory@example.com>',
        b"=?utf-8?q?=3Cboss=40bank=2Eexample=3E=2C?= <mallory@example.com>",
        b"=?utf-8?b?Ym9zc0BiYW5rLmV4YW1wbGUA?= <mallory@example.com>",
        b"boss@bank.example <mallory@example.com>",
        "\u202eboss@bank.example\u202c <mallory@example.com>".encode(),
    ],
)
def test_a_name_that_looks_like_an_address_does_not_become_one(raw):
    assert [email for _name, email in read(raw)] == ["mallory@example.com"]


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        (b"xn--espaa-rta.example", "españa.example"),
        ("españa.example".encode(), "españa.example"),
        (b"xn--pple-43d.com", "xn--pple-43d.com"),
        ("аpple.com".encode(), "xn--pple-43d.com"),
        ("аррӏе.com".encode(), "xn--80ak6aa92e.com"),
        ("пример.рф".encode(), "пример.рф"),
        ("例え.jp".encode(), "例え.jp"),
        (b"xn--zz-9999999.com", "xn--zz-9999999.com"),
        (b"EXAMPLE.org", "EXAMPLE.org"),
    ],
)
def test_a_domain_is_shown_in_its_script_only_when_that_is_honest(domain, shown):
    assert read(b"<ana@" + domain + b">") == [("", f"ana@{shown}")]


def test_more_than_the_limit_is_cut_and_told():
    many = b", ".join(b"p%d@example.org" % number for number in range(10_000))
    people, cut = parse_addresses(many)
    assert len(people) == 500
    assert cut
    assert parse_addresses(b"a@b, c@d", limit=2) == ((Address("", "a@b"), Address("", "c@d")), False)


def test_an_address_that_is_too_long_to_be_one_is_no_address_to_answer_to():
    assert read(b"<" + b"a" * 5_000 + b"@example.org>")[0][1] == ""


@pytest.mark.parametrize(
    ("address", "written"),
    [
        (Address("Ana", "ana@example.org"), "Ana <ana@example.org>"),
        (Address("Pérez, Ana", "ana@example.org"), '"Pérez, Ana" <ana@example.org>'),
        (Address('a"b\\c', "ana@example.org"), '"a\\"b\\\\c" <ana@example.org>'),
        (Address("", "ana@example.org"), "ana@example.org"),
        (Address("Ana", ""), "Ana"),
    ],
)
def test_an_address_is_written_so_that_it_can_be_read_again(address, written):
    assert format_address(address) == written
    assert parse_addresses(written.encode())[0] == (address,) or not address.email


@given(st.one_of(st.binary(max_size=300), PIECES))
def test_any_bytes_give_addresses_without_controls(value):
    people, _ = parse_addresses(value)
    for person in people:
        assert person.name.isprintable() or not any(ord(char) < 32 for char in person.name)
        assert not any(ord(char) < 33 for char in person.email if '"' not in person.email)
        person.email.encode("utf-8")


@pytest.mark.parametrize(
    "unit", [b"<", b'"', b"(", b")", b",", b":", b";", b"\\", b"[", b'<"', b"a@b ", b"=?a?q?", b"a:", b'"<', b"@"]
)
def test_repetition_takes_no_time(unit):
    begun = time.process_time()
    parse_addresses(unit * (262_144 // len(unit)))
    assert time.process_time() - begun < 2


def test_a_parenthesis_in_quotes_begins_no_comment() -> None:
    people, _more = parse_addresses(b'"(" <p@x.test>, "a (b" <q@x.test>')
    assert people == (Address("(", "p@x.test"), Address("a (b", "q@x.test"))
    assert parse_addresses(b"Ana (sin fin <p@x.test>")[0] == (Address("Ana sin fin", "p@x.test"),)


@pytest.mark.parametrize("piece", [b'"\\', b'("', b'"(', b'\\"(', b'("\\'])
def test_quotes_and_parentheses_take_linear_time(piece: bytes) -> None:
    started = time.process_time()
    parse_addresses(piece * 100_000)
    assert time.process_time() - started < 2.0
