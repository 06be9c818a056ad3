"""DNS records as they are, asked of DNS_RESOLVERS or of the system's own resolver, all at once and within a few seconds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.name
import dns.resolver
from django.conf import settings
from dns.rdatatype import RdataType

from accounts.setup.records import Found, Record
from accounts.setup.spf import Cost, cost_of

BUDGET_S = 4.0
AT_ONCE = 6
TEXT_LIMIT = 4000
"""A key of 4,096 bits takes some 750; what is cut must not be proposed as a change."""
SPF_S = 3.0
TEXTS_LIMIT = 10


def look_up(records: Sequence[Record]) -> list[Found]:
    """What the DNS says for each record, in their order; unanswered where it does not say within BUDGET_S."""
    until, resolver = time.monotonic() + BUDGET_S, _resolver()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(lambda record: _ask(record.name, record.kind, resolver, until), records))


def ask_spf(domain: str, text: str) -> Cost:
    """What an SPF record costs whoever checks it, asked through all its includes within SPF_S."""
    until, resolver = time.monotonic() + SPF_S, _resolver()
    return cost_of(domain, text, lambda name, kind: _ask(name, kind, resolver, until))


def _resolver() -> dns.resolver.Resolver:
    """That of the settings (ADDRESS or ADDRESS:PORT), whose view of the DNS is the world's; else the system's."""
    if not settings.DNS_RESOLVERS:
        return dns.resolver.get_default_resolver()
    resolver = dns.resolver.Resolver(configure=False)
    pairs = [text.partition(":")[::2] if text.count(":") == 1 else (text, "") for text in settings.DNS_RESOLVERS]
    resolver.nameservers = [address for address, _port in pairs]
    resolver.nameserver_ports = {address: int(port) for address, port in pairs if port}
    return resolver


def _ask(host: str, kind: str, resolver: dns.resolver.Resolver, until: float) -> Found:
    left = until - time.monotonic()
    if left <= 0:
        return Found(answered=False)
    try:
        name = dns.name.from_text(f"{host}.")
        answer = resolver.resolve(name, RdataType[kind], lifetime=left)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Found()
    except (dns.exception.DNSException, OSError):
        return Found(answered=False)
    return Found(tuple(sorted(_text(one) for one in answer))[:TEXTS_LIMIT])


def _text(data: dns.rdata.Rdata) -> str:
    """A record as people write it; the pieces of a TXT joined (RFC 7208 section 3.3), control characters replaced."""
    strings = getattr(data, "strings", None)
    text = b"".join(strings).decode("utf-8", "replace") if strings is not None else data.to_text()
    return "".join(char if char.isprintable() else "\ufffd" for char in text)[:TEXT_LIMIT]
