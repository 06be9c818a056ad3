"""Server-sent events, beside Django: a page that is open for hours holds a task and no thread (Django's own handler would keep
one for each request that it serves)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from webmail.live.events import Event, State
from webmail.live.hub import Hub, HubFull, Listener
from webmail.tokens import FOLDER_LIMIT, decode_folder, encode_folder
from webmail.values import FolderId

BEAT_S = 10.0
SEND_S = 10.0
"""How long a page may take for what was sent; one that is slower is dropped, and comes back."""
CHECK_S = 60.0
"""How often it is looked whether the session still stands."""
FOLDERS = 8

_PATH = re.compile(r"/mail/(\d{1,18})/live/")
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, private"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),
]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Admission:
    """That a request of a person may hear an account. `watched` = its mail lives on a server, for which `secret` is the sealed
    password where it is not ours; otherwise it lives here, and whoever changes it tells."""

    person: int
    watched: bool
    secret: str = ""


class NotAdmitted(Exception):
    """The request may not; `args[0]` is the HTTP status."""


AGAIN_S = 60
"""When a page that was one too many may ask again."""


Admit = Callable[[Scope, int], Awaitable[Admission]]
"""Whether a request may hear an account. Raises NotAdmitted."""


class LiveApplication:
    """An ASGI application that answers /mail/ID/live/ itself and leaves the rest to another."""

    def __init__(self, inner: Application, hub: Hub, admit: Admit) -> None:
        self._inner, self._hub, self._admit = inner, hub, admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if match is None:
            await self._inner(scope, receive, send)
            return
        try:
            if scope["method"] != "GET":
                raise NotAdmitted(405)
            admission = await self._admit(scope, int(match[1]))
        except NotAdmitted as error:
            await _refuse(send, error.args[0])
            return
        listener = Listener(
            int(match[1]),
            folders_of(scope),
            person=admission.person,
            secret=admission.secret,
            watched=admission.watched,
        )
        try:
            with self._hub.listening(listener):
                await _Stream(scope, receive, send).serve(listener, self._admit)
        except HubFull as error:
            await _refuse(send, 429 if error.of_person else 503, [(b"retry-after", b"%d" % AGAIN_S)])


async def _refuse(send: Send, status: int, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*_HEADERS[1:], *more]})
    await send({"type": "http.response.body"})


def folders_of(scope: Scope) -> tuple[FolderId, ...]:
    """The folders that are open in the browser, as the address names them (`f`, repeated)."""
    found = []
    for token in parse_qs(scope["query_string"].decode("ascii", "replace")).get("f", [])[:FOLDERS]:
        with contextlib.suppress(ValueError):
            folder = decode_folder(token)
            if 0 < len(folder) <= FOLDER_LIMIT:
                found.append(folder)
    return tuple(found)


class _Stream:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send

    async def serve(self, listener: Listener, admit: Admit) -> None:
        """Streams until the page goes, falls behind, or its session ends."""
        gone = asyncio.create_task(self._until_gone(listener))
        check = asyncio.create_task(self._check(listener, admit))
        try:
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            # Pages that lost the same server come back one after the other.
            await self._write(f"retry: {random.randint(1000, 3000)}\n\n")  # noqa: S311
            while (item := await _next(listener)) is not None:
                await self._write(_message(item))
            await self._send({"type": "http.response.body"})
        except (OSError, TimeoutError):
            return
        finally:
            gone.cancel()
            check.cancel()

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(SEND_S):
            await self._send({"type": "http.response.body", "body": text.encode("ascii"), "more_body": True})

    async def _until_gone(self, listener: Listener) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        listener.drop()

    async def _check(self, listener: Listener, admit: Admit) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                listener.secret = (await admit(self._scope, listener.account_id)).secret
            except NotAdmitted:
                return listener.drop()


async def _next(listener: Listener) -> Event | State | str | None:
    try:
        async with asyncio.timeout(BEAT_S):
            return await listener.queue.get()
    except TimeoutError:
        return "beat"


def _message(item: Event | State | str) -> str:
    if isinstance(item, Event):
        data: dict[str, str | int] = {"kind": item.kind, "folder": encode_folder(item.folder) if item.folder else ""}
        if item.marking:
            data |= {"by": item.marking.by, "was": item.marking.was_unread, "unread": item.marking.unread}
        return f"event: change\ndata: {json.dumps(data)}\n\n"
    return f"event: state\ndata: {item}\n\n" if isinstance(item, State) else "event: beat\ndata:\n\n"
