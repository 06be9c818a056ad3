"""The outbound door: which addresses, names, ports and answers pass; real sockets on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from accounts.outbound import HTTP_PORTS, MAIL_PORTS, OutboundRefused, checked_addresses, fetch, is_public, open_socket
from deploy.tls import make_certificates
from tests.resolver import answers

Answer = bytes | Callable[[Any], None]


@pytest.fixture
def closed_door(settings: Any) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False


@pytest.fixture
def open_door(settings: Any) -> None:
    settings.ALLOW_PRIVATE_SERVERS = True


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1",
        "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:a00:1", "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "fc00::1", "fd12:3456::1",
        "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "5f00::1", "4000::1", "2606:4700::1%eth0",
        "", "nonsense", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "1.2.3", "1.2.3.4.5", " 8.8.8.8", "8.8.8.8 ",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.0.1.1", "::ffff:8.8.8.8", "64:ff9b::808:808",
     "2606:4700::1111", "2a00:1450:4001::1", "2800:3f0:4003::8"],
)  # fmt: skip
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "localhost",
     "localhost.", "LOCALHOST", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "１２７．０．０．１", "0", "0.0.0.0", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1",
     "64:ff9b::7f00:1", "fe80::1", "fe80::1%lo", "10.1.2.3", "169.254.169.254", "100.64.3.4", "224.0.0.1"],
)  # fmt: skip
def test_names_that_lead_inside_are_refused_however_they_are_written(closed_door: None, host: str) -> None:
    with pytest.raises(OutboundRefused):
        checked_addresses(host, 993, ports=MAIL_PORTS)


@pytest.mark.parametrize("host", ["", ".", "...", "a" * 300, "a..b", "x\0y", "a b", "nadie.invalid", "\udce1.test"])
def test_names_that_are_none_are_refused(open_door: None, host: str) -> None:
    with pytest.raises(OutboundRefused):
        checked_addresses(host, 993, ports=MAIL_PORTS)


@pytest.mark.parametrize("port", [0, 22, 80, 3306, 6379, 8080, 11211, 65535])
def test_only_ports_of_mail_are_reached(closed_door: None, port: int) -> None:
    with pytest.raises(OutboundRefused, match="port"):
        checked_addresses("8.8.8.8", port, ports=MAIL_PORTS)


def test_a_public_address_passes_as_it_is(closed_door: None) -> None:
    assert checked_addresses("8.8.8.8", 993, ports=MAIL_PORTS) == ["8.8.8.8"]
    assert checked_addresses("2606:4700::1111", 443, ports=HTTP_PORTS) == ["2606:4700::1111"]


def test_one_private_address_among_public_ones_refuses_the_name(
    closed_door: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(OutboundRefused, match="private"):
        checked_addresses("mixto.test", 993, ports=MAIL_PORTS)


def test_a_name_that_changes_its_address_is_resolved_once(open_door: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the connection goes to the address that was checked."""
    with serving(b"hola") as port:
        calls = answers(monkeypatch, ["127.0.0.1"], ["192.0.2.1"])
        with open_socket("cambia.test", port, ports=MAIL_PORTS, timeout_s=5) as stream:
            assert stream.recv(10) == b"hola"
    assert calls == ["cambia.test"]


