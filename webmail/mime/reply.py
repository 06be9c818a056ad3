"""Answering and passing on: subject, recipients, references and the quoted text (RFC 5322 section 3.6.4, RFC 3676)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal
from urllib.parse import quote, unquote

from webmail.mime.headers import header_value, make_safe
from webmail.mime.html_text import text_of_html
from webmail.mime.recipients import check_recipient, compare_key
from webmail.mime.report import Failure, mdn, read_dsn
from webmail.mime.wire import pick_ids
from webmail.values import Address, Message

__all__ = [
    "Failure",
    "Kind",
    "forward_html",
    "forward_text",
    "list_post",
    "mdn",
    "quote_html",
    "quote_text",
    "read_dsn",
    "reply_recipients",
    "reply_references",
    "reply_subject",
    "text_of_html",
]

Kind = Literal["reply", "reply_all", "reply_list", "forward", "forward_attached", "redirect", "edit_as_new"]

_PREFIX = re.compile(
    r"(?:re|aw|antw|sv|rv|fwd?|wg|enc)\s{0,2}(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s{0,2}[:：]\s*", re.IGNORECASE
)
_MAILTO = re.compile(r"<\s*mailto:([^<>?\s]{1,320})[^<>]*>", re.IGNORECASE)
_MARKS = re.compile(r"(?:> ?)+")
_SIGNATURE = re.compile(r"^-- $", re.MULTILINE)


def reply_subject(subject: str, prefix: str) -> str:
    """The subject with `prefix` ("Re" or "Fwd", with or without colon) once before it. What other programs put there for
    answers and for passing on goes: RE:, AW:, SV:, RV:, FWD:, Re[2]:, however many (as RFC 5256 section 2.1 compares)."""
    text, at = make_safe(subject).strip(), 0
    while (match := _PREFIX.match(text, at)) is not None:
        at = match.end()
    return f"{prefix.rstrip(': ')}: {text[at:]}".strip()


# --- Recipients --------------------------------------------------------------------------------------------------------------
def reply_recipients(
    message: Message, own: frozenset[str], kind: Kind
) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """To and Cc of the answer. `own` are the addresses of the person, who is not written to, also with +detail, unless
    nobody else is left. Reply-To goes before From; an answer to one's own message goes to those who got it; reply_list
    goes to List-Post (RFC 2369 section 3.4), and to the sender where there is none."""
    if kind in {"forward", "forward_attached", "redirect"}:
        return (), ()
    if kind == "edit_as_new":
        return message.to, message.cc
    mine = frozenset(compare_key(email) for email in own)
    if kind == "reply_list" and (post := list_post(message)):
        return (post,), ()
    sent = any(_is_own(address, mine) for address in message.summary.sender)
    to = list(message.to if sent else _answer_to(message, mine))
    cc: list[Address] = []
    if kind == "reply_all":
        cc = [*message.cc]
        to += [] if sent else message.to
    return _without(to, cc, mine, fallback=_answer_to(message, mine))


def list_post(message: Message) -> Address | None:
    """Where to write to the mailing list; None without one, or where it takes no messages ("NO")."""
    match = _MAILTO.search(header_value(message.headers, "List-Post"))
    email = unquote(match[1]) if match else ""
    return Address("", email) if email and check_recipient(email) is None else None


def _answer_to(message: Message, mine: frozenset[str]) -> tuple[Address, ...]:
    """Reply-To, unless it is empty or nobody but oneself; else From."""
    asked = tuple(address for address in message.reply_to if address.email)
    return asked if any(not _is_own(address, mine) for address in asked) else message.summary.sender


def _without(
    to: Iterable[Address], cc: Iterable[Address], mine: frozenset[str], *, fallback: Sequence[Address]
) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """Both lists without oneself and without anybody twice. When To is empty, Cc moves up; when both are, `fallback`."""
    seen: set[str] = set()
    first = tuple(_new(to, mine, seen))
    second = tuple(_new(cc, mine, seen))
    if first:
        return first, second
    return second or tuple(_new(fallback, frozenset(), set())), ()


def _new(addresses: Iterable[Address], mine: frozenset[str], seen: set[str]) -> Iterable[Address]:
    for address in addresses:
        key = compare_key(address.email)
        if address.email and key not in seen and not _is_own(address, mine):
            seen.add(key)
            yield address


def _is_own(address: Address, mine: frozenset[str]) -> bool:
    local, _at, domain = compare_key(address.email).rpartition("@")
    return f"{local}@{domain}" in mine or f"{local.partition('+')[0]}@{domain}" in mine


def reply_references(message_id: str, references: str, in_reply_to: str) -> tuple[str, tuple[str, ...]]:
    """In-Reply-To and References of an answer, from those fields of the message that it answers (RFC 5322 section
    3.6.4), as they stand in its header. What is no id is left out; "" and () when there is none."""
    parent = _ids(message_id)[-1:]
    before = _ids(references)
    if not before and len(_ids(in_reply_to)) == 1:
        before = _ids(in_reply_to)
    chain = dict.fromkeys(found for found in before if found not in parent)
    return (parent[0] if parent else ""), (*chain, *parent)


def _ids(text: str) -> tuple[str, ...]:
    return pick_ids(make_safe(text))


# --- Quoting -----------------------------------------------------------------------------------------------------------------
def quote_text(text: str, intro: str) -> str:
    """The answered text, one level deeper, after the line that says who wrote it. `text` has its soft breaks joined
    (`text_of`); its lines stay whole, `encode_flowed` breaks them. The signature, from "-- " on, is left out."""
    signature = _SIGNATURE.search(text)
    kept = (text[: signature.start()] if signature else text).strip("\n").rstrip()
    lines = [_deeper(line) for line in kept.split("\n")] if kept else []
    return "\n".join([*([intro] if intro else []), *lines])


def _deeper(line: str) -> str:
    marks = _MARKS.match(line)
    depth = marks[0].count(">") if marks else 0
    rest = line[marks.end() :] if marks else line
    return f">{'>' * depth} {rest}".rstrip(" ") if rest != "-- " else f">{'>' * depth} {rest}"


def forward_text(header_lines: Sequence[tuple[str, str]], text: str, title: str) -> str:
    """The text to pass on below its title ("Forwarded Message") and its header lines, as Thunderbird writes it."""
    head = [f"{name}: {make_safe(value)}" for name, value in header_lines]
    return "\n".join([f"-------- {title} --------", *head, "", text.strip("\n")])


def quote_html(cleaned_html: str, intro: str, cite: str) -> str:
    """The answered HTML in a quote that Thunderbird and others fold. `cleaned_html` is a fragment that has been through
    the sanitiser, and is not looked at here; `cite` is the message id (mid: address, RFC 2392), "" for none."""
    mid = quote(cite.strip().removeprefix("<").removesuffix(">"), safe="@!$&'()*+,;=:-._~")
    place = f' cite="mid:{escape(mid)}"' if mid else ""
    head = f'<div class="moz-cite-prefix">{escape(intro)}<br></div>' if intro else ""
    return f'{head}<blockquote type="cite"{place}>{cleaned_html}</blockquote>'


def forward_html(header_lines: Sequence[tuple[str, str]], cleaned_html: str, title: str) -> str:
    """The same as `forward_text` in HTML. `cleaned_html` as in `quote_html`."""
    rows = "".join(
        f'<tr><th align="right" valign="baseline" nowrap>{escape(name)}: </th><td>{escape(make_safe(value))}</td></tr>'
        for name, value in header_lines
    )
    table = f'<table cellpadding="0" cellspacing="0" border="0" class="moz-email-headers-table"><tbody>{rows}</tbody></table>'
    return f'<div class="moz-forward-container">-------- {escape(title)} --------{table}<br>{cleaned_html}</div>'
