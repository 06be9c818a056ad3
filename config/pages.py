"""Django's pages under an ASGI server, in threads that are kept: each request runs in one of them from beginning to end.

Django's own ASGI handler gives every request a thread of its own and throws it away, and with it the database connection
that the thread had opened: more work than the page itself. Here the threads stay, and their connections with them. A thread
is held only while something is worked out: the body of a request has arrived before, and between two pieces of a download
none is taken. See docs/speed.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Environ = dict[str, Any]
Handler = Callable[..., Any]
"""Django's WSGI handler: called with an environment and `start_response`, it gives the response itself."""

_JOINED = {"HTTP_COOKIE": "; "}
_PLAIN = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Gone(Exception):
    """The browser went away before its request had come."""


class Pages:
    """An ASGI application over Django's WSGI handler, with so many threads."""

    def __init__(self, handler: Handler, threads: int) -> None:
        self._handler = handler
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="page")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} here")
        try:
            body = await _read_body(receive)
        except Gone:
            return
        loop = asyncio.get_running_loop()
        with contextlib.closing(body):
            head, response = await loop.run_in_executor(self._pool, self._answer, environ_of(scope, body))
            try:
                await send(head)
                if isinstance(response, StreamingHttpResponse):
                    await self._stream(response, receive, send)
                else:
                    await send({"type": "http.response.body", "body": response.content})
            finally:
                if isinstance(response, StreamingHttpResponse):
                    await loop.run_in_executor(self._pool, response.close)

    def _answer(self, environ: Environ) -> tuple[dict[str, Any], HttpResponse | StreamingHttpResponse]:
        """Works a request out: the head of its answer, and the answer, closed unless it is a stream."""
        head: dict[str, Any] = {"type": "http.response.start"}

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            head["status"] = int(status[:3])
            head["headers"] = [
                (name.lower().encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers
            ]

        response = self._handler(environ, start)
        if not isinstance(response, StreamingHttpResponse):
            if not isinstance(response, HttpResponse):  # a file wrapper: sent whole
                response = HttpResponse(b"".join(response))
            response.close()
        return head, response

    async def _stream(self, response: StreamingHttpResponse, receive: Receive, send: Send) -> None:
        """Each piece is read in a thread, and none is held while it is sent; ends when the browser goes."""
        gone = asyncio.create_task(_until_gone(receive))
        pieces = iter(response)
        try:
            while not gone.done():
                piece = await asyncio.get_running_loop().run_in_executor(self._pool, _next, pieces)
                if piece is None:
                    break
                if piece:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            gone.cancel()


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_body(receive: Receive) -> IO[bytes]:
    """The body of a request: in memory as long as it is small, else in a file. Raises Gone."""
    body = tempfile.SpooledTemporaryFile(  # noqa: SIM115
        max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, mode="w+b", dir=settings.FILE_UPLOAD_TEMP_DIR
    )
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            body.close()
            raise Gone
        if chunk := message.get("body"):
            body.write(chunk)
        more = message.get("more_body", False)
    body.seek(0)
    return body


def environ_of(scope: Scope, body: IO[bytes]) -> Environ:
    """The environment of WSGI (PEP 3333) of a request. A header whose name has an underscore could pass for another one, and
    is left out."""
    root = scope.get("root_path", "")
    host, port = scope.get("server") or ("localhost", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root,
        "PATH_INFO": _path_of(scope, root),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        name = name if name in _PLAIN else f"HTTP_{name}"
        environ[name] = f"{environ[name]}{_JOINED.get(name, ',')}{value}" if name in environ else value
    if "CONTENT_LENGTH" not in environ:
        environ["CONTENT_LENGTH"] = str(body.seek(0, 2))
        body.seek(0)
    return environ


def _path_of(scope: Scope, root: str) -> str:
    """The path in its own octets, as WSGI wants it; `path` was decoded as UTF-8 already."""
    raw = scope.get("raw_path")
    octets = unquote_to_bytes(raw.partition(b"?")[0]) if raw else scope["path"].encode("utf-8", "surrogateescape")
    text: str = octets.decode("latin-1")
    return text[len(root) :] if root and text.startswith(root) else text