def test_the_second_address_is_tried_when_the_first_does_not_answer(
    open_door: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(b"hola") as port:
        answers(monkeypatch, ["127.0.0.9", "127.0.0.1"])
        with open_socket("dos.test", port, ports=MAIL_PORTS, timeout_s=5) as stream:
            assert stream.getpeername()[0] == "127.0.0.1"


def test_a_resolver_that_hangs_is_not_waited_for(open_door: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: time.sleep(2) or [])
    start = time.monotonic()
    with pytest.raises(OutboundRefused):
        checked_addresses("lento.test", 993, ports=MAIL_PORTS, timeout_s=0.2)
    assert time.monotonic() - start < 1


# --- fetching ---------------------------------------------------------------------------------------------------------


@contextmanager
def serving(*replies: Answer, context: ssl.SSLContext | None = None, seen: list[bytes] | None = None) -> Iterator[int]:
    """A scripted server on loopback: one reply a connection, bytes or a function of the socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def run() -> None:
        for reply in replies:
            try:
                stream, _peer = listener.accept()
                stream.settimeout(10)
                with context.wrap_socket(stream, server_side=True) if context else stream as peer:
                    if callable(reply):
                        reply(peer)
                        continue
                    if reply.startswith(b"HTTP/"):
                        asked = peer.recv(65536)
                        if seen is not None:
                            seen.append(asked)
                    peer.sendall(reply)
            except OSError:
                continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()
    thread.join(10)


def ok(body: bytes, *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(body)}", *headers))
    return b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n" + body


def moved(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def test_a_page_is_fetched_without_cookies_or_names(open_door: None) -> None:
    seen: list[bytes] = []
    with serving(ok(b"hola"), seen=seen) as port:
        assert fetch(f"http://127.0.0.1:{port}/a?b=1", limit_bytes=100, timeout_s=5) == b"hola"
    assert seen[0].startswith(b"GET /a?b=1 HTTP/1.1\r\n")
    assert b"Cookie" not in seen[0]
    assert b"Referer" not in seen[0]


def test_redirects_are_followed_and_each_is_checked(open_door: None, settings: Any, monkeypatch: Any) -> None:
    with serving(ok(b"fin")) as second, serving(moved(f"http://127.0.0.1:{second}/x")) as first:
        assert fetch(f"http://127.0.0.1:{first}/", limit_bytes=100, timeout_s=5) == b"fin"

    def shut(peer: socket.socket) -> None:
        peer.recv(65536)
        settings.ALLOW_PRIVATE_SERVERS = False  # from here on the door is closed, as for a public server's redirect
        peer.sendall(moved("http://169.254.169.254/latest/meta-data/"))

    with serving(shut) as port, pytest.raises(OutboundRefused, match="private"):
        fetch(f"http://127.0.0.1:{port}/", limit_bytes=100, timeout_s=5)


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:6379/_x",
        "http://u:p@127.0.0.1/",
        "http://[",
        "javascript:1",
    ],
)
def test_redirects_to_anything_else_are_refused(open_door: None, location: str) -> None:
    with serving(moved(location)) as port, pytest.raises(OutboundRefused):
        fetch(f"http://127.0.0.1:{port}/", limit_bytes=100, timeout_s=5)


def test_a_circle_of_redirects_ends(open_door: None) -> None:
    with serving(*[moved("/again")] * 4) as port, pytest.raises(OutboundRefused, match="redirects"):
        fetch(f"http://127.0.0.1:{port}/", limit_bytes=100, timeout_s=5)


def test_https_only_never_goes_down_to_http(open_door: None) -> None:
    with pytest.raises(OutboundRefused, match="scheme"):
        fetch("http://127.0.0.1:1/", limit_bytes=100, timeout_s=5, https_only=True)


@pytest.mark.parametrize("headers", [[], ["Content-Encoding: gzip"]])
def test_what_is_too_large_is_refused(open_door: None, headers: list[str]) -> None:
    with serving(ok(b"x" * 101, *headers)) as port, pytest.raises(OutboundRefused, match="large"):
        fetch(f"http://127.0.0.1:{port}/", limit_bytes=100, timeout_s=5)


def drip(peer: socket.socket) -> None:
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _byte in range(100):
        peer.sendall(b"x")
        time.sleep(0.1)


def drip_header(peer: socket.socket) -> None:
    peer.recv(65536)
    for _byte in range(100):
        peer.sendall(b"H")
        time.sleep(0.1)


def silence(peer: socket.socket) -> None:
    peer.recv(65536)
    time.sleep(3)


@pytest.mark.parametrize("slow", [drip, drip_header, silence])
def test_a_slow_server_is_left_at_the_deadline(open_door: None, slow: Callable[[Any], None]) -> None:
    with serving(slow) as port:
        start = time.monotonic()
        with pytest.raises(OutboundRefused):
            fetch(f"http://127.0.0.1:{port}/", limit_bytes=1000, timeout_s=0.6)
        assert time.monotonic() - start < 1.5


@pytest.mark.parametrize(
    "reply", [b"", b"\r\n\r\n", b"not http at all", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
              b"HTTP/1.1 abc\r\n\r\n",
              b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
              b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_good_answer_is_refused(open_door: None, reply: bytes) -> None:
    with serving(reply) as port, pytest.raises(OutboundRefused):
        fetch(f"http://127.0.0.1:{port}/", limit_bytes=1000, timeout_s=2)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hola",
        "//host/x",
        "http://",
        "http://[::1",
        "http://host:99999/",
        "http://h:x/",
        "https://@/",
        "http://127.0.0.1:1/\r\nX: y",
    ],
)
def test_what_is_no_address_is_refused(open_door: None, url: str) -> None:
    with pytest.raises(OutboundRefused):
        fetch(url, limit_bytes=100, timeout_s=1)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    return folder


def tls_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_https_is_verified_by_the_name_that_was_asked_for(
    open_door: None, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    answers(monkeypatch, ["127.0.0.1"])
    with serving(ok(b"bien"), ok(b"mal"), context=tls_context(certificates)) as port:
        assert fetch(f"https://localhost:{port}/", limit_bytes=100, timeout_s=5, https_only=True) == b"bien"
        with pytest.raises(OutboundRefused):
            fetch(f"https://otra.test:{port}/", limit_bytes=100, timeout_s=5)


def test_https_of_an_unknown_authority_is_refused(open_door: None, certificates: Path) -> None:
    with serving(ok(b"mal"), context=tls_context(certificates)) as port, pytest.raises(OutboundRefused):
        fetch(f"https://localhost:{port}/", limit_bytes=100, timeout_s=5)
