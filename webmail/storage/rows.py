"""What a stored message's row says of it, read from its octets: the header at once, its bodies after the pull."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from mmap import ACCESS_READ, mmap
from typing import Any

from django.db import transaction

from webmail.errors import Gone
from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.choose import find_html, find_plain, has_attachment, leaves
from webmail.mime.dates import parse_date
from webmail.mime.fold import fold
from webmail.mime.headers import HEADER_LIMIT_BYTES, decode_header, split_header
from webmail.mime.html_text import text_of_html
from webmail.mime.parts import pack_part
from webmail.mime.snippet import snippet_from_html, snippet_from_text
from webmail.mime.structure import Octets, parse_spans
from webmail.mime.subjects import base_subject
from webmail.mime.threads import thread_keys
from webmail.models import LocalBody, LocalMessage
from webmail.storage.blobs import Blobs
from webmail.storage.folders import note_changes
from webmail.values import Address, Part

PEOPLE_LIMIT = 20
KEY_LIMIT = 120
SEARCH_LIMIT = 4000
SNIPPET_LIMIT_BYTES = 2_048
TEXT_LIMIT_BYTES = 256 * 1024
"""How much of each body is kept to search in."""
TEXTS_LIMIT = 20
HEAD_BYTES = HEADER_LIMIT_BYTES
"""What of a message `describe` has to be given."""
WHOLE_LIMIT_BYTES = 16 * 1024 * 1024
"""Of a larger message only so much is read here, to keep workers small; its tree is read when it is opened."""
STRUCTURE_LIMIT_PARTS = 500
BATCH = 200
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_WANTED = frozenset({"subject", "from", "to", "cc", "date", "message-id", "received", "references", "in-reply-to"})


def describe(head: bytes, *, size_bytes: int, received: datetime) -> dict[str, Any]:
    """The fields of a `LocalMessage` that its header tells; `head` begins with the header, and may go on. `received` is when
    it came here, for messages whose server did not note when it took them."""
    fields, defects = split_header(head, HEADER_LIMIT_BYTES)
    first: dict[str, bytes] = {}
    for name, value in fields:
        lower = name.lower()
        if lower in _WANTED and lower not in first:
            first[lower] = value
    codes = [defect.code for defect in defects]
    sent = parse_date(first["date"]) if "date" in first else None
    if "date" in first and sent is None:
        codes.append("date")
    if not size_bytes or not fields:
        codes.append("unreadable")
    taken = parse_date(first["received"].rpartition(b";")[2]) if "received" in first else None
    own_id, thread = thread_keys(*(first.get(name, b"") for name in ("message-id", "in-reply-to", "references")))
    people = {name: parse_addresses(first.get(name, b""), PEOPLE_LIMIT)[0] for name in ("from", "to", "cc")}
    subject = decode_header(first.get("subject", b""))
    date = sent or taken or received
    return {
        "received": taken or received,
        "sent": sent,
        "date": date,
        "subject": subject,
        "sender": _pairs(people["from"]),
        "recipients": _pairs(people["to"]),
        "message_id": decode_header(first.get("message-id", b""))[:1000],
        "own_id": own_id,
        "thread": thread,
        "subject_key": fold(base_subject(subject))[:KEY_LIMIT],
        "sender_key": _person_key(people["from"]),
        "recipients_key": _person_key(people["to"]),
        "search": _search_text(subject, people.values()),
        "defects": list(dict.fromkeys(codes)),
    }


def _pairs(people: Sequence[Address]) -> list[list[str]]:
    return [[person.name, person.email] for person in people]


def _person_key(people: Sequence[Address]) -> str:
    return fold(people[0].display)[:KEY_LIMIT] if people else ""


def _search_text(subject: str, people: Any) -> str:
    """What is searched in without the body: each field on a line of its own, so that nothing is found across two."""
    lines = [subject, *(f"{one.name} <{one.email}>" for group in people for one in group)]
    return "\n".join(fold(line) for line in lines)[:SEARCH_LIMIT]


def flag_fields(flags: frozenset[str]) -> dict[str, Any]:
    """The fields of a `LocalMessage` that hold these flags."""
    others = sorted(flag for flag in flags if flag not in {r"\Seen", r"\Flagged"} and " " not in flag)
    return {"seen": r"\Seen" in flags, "flagged": r"\Flagged" in flags, "keywords": " ".join(others)}


def flags_of(message: LocalMessage) -> frozenset[str]:
    """The flags of a row."""
    flags = set(message.keywords.split())
    if message.seen:
        flags.add(r"\Seen")
    if message.flagged:
        flags.add(r"\Flagged")
    return frozenset(flags)


# --- bodies -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def mapped(blobs: Blobs, sha256: str) -> Iterator[Octets]:
    """A message's octets, mapped and not read: only what is looked at comes from the disk. Raises Gone."""
    with blobs.open(sha256) as file:
        try:
            octets = mmap(file.fileno(), 0, access=ACCESS_READ)
        except ValueError:  # an empty file cannot be mapped
            yield b""
            return
        with contextlib.closing(octets):
            yield octets


