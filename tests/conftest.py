"""Fixtures for every test: the real servers, hosted mailboxes, and connections to them.

Only what a test asks for is started. A mailbox lives in a committed row of the SQLite file that Dovecot and Postfix
read, so `mailbox_factory` brings `transactional_db`; each factory has a mail domain of its own, so no mail is left over
from another test.
"""

from __future__ import annotations

import itertools
import os
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache as memoize
from typing import Any, Protocol

import pytest
from django.core.mail.utils import DNS_NAME
from hypothesis import settings as hypothesis_settings
from imapclient import IMAPClient
from playwright.sync_api import Browser, sync_playwright

from accounts.models import Domain, Mailbox
from accounts.provisioning.passwords import hash_mailbox_password
from accounts.services.hosting import create_customer_with_domain
from deploy.layout import share_database
from deploy.ports import LOOPBACK
from deploy.stack import MASTER_USER, Stack
from tests.stack import DATABASE, STACK

# Two workers for each core: how long one example takes says nothing.
hypothesis_settings.register_profile("suite", deadline=None)
hypothesis_settings.load_profile("suite")
PASSWORD = "llave-de-prueba"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread; nothing of Django runs in it
CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TIMEOUT_S = 10.0
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class HostedMailbox:
    """A mailbox on the running servers, and the password that opens it."""

    address: str
    password: str
    mailbox: Mailbox

    @property
    def master_login(self) -> str:
        """The login with which STACK.secrets.master opens it."""
        return f"{self.address}*{MASTER_USER}"


class MailboxFactory(Protocol):
    def __call__(self, local: str = "ana", *, password: str = PASSWORD, **fields: Any) -> HostedMailbox: ...


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has a time limit of its own takes long: it comes first, so that several workers end together."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The test database is the file that Dovecot and Postfix read."""
    from django.db import connections

    _require_our_settings()
    DATABASE.parent.mkdir(parents=True, exist_ok=True)
    connections["default"].settings_dict["TEST"]["NAME"] = str(DATABASE)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    if os.geteuid() == 0:
        DATABASE.parent.chmod(0o2770)
        share_database(DATABASE)
    yield
    STACK.stop(["postfix", "dovecot"])


@pytest.fixture(scope="session")
def redis() -> Stack:
    """The stack with Redis running: cache, sessions, broker, events."""
    _require_our_settings()
    if "redis" not in STACK.processes:
        STACK.start(["redis"])
        STACK.wait_ready()
    return STACK


@pytest.fixture(scope="session")
def stack(redis: Stack, django_db_setup: None) -> Stack:
    """The stack with everything running: Redis, Dovecot and Postfix."""
    STACK.start(["dovecot", "postfix"])
    STACK.wait_ready()
    return STACK


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without the window around its pages, which costs a quarter of the time. One for all tests of a
    process: Playwright allows no second one beside it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session", autouse=True)
def _named() -> None:
    """Django asks the DNS for this machine's name once in each process, for its first letter: five seconds without an answer."""
    DNS_NAME._fqdn = "localhost"  # type: ignore[attr-defined]


@pytest.fixture(scope="session", autouse=True)
def _no_brand() -> None:
    """Nobody asks for the brand by the way, which would be a question too many now and then (tests/portal/test_brand.py does)."""
    from accounts.services import brand

    brand.KEPT_S = 1e9
    brand.keep(brand.Look("Casilla"))


@pytest.fixture(autouse=True)
def _plain() -> None:
    """English and the zone of the settings: the last page of another test may have left its own in this thread."""
    from django.utils import timezone, translation

    translation.activate("en")
    timezone.deactivate()


@pytest.fixture(autouse=True)
def _cache(request: pytest.FixtureRequest) -> None:
    """Redis, emptied, for every test that may touch the cache: those with a database or a client."""
    if {"db", "transactional_db", "client", "rf", "live_server", "redis"} & set(request.fixturenames):
        request.getfixturevalue("redis")
        from django.core.cache import cache

        cache.clear()


@pytest.fixture
def mailbox_factory(stack: Stack, transactional_db: None) -> MailboxFactory:
    """Makes hosted mailboxes on the running servers; `fields` are those of the model (quota_bytes, imap, active...)."""
    number = next(_numbers)
    domain = f"prueba{number}.test"

    def make(local: str = "ana", *, password: str = PASSWORD, **fields: Any) -> HostedMailbox:
        if not Domain.objects.filter(name=domain).exists():
            create_customer_with_domain(customer=f"Prueba {number}", domain=domain)
        mailbox = Mailbox.objects.create(
            address=f"{local}@{domain}",
            number=fields.pop("number", 1000 + Mailbox.objects.count()),
            domain=Domain.objects.get(name=domain),
            password=_hash(password),
            **fields,
        )
        return HostedMailbox(mailbox.address, password, mailbox)

    return make


@pytest.fixture
def imap(stack: Stack) -> Iterator[Callable[..., IMAPClient]]:
    """A logged-in IMAPClient for an address: through the master user, or with a password when one is given."""
    clients: list[IMAPClient] = []

    def connect(address: str, password: str = "") -> IMAPClient:
        client = IMAPClient(LOOPBACK, stack.ports.imap, ssl=False, timeout=TIMEOUT_S)
        clients.append(client)
        client.normalise_times = False
        login, secret = (address, password) if password else (f"{address}*{MASTER_USER}", stack.secrets.master)
        client.login(login, secret)
        return client

    yield connect
    for client in clients:
        client.shutdown()


@pytest.fixture
def deliver(stack: Stack) -> Callable[[str, bytes], None]:
    """Hands a raw message (CRLF line ends) to Dovecot over LMTP; it is in the inbox when this returns."""

    def send(address: str, raw: bytes) -> None:
        with smtplib.LMTP(LOOPBACK, stack.ports.lmtp) as client:
            client.sendmail("remitente@afuera.test", [address], raw)

    return send


@memoize
def _hash(password: str) -> str:
    return hash_mailbox_password(password)


def _require_our_settings() -> None:
    from django.conf import settings

    if str(settings.REDIS_URL) != STACK.environment()["REDIS_URL"]:
        raise pytest.UsageError("Run `python -m pytest -p tests.stack`: the settings were read too early.")
