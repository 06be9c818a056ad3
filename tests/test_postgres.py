"""In production the rows are in PostgreSQL: the same migrations, views and templates serve the servers from there."""

from __future__ import annotations

import fcntl
import imaplib
import os
import shutil
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.provisioning.render import Postgres
from deploy.layout import settle
from deploy.ports import LOOPBACK, reserve_range
from deploy.stack import MASTER_USER, Stack

pytestmark = [pytest.mark.server, pytest.mark.slow]
BASE = Path(__file__).resolve().parent.parent
TIMEOUT_S = 30.0
COUNTED = """
from accounts.models import AppPassword, Mailbox, ProgramUse
use = ProgramUse.objects.get(program="Prueba")
device = AppPassword.objects.get()
assert device.sent_network == "127.0.0.0/24" and device.last_at >= device.sent_at, vars(device)
assert use.mailbox.program_uses.get(protocol="smtp").device == "Mac"
assert (use.mailbox.address, use.program, use.sign_ins) == ("bob@prueba.test", "Prueba", 1), vars(use)
from django.db import connection
from accounts.provisioning.maps import MAPS
from tests.lookups import asked
with connection.cursor() as cursor:
    for number, refused in ((0, False), (device.pk, False), (device.pk + 9, True)):
        cursor.execute(asked(MAPS["silenced"], f"bob@prueba.test#{number}"))
        assert bool(cursor.fetchall()) is refused, number
from accounts.models import MailboxUsage, MailboxEvent, MailboxSpace
from accounts.services.usage.alerts import find_crossings
from accounts.services.usage.sampling import take_samples
counted = MailboxUsage.objects.get()
assert (counted.username, counted.messages) == ("bob@prueba.test", 2), vars(counted)
assert take_samples() == 1 and take_samples() == 1
space = MailboxSpace.objects.get()
assert (space.bytes, space.permille) == (counted.bytes, counted.bytes * 1000 // 20000), vars(space)
Mailbox.objects.update(quota_bytes=counted.bytes)
take_samples()
assert (find_crossings(), find_crossings(), MailboxSpace.objects.get().alerted) == (1, 0, 100)
Mailbox.objects.update(quota_bytes=20000)
from accounts.services.usage.requota import foretell_fallen
from accounts.services.usage.standing import refresh_standing
MailboxSpace.objects.update(bytes=10**6, full_on="2031-01-01", full_early="2031-01-01")
assert (refresh_standing(), foretell_fallen(), foretell_fallen()) == (1, 1, 0)
assert MailboxSpace.objects.get().full_early is None
kinds = dict(MailboxEvent.objects.values_list("kind", "count"))
assert kinds == {"saved": 1, "arrived": 1, "refused": 1, "sent": 1}, kinds
Mailbox.objects.update(active=False)
"""
MAKE_ROWS = """
from accounts.services.hosting import create_alias, create_customer_with_domain, create_mailbox
create_customer_with_domain(customer="Prueba", domain="prueba.test")
bob = create_mailbox(address="bob@prueba.test", password="clave", quota_bytes=20000)
create_alias(address="ventas@prueba.test", target=bob)
from accounts.models import AppPassword
from accounts.vault import digest_of
AppPassword.objects.create(mailbox=bob, name="Mac", digest=digest_of("abcd-efgh-jkmn-pqrs"))
"""


