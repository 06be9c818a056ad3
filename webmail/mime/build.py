"""Messages written: from what a composer knows to the octets that are sent (RFC 5322, RFC 2045 to 2047, 2231, 2387).

Everything that comes out is 7-bit with CRLF: text as quoted-printable or base64 where it is not short ASCII lines,
files as base64. The shape is Thunderbird's: mixed(alternative(plain, related(html, images)), files).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from webmail.mime import wire
from webmail.mime.flowed import encode_flowed
from webmail.mime.html_text import text_of_html
from webmail.mime.parameters import clean_filename
from webmail.mime.recipients import ascii_domain, check_recipient, parse_recipients
from webmail.values import Address

__all__ = ["Draft", "File", "build_message", "check_recipient", "is_content_id", "new_message_id", "parse_recipients"]

DRAFT_ONLY = "x-casilla-"
"""Extra fields whose name begins so are written into drafts and never sent."""
FORWARDED = "X-Forwarded-Message-Id"

_OWN_FIELDS = frozenset({"from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id"}) | {
    *("in-reply-to", "references", "mime-version", "x-identity-key", "x-mozilla-draft-info"),
    *("disposition-notification-to", "x-forwarded-message-id"),
}
_CID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}")
_ID_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_NOT_PLAIN = re.compile(rb"[^\t\n -~]|[^\n]{79}|[ \t]$|^From ", re.MULTILINE)
_FLOWED_NOT_PLAIN = re.compile(rb"[^\t\n -~]|[^\n]{79}|\t$|^From ", re.MULTILINE)
_LONG_LINE = re.compile(rb"[^\n]{997}")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, or with `cid` (no angle brackets) an image that the HTML shows by cid: (RFC 2392)."""

    name: str
    media_type: str
    data: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that a composer knows. `html` "" = plain text only; `text` "" beside `html` = made from it. Ids have
    their angle brackets; `forwarded` are those of the messages that it passes on. `receipt` asks for a disposition
    notification to the sender (RFC 8098). `extra` are fields of our own; those named X-Casilla-* go into drafts only."""

    sender: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    forwarded: tuple[str, ...] = ()
    receipt: bool = False
    identity_key: str = ""
    extra: tuple[tuple[str, str], ...] = ()


def build_message(
    draft: Draft, *, date: datetime, message_id: str, keep_bcc: bool = False, draft_headers: bool = False
) -> bytes:
    """The message as it is sent; with `keep_bcc` and `draft_headers`, as it is kept among the drafts: Bcc, the fields by
    which Thunderbird knows how to go on, and recipients that are not finished yet, as names. The same arguments give the
    same octets.

    ValueError: a control character in anything that goes into a header, an address that cannot be sent to (but in
    drafts), a message id, cid or extra field that is none, a date without a zone.
    """
    fields = [
        *origin_fields(draft.sender, date, message_id, draft.reply_to, unfinished=draft_headers),
        *_recipient_fields(draft, keep_bcc=keep_bcc, unfinished=draft_headers),
        wire.text_field("Subject", draft.subject),
        wire.id_field("In-Reply-To", (draft.in_reply_to,)),
        wire.id_field("References", draft.references),
        _forwarded_field(draft.forwarded),
        *_draft_fields(draft, draft_headers=draft_headers),
        "MIME-Version: 1.0\r\n",
    ]
    return "".join(fields).encode("ascii") + _body(draft, message_id)


def new_message_id(sender_email: str, token: str) -> str:
    """<token@domain of the sender>; `token` must be unlike any other (RFC 5322 section 3.6.4). ValueError when either
    cannot stand in an id."""
    _local, at, domain = wire.check_text(sender_email).rpartition("@")
    domain = ascii_domain(domain)
    if not at or not _ID_TOKEN.fullmatch(token) or len(token) + len(domain) > 245:
        raise ValueError("not a token for a message id")
    return f"<{token}@{domain}>"


def is_content_id(cid: str) -> bool:
    """Whether this can be the Content-ID of a part, without its angle brackets."""
    return bool(_CID.fullmatch(cid))


# --- Header ------------------------------------------------------------------------------------------------------------------
def origin_fields(
    sender: Address, date: datetime, message_id: str, reply_to: tuple[Address, ...] = (), *, unfinished: bool = False
) -> list[str]:
    """Who wrote, when, and the message's name (RFC 5322 sections 3.6.1, 3.6.2 and 3.6.4). ValueError as above."""
    if date.tzinfo is None:
        raise ValueError("the date has no zone")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("not a message id")
    return [
        wire.fold("Date", [format_datetime(date)]),
        wire.address_field("From", (sender,), unfinished=unfinished),
        wire.address_field("Reply-To", reply_to, unfinished=unfinished),
        wire.fold("Message-ID", [message_id]),
    ]


