"""A mail server that takes connections and never answers delays its own people alone, with the threads of the web in mind."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.wsgi import get_wsgi_application
from django.db import connections

from accounts.models import MailAccount, User
from accounts.services.login import SEAL_TAG, SEALS, seal_cookie
from accounts.sessions import SessionStore
from accounts.vault import new_half, seal_with_half
from config.pages import Pages
from tests.imap.scripted import scripted
from tests.live.conftest import in_loop
from webmail.imap.pool import pool

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
THREADS = 12
DEAD_S = 12.0
"""How long one request waits for a server that never answers."""


def person(name: str, port: int) -> tuple[MailAccount, str]:
    """Somebody with a mailbox on another server, and the cookies of their session."""
    user = User.objects.create_user(f"{name}@afuera.test")
    account = MailAccount.objects.create(
        owner=user, address=user.email, login=name, imap_host="127.0.0.1", imap_port=port, imap_tls="none"
    )
    half, session = new_half(), SessionStore()
    session.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "webmail.backends.MailServerBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            SEAL_TAG: "tag",
        }
    )
    session[SEALS] = {str(account.pk): seal_with_half("llave", half, context=f"account:{account.pk}:session:tag")}
    session.save()
    return account, f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {seal_cookie()}={half}"


async def get(pages: Pages, path: str, cookies: str) -> tuple[int, float]:
    """Status, and seconds until the answer began."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"host", b"127.0.0.1"), (b"cookie", cookies.encode())],
    }
    status, began = [0], time.monotonic()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        status[0] = message.get("status", status[0])

    await pages(scope, receive, send)
    return status[0], time.monotonic() - began


def test_others_are_served_while_one_server_is_dead(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_slow_s", 0.3)
    monkeypatch.setattr(pool, "_slow_limit", THREADS // 2)
    monkeypatch.setattr("webmail.imap.login.READ_TIMEOUT_S", DEAD_S)
    monkeypatch.setattr("webmail.imap.login.CONNECT_TIMEOUT_S", DEAD_S)
    alive = {
        "LIST": b'* LIST () "/" INBOX\r\nTAG OK done\r\n',
        "LSUB": b"TAG OK done\r\n",
        "STATUS": b"TAG OK done\r\n",
    }

    async def run(hanging: list[tuple[str, str]], other: tuple[str, str]) -> tuple[list[Any], list[Any]]:
        pages = Pages(get_wsgi_application(), THREADS)
        stuck = [asyncio.create_task(get(pages, *one)) for one in hanging[: THREADS // 2]]
        while sum(map(len, pool._opening.values())) < THREADS // 2:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        stuck += [asyncio.create_task(get(pages, *one)) for one in hanging[THREADS // 2 :]]
        served = [await get(pages, *other) for _ in range(5)]
        answers = await asyncio.gather(*stuck)

        def close() -> None:
            connections.close_all()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pages._pool, close) for _ in range(THREADS * 2)))
        return served, answers

    with scripted(greeting=b"") as dead, scripted(alive) as server:
        theirs = [person(f"p{number}", dead.port) for number in range(6)]
        mine, cookies = person("viva", server.port)
        hanging = [(f"/mail/{account.pk}/tree/", jar) for account, jar in theirs] * 3
        served, answers = in_loop(lambda: run(hanging, (f"/mail/{mine.pk}/tree/", cookies)))
    pool.close_all()
    assert [status for status, _s in served] == [200] * 5
    assert max(seconds for _status, seconds in served) < DEAD_S / 2
    assert {status for status, _s in answers} == {503}
    assert sorted(seconds for _status, seconds in answers)[len(answers) // 2] < DEAD_S / 2