@pytest.fixture
def production(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Redis, Dovecot and Postfix over a PostgreSQL cluster of its own, with one mailbox. The cluster is made once in a run; every
    test has a copy of it."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    ports, guard = reserve_range()
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/casilla-pg-XXXXXX"], text=True).strip())
    database = Postgres(LOOPBACK, ports.http, "casilla", "casilla", "secreta")
    readers = Postgres(LOOPBACK, ports.http, "casilla", "casilla_mail", "otra-secreta")
    stack = Stack(root=settle(folder), ports=ports, database=database, mail_database=readers)
    try:
        with (shared / "pg.lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            if not (made := shared / "pg").exists():
                make_cluster(stack, made)
        subprocess.run(["cp", "-a", str(made), str(folder / "pg")], check=True)
        start_cluster(stack, folder / "pg")
        stack.start(["dovecot", "postfix"])
        stack.wait_ready(recipient="bob@prueba.test")
        yield stack
    finally:
        stack.stop()
        guard.close()
        shutil.rmtree(folder, ignore_errors=True)


TOOLS = max(Path("/usr/lib/postgresql").iterdir()) / "bin"
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def make_cluster(stack: Stack, made: Path) -> None:
    """A cluster with tables, views, roles and one mailbox, at rest."""
    folder = stack.root / "pg-first"  # which the user postgres can reach
    folder.mkdir()
    shutil.chown(folder, "postgres", "postgres")
    initdb = [*AS_POSTGRES, str(TOOLS / "initdb"), "-A", "trust", "-U", "casilla", "--no-sync", "-D", str(folder)]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    start_cluster(stack, folder)
    run = [str(TOOLS / "createdb"), "-h", LOOPBACK, "-p", str(stack.ports.http), "-U", "casilla", "casilla"]
    subprocess.run(run, check=True, capture_output=True)
    manage(stack, "migrate", "--skip-checks", "-v", "0")
    manage(stack, "grant_mail_role")
    manage(stack, "shell", "-v", "0", "-c", MAKE_ROWS)
    stack.stop(["postgres"])
    folder.rename(made)


def start_cluster(stack: Stack, folder: Path) -> None:
    server = [str(TOOLS / "postgres"), "-D", str(folder), "-p", str(stack.ports.http), "-k", str(folder), "-F"]
    stack.spawn("postgres", [*AS_POSTGRES, *server])
    ready = [str(TOOLS / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(stack.ports.http)]
    until = time.monotonic() + TIMEOUT_S
    while subprocess.run(ready, capture_output=True).returncode:
        assert time.monotonic() < until
        time.sleep(0.1)


def manage(stack: Stack, *arguments: str) -> None:
    settings = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MAIL_DISK_BYTES": str(10**13),
    }  # whatever disk this machine has
    environment = os.environ | stack.environment() | settings
    command = [sys.executable, str(BASE / "manage.py"), *arguments]
    done = subprocess.run(command, env=environment, cwd=BASE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def arrived(production: Stack) -> None:
    """Waits until Dovecot has taken what Postfix had in hand."""
    until = time.monotonic() + TIMEOUT_S
    with imaplib.IMAP4(LOOPBACK, production.ports.imap, TIMEOUT_S) as own:
        own.login("bob@prueba.test", "clave")
        while own.select("INBOX")[1] != [b"2"] and time.monotonic() < until:
            time.sleep(0.1)


def test_the_mail_servers_read_postgresql(production: Stack) -> None:
    with imaplib.IMAP4(LOOPBACK, production.ports.imap, TIMEOUT_S) as own:
        own.login("bob@prueba.test", "clave")
        own.xatom("ID", '("name" "Prueba")')
        assert own.append("INBOX", "", "", b"Subject: a\r\n\r\nHola\r\n")[0] == "OK"
        assert own.append("INBOX", "", "", b"Subject: a\r\n\r\n" + b"hola\r\n" * 5000)[0] == "NO"
    with imaplib.IMAP4(LOOPBACK, production.ports.imap, TIMEOUT_S) as master:
        master.login(f"bob@prueba.test*{MASTER_USER}", production.secrets.master)
    with smtplib.SMTP(LOOPBACK, production.ports.submission, "localhost", TIMEOUT_S) as client:
        client.login("bob@prueba.test", "clave")
        client.mail("ventas@prueba.test")
        assert client.rcpt("bob@prueba.test")[0] == 250
    with smtplib.SMTP(LOOPBACK, production.ports.submission, "localhost", TIMEOUT_S) as device:
        device.login("bob@prueba.test", "abcd-efgh-jkmn-pqrs")
        device.sendmail("ventas@prueba.test", ["ventas@prueba.test"], b"Subject: b\r\n\r\nHola\r\n")
        device.mail("nadie@prueba.test")
        assert device.rcpt("bob@prueba.test")[0] == 553
    with imaplib.IMAP4(LOOPBACK, production.ports.imap, TIMEOUT_S) as device_reader:
        device_reader.login("bob@prueba.test", "abcd-efgh-jkmn-pqrs")
        assert device_reader.select("INBOX")[0] == "OK"
    with smtplib.SMTP(LOOPBACK, production.ports.smtp, "localhost", TIMEOUT_S) as client:
        client.ehlo()
        client.mail("x@afuera.test")
        assert client.rcpt("nadie@prueba.test")[0] == 550
        assert client.rcpt("BOB@prueba.test")[0] == 250
    with smtplib.SMTP(LOOPBACK, production.ports.smtp, "localhost", TIMEOUT_S) as client:
        client.ehlo()
        client.mail("x@afuera.test", ["SIZE=30000"])
        assert client.rcpt("bob@prueba.test")[0] == 552
    arrived(production)
    manage(production, "collect_activity", "--once")
    manage(production, "shell", "-v", "0", "-c", COUNTED)
    with imaplib.IMAP4(LOOPBACK, production.ports.imap, TIMEOUT_S) as late, pytest.raises(imaplib.IMAP4.error):
        late.login("bob@prueba.test", "clave")
