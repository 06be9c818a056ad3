"""Where another provider's mail server is: SRV records (RFC 6186, RFC 8314), then Mozilla autoconfig."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

import dns.exception
import dns.name
import dns.resolver
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from accounts.outbound import OutboundRefused, fetch
from accounts.services.login import Server

BUDGET_S = 5.0
QUERY_TIMEOUT_S = 1.0
FETCH_TIMEOUT_S = 2.0
XML_LIMIT_BYTES = 200_000
Kind = Literal["imap", "pop3"]
SERVICES: dict[Kind, tuple[str, str]] = {"imap": ("_imaps._tcp", "_imap._tcp"), "pop3": ("_pop3s._tcp", "_pop3._tcp")}
"""The SRV services of a protocol: TLS from the start, and with STARTTLS."""
SOCKET_TYPES = {"SSL": "tls", "STARTTLS": "starttls"}
ADDRESS = "%EMAILADDRESS%"
LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


@dataclass(frozen=True, slots=True)
class Servers:
    """What was found for a domain; `incoming` speaks the protocol that was asked for, `smtp` is None when nothing was said
    about sending. `login` is the user name with autoconfig's placeholders, for `login_for`."""

    incoming: Server
    smtp: Server | None
    login: str = ADDRESS

    def login_for(self, address: str) -> str:
        """The user name of an address at this server."""
        local, _at, domain = address.rpartition("@")
        name = self.login.replace(ADDRESS, address)
        return name.replace("%EMAILLOCALPART%", local).replace("%EMAILDOMAIN%", domain)


def discover(domain: str, kind: Kind = "imap") -> Servers | None:
    """The servers of a domain (A-labels), None when it tells of none for this protocol. Takes at most about five seconds, and
    never names the address to anybody."""
    if not is_domain(domain):
        return None
    until = time.monotonic() + BUDGET_S
    return _by_srv(domain, until, kind) or _by_autoconfig(domain, until, kind)


def is_domain(text: str) -> bool:
    """Whether this is a host name of two labels or more that may stand in a query or an address."""
    labels = text.lower().split(".")
    return len(labels) > 1 and len(text) < 254 and all(0 < len(x) < 64 and set(x) <= LABEL_CHARACTERS for x in labels)


def _by_srv(domain: str, until: float, kind: Kind) -> Servers | None:
    tls, starttls = SERVICES[kind]
    incoming = _srv(tls, domain, "tls", until) or _srv(starttls, domain, "starttls", until)
    if incoming is None:
        return None
    smtp = _srv("_submissions._tcp", domain, "tls", until) or _srv("_submission._tcp", domain, "starttls", until)
    return Servers(incoming, smtp)


def _srv(service: str, domain: str, tls: str, until: float) -> Server | None:
    """The first choice of an SRV record; the target "." means that the service is not offered (RFC 2782)."""
    left = until - time.monotonic()
    if left <= 0:
        return None
    try:
        name = dns.name.from_text(f"{service}.{domain}.")
        answers = dns.resolver.resolve(name, "SRV", lifetime=min(QUERY_TIMEOUT_S, left))
    except (dns.exception.DNSException, OSError):
        return None
    best = min(answers, key=lambda record: (record.priority, -record.weight), default=None)
    target = best.target.to_text(omit_final_dot=True) if best else ""
    return (target, best.port, tls) if best and is_domain(target) else None


def _by_autoconfig(domain: str, until: float, kind: Kind) -> Servers | None:
    for url in (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    ):
        left = until - time.monotonic()
        if left <= 0:
            return None
        limit = min(FETCH_TIMEOUT_S, left)
        try:
            data = fetch(url, limit_bytes=XML_LIMIT_BYTES, timeout_s=limit, https_only=True)
        except OutboundRefused:
            continue
        found = parse_autoconfig(data, domain, kind)
        if found:
            return found
    return None


def parse_autoconfig(data: bytes, domain: str = "", kind: Kind = "imap") -> Servers | None:
    """The first encrypted server of a protocol, and of SMTP, in an autoconfig document; None when it has no such one."""
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    incoming = _server(root, "incomingServer", kind, domain)
    if incoming is None:
        return None
    smtp = _server(root, "outgoingServer", "smtp", domain)
    return Servers(incoming[0], smtp[0] if smtp else None, incoming[1] or ADDRESS)


def _server(root: Element, tag: str, kind: str, domain: str) -> tuple[Server, str] | None:
    for node in root.iter(tag):
        host = _text(node, "hostname").replace("%EMAILDOMAIN%", domain).lower()
        port, tls = _text(node, "port"), SOCKET_TYPES.get(_text(node, "socketType").upper())
        usable = port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536
        if node.get("type") == kind and is_domain(host) and tls and usable:
            return (host, int(port), tls), _text(node, "username")
    return None


def _text(node: Element, name: str) -> str:
    return (node.findtext(name) or "").strip()
