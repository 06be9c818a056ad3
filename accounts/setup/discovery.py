"""Where another provider's mail server is: SRV records (RFC 6186, RFC 8314), then Mozilla autoconfig."""

from __future__ import annotations

import time
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import dns.exception
import dns.resolver
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from accounts.outbound import OutboundRefused, fetch

BUDGET_S = 5.0
XML_LIMIT_BYTES = 200_000
SOCKET_TYPES = {"SSL": "tls", "STARTTLS": "starttls"}

Server = tuple[str, int, str]
"""Host, port, and "tls" or "starttls"."""


@dataclass(frozen=True, slots=True)
class Servers:
    """What was found for a domain; `smtp` None when nothing was said about sending."""

    imap: Server
    smtp: Server | None


def discover(domain: str) -> Servers | None:
    """The servers of a domain, None when it tells nobody. Takes at most about five seconds; the address itself is told to
    nobody."""
    until = time.monotonic() + BUDGET_S
    imap = _srv("_imaps._tcp", domain, "tls", until) or _srv("_imap._tcp", domain, "starttls", until)
    if imap:
        smtp = _srv("_submissions._tcp", domain, "tls", until) or _srv("_submission._tcp", domain, "starttls", until)
        return Servers(imap, smtp)
    for url in (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    ):
        left = until - time.monotonic()
        if left <= 0:
            return None
        try:
            found = parse_autoconfig(fetch(url, limit_bytes=XML_LIMIT_BYTES, timeout_s=min(2.0, left), https_only=True))
        except OutboundRefused:
            continue
        if found:
            return found
    return None


def _srv(service: str, domain: str, tls: str, until: float) -> Server | None:
    left = until - time.monotonic()
    if left <= 0:
        return None
    try:
        answers = dns.resolver.resolve(f"{service}.{domain}", "SRV", lifetime=min(1.0, left))
    except (dns.exception.DNSException, UnicodeError, ValueError):
        return None
    best = min(answers, key=lambda record: (record.priority, -record.weight), default=None)
    target = best.target.to_text(omit_final_dot=True) if best else ""
    return (target, best.port, tls) if best and target else None


def parse_autoconfig(data: bytes) -> Servers | None:
    """The first encrypted IMAP and SMTP server of an autoconfig document, None when it has none."""
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    imap = _server(root, "incomingServer", "imap")
    return Servers(imap, _server(root, "outgoingServer", "smtp")) if imap else None


def _server(root: Element, tag: str, kind: str) -> Server | None:
    for node in root.iter(tag):
        host, port = (node.findtext("hostname") or "").strip(), (node.findtext("port") or "").strip()
        tls = SOCKET_TYPES.get((node.findtext("socketType") or "").strip().upper())
        if node.get("type") == kind and host and tls and port.isdigit() and int(port) < 65_536:
            return host, int(port), tls
    return None
