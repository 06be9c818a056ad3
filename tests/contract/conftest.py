"""The sources that must keep the contract: IMAP on the whole Dovecot, on one that can do little, on Courier and on Cyrus;
and the store of downloaded mail."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import MailAccount, User
from tests.imap.courier import LOGIN, PASSWORD, Courier, start_courier
from tests.imap.cyrus import Cyrus, start_cyrus
from tests.imap.proxy import proxied
from webmail.imap import selected
from webmail.imap.pool import pool
from webmail.sources.base import MailSource
from webmail.sources.imap import open_imap
from webmail.sources.open import open_store
from webmail.values import Credentials, Endpoint, FolderId

POOR = (
    "CONDSTORE", "QRESYNC", "SORT", "ESORT", "THREAD", "ESEARCH", "SPECIAL-USE", "LIST-STATUS", "LIST-EXTENDED", "QUOTA",
    "IDLE", "PREVIEW", "SNIPPET", "MOVE", "LITERAL+", "ID", "NAMESPACE", "SASL-IR", "WITHIN", "SEARCHRES", "CONTEXT",
)  # fmt: skip
SERVERS = {"whole": (), "kept": (), "poor": POOR, "no-uidplus": (*POOR, "UIDPLUS")}
_numbers = itertools.count(1)

Opened = Callable[[], MailSource]


FOREIGN = (pytest.param("courier", marks=pytest.mark.slow), pytest.param("cyrus", marks=pytest.mark.variants))


@pytest.fixture(params=["local", "whole", "kept", "poor", "no-uidplus", *FOREIGN])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def courier() -> Iterator[Courier]:
    with tempfile.TemporaryDirectory(prefix="casilla-courier-", ignore_cleanup_errors=True) as folder:
        courier = start_courier(Path(folder))
        yield courier
        courier.stop()


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Cyrus]:
    with tempfile.TemporaryDirectory(prefix="casilla-cyrus-", ignore_cleanup_errors=True) as folder:
        cyrus = start_cyrus(Path(folder))
        yield cyrus
        cyrus.stop()


@pytest.fixture
def access(server: str, request: pytest.FixtureRequest) -> Iterator[tuple[Endpoint, Credentials, str]]:
    """Where an empty mailbox is, how it is opened, and a name that no other test has for it."""
    if server == "courier":
        courier: Courier = request.getfixturevalue("courier")
        courier.reset()
        yield courier.endpoint, Credentials(LOGIN, PASSWORD), f"courier-{next(_numbers)}"
        return
    if server == "cyrus":
        cyrus: Cyrus = request.getfixturevalue("cyrus")
        credentials = cyrus.new_mailbox()
        yield cyrus.endpoint, credentials, credentials.login
        return
    if server == "kept":
        request.getfixturevalue("monkeypatch").setattr(selected, "KEPT_FROM", 1)
    stack: Any = request.getfixturevalue("stack")
    made = request.getfixturevalue("mailbox_factory")("ana")
    with proxied("127.0.0.1", stack.ports.imap, hide=SERVERS[server]) as proxy:
        yield Endpoint("127.0.0.1", proxy.port, "none"), Credentials(made.address, made.password), made.address


@pytest.fixture
def store(server: str, transactional_db: None, settings: Any, tmp_path: Path) -> MailAccount | None:
    """An account whose mail lives here, for the source that reads it."""
    if server != "local":
        return None
    settings.STORE_DIR = tmp_path
    number = next(_numbers)
    owner = User.objects.create_user(f"persona{number}@local.test")
    return MailAccount.objects.create(owner=owner, address=owner.email, mode=MailAccount.Mode.DOWNLOAD)


@pytest.fixture
def opened(store: MailAccount | None, request: pytest.FixtureRequest, redis: Any) -> Iterator[Opened]:
    """Opens a new source on one empty mailbox each time it is called."""
    if store is not None:
        yield lambda: open_store(store)
        return
    endpoint, credentials, key = request.getfixturevalue("access")
    redis_url = redis.environment()["REDIS_URL"]
    sources: list[MailSource] = []

    def open_() -> MailSource:
        source = open_imap(endpoint, credentials, account_key=key, redis_url=redis_url)
        sources.append(source)
        return source

    yield open_
    for source in sources:
        source.close()
    pool.close_all()


@pytest.fixture
def source(opened: Opened) -> MailSource:
    return opened()


@pytest.fixture
def place(server: str, store: MailAccount | None) -> Callable[[str], FolderId]:
    """The id of a folder, by the name that people see."""
    if store is not None:
        return lambda name: next(folder.id for folder in open_store(store).folders() if folder.name == name)
    return lambda name: FolderId(f"INBOX.{name}" if server == "courier" else name)
