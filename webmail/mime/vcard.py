"""vCard files: 4.0 (RFC 6350), 3.0 (RFC 2426) and 2.1 read as far as an address book of mail needs, 4.0 written.

No library does it: vobject knows no 4.0 and no groups, and stops at the first card that does not follow the rules.
"""

from __future__ import annotations

import binascii
import quopri
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from webmail.mime.charsets import decode_text
from webmail.mime.headers import make_safe
from webmail.values import Defect

CARDS_LIMIT = 21_000
"""As many as an address book of ours can export."""
LINES_LIMIT = 400_000
VALUE_LIMIT_BYTES = 4_096
EMAILS_LIMIT = 20
MEMBERS_LIMIT = 1_000
NAME_LIMIT = 200
FOLD_BYTES = 75

_NAME = re.compile(rb"(?:[A-Za-z0-9-]{1,60}\.)?([A-Za-z0-9-]{1,60})")
_PARAMETER = re.compile(rb';([^;:="]*)(?:=((?:"[^"]*"|[^;:"])*))?')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED = re.compile(r"((?:[^;\\]|\\.)*)(?:;|$)", re.DOTALL)
_KEPT = frozenset({"FN", "N", "ORG", "NICKNAME", "EMAIL", "KIND", "UID", "MEMBER"})
_QUIET = frozenset({"VERSION", "PRODID", "REV", "SOURCE", "NAME", "PROFILE", "CLASS", "MAILER", "SORT-STRING", "LABEL"})
"""Properties of the file rather than of the person: nobody misses them."""
_RENAMED = {"X-ADDRESSBOOKSERVER-KIND": "KIND", "X-ADDRESSBOOKSERVER-MEMBER": "MEMBER"}
"""How Apple writes groups in 3.0."""
_SPACES = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True)
class Card:
    """One person or group. `members` are the UIDs and mailto: addresses of a group; `left` the names of the properties
    that were there and are not kept (TEL, ADR, PHOTO...)."""

    name: str = ""
    emails: tuple[str, ...] = ()
    group: bool = False
    uid: str = ""
    members: tuple[str, ...] = ()
    left: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Open:
    """A card that is being read: text values by property, in order."""

    values: dict[str, list[str]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    def add(self, name: str, value: str) -> None:
        known = self.values.setdefault(name, [])
        if value and len(known) < (MEMBERS_LIMIT if name == "MEMBER" else EMAILS_LIMIT):
            known.append(value)

    def first(self, name: str) -> str:
        return next(iter(self.values.get(name, [])), "")


def parse_cards(data: bytes, limit: int = CARDS_LIMIT) -> tuple[list[Card], list[Defect]]:
    """The cards of a file, in order. Defects: "empty" (no card in it), "torn" (a card without its end), "too-many" (more
    than `limit` cards or LINES_LIMIT lines), each once."""
    cards: list[Card] = []
    codes: set[str] = set()
    current: _Open | None = None
    inside, agent = 0, False
    for name, parameters, raw in _properties(_as_utf8(data), codes):
        edge = name if raw.strip().upper() == b"VCARD" and name in {"BEGIN", "END"} else ""
        if current is not None and edge == "BEGIN" and (agent or inside):
            inside += 1  # a card within a card, 2.1's AGENT: read over
        elif inside:
            inside -= edge == "END"
        elif edge == "BEGIN":
            if current is not None:
                codes.add("torn")
                cards.append(_closed(current))
            if len(cards) >= limit:
                codes.add("too-many")
                current = None
                break
            current = _Open()
        elif current is not None and edge == "END":
            cards.append(_closed(current))
            current = None
        elif current is not None:
            _take(current, name, parameters, raw)
        agent = name == "AGENT" and not raw.strip()
    if current is not None:
        codes.add("torn")
        cards.append(_closed(current))
    if not cards:
        codes.add("empty")
    return cards, [Defect(code) for code in sorted(codes)]


def _as_utf8(data: bytes) -> bytes:
    """The file without its byte order mark; UTF-16, as Outlook writes it, as UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def _properties(data: bytes, codes: set[str]) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """(name in capitals, parameters, value as written) of every line that has a colon."""
    for line in _unfolded(data, codes):
        match = _NAME.match(line)
        if not match:
            continue
        at = match.end()
        parameters: dict[str, str] = {}
        while (found := _PARAMETER.match(line, at)) and found.end() > at:
            key, value = found[1].strip().upper().decode("ascii", "replace"), found[2]
            if value is None:  # 2.1 writes the value alone
                key, value = ("ENCODING" if key in {"QUOTED-PRINTABLE", "BASE64", "B"} else "TYPE"), found[1]
            parameters.setdefault(key, value.strip().strip(b'"').decode("utf-8", "replace").upper())
            at = found.end()
        if line[at : at + 1] == b":":
            name = match[1].decode("ascii").upper()
            yield _RENAMED.get(name, name), parameters, line[at + 1 :]


def _unfolded(data: bytes, codes: set[str]) -> Iterator[bytes]:
    """Logical lines: folded ones joined (RFC 6350 section 3.2), also those that end in a soft break of quoted-printable;
    what stands beyond VALUE_LIMIT_BYTES of one (a photograph) is dropped."""
    held: list[bytes] = []
    size = 0
    soft = False
    for number, line in enumerate(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")):
        if number >= LINES_LIMIT:
            codes.add("too-many")
            break
        folded = line[:1] in {b" ", b"\t"}
        if held and (folded or soft):
            if size < VALUE_LIMIT_BYTES:
                piece = (b"\n" + line if soft else line[1:])[:VALUE_LIMIT_BYTES]
                held.append(piece)
                size += len(piece)
        else:
            if held:
                yield b"".join(held)
            held, size = [line[:VALUE_LIMIT_BYTES]], len(line)
            soft = b"QUOTED-PRINTABLE" in line.partition(b":")[0].upper()
            soft = soft and line.endswith(b"=")
            continue
        soft = soft and line.endswith(b"=")
    if held:
        yield b"".join(held)


def _take(card: _Open, name: str, parameters: dict[str, str], raw: bytes) -> None:
    if name in _KEPT:
        card.add(name, _decoded(parameters, raw))
    elif not name.startswith("X-") and name not in _QUIET and raw.strip(b"; \t"):
        card.left.add(name)


def _decoded(parameters: dict[str, str], raw: bytes) -> str:
    """A value as text, still with its backslashes."""
    encoding = parameters.get("ENCODING", "")
    if encoding == "QUOTED-PRINTABLE":
        raw = quopri.decodestring(raw)
    elif encoding in {"B", "BASE64"}:
        try:
            raw = binascii.a2b_base64(raw)
        except binascii.Error:
            return ""
    charset = parameters.get("CHARSET", "")[:60]
    return decode_text(raw[:VALUE_LIMIT_BYTES], charset or "utf-8")[0].strip()


def _closed(card: _Open) -> Card:
    emails = dict.fromkeys(_plain(value).removeprefix("mailto:") for value in card.values.get("EMAIL", []))
    return Card(
        name=_name_of(card)[:NAME_LIMIT].strip(),
        emails=tuple(email for email in emails if email),
        group=_plain(card.first("KIND")).lower() == "group",
        uid=_uid(card.first("UID")),
        members=tuple(dict.fromkeys(_uid(value) for value in card.values.get("MEMBER", []))),
        left=frozenset(card.left),
    )


def _name_of(card: _Open) -> str:
    """The name as shown, else put together of its parts, else the firm or the nickname."""
    if name := _plain(card.first("FN")):
        return name
    family, given, additional, prefix, suffix, *_rest = [*_split(card.first("N")), "", "", "", "", ""]
    together = " ".join(part for part in (prefix, given, additional, family, suffix) if part)
    return together or " ".join(filter(None, _split(card.first("ORG")))) or _plain(card.first("NICKNAME"))


def _split(value: str) -> list[str]:
    return [_plain(piece) for piece in _UNESCAPED.findall(value)[:20]]


def _plain(value: str) -> str:
    """A value without its backslashes, on one line, safe to show."""
    text = _ESCAPE.sub(lambda match: " " if match[1] in "nN" else match[1], value)
    return " ".join(make_safe(text).split())


def _uid(value: str) -> str:
    return _plain(value).removeprefix("urn:uuid:").removeprefix("URN:UUID:")


def card_uid(key: str) -> str:
    """The same UID for the same person or group every time: a UUID made of its name or address (RFC 4122 section 4.3)."""
    return str(uuid.uuid5(_SPACES, key))


def write_cards(cards: Iterable[Card]) -> Iterator[bytes]:
    """The cards as vCard 4.0, one after the other. `uid` and `members` are UUIDs, or a member is a mailto: address."""
    for card in cards:
        lines = ["BEGIN:VCARD", "VERSION:4.0"]
        lines += [f"KIND:{'group' if card.group else 'individual'}"]
        lines += [f"UID:urn:uuid:{card.uid}"] if card.uid else []
        lines += [f"FN:{_escaped(card.name or next(iter(card.emails), ''))}"]
        lines += [f"EMAIL:{_escaped(email)}" for email in card.emails]
        if card.group:
            lines += [f"MEMBER:{one if ':' in one else 'urn:uuid:' + one}" for one in map(make_safe, card.members)]
        lines += ["END:VCARD"]
        yield b"".join(_folded(line) for line in lines)


def _escaped(value: str) -> str:
    """A text value (RFC 6350 section 3.4)."""
    text = make_safe(value)
    return re.sub(r"([\\,;])", r"\\\1", text)


def _folded(line: str) -> bytes:
    """A line in pieces of at most FOLD_BYTES octets, cut between characters."""
    pieces: list[bytes] = []
    piece = b""
    for character in line:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > FOLD_BYTES:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
