"""The whole hostile corpus through the whole room: always a value, always soon, and what could be read is there."""

import time
from collections.abc import Iterator

import pytest

from tests.data.hostile import HEAVY, hostile_messages
from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.choose import choose_bodies, has_attachment, leaves
from webmail.mime.dates import parse_date
from webmail.mime.frank import list_unsubscribe, read_authentication, transport_tls
from webmail.mime.headers import parse_headers, split_header
from webmail.mime.snippet import snippet_from_html, snippet_from_text
from webmail.mime.structure import parse_message, part_bytes

LIMIT_S = 2.0
ADDRESS_FIELDS = {"from", "to", "cc", "bcc", "reply-to", "sender"}


def read_all(raw: bytes) -> Iterator[str]:
    """Everything that a reader would see of a message."""
    headers, _ = parse_headers(raw)
    yield from (header.value for header in headers)
    read_authentication(headers, {"mx.example.org"})
    transport_tls(headers)
    list_unsubscribe(headers)
    for name, value in split_header(raw)[0]:
        if name.lower() in ADDRESS_FIELDS:
            yield from (f"{person.name} {person.email}" for person in parse_addresses(value)[0])
        if name.lower() == "date":
            parse_date(value)
    tree, _ = parse_message(raw)
    yield from (leaf.filename for leaf in leaves(tree))
    has_attachment(tree)
    for part in choose_bodies(tree)[0]:
        text, _ = text_of(part, decode_part(part, part_bytes(raw, part.number)))
        yield text
        yield (snippet_from_html if part.subtype == "html" else snippet_from_text)(text)


def test_the_corpus_is_large_and_its_names_are_unique():
    names = [name for name, _ in hostile_messages()]
    assert len(names) == len(set(names)) > 600
    assert sum(name.startswith(HEAVY) for name in names) >= 10
    assert not any(name.startswith(HEAVY) for name, _ in hostile_messages(heavy=False))


@pytest.mark.slow
@pytest.mark.parametrize("heavy", [False, True], ids=["light", "heavy"])
def test_every_message_is_read_soon_and_its_text_can_be_sent(heavy):
    for name, raw in hostile_messages(heavy=heavy):
        if name.startswith(HEAVY) is not heavy:
            continue
        begun = time.process_time()
        for text in read_all(raw):
            text.encode("utf-8")
            assert "\0" not in text, name
        assert time.process_time() - begun < LIMIT_S, name


@pytest.mark.parametrize("prefix", ["html-", "plain-", "charset-", "filename-", "file-", "boundary-", "subject-"])
def test_what_is_meant_to_be_read_is_read(prefix):
    unseen = {
        name
        for name, raw in hostile_messages(heavy=False)
        if name.startswith(prefix) and "visible" not in " ".join(read_all(raw))
    }
    assert unseen <= {
        "boundary-only-end",
        "boundary-no-parts",
        "boundary-lines-20000",
        "charset-base64-codec",
        "charset-bz2-codec",
        "subject-encoded-opens",
        "subject-encoded-almost",
        "subject-encoded-bomb",
    }
