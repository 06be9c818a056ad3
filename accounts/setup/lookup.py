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

BUDGET_S = 4.0
AT_ONCE = 6
TEXT_LIMIT = 600
TEXTS_LIMIT = 10


def look_up(records: Sequence[Record]) -> list[Found]:
    """What the DNS says for each record, in their order; unanswered where it does not say within BUDGET_S."""
    until, resolver = time.monotonic() + BUDGET_S, _resolver()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(lambda record: _ask(record, resolver, until), records))


def _resolver() -> dns.resolver.Resolver:
    """That of the settings (ADDRESS or ADDRESS:PORT), whose view of the DNS is the world's; else the system's."""
    if not settings.DNS_RESOLVERS:
        return dns.resolver.get_default_resolver()
    resolver = dns.resolver.Resolver(configure=False)
    pairs = [text.partition(":")[::2] if text.count(":") == 1 else (text, "") for text in settings.DNS_RESOLVERS]
    resolver.nameservers = [address for address, _port in pairs]
    resolver.nameserver_ports = {address: int(port) for address, port in pairs if port}
    return resolver


def _ask(record: Record, resolver: dns.resolver.Resolver, until: float) -> Found:
    left = until - time.monotonic()
    if left <= 0:
        return Found(answered=False)
    try:
        name = dns.name.from_text(f"{record.name}.")
        answer = resolver.resolve(name, RdataType[record.kind], lifetime=left)
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