def _recipient_fields(draft: Draft, *, keep_bcc: bool, unfinished: bool) -> list[str]:
    """To, Cc and, for keeping, Bcc. Checked all the same when it is left out: it goes into the envelope."""
    to, cc, bcc = (
        wire.address_field(name, addresses, unfinished=unfinished)
        for name, addresses in (("To", draft.to), ("Cc", draft.cc), ("Bcc", draft.bcc))
    )
    if not to and not cc and not keep_bcc:
        return ["To: undisclosed-recipients:;\r\n"]
    return [to, cc, bcc if keep_bcc else ""]


def _forwarded_field(ids: tuple[str, ...]) -> str:
    """X-Forwarded-Message-Id, as Thunderbird writes it: every one of them, so that each can be marked once it is sent."""
    kept = [found for text in ids for found in wire.pick_ids(text)]
    return wire.fold(FORWARDED, wire.spaced(kept)) if kept else ""


def _draft_fields(draft: Draft, *, draft_headers: bool) -> list[str]:
    fields = []
    for name, value in draft.extra:
        if name.lower() in _OWN_FIELDS or name.lower().startswith("content-"):
            raise ValueError("a field that the message already has")
        field = wire.text_field(name, value)
        if draft_headers or not name.lower().startswith(DRAFT_ONLY):
            fields.append(field)
    identity = wire.text_field("X-Identity-Key", draft.identity_key)
    if not draft_headers:
        return [*fields, wire.address_field("Disposition-Notification-To", (draft.sender,) if draft.receipt else ())]
    info = (
        f"internal/draft; vcard=0; receipt={draft.receipt:d}; DSN=0; uuencode=0; attachmentreminder=0; deliveryformat=4"
    )
    return [*fields, wire.text_field("X-Mozilla-Draft-Info", info), identity if draft.identity_key else ""]


# --- Body --------------------------------------------------------------------------------------------------------------------
def _body(draft: Draft, seed: str) -> bytes:
    """The MIME tree: each node is its own fields, a blank line, and its content."""
    inline = tuple(file for file in draft.files if file.cid and draft.html)
    attached = [_file_entity(file, inline=False) for file in draft.files if file not in inline]
    body = text_entity(draft.text or text_of_html(draft.html))
    if draft.html:
        html = _html_entity(draft.html)
        if inline:
            images = [_file_entity(file, inline=True) for file in inline]
            html = multipart("related", [html, *images], seed, ('type="text/html"',))
        body = multipart("alternative", [body, html], seed)
    return multipart("mixed", [body, *attached], seed) if attached else body


def multipart(subtype: str, entities: list[bytes], seed: str, parameters: tuple[str, ...] = ()) -> bytes:
    """A multipart entity (RFC 2046 section 5.1) whose boundary, made from `seed`, stands in none of its parts."""
    step, boundary = 0, _boundary(f"{seed} {subtype}")
    while any(boundary in entity for entity in entities):
        step += 1
        boundary = _boundary(f"{seed} {subtype} {step}")
    mark = boundary.decode("ascii")
    head = wire.parameter_field("Content-Type", f"multipart/{subtype}", [*parameters, wire.quoted("boundary", mark)])
    parts = b"".join(b"\r\n--%s\r\n%s" % (boundary, entity) for entity in entities)
    return head.encode("ascii") + parts + b"\r\n--%s--\r\n" % boundary


