"""The one door to foreign hosts: every address that a name has is checked, and the one that was checked is connected to."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from urllib.parse import urljoin, urlsplit

from django.conf import settings

HTTP_PORTS = frozenset({80, 443})
MAIL_PORTS = frozenset({143, 993, 110, 995, 25, 465, 587, 2525})
REDIRECTS = 3
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutboundRefused(Exception):
    """The host may not be reached, does not exist, or did not answer as it should."""


def checked_address(host: str, port: int, *, ports: frozenset[int]) -> str:
    """One address of `host` that may be connected to. Raises OutboundRefused when any of its addresses is private, the port is
    not one of `ports`, or the name does not resolve."""
    private_ok = settings.ALLOW_PRIVATE_SERVERS
    if port not in ports and not private_ok:
        raise OutboundRefused("port")
    try:
        found = socket.getaddrinfo(host.rstrip("."), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundRefused("unknown host") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or (not private_ok and not all(is_public(address) for address in addresses)):
        raise OutboundRefused("private address")
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet; addresses inside addresses (mapped, NAT64, 6to4, Teredo) count."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def fetch(url: str, *, limit_bytes: int, timeout_s: float, https_only: bool = False) -> bytes:
    """The body of a GET, redirects followed and checked anew, without cookies. Raises OutboundRefused."""
    for _hop in range(REDIRECTS + 1):
        status, headers, body = _get(url, limit_bytes, timeout_s, https_only)
        location = headers.get("Location")
        if status in {301, 302, 303, 307, 308} and location:
            url = urljoin(url, location)
            continue
        if status != 200:
            raise OutboundRefused(f"status {status}")
        return body
    raise OutboundRefused("too many redirects")


def _get(url: str, limit: int, timeout_s: float, https_only: bool) -> tuple[int, http.client.HTTPMessage, bytes]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise OutboundRefused("address") from error
    if parts.scheme not in ({"https"} if https_only else {"http", "https"}) or not parts.hostname or parts.username:
        raise OutboundRefused("scheme")
    address = checked_address(parts.hostname, port, ports=HTTP_PORTS)
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=timeout_s)
    try:
        raw = socket.create_connection((address, port), timeout_s)
        secure = parts.scheme == "https"
        connection.sock = (
            ssl.create_default_context().wrap_socket(raw, server_hostname=parts.hostname) if secure else raw
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": "Casilla", "Accept": "*/*"})
        response = connection.getresponse()
        body = response.read(limit + 1)
        if len(body) > limit:
            raise OutboundRefused("too large")
        return response.status, response.headers, body
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
        raise OutboundRefused("no answer") from error
    finally:
        connection.close()
