"""A scripted name server on loopback, and the system's resolver pointed at it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

Table = dict[tuple[str, str], list[str]]


@contextmanager
def name_server(table: Table, *, port: int = 0) -> Iterator[list[tuple[str, str]]]:
    """Answers over UDP from a table {(name, type): records}, which may change meanwhile; gives the questions that were asked. A
    name that is in none of its keys does not exist; an empty list is never answered."""
    stream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stream.bind(("127.0.0.1", port))
    asked: list[tuple[str, str]] = []

    def run() -> None:
        while True:
            try:
                data, peer = stream.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            question = query.question[0]
            key = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
            asked.append(key)
            reply = dns.message.make_response(query)
            records = table.get(key)
            if records:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", key[1], *records))
            elif records is None and not any(name == key[0] for name, _type in table):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            if records != []:
                stream.sendto(reply.to_wire(), peer)

    threading.Thread(target=run, daemon=True).start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = stream.getsockname()[1]
    before, dns.resolver.default_resolver = dns.resolver.default_resolver, resolver
    try:
        yield asked
    finally:
        dns.resolver.default_resolver = before
        stream.close()
