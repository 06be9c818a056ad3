"""Passwords of single devices on the real servers: each door they open, those they do not, and the end of it all."""

from __future__ import annotations

import poplib
import smtplib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from django.utils import timezone
from imapclient.exceptions import IMAPClientError, LoginError

from accounts.models import AppPassword, MailboxEvent, ProgramUse
from accounts.services.activity import Collector, sending
from accounts.services.app_passwords import (
    MOST,
    NameTaken,
    TooMany,
    make_app_password,
    make_for_device,
    new_password,
    revoke_app_password,
)
from accounts.services.hosting import create_alias, set_mailbox_password, suspend_mailbox
from accounts.services.timeline import timeline_of
from accounts.templatetags.timelinepage import who_name
from accounts.vault import digest_of
from tests.test_stack import letter, pop3, recipient_reply, sieve_login, submission

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
ALL = ("imap", "pop3", "smtp", "sieve")


def make(box: Any, *protocols: str, name: str = "Teléfono") -> str:
    return make_app_password(mailbox=box.mailbox, name=name, protocols=protocols or ALL).password


def doors(stack: Any, imap: Any, address: str, password: str) -> set[str]:
    """Through which doors a password leads; all are tried at once, for a refusal takes half a second."""
    ways: dict[str, Callable[[], Any]] = {
        "imap": lambda: imap(address, password),
        "pop3": lambda: pop3(stack, address, password).quit(),
        "smtp": lambda: submission(stack, address, password).quit(),
        "sieve": lambda: sieve_login(stack, "", address, password).startswith(b"OK"),
    }

    def leads(name: str) -> bool:
        try:
            return ways[name]() is not False
        except (LoginError, poplib.error_proto, smtplib.SMTPAuthenticationError):
            return False

    with ThreadPoolExecutor(len(ways)) as threads:
        return {name for name, open_ in zip(ways, threads.map(leads, ways), strict=True) if open_}


