"""The MIME tree that Casilla reads from the bytes is the one that a real server tells in its BODYSTRUCTURE.

Compared are all samples, every .eml of the tests and the hostile corpus: number, type, charset, encoding, disposition,
names, flowing and size of every part. Where a server and Casilla read a broken message in two ways, the test names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.data.hostile import hostile_messages
from tests.data.letters import HTML, PDF, TEXT, joined, letter, multipart, part
from webmail.imap.fetch import Fetched, fetch
from webmail.imap.login import connect
from webmail.mime.structure import parse_message, part_bytes
from webmail.samples import generate_mailbox
from webmail.values import Credentials, Endpoint, Part

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

UNTIL = datetime(2026, 11, 25, 21, tzinfo=UTC)
TESTS = Path(__file__).parent.parent
PARTS_LIMIT = 30

DIFFERENT = {
    # No blank line, or none that is empty: by RFC 5322 all of it is header and the body is empty, as Dovecot says.
    # Casilla shows the text, since a person wrote it to be read.
    **dict.fromkeys(
        ["no-header-at-all.eml", "one-nul", "only-nuls", "headerless-no-blank", "space-blank-line", "utf16-message"],
        "a text without a header",
    ),
    **dict.fromkeys(["html-without-header", "boundary-whole-line"], "a text without a header"),
    # RFC 2045 section 5.2 recommends text/plain where the Content-Type breaks its syntax; Dovecot says octet-stream.
    **dict.fromkeys(
        ["nul-in-header", "type-garbage", "type-no-slash", "type-empty", "type-slash-only", "type-path"],
        "a Content-Type that is none",
    ),
    "type-header-break": "a Content-Type that is none; ours keeps what can be a token of it, and cleans it as HTML",
    "type-quote-run": "a quoted string that never ends",
    # A multipart without any part: Dovecot invents an empty one, Casilla shows the whole body as text.
    **dict.fromkeys(
        ["boundary-missing", "boundary-wrong", "boundary-never", "boundary-only-end", "boundary-space-before"],
        "a multipart without parts",
    ),
    **dict.fromkeys(["boundary-quotes", "alternative-empty", "file-mht"], "a multipart without parts"),
    # RFC 2046 section 5.1.1: a boundary has 1 to 70 characters.
    "boundary-empty": "no boundary; Dovecot takes every line that begins with two hyphens",
    "boundary-long": "a boundary of 5,000 characters; Dovecot compares their beginning",
    "boundary-unclosed-quote": "Casilla reads the boundary up to the end of the line",
    "boundary-encoded": "RFC 2231 section 4 in a boundary; Dovecot does not decode it",
    # RFC 2046 section 5.1.2: a boundary must not stand inside of what it encloses. Dovecot gives it to the innermost.
    **dict.fromkeys(["boundary-same-nested", "rfc822-same-boundary"], "a boundary that is used twice"),
    **dict.fromkeys(["nested-60", "nested-200"], "deeper than Dovecot and Casilla go, each to its own limit"),
    # RFC 2046 section 5.2.1 allows 7bit, 8bit and binary alone: Casilla leaves the message closed, as a file.
    **dict.fromkeys(["rfc822-base64", "file-eml"], "an attached message in base64"),
    # The line end before a boundary belongs to it (RFC 2046 section 5.1.1); Dovecot takes it for the end of a header.
    **dict.fromkeys(["rfc822-empty", "digest"], "an attached message that is empty"),
    **dict.fromkeys(["encoding-quoted", "encoding-header-break"], "an encoding that is no token; Dovecot says 7bit"),
    # Names that are no tokens and not quoted: Dovecot stops at the first space, Casilla takes all of it.
    **dict.fromkeys(
        ["missing-end-boundary.eml", "filename-spaces-unquoted", "filename-unclosed", "filename-crlf"],
        "a file name that breaks the syntax of RFC 2045",
    ),
    # RFC 2045 lets no field and no parameter stand twice. Dovecot takes the last, Casilla the first.
    **dict.fromkeys(["filename-two", "filename-rfc2231-twice", "filename-disposition-twice"], "the same thing twice"),
    "filename-rfc2231-500": "Dovecot joins fewer pieces of a name",
}
"""Messages that are read in two ways, and why. All others are read alike."""


Read = Callable[[dict[str, bytes]], Iterator[tuple[str, Fetched]]]

SOUND = {
    "nested": letter(
        "nested",
        'multipart/mixed; boundary="o"',
        joined(
            "o",
            multipart(
                "alternative", "a", TEXT, multipart("related", "r", HTML, part("image/png", b"x", b"Content-ID: <i>"))
            ),
            part("message/rfc822", letter("inner", 'multipart/mixed; boundary="i"', joined("i", TEXT, PDF))),
            part("message/rfc822", letter("one", "text/html", b"<p>one\r\n")),
            PDF,
        ),
    ),
    "related-start": letter(
        "start",
        'multipart/related; boundary="b"; start="<root@x>"; type="text/html"',
        joined("b", PDF, part("text/html", b"<p>root\r\n", b"Content-ID: <root@x>")),
    ),
    "digest-default-type": letter(
        "digest", 'multipart/digest; boundary="d"', joined("d", b"\r\n" + letter("one", "text/plain", b"one\r\n"))
    ),
    "longer-boundary-inside": letter(
        "longer", 'multipart/mixed; boundary="b"', joined("b", multipart("mixed", "b-2", TEXT, HTML), PDF)
    ),
    "text-after-the-boundary": letter(
        "after", 'multipart/mixed; boundary="b"', joined("b", TEXT, HTML).replace(b"--b\r\n", b"--b and more\r\n")
    ),
    "charset-with-comma": letter("comma", "text/plain; charset=iso-8859-2, x", b"\xb1\r\n"),
    "preamble-and-epilogue": letter(
        "preamble", 'multipart/mixed; boundary="b"', b"before\r\n" + joined("b", TEXT, PDF) + b"after\r\n"
    ),
    "empty-parts": letter("empty", 'multipart/mixed; boundary="b"', joined("b", b"", part("text/html", b""), PDF)),
    "fields-of-a-part": letter(
        "fields",
        'multipart/mixed; boundary="b"',
        joined(
            "b",
            part(
                'TEXT/Plain; Format="Flowed"; DelSp=yes; charset="ISO-8859-1"; name*=utf-8\'\'%C3%B1.txt',
                b"text \r\nmore\r\n",
                b"Content-Transfer-Encoding: Quoted-Printable",
                b"Content-ID: <a@b>",
                b"Content-Description: =?utf-8?q?=C3=B1?=",
                b"Content-Disposition: INLINE; filename*0*=utf-8''%C3%B1; filename*1=\" of.txt\"",
            ),
        ),
    ),
}


@pytest.fixture
def read(mailbox_factory: Any, imap: Any, stack: Any) -> Read:
    """Appends messages to Dovecot and gives name, octets and BODYSTRUCTURE of each as Casilla fetches them."""

    def read_back(messages: dict[str, bytes]) -> Iterator[tuple[str, Fetched]]:
        made = mailbox_factory("ana")
        client = imap(made.address)
        for raw in messages.values():
            client.append("INBOX", raw)
        login = Credentials(made.address, made.password)
        connection = connect(Endpoint("127.0.0.1", stack.ports.imap, "none"), login)
        try:
            connection.run([b"EXAMINE INBOX"])
            for uid, name in enumerate(messages, 1):
                yield name, fetch(connection, [uid], b"UID BODYSTRUCTURE BODY.PEEK[]")[uid]
        finally:
            connection.close()

    return read_back


def flat(node: Part) -> list[Part]:
    """The nodes of a tree, what RFC 2045 sections 5.2 and 6.1 leave to be understood filled in. A BODYSTRUCTURE has no
    size, Content-ID and description of a multipart."""
    children = [line for child in node.children for line in flat(child)]
    if node.type == "multipart":
        return [Part(node.number, "multipart", node.subtype, start=node.start), *children]
    charset = node.charset.lower() or ("us-ascii" if node.type == "text" else "")
    return [replace(node, charset=charset, encoding=node.encoding or "7bit", children=()), *children]


def told(fetched: Fetched) -> list[Part]:
    structure = fetched.structure()
    assert structure is not None
    return flat(structure)


def parsed(fetched: Fetched) -> list[Part]:
    return flat(parse_message(fetched.text(b"BODY[]"))[0])


def test_samples_are_read_as_the_server_reads_them(read: Read) -> None:
    samples = generate_mailbox("marcela@imprentaquillay.test", 250, seed=1, until=UNTIL)
    messages = {str(number): sample.raw for number, sample in enumerate(samples)}
    kinds = set()
    for name, fetched in read(messages):
        assert fetched.text(b"BODY[]") == messages[name]
        assert parsed(fetched) == told(fetched), name
        kinds |= {node.media_type for node in told(fetched)}
    assert {"multipart/alternative", "multipart/related", "multipart/mixed", "text/calendar", "image/png"} <= kinds


def test_letters_of_real_programs_are_read_as_the_server_reads_them(read: Read) -> None:
    messages = {path.name: path.read_bytes() for path in sorted(TESTS.rglob("*.eml"))}
    assert len(messages) > 10
    for name, fetched in read(messages):
        assert (parsed(fetched) == told(fetched)) is (name not in DIFFERENT), name


def test_sound_messages_are_read_as_the_server_reads_them(read: Read) -> None:
    for name, fetched in read(SOUND):
        assert parsed(fetched) == told(fetched), name


def test_hostile_messages_are_read_as_the_server_reads_them_or_for_a_reason(read: Read) -> None:
    messages = {name: raw for name, raw in hostile_messages(heavy=False) if raw}  # Dovecot keeps no empty message
    different = {name for name, fetched in read(messages) if parsed(fetched) != told(fetched)}
    assert different == DIFFERENT.keys() & messages.keys()
    assert DIFFERENT.keys() <= messages.keys() | {path.name for path in TESTS.rglob("*.eml")}


def test_the_octets_of_a_part_are_those_that_the_server_gives(mailbox_factory: Any, imap: Any) -> None:
    samples = list(generate_mailbox("marcela@imprentaquillay.test", 60, seed=3, until=UNTIL))
    letters = [path.read_bytes() for path in sorted(TESTS.rglob("*.eml")) if path.name not in DIFFERENT]
    made = mailbox_factory("ana")
    client = imap(made.address)
    for raw in [*(sample.raw for sample in samples), *letters, *SOUND.values()]:
        client.append("INBOX", raw)
    client.select_folder("INBOX", readonly=True)
    for uid in client.search():
        raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
        numbers = [node.number for node in flat(parse_message(raw)[0]) if node.type != "multipart"][:PARTS_LIMIT]
        found = client.fetch([uid], [f"BODY.PEEK[{number}]" for number in numbers])[uid]
        for number in numbers:
            assert part_bytes(raw, number) == found[f"BODY[{number}]".encode()], (uid, number)
