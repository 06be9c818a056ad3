"""The one door to foreign hosts: every address that a name has is checked, and the one that was checked is connected to.

A name may be anything that a resolver understands ("0x7f.1", "127.0.0.1.nip.io", full-width letters): only what it resolves
to is judged.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

HTTP_PORTS = frozenset({80, 443})
MAIL_PORTS = frozenset({143, 993, 110, 995, 25, 465, 587, 2525})
REDIRECTS = 3
RESOLVE_TIMEOUT_S = 5.0

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""NAT64's well-known prefix (RFC 6052): the last 32 bits are an IPv4 address, and are judged as one."""
REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocols
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # IETF protocols, Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)


class OutboundRefused(Exception):
    """The host may not be reached, does not exist, or did not answer as it should."""


def is_public(text: str) -> bool:
    """Whether an address is an ordinary one of the public internet. Of IPv6 only global unicast counts, and nothing that
    carries an IPv4 address inside, but for mapped and NAT64 addresses, which count as what they carry."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address in TRANSLATED:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if address.scope_id or address not in GLOBAL_UNICAST:
            return False
    special = any(address in network for network in REFUSED if network.version == address.version)
    return address.is_global and not address.is_multicast and not special


def checked_addresses(
    host: str, port: int, *, ports: frozenset[int], timeout_s: float = RESOLVE_TIMEOUT_S
) -> list[str]:
    """The addresses of `host`, each of which may be connected to. Raises OutboundRefused when any of them is not public, the
    port is not one of `ports`, or the name does not resolve in time. ALLOW_PRIVATE_SERVERS lifts both checks."""
    private_ok = settings.ALLOW_PRIVATE_SERVERS
    if port not in ports and not private_ok:
        raise OutboundRefused("port")
    name = host.rstrip(".")
    if not name:
        raise OutboundRefused("no host")
    addresses = _resolve(name, port, timeout_s)
    if not addresses or (not private_ok and not all(is_public(address) for address in addresses)):
        raise OutboundRefused("private address")
    return addresses


def open_socket(host: str, port: int, *, ports: frozenset[int], timeout_s: float) -> socket.socket:
    """A connection to one of the checked addresses, never resolved a second time. Raises OutboundRefused or OSError."""
    until = time.monotonic() + timeout_s
    failure: OSError | None = None
    for address in checked_addresses(host, port, ports=ports, timeout_s=timeout_s):
        try:
            return socket.create_connection((address, port), max(0.1, until - time.monotonic()))
        except OSError as error:
            failure = error
    raise failure or OutboundRefused("no address")


def _resolve(name: str, port: int, timeout_s: float) -> list[str]:
    """getaddrinfo with a time limit, which it has none of: it goes on in a thread that nobody waits for."""
    answer: Future[list[str]] = Future()

    def work() -> None:
        try:
            found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            answer.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError, ValueError) as error:
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True, name="resolve").start()
    try:
        return answer.result(timeout_s)
    except (OSError, UnicodeError, ValueError) as error:  # TimeoutError is an OSError
        raise OutboundRefused("unknown host") from error


def fetch(url: str, *, limit_bytes: int, timeout_s: float, https_only: bool = False) -> bytes:
    """The body of a GET, at most `limit_bytes`, within `timeout_s` in all; every redirect is checked anew, no cookie is
    sent, no proxy of the environment is used. Raises OutboundRefused."""
    until = time.monotonic() + timeout_s
    for _hop in range(REDIRECTS + 1):
        status, location, body = _get(url, limit_bytes, until, https_only)
        if status in {301, 302, 303, 307, 308} and location:
            try:
                url = urljoin(url, location)
            except ValueError as error:
                raise OutboundRefused("address") from error
            continue
        if status != 200:
            raise OutboundRefused(f"status {status}")
        return body
    raise OutboundRefused("too many redirects")


def _get(url: str, limit: int, until: float, https_only: bool) -> tuple[int, str, bytes]:
    parts, port = _split(url, https_only)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname or "", port)
    try:
        with _dial(parts, port, until) as connection.sock:
            connection.request("GET", target, headers={"User-Agent": "Casilla", "Accept": "*/*"})
            response = connection.getresponse()
            body = response.read(limit + 1)
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
        raise OutboundRefused("no answer") from error
    if len(body) > limit:
        raise OutboundRefused("too large")
    if time.monotonic() >= until or response.length:  # what is left of Content-Length
        raise OutboundRefused("cut short")
    return response.status, response.headers.get("Location", ""), body


def _split(url: str, https_only: bool) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise OutboundRefused("address") from error
    allowed = {"https"} if https_only else {"http", "https"}
    if parts.scheme not in allowed or not parts.hostname or "@" in parts.netloc:
        raise OutboundRefused("scheme")
    return parts, port


@contextlib.contextmanager
def _dial(parts: SplitResult, port: int, until: float) -> Iterator[socket.socket]:
    """A connection that is cut at the deadline, whatever it is doing: a time limit on each read alone lets a server that
    sends one byte a second go on for ever."""
    left = until - time.monotonic()
    if left <= 0:
        raise OutboundRefused("too slow")
    raw = open_socket(parts.hostname or "", port, ports=HTTP_PORTS, timeout_s=left)
    secure = parts.scheme == "https"
    try:
        stream = _wrap(raw, (parts.hostname or "").rstrip(".")) if secure else raw
    except (OSError, ValueError):
        raw.close()
        raise
    watchdog = threading.Timer(max(0.0, until - time.monotonic()), _cut, [stream])
    watchdog.daemon = True
    watchdog.start()
    with stream:
        try:
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            yield stream
        finally:
            watchdog.cancel()


def _wrap(raw: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)


def _cut(stream: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(stream, socket.SHUT_RDWR)  # below TLS, which belongs to the other thread