def ends(ask: Callable[[], Any]) -> bool:
    """Whether a session that is asked for nothing ends."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            ask()
        except (IMAPClientError, poplib.error_proto, OSError):
            return True
        time.sleep(0.02)
    return False


def test_it_opens_the_doors_it_was_made_for_and_no_others(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    assert doors(stack, imap, ana.address, make(ana)) == set(ALL)
    assert doors(stack, imap, ana.address, make(ana, "imap", "smtp", name="Mac")) == {"imap", "smtp"}
    assert doors(stack, imap, ana.address, make(ana, "pop3", name="PC")) == {"pop3"}
    assert doors(stack, imap, ana.address, make(ana, "sieve", name="Filtros")) == {"sieve"}
    assert doors(stack, imap, ana.address, ana.password) == set(ALL)


def test_it_reads_and_sends_mail_as_the_mailbox(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana, beto = mailbox_factory("ana"), mailbox_factory("beto")
    shop = create_alias(address=ana.address.replace("ana@", "ventas@"), target=ana.mailbox).address
    make(beto)
    password = make(ana)
    client = submission(stack, ana.address, password)
    for sender in (ana.address, shop):
        client.sendmail(sender, [ana.address], letter(sender, ana.address))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail(beto.address, [ana.address], letter(beto.address, ana.address))
    reader = imap(ana.address, password)
    reader.select_folder("INBOX")
    until = time.monotonic() + 20
    while len(reader.search()) < 2 and time.monotonic() < until:
        time.sleep(0.02)
        reader.noop()
    letters = [data[b"RFC822"] for data in reader.fetch(reader.search(), ["RFC822"]).values()]
    assert len(letters) == 2
    assert not [text for text in letters if b"#" in text]  # by which password somebody sent stays here


def test_what_is_revoked_sends_no_more_where_it_was_signed_in(stack: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    gone, kept = (make_app_password(mailbox=ana.mailbox, name=name, protocols=["smtp"]) for name in ("PC", "Mac"))
    clients = {one.row.name: submission(stack, ana.address, one.password) for one in (gone, kept)}
    clients["own"] = submission(stack, ana.address, ana.password)

    def may_send(sender: str = ana.address) -> set[str]:
        codes = {
            name: (client.rset(), client.mail(sender), client.rcpt(ana.address)[0]) for name, client in clients.items()
        }
        return {name for name, (_reset, _mail, code) in codes.items() if code == 250}

    assert may_send() == {"PC", "Mac", "own"}
    revoke_app_password(gone.row)
    assert may_send() == may_send(sender="") == {"Mac", "own"}
    AppPassword.objects.update(smtp=False)
    assert may_send() == {"own"}
    ana.mailbox.sends = False
    ana.mailbox.save()
    AppPassword.objects.update(smtp=True)
    assert may_send() == set()


def test_it_is_held_to_the_quota_of_the_mailbox(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana", quota_bytes=20_000)
    client = imap(ana.address, make(ana))
    assert client.get_quota_root("INBOX")[1][0].limit == 20
    with pytest.raises(Exception, match="OVERQUOTA"):
        client.append("INBOX", b"Subject: x\r\n\r\n" + b"x" * 30_000)


def test_another_mailbox_and_near_misses_stay_shut(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana, beto = mailbox_factory("ana"), mailbox_factory("beto")
    password = make(ana)
    assert doors(stack, imap, beto.address, password) == set()
    wrong = (password.upper(), digest_of(password), "' OR '1'='1", "%{sha256:user}")  # one door: all ask the same

    def refused(text: str) -> bool:
        with pytest.raises(LoginError):
            imap(ana.address, text)
        return True

    with ThreadPoolExecutor(len(wrong)) as threads:
        assert all(threads.map(refused, wrong))
    assert doors(stack, imap, f"{ana.address}*casilla", password) == set()


def test_what_the_mailbox_may_not_its_devices_may_not(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana", pop3=False, smtp=False)
    password = make(ana)
    assert doors(stack, imap, ana.address, password) == {"imap", "sieve"}
    suspend_mailbox(mailbox=ana.mailbox)
    assert doors(stack, imap, ana.address, password) == set()


def test_a_new_password_of_the_mailbox_leaves_its_devices_alone(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    password = make(ana)
    set_mailbox_password(mailbox=ana.mailbox, password="otra-clave")
    assert "imap" in doors(stack, imap, ana.address, password)


def test_what_is_kept_does_not_hold_the_password(mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    password = make(ana)
    (row,) = AppPassword.objects.values()
    assert password not in repr(row)
    assert row["digest"] == digest_of(password)
    assert len({new_password() for _ in range(1000)}) == 1000
    assert len(password.replace("-", "")) == 16


def test_names_are_the_mailboxs_own_and_a_device_gets_a_number(mailbox_factory: Any) -> None:
    ana, beto = mailbox_factory("ana"), mailbox_factory("beto")
    make(ana)
    make(beto)
    with pytest.raises(NameTaken):
        make(ana)
    made = [make_for_device(mailbox=ana.mailbox, device="x" * 80, protocols=["imap"]).row.name for _ in range(3)]
    assert made == ["x" * 60, "x" * 58 + " 2", "x" * 58 + " 3"]
    for wrong in ("", "  \n ", "a\nb"):
        with pytest.raises(ValidationError, match="name"):
            make(ana, name=wrong)
    with pytest.raises(ValueError, match="a protocol"):
        make_app_password(mailbox=ana.mailbox, name="y", protocols=["admin"])


def test_there_is_a_limit(mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    for number in range(MOST):
        make(ana, "imap", name=str(number))
    with pytest.raises(TooMany):
        make(ana, name="one more")


def test_the_mail_servers_lookup_is_one_index_search(mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    query = (
        "SELECT u.email, a.id FROM mail_app_passwords a JOIN mail_users u ON u.email = a.email "
        "WHERE a.digest = %s AND a.email = %s AND u.active AND a.imap AND u.imap"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}", [digest_of("x"), ana.address])
        plan = [row[3] for row in cursor.fetchall()]
    assert plan
    assert all("SCAN" not in step for step in plan), plan
    assert any("digest" in step for step in plan)


def test_a_suspended_mailbox_with_devices_still_refuses_mail(stack: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    make(ana)
    suspend_mailbox(mailbox=ana.mailbox)
    assert recipient_reply(stack, ana.address)[0] == 550


def test_each_shows_when_how_and_from_where_it_was_last_used(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    made = [
        make_app_password(mailbox=ana.mailbox, name=name, protocols=ALL) for name in ("Mac", "PC", "Filtros", "Nadie")
    ]
    collector = Collector(Path(settings.DOVECOT_LOG))
    while collector.step():
        pass  # what others left in the log
    imap(ana.address, made[0].password)
    imap(ana.address, ana.password)
    pop3(stack, ana.address, made[1].password).quit()
    assert sieve_login(stack, "", ana.address, made[2].password).startswith(b"OK")
    until = time.monotonic() + 20
    while AppPassword.objects.filter(last_at=None).count() > 1 and time.monotonic() < until:
        collector.step()
        time.sleep(0.02)
    collector.close()
    seen = list(AppPassword.objects.order_by("pk").values_list("name", "last_protocol", "last_network"))
    assert seen == [("Mac", "imap", "127.0.0.0/24"), ("PC", "pop3", "127.0.0.0/24"), ("Filtros", "sieve", "127.0.0.0/24"),
                    ("Nadie", "", "")]  # fmt: skip


def test_each_shows_when_and_from_where_it_last_sent(stack: Any, mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    phone = make(ana)
    make(ana, name="Nadie")
    collector = sending(Path(settings.POSTFIX_LOG))
    while collector.step():
        pass
    uses, sent = ProgramUse.objects.filter(mailbox=ana.mailbox), MailboxEvent.objects.filter(mailbox=ana.mailbox)
    doors = [(ana.address, phone)] * 2 + [(ana.address, ana.password), (ana.master_login, stack.secrets.master)]
    for login, password in doors:
        client = submission(stack, login, password)
        client.sendmail(ana.address, [ana.address], letter(ana.address, ana.address))
    until = time.monotonic() + 20
    while sum(sent.values_list("count", flat=True)) < len(doors) and time.monotonic() < until:
        collector.step()
        time.sleep(0.02)
    collector.close()
    fields = ("name", "last_protocol", "last_network", "sent_network")
    seen = list(AppPassword.objects.order_by("pk").values_list(*fields))
    assert seen == [("Teléfono", "smtp", "127.0.0.0/24", "127.0.0.0/24"), ("Nadie", "", "", None)]
    rows = AppPassword.objects.filter(sent_at__gt=timezone.now() - timedelta(minutes=5), last_at=F("sent_at"))
    assert [row.name for row in rows] == ["Teléfono"]
    assert set(uses.values_list("protocol", "device", "sign_ins")) == {("smtp", "Teléfono", 2), ("smtp", "", 1)}
    told = {
        (entry.kind, who_name(entry), entry.way, entry.network, entry.count)
        for entry in timeline_of(ana.mailbox).entries
    }
    assert told == {
        ("sent", "Teléfono", "SMTP", "127.0.0.0/24", 2),
        ("sent", "A program without a name", "SMTP", "127.0.0.0/24", 1),
        ("sent", "Casilla on the web", "web", "", 1),
    }


def test_a_revoked_one_ends_at_once_with_what_was_open(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    ana, beto = mailbox_factory("ana"), mailbox_factory("beto")
    gone = make_app_password(mailbox=ana.mailbox, name="Perdido", protocols=ALL)
    kept = make(ana, name="Mac")
    reader, popper = imap(ana.address, gone.password), pop3(stack, ana.address, gone.password)
    other = imap(beto.address)
    reader.select_folder("INBOX")
    assert revoke_app_password(gone.row)
    assert doors(stack, imap, ana.address, gone.password) == set()
    assert ends(reader.noop)
    assert ends(popper.noop)
    other.noop()
    assert doors(stack, imap, ana.address, kept) == set(ALL)


def test_it_is_revoked_where_the_server_cannot_be_asked_too(
    stack: Any, imap: Any, mailbox_factory: Any, settings: Any
) -> None:
    settings.DOVEADM_URL = "http://127.0.0.1:1/doveadm/v1"
    ana = mailbox_factory("ana")
    made = make_app_password(mailbox=ana.mailbox, name="Perdido", protocols=ALL)
    assert not revoke_app_password(made.row)
    assert doors(stack, imap, ana.address, made.password) == set()