def _boundary(seed: str) -> bytes:
    return b"------------" + hashlib.sha256(seed.encode()).hexdigest()[:24].encode("ascii")


def text_entity(text: str) -> bytes:
    """A text/plain part in format=flowed (RFC 3676), whose trailing spaces survive every server."""
    data = _text_bytes(encode_flowed(text))
    encoding, content = _encode_text(data, _FLOWED_NOT_PLAIN)
    kind = wire.parameter_field("Content-Type", "text/plain", ["charset=UTF-8", "format=flowed"])
    return _entity([kind, _encoding_field(encoding)], content)


def _html_entity(html: str) -> bytes:
    encoding, content = _encode_text(_text_bytes(html), _NOT_PLAIN)
    return _entity(["Content-Type: text/html; charset=UTF-8\r\n", _encoding_field(encoding)], content)


def _text_bytes(text: str) -> bytes:
    """UTF-8 with LF line ends, one at the end; without NUL and lone surrogates, which no reader takes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return _SURROGATE.sub("\ufffd", text if text.endswith("\n") else f"{text}\n").encode()


def _encode_text(data: bytes, not_plain: re.Pattern[bytes]) -> tuple[str, bytes]:
    """As it is when it is ASCII in short lines that no server changes; else the shorter of quoted-printable and base64
    (RFC 2045 sections 6.7 and 6.8). Content with CRLF."""
    if not not_plain.search(data):
        return "7bit", data.replace(b"\n", b"\r\n")
    printable = binascii.b2a_qp(data, quotetabs=False, istext=True)
    full = base64.encodebytes(data.replace(b"\n", b"\r\n"))
    if len(printable) <= len(full):
        return "quoted-printable", printable.replace(b"\n", b"\r\n")
    return "base64", full.replace(b"\n", b"\r\n")


def _file_entity(file: File, *, inline: bool) -> bytes:
    """A file with both forms of its name: RFC 2231 in the disposition (RFC 2183), encoded words in Content-Type."""
    kind, subtype, encoding, content = _encode_file(file)
    name = clean_filename(wire.check_text(file.name))
    if wire.split_media_type(file.media_type) == ("message", "rfc822"):
        name = f"{name.removesuffix('.eml') or 'message'}.eml"
    parameters = ["charset=UTF-8"] if kind == "text" and _is_utf8(file.data) else []
    parameters += wire.encoded("name", name) if name else []
    fields = [wire.parameter_field("Content-Type", f"{kind}/{subtype}", parameters), _encoding_field(encoding)]
    if inline:
        if not is_content_id(file.cid):
            raise ValueError("not a content id")
        fields.append(wire.fold("Content-ID", [f"<{file.cid}>"]))
    place = "inline" if inline else "attachment"
    fields.append(wire.parameter_field("Content-Disposition", place, wire.extended("filename", name) if name else []))
    return _entity(fields, content)


def _encode_file(file: File) -> tuple[str, str, str, bytes]:
    """Type, subtype, transfer encoding, content. A message may only travel unencoded (RFC 2046 sections 5.2.1 and 5.2):
    one that is 7-bit in short lines does, as message/rfc822. Any other would have to be rewritten, which breaks its
    signatures; it goes byte for byte as application/octet-stream named .eml, which mail programs open all the same."""
    kind, subtype = wire.split_media_type(file.media_type)
    if kind == "message":
        lines = file.data.replace(b"\r\n", b"\n")
        if lines.isascii() and not re.search(rb"[\0\r]", lines) and not _LONG_LINE.search(lines):
            return kind, subtype, "7bit", lines.replace(b"\n", b"\r\n")
        kind, subtype = "application", "octet-stream"
    return kind, subtype, "base64", base64.encodebytes(file.data).replace(b"\n", b"\r\n")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not data.isascii()


def _encoding_field(encoding: str) -> str:
    return f"Content-Transfer-Encoding: {encoding}\r\n"


def _entity(fields: list[str], content: bytes) -> bytes:
    return "".join(fields).encode("ascii") + b"\r\n" + content
