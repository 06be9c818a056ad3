"""Addresses to send to: checked, written for the wire, and read from what people paste (RFC 5321 section 4.1.2)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import idna

from webmail.mime.addresses import parse_addresses
from webmail.mime.headers import make_safe
from webmail.values import Address

LOCAL_LIMIT = 64
DOMAIN_LIMIT = 253
PATH_LIMIT = 254
"""RFC 5321 section 4.5.3.1: 256 octets with the angle brackets."""
PASTED_LIMIT = 2_000
TEXT_LIMIT_CHARS = 200_000

RecipientDefect = Literal["syntax", "no-domain", "too-long", "control"]

_LOCAL = re.compile(
    r"""[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"(?:[ !#-\[\]-~]|\\[ -~])+\""""
)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_BREAK = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_QUOTED_OR_TAB = re.compile(r'"(?:[^"\\]|\\.)*+"|\\.|\t+')


def check_recipient(address: str) -> RecipientDefect | None:
    """None when the address may be sent to, else why not: "control" (a control character), "too-long", "no-domain" (no
    @, nothing after it, or a domain without a dot), "syntax" (the rest; a local part outside ASCII is among it, since
    that takes RFC 6531 on every server of the way)."""
    if make_safe(address) != address:
        return "control"
    local, at, domain = address.rpartition("@")
    if not at or not domain:
        return "no-domain" if address else "syntax"
    if not _LOCAL.fullmatch(local):
        return "syntax"
    try:
        wire = ascii_domain(domain)
    except ValueError:
        return "too-long" if len(domain) > DOMAIN_LIMIT else "syntax"
    if len(local) > LOCAL_LIMIT or len(wire) > DOMAIN_LIMIT or len(local) + 1 + len(wire) > PATH_LIMIT:
        return "too-long"
    return None if "." in wire or wire.startswith("[") else "no-domain"


def ascii_email(address: str) -> str:
    """The address as it travels: its domain in A-labels (RFC 5890). ValueError when it may not be sent to."""
    defect = check_recipient(address)
    if defect:
        raise ValueError(f"recipient: {defect}")
    local, _at, domain = address.rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """A domain name as A-labels, or an address literal (RFC 5321 section 4.1.3). ValueError for anything else."""
    if domain.startswith("["):
        return _check_literal(domain)
    if len(domain) > DOMAIN_LIMIT:
        raise ValueError("domain too long")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
        except (UnicodeError, IndexError) as error:  # idna.IDNAError is a UnicodeError
            raise ValueError("domain outside IDNA") from error
    labels = domain.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise ValueError("not a domain")
    return domain


def _check_literal(domain: str) -> str:
    inside = domain.removeprefix("[").removesuffix("]")
    if len(inside) != len(domain) - 2 or "%" in inside:
        raise ValueError("not an address literal")
    if inside[:5].lower() == "ipv6:":
        ipaddress.IPv6Address(inside[5:])
    else:
        ipaddress.IPv4Address(inside)
    return domain


def compare_key(email: str) -> str:
    """What is the same for two ways of writing one mailbox: lower case, the domain in A-labels. Not for sending."""
    local, _at, domain = email.strip().rpartition("@")
    with suppress(ValueError):
        domain = ascii_domain(domain)
    return f"{local}@{domain}".lower()


def parse_recipients(text: str) -> list[Address]:
    """The addresses in what somebody typed or pasted: separated by commas, semicolons, line ends, tabs or spaces, with or
    without names, also a whole "To:" line or a list of mailto: links. What holds no address comes back as a name without
    email, to be shown as faulty; nothing is dropped but lone punctuation and what stands after PASTED_LIMIT addresses."""
    found: list[Address] = []
    for line in _lines(text[:TEXT_LIMIT_CHARS]):
        people = parse_addresses(line.encode("utf-8", "replace"), PASTED_LIMIT)[0]
        found += [person for person in people if person.email or any(map(str.isalnum, person.name))]
        if len(found) >= PASTED_LIMIT:
            break
    return found[:PASTED_LIMIT]


def _lines(text: str) -> Iterator[str]:
    """The lines with something on them; a line that begins with "<" goes with the name on the line before it."""
    held = ""
    for line in _BREAK.split(text):
        line = make_safe(_split_cells(line)).strip()
        if line.startswith("<") and 0 < len(held) < 400 and "@" not in held:
            held += f" {line}"
            continue
        if held:
            yield held
        held = line
    if held:
        yield held


def _split_cells(line: str) -> str:
    """Tabs as commas where an address stands before them, as spaces where it is a name ("Ana<tab>ana@example.org")."""
    out: list[str] = []
    at = 0
    seen = False
    for match in _QUOTED_OR_TAB.finditer(line):
        between = line[at : match.start()]
        out.append(between)
        seen = seen or "@" in between
        at = match.end()
        if not match[0].startswith("\t"):
            out.append(match[0])
            continue
        out.append("," if seen else " ")
        seen = False if seen else seen
    return "".join([*out, line[at:]])
