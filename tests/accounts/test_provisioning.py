"""What Dovecot and Postfix read: the views, the hashes, and the rendered configuration."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import IntegrityError, connection

from accounts.models import Domain, Mailbox
from accounts.provisioning.maps import MAPS
from accounts.provisioning.passwords import check_mailbox_password, hash_mailbox_password
from accounts.provisioning.render import Postgres, ServerValues, Sqlite, render_servers
from accounts.provisioning.views import VIEWS
from accounts.services.app_passwords import make_app_password
from accounts.services.hosting import (
    FIRST_NUMBER,
    create_alias,
    create_customer_with_domain,
    create_mailbox,
    set_mailbox_password,
    suspend_mailbox,
)
from tests.lookups import asked, lookups

VALUES = ServerValues(root=Path("/srv/prueba"), database=Sqlite(Path("/srv/prueba/db/c.sqlite3")), master_password="m")


@pytest.fixture
def ana(db: None) -> Mailbox:
    create_customer_with_domain(customer="Prueba", domain="prueba.test")
    return create_mailbox(address="Ana@Prueba.test", password="clave", name="Ana")


def rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def test_a_mailbox_takes_the_next_number_and_the_plans_quota(ana: Mailbox) -> None:
    assert (ana.address, ana.number, ana.quota_bytes) == ("ana@prueba.test", FIRST_NUMBER, 5_000_000_000)
    second = create_mailbox(address="bob@prueba.test", password="x", number=2047, quota_bytes=1000)
    assert (second.number, second.quota_bytes) == (2047, 1000)
    assert create_mailbox(address="eva@prueba.test", password="x").number == 2048


def test_a_mailbox_needs_an_address_in_a_domain_that_is_there(ana: Mailbox) -> None:
    with pytest.raises(Domain.DoesNotExist):
        create_mailbox(address="ana@otro.test", password="x")
    with pytest.raises(ValueError, match="whole address"):
        create_mailbox(address="@prueba.test", password="x")
    with pytest.raises(IntegrityError):
        create_mailbox(address="ANA@prueba.test", password="x")


def test_a_domain_is_kept_as_dns_writes_it(db: None) -> None:
    create_customer_with_domain(customer="Peña", domain="Peña.test")
    assert create_mailbox(address="ana@peña.test", password="x").address == "ana@xn--pea-8ma.test"


def test_the_view_gives_dovecot_its_own_form_of_the_hash(ana: Mailbox) -> None:
    [(email, password, quota)] = rows("SELECT email, password, quota_rule FROM mail_users WHERE active")
    assert (email, quota) == ("ana@prueba.test", "*:bytes=5000000000")
    assert password == "{ARGON2ID}" + ana.password.removeprefix("argon2")
    assert password.startswith("{ARGON2ID}$argon2id$v=19$m=")


def test_a_hash_of_another_kind_is_no_password_at_all(ana: Mailbox) -> None:
    hasher = PBKDF2PasswordHasher()
    for encoded in (hasher.encode("clave", "sal", 1), "", "!", "clave"):
        Mailbox.objects.update(password=encoded)
        assert rows("SELECT password FROM mail_users") == [(None,)]
        assert not check_mailbox_password("clave", encoded)


def test_a_password_is_good_until_the_next_one(ana: Mailbox) -> None:
    assert check_mailbox_password("clave", ana.password)
    assert not check_mailbox_password("Clave", ana.password)
    set_mailbox_password(mailbox=ana, password="otra")
    ana.refresh_from_db()
    assert check_mailbox_password("otra", ana.password)
    assert not check_mailbox_password("clave", ana.password)
    assert hash_mailbox_password("otra") != ana.password


def test_suspending_a_mailbox_or_its_domain_shows_in_every_view(ana: Mailbox) -> None:
    create_alias(address="ventas@prueba.test", target=ana)
    active = "SELECT (SELECT active FROM mail_users), (SELECT active FROM mail_aliases)"
    assert [tuple(map(bool, row)) for row in rows(active)] == [(True, True)]
    Domain.objects.update(active=False)
    assert [tuple(map(bool, row)) for row in rows(active)] == [(False, False)]
    Domain.objects.update(active=True)
    suspend_mailbox(mailbox=ana)
    assert [tuple(map(bool, row)) for row in rows(active)] == [(False, False)]


def test_an_owner_sends_as_the_address_and_its_active_aliases(ana: Mailbox) -> None:
    create_alias(address="Ventas@prueba.test", target=ana)
    retired = create_alias(address="vieja@prueba.test", target=ana)
    retired.active = False
    retired.save()
    senders = rows("SELECT sender, login FROM mail_senders ORDER BY sender")
    assert senders == [("ana@prueba.test", "ana@prueba.test"), ("ventas@prueba.test", "ana@prueba.test")]


def test_every_login_of_a_mailbox_sends_while_it_counts(db: None) -> None:
    create_customer_with_domain(customer="Nueve", domain="nueve.x9")  # a domain that ends in a digit
    ana, eva = (create_mailbox(address=f"{name}@nueve.x9", password="x") for name in ("ana1", "eva"))
    mac, old = (make_app_password(mailbox=ana, name=name, protocols=["smtp"]).row for name in ("Mac", "PC"))
    make_app_password(mailbox=ana, name="Lector", protocols=["imap"])
    make_app_password(mailbox=eva, name="Mac", protocols=["smtp"])
    shop = create_alias(address="ventas@nueve.x9", target=ana).address

    def answers(name: str, about: str) -> set[str]:
        return {row[0] for row in rows(asked(MAPS[name], about))}

    mine = {ana.address, *(f"{ana.address}#{number}" for number in (0, "-0", mac.pk, old.pk))}
    assert answers("senders", "Ana1@nueve.x9") == answers("senders", shop) == mine
    gone = f"{ana.address}#{old.pk}"
    old.delete()
    assert answers("senders", shop) == mine - {gone}
    assert [login for login in sorted(mine) if answers("silenced", login)] == [gone]
    assert answers("silenced", f"{eva.address}#{mac.pk}") == {"550 5.7.1 This password may not send any more"}
    Mailbox.objects.update(sends=False)
    assert {one for login in mine for one in answers("silenced", login)} == {
        "550 5.7.1 Sending is closed for this mailbox"
    }
    assert answers("silenced", "nadie@nueve.x9#1") == answers("senders", "nadie@nueve.x9") == set()


def test_every_question_of_the_mail_servers_goes_by_an_index(db: None) -> None:
    questions = lookups()
    assert {view for view in VIEWS if any(view in query for query in questions.values())} == VIEWS.keys()
    for name, query in questions.items():
        steps = [row[3] for row in rows(f"EXPLAIN QUERY PLAN {query}")]
        assert any("SEARCH" in step for step in steps), (name, steps)
        scans = [
            step for step in steps if step.startswith("SCAN") and not step.startswith(("SCAN mail_", "SCAN CONSTANT"))
        ]
        assert not scans, (name, steps)  # reading what an indexed part of a view gave is no search of a table


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": Path("/srv/con espacio")},
        {"root": Path("relativo")},
        {"hostname": "mail.test\nsmtpd_relay_restrictions = permit"},
        {"master_password": "a'b"},
        {"master_user": "ca silla"},
        {"master_hosts": ("127.0.0.1' OR '1'='1",)},
        {"trusted_networks": ("0.0.0.0/0 }",)},
        {"listen": "$myhostname"},
        {"database": Sqlite(Path("/srv/x;y"))},
        {"database": Postgres("db", 5432, "casilla", "casilla", "a b")},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_no_value_gets_into_a_configuration_unchecked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="may not stand in a server's configuration"):
        replace(VALUES, **wrong)


@pytest.mark.server
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_both_servers_understand_what_is_rendered(stack: Any, tmp_path: Path, kind: str) -> None:
    databases: dict[str, Sqlite | Postgres] = {
        "sqlite": Sqlite(tmp_path / "c"),
        "postgres": Postgres("127.0.0.1", 5432, "casilla", "casilla", "s3"),
    }
    values = replace(VALUES, root=tmp_path, database=databases[kind], require_tls=True, auth_penalty=True)
    (tmp_path / "tls").mkdir()
    for name in ("cert.pem", "key.pem"):
        shutil.copy(stack.root / "tls" / name, tmp_path / "tls" / name)
    render_servers(values)
    doveconf = ["/usr/bin/doveconf", "-n", "-c", str(values.etc / "dovecot" / "dovecot.conf")]
    dovecot = subprocess.run(doveconf, capture_output=True, text=True, check=True)
    assert dovecot.stderr == ""
    assert "auth_failure_delay" not in dovecot.stdout  # 2 s is Dovecot's own
    postconf = ["/usr/sbin/postconf", "-n", "-c", str(values.etc / "postfix")]
    postfix = subprocess.run(postconf, capture_output=True, text=True, check=True)
    assert postfix.stderr == ""
    assert "smtpd_forbid_bare_newline = reject" in postfix.stdout
    mode = {path.name: path.stat().st_mode & 0o777 for path in values.etc.rglob("*") if path.is_file()}
    assert mode["sql-master.conf"] == 0o600
    assert mode["mailboxes.cf"] == 0o640
