"""A mailbox that is removed for good leaves nothing: the real Dovecot, the database, Redis, the store."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from accounts.models import Change, MailAccount, Mailbox, Session, User
from accounts.provisioning.doveadm import DoveadmFailed, remove_home
from accounts.services.app_passwords import make_app_password
from accounts.services.login import account_of_mailbox
from accounts.services.purging import purge
from deploy.stack import Stack
from tests.accounts.test_app_password_pages import enter
from webmail.imap.pool import pool
from webmail.models import Composing, Contact
from webmail.sieve.client import open_session
from webmail.storage.blobs import Blobs
from webmail.tasks import clear_store
from webmail.values import Credentials, Endpoint

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
SECRET = "palabra-secreta-8842"


@pytest.fixture
def lived(
    stack: Stack, mailbox_factory: Any, imap: Any, deliver: Any, settings: Any, redis: Any, tmp_path: Path
) -> tuple[Any, Client, MailAccount]:
    """A mailbox that was used: mail, folders, filters, what POP3 removed, a session, rows in Redis, octets and files here."""
    settings.STORE_DIR, settings.MEDIA_ROOT = tmp_path / "store", tmp_path / "media"
    settings.REDIS_URL = redis.environment()["REDIS_URL"]
    ana = mailbox_factory("ana")
    for _again in range(2):
        deliver(ana.address, f"Subject: {SECRET}\r\n\r\n{SECRET}\r\n".encode())
    client = imap(ana.address)
    client.create_folder(f"Casos/{SECRET}")
    client.select_folder("INBOX")
    client.copy([1], f"Casos/{SECRET}")
    take_by_pop3(stack, ana)
    with open_session(
        Endpoint("localhost", stack.ports.sieve, "starttls"),
        Credentials(ana.address, ana.password),
        ca_file=str(stack.ca_file),
    ) as sieve:
        sieve.put(SECRET, f"# {SECRET}\n")
        sieve.activate(SECRET)
    browser, account = enter(ana)
    browser.get(reverse("folder", args=[account.pk, "INBOX"]))
    make_app_password(mailbox=ana.mailbox, name=SECRET, protocols=["imap"])
    Contact.objects.create(account=account, name=SECRET, email="x@afuera.example")
    Blobs(account.pk).write("ab" * 32, SECRET.encode())
    composing = Composing.objects.create(account=account)
    aged(default_storage.path(default_storage.save(f"uploads/{composing.pk}/1", ContentFile(SECRET.encode()))))
    aged(str(Blobs(account.pk).root))
    return ana, browser, account


def take_by_pop3(stack: Stack, made: Any) -> None:
    """The second message goes into the reserve."""
    import poplib

    client = poplib.POP3("127.0.0.1", stack.ports.pop3, timeout=10)
    client.user(made.address)
    client.pass_(made.password)
    client.dele(2)
    client.quit()


def aged(path: str) -> None:
    """As if it were two days old."""
    os.utime(path, (time.time() - 172_800,) * 2)


def in_database(*words: str) -> list[str]:
    """Where one of these words stands in a row, but for the log of changes, which keeps what was done to whom."""
    found = []
    for model in apps.get_models():
        if model is Change:
            continue
        for row in model._base_manager.values():
            if any(word in repr(row) for word in words):
                found.append(model.__name__)
    return found


def in_redis(*words: str) -> list[bytes]:
    redis = Redis.from_url(django_settings.REDIS_URL)
    found = []
    for key in redis.scan_iter():
        value = redis.dump(key) or b""
        if any(word.encode() in key + value for word in words):
            found.append(key)
    return found


def test_nothing_is_left_of_a_mailbox_that_was_removed_for_good(
    stack: Stack, lived: tuple[Any, Client, MailAccount], mailbox_factory: Any, imap: Any, tmp_path: Path
) -> None:
    ana, browser, account = lived
    home = stack.root / "mail" / ana.address.rpartition("@")[2] / "ana"
    held = home.rglob("*")
    assert any("reserve" in str(path) and path.name.startswith("u.") for path in held)
    assert "AppPassword" in in_database(SECRET)
    assert in_redis(f"mail:4:{account.pk}:")
    assert Session.objects.count() == 1
    session = browser.cookies[django_settings.SESSION_COOKIE_NAME].value
    pool.close_all()

    Mailbox.objects.filter(pk=ana.mailbox.pk).update(deleted=timezone.now())
    ana.mailbox.refresh_from_db()
    assert purge(mailbox=ana.mailbox)
    clear_store()

    assert not home.exists()
    assert home.parent.parent.is_dir()
    assert in_database(SECRET, ana.address) == []
    assert not Session.objects.exists()
    keys = [f"{name}{account.pk}" for name in ("mail:4:", "mail:4:store-", "kept:1:", "live:marks:", "1:space:")]
    assert in_redis(SECRET, ana.address, session, *keys) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    again = mailbox_factory("ana", home=f"{ana.address.rpartition('@')[2]}/ana.otra", number=9001)
    client = imap(again.address)
    assert client.select_folder("INBOX")[b"EXISTS"] == 0
    assert SECRET not in repr(client.list_folders())
    assert account_of_mailbox(again.mailbox).pk != account.pk
    page = enter(again)[0].get(reverse("folder", args=[account_of_mailbox(again.mailbox).pk, "INBOX"])).content.decode()
    assert SECRET not in page


@pytest.mark.parametrize("other", ["foreign", "hosted"])
def test_who_gets_the_address_anew_does_not_get_mailboxes_that_were_added_to_it(
    stack: Stack, mailbox_factory: Any, other: str
) -> None:
    ana, beta = mailbox_factory("ana"), mailbox_factory("beta")
    owner = account_of_mailbox(ana.mailbox).owner
    if other == "foreign":
        MailAccount.objects.create(owner=owner, address="ana@afuera.example", imap_host="imap.afuera.example")
    else:
        MailAccount.objects.create(owner=owner, address=beta.address, mailbox=beta.mailbox)
    Mailbox.objects.filter(pk=ana.mailbox.pk).update(deleted=timezone.now())
    ana.mailbox.refresh_from_db()
    assert purge(mailbox=ana.mailbox)
    again = account_of_mailbox(
        mailbox_factory("ana", home=f"{ana.address.rpartition('@')[2]}/ana.otra", number=9001).mailbox
    )
    assert again.owner.pk != owner.pk
    assert [one.address for one in again.owner.mail_accounts.all()] == [ana.address]
    if other == "hosted":
        assert User.objects.get(pk=owner.pk).email == beta.address
        assert account_of_mailbox(beta.mailbox).owner.pk == owner.pk


def test_a_home_that_is_not_where_it_should_be_is_not_touched(stack: Stack, mailbox_factory: Any, imap: Any) -> None:
    ana = mailbox_factory("ana")
    imap(ana.address).select_folder("INBOX")
    folder = stack.root / "mail" / ana.address.rpartition("@")[2] / "ana"
    for home in ("../otra.test/x", "otra.test/ana", "ana", "prueba.test/..", ""):
        with pytest.raises(DoveadmFailed):
            remove_home(ana.address, home)
    assert folder.is_dir()