def read_body(message: LocalMessage, raw: Octets) -> LocalBody:
    """Fills in what the octets say of the row, paper clip and snippet; gives its body, not saved yet."""
    whole = len(raw) <= WHOLE_LIMIT_BYTES
    if not whole:
        raw = raw[:WHOLE_LIMIT_BYTES]
    structure, spans, _defects = parse_spans(raw)
    message.has_attachment = has_attachment(structure)
    message.snippet = _snippet(structure, spans, raw)
    message.indexed = True
    small = sum(1 for _ in leaves(structure)) <= STRUCTURE_LIMIT_PARTS
    text = _text(structure, spans, raw).replace("\0", "")
    return LocalBody(message=message, text=text, structure=pack_part(structure) if whole and small else None)


def _snippet(structure: Part, spans: dict[str, tuple[int, int]], raw: Octets) -> str:
    part = find_plain(structure) or find_html(structure)
    if part is None:
        return ""
    start, end = spans.get(part.number, (0, 0))
    text, _guessed = text_of(part, decode_part(part, raw[start : min(end, start + SNIPPET_LIMIT_BYTES)]))
    return snippet_from_html(text) if part.subtype == "html" else snippet_from_text(text)


def _text(structure: Part, spans: dict[str, tuple[int, int]], raw: Octets) -> str:
    texts: list[str] = []
    for part in leaves(structure):
        if part.type != "text" or part.disposition == "attachment" or len(texts) == TEXTS_LIMIT:
            continue
        start, end = spans.get(part.number, (0, 0))
        text, _guessed = text_of(part, decode_part(part, raw[start : min(end, start + TEXT_LIMIT_BYTES)]))
        texts.append(fold(text_of_html(text) if part.subtype == "html" else text, TEXT_LIMIT_BYTES))
    return "\n".join(texts)


def index_messages(account_id: int, messages: Sequence[LocalMessage]) -> None:
    """Reads the bodies of these rows, and writes down what they say. A message whose octets are missing is left as it is."""
    blobs = Blobs(account_id)
    bodies: list[LocalBody] = []
    done: list[LocalMessage] = []
    for message in messages:
        try:
            with mapped(blobs, message.blob) as raw:
                bodies.append(read_body(message, raw))
        except Gone:
            message.indexed = True
        done.append(message)
    with transaction.atomic():
        note_changes(message.folder_id for message in done)
        LocalMessage.objects.bulk_update(done, ["indexed", "has_attachment", "snippet"], batch_size=100)
        LocalBody.objects.bulk_create(
            bodies,
            batch_size=100,
            update_conflicts=True,
            unique_fields=["message"],
            update_fields=["text", "structure"],
        )


def index_pending(account_id: int, *, limit: int = 100_000) -> int:
    """Reads the bodies that nobody has read yet, a batch at a time; gives how many."""
    done = 0
    while done < limit:
        waiting = LocalMessage.objects.filter(account=account_id, indexed=False).order_by("pk")
        batch = list(waiting[: min(BATCH, limit - done)])
        if not batch:
            break
        index_messages(account_id, batch)
        done += len(batch)
    return done
