"""The sources that must keep the contract: IMAP on the whole server, and on one that can do little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.imap.proxy import proxied
from webmail.imap.pool import pool
from webmail.sources.base import MailSource
from webmail.sources.imap import open_imap
from webmail.values import Credentials, Endpoint

POOR = (
    "CONDSTORE", "QRESYNC", "SORT", "ESORT", "THREAD", "ESEARCH", "SPECIAL-USE", "LIST-STATUS", "LIST-EXTENDED", "QUOTA",
    "IDLE", "PREVIEW", "SNIPPET", "MOVE", "LITERAL+", "ID", "NAMESPACE", "SASL-IR", "WITHIN", "SEARCHRES", "CONTEXT",
)  # fmt: skip
SERVERS = {"whole": (), "poor": POOR, "no-uidplus": (*POOR, "UIDPLUS")}


@pytest.fixture(params=["whole", "poor"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(server: str, stack: Any, mailbox_factory: Any) -> Iterator[Callable[[], MailSource]]:
    """Opens a new source on one empty mailbox each time it is called."""
    made = mailbox_factory("ana")
    with proxied("127.0.0.1", stack.ports.imap, hide=SERVERS[server]) as proxy:
        endpoint = Endpoint("127.0.0.1", proxy.port, "none")
        key = f"{made.address}-{server}"
        redis_url = stack.environment()["REDIS_URL"]
        sources: list[MailSource] = []

        def open_() -> MailSource:
            source = open_imap(endpoint, Credentials(made.address, made.password), account_key=key, redis_url=redis_url)
            sources.append(source)
            return source

        yield open_
        for source in sources:
            source.close()
        pool.close_all()


@pytest.fixture
def source(opened: Callable[[], MailSource]) -> MailSource:
    return opened()
