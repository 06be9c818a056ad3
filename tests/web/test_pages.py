"""Pages under an ASGI server: kept threads, bodies, streams, and what a request looks like in WSGI."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from config.pages import Pages, environ_of
from tests.live.conftest import in_loop

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/mañana/",
    "raw_path": b"/ma%C3%B1ana/",
    "query_string": b"q=a%20b",
    "http_version": "1.1",
    "scheme": "https",
    "server": ("127.0.0.1", 8000),
    "client": ("192.0.2.7", 51000),
    "headers": [(b"host", b"example.org")],
}


def answer(handler: Any, *, body: list[dict[str, Any]] | None = None, **scope: Any) -> list[dict[str, Any]]:
    """What an application sends for one request; after its body the browser stays."""
    sent: list[dict[str, Any]] = []

    async def run() -> None:
        messages = list(body or [{"type": "http.request", "body": b""}])

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(dict(message))

        await Pages(handler, 2)(SCOPE | scope, receive, send)

    in_loop(run)
    return sent


def test_path_and_query_come_as_wsgi_wants_them() -> None:
    environ = environ_of(SCOPE, io.BytesIO(b"abc"))
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/mañana/"
    assert environ["QUERY_STRING"] == "q=a%20b"
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["REMOTE_ADDR"] == "192.0.2.7"
    assert environ["CONTENT_LENGTH"] == "3"


def test_header_with_an_underscore_passes_for_no_other() -> None:
    headers = [
        (b"x_forwarded_for", b"10.0.0.1"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"content-type", b"text/plain"),
    ]
    environ = environ_of(SCOPE | {"headers": headers}, io.BytesIO())
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["CONTENT_TYPE"] == "text/plain"


def test_a_page_gets_the_body_and_is_sent_whole() -> None:
    def handler(environ: Any, start: Any) -> HttpResponse:
        start("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", " a=1")])
        return HttpResponse(environ["wsgi.input"].read()[::-1])

    pieces = [
        {"type": "http.request", "body": b"abc", "more_body": True},
        {"type": "http.request", "body": b"def", "more_body": False},
    ]
    head, content = answer(handler, body=pieces)
    assert head["status"] == 201
    assert head["headers"] == [(b"content-type", b"text/plain"), (b"set-cookie", b"a=1")]
    assert content["body"] == b"fedcba"


def test_threads_are_kept() -> None:
    seen = set()

    def handler(_environ: Any, start: Any) -> HttpResponse:
        seen.add(threading.current_thread().name)
        start("200 OK", [])
        return HttpResponse()

    async def run() -> None:
        pages = Pages(handler, 1)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(_message: Any) -> None:
            return

        for _ in range(5):
            await pages(SCOPE, receive, send)

    in_loop(run)
    assert len(seen) == 1


def test_a_stream_comes_in_pieces_and_is_closed() -> None:
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.append(True)

    def handler(_environ: Any, start: Any) -> StreamingHttpResponse:
        start("200 OK", [])
        return StreamingHttpResponse(pieces())

    sent = answer(handler)
    assert [message.get("body") for message in sent[1:]] == [b"one", b"two", None]
    assert closed == [True]


def test_a_stream_ends_when_the_browser_goes() -> None:
    read = []

    def pieces() -> Iterator[bytes]:
        while True:
            read.append(1)
            yield b"x" * 1000

    def handler(_environ: Any, start: Any) -> StreamingHttpResponse:
        start("200 OK", [])
        return StreamingHttpResponse(pieces())

    answer(handler, body=[{"type": "http.request", "body": b""}, {"type": "http.disconnect"}])
    assert len(read) < 100


def test_a_browser_that_goes_before_its_request_has_come_is_no_error() -> None:
    called = []
    sent = answer(lambda *_: called.append(1), body=[{"type": "http.disconnect"}])
    assert (sent, called) == ([], [])


def test_nothing_but_http_is_served() -> None:
    with pytest.raises(ValueError, match="websocket"):
        answer(lambda *_: None, type="websocket")
