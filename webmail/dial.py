"""A connection to a mail server, as its endpoint says: the one place for sockets and TLS of the edges."""

from __future__ import annotations

import socket
import ssl
from functools import cache

from accounts.outbound import MAIL_PORTS, open_socket
from webmail.values import Endpoint

CONNECT_TIMEOUT_S = 10.0


@cache
def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """TLS that verifies certificate and name, 1.2 at least, with one more authority where there is one. Reading the system's
    authorities costs more than a whole connection, so a process does it once."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def dial(endpoint: Endpoint, *, ports: frozenset[int] = MAIL_PORTS) -> socket.socket:
    """A plain connection. A `public_only` server must have public addresses and one of these ports. Raises OutboundRefused or
    OSError."""
    if endpoint.public_only:
        sock = open_socket(endpoint.host, endpoint.port, ports=ports, timeout_s=CONNECT_TIMEOUT_S)
    else:
        sock = socket.create_connection((endpoint.host, endpoint.port), CONNECT_TIMEOUT_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
