"""What is changed in the browser counts for the real Dovecot and Postfix from the next second on."""

from __future__ import annotations

import poplib
import re
import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from accounts.models import (
    Customer,
    Domain,
    Invitation,
    Kind,
    MailAccount,
    Mailbox,
    MailboxUsage,
    Plan,
    SpaceAlert,
    User,
)
from accounts.provisioning.passwords import hash_batch_password
from accounts.services.app_passwords import make_app_password
from accounts.services.audit import SYSTEM
from accounts.services.customers import create_server
from accounts.services.purging import purge
from accounts.services.suspending import resume_customer, suspend_customer
from accounts.services.usage.standing import refresh_standing
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.conftest import TIMEOUT_S
from tests.portal.conftest import PASSWORD, give
from webmail.templatetags.casilla import folder_token

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
Imap = Callable[..., IMAPClient]


@pytest.fixture
def domain(stack: Stack, transactional_db: None) -> Domain:
    customer = Customer.objects.create(name="Cliente", plan=Plan.objects.create(name="Taller"))
    return Domain.objects.create(name=f"portal{time.time_ns()}.test", customer=customer)


@pytest.fixture
def admin(domain: Domain) -> Client:
    person = User.objects.create_user("administra@afuera.example", PASSWORD)
    give(person, Kind.DOMAIN, domain=domain)
    client = Client(headers={"accept-language": "en"})
    client.force_login(person, backend="accounts.backends.HostedMailboxBackend")
    return client


class Box:
    """A mailbox that was made in the browser, with the password that its page showed."""

    def __init__(self, admin: Client, domain: Domain, local: str, **data: str) -> None:
        self.admin = admin
        page = admin.post(reverse("portal:mailbox_new", args=[domain.pk]), {"new-address": local} | data)
        assert page.status_code == 200, page.content.decode()
        found = re.search(r'id="secret"[^>]*>([^<]+)<', page.content.decode())
        assert found
        self.password = found[1]
        self.mailbox = Mailbox.objects.get(address=f"{local}@{domain.name}")
        self.address = self.mailbox.address

    def post(self, name: str, /, **data: str) -> Any:
        answer = self.admin.post(reverse(f"portal:{name}", args=[self.mailbox.pk]), data)
        assert answer.status_code in {200, 302}, answer.content.decode()
        return answer


@pytest.fixture
def ana(admin: Client, domain: Domain) -> Box:
    return Box(admin, domain, "ana")


@pytest.fixture
def smtp(stack: Stack) -> Iterator[Callable[..., smtplib.SMTP]]:
    """Postfix: its door for other servers, or with a login that of submission."""
    opened = []

    def connect(login: str = "", password: str = "") -> smtplib.SMTP:
        port = stack.ports.submission if login else stack.ports.smtp
        client = smtplib.SMTP(LOOPBACK, port, "prueba.example", TIMEOUT_S)
        opened.append(client)
        client.ehlo()
        if login:
            client.login(login, password)
        return client

    yield connect
    for client in opened:
        client.close()


def rcpt(client: smtplib.SMTP, address: str, sender: str = "x@afuera.example") -> tuple[int, str]:
    client.rset()
    code, text = client.mail(sender)
    if code == 250:
        code, text = client.rcpt(address)
    return code, text.decode()


def pop3(stack: Stack, address: str, password: str) -> poplib.POP3:
    client = poplib.POP3(LOOPBACK, stack.ports.pop3, timeout=TIMEOUT_S)
    client.user(address)
    client.pass_(password)
    return client


def until(done: Callable[[], Any]) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not done():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def is_over(client: IMAPClient | poplib.POP3) -> bool:
    """Whether the server has ended this session."""
    try:
        client.noop()
    except (IMAPClient.Error, poplib.error_proto, OSError):
        return True
    return False


def inbox(imap: Imap, box: Box) -> int:
    return int(imap(box.address, box.password).select_folder("INBOX")[b"EXISTS"])


def test_a_new_mailbox_receives_and_takes_every_login_at_once(
    stack: Stack, ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP]
) -> None:
    assert rcpt(smtp(), ana.address)[0] == 250
    client = smtp(ana.address, ana.password)
    client.sendmail(ana.address, [ana.address], b"Subject: a\r\n\r\nHola\r\n")
    until(lambda: inbox(imap, ana) == 1)
    assert pop3(stack, ana.address, ana.password).stat()[0] == 1


def test_mail_of_a_domain_lies_on_its_server(
    stack: Stack, domain: Domain, admin: Client, imap: Imap, deliver: Any, smtp: Callable[..., smtplib.SMTP]
) -> None:
    folder = stack.root / "mail" / f"disk{time.time_ns()}"
    domain.server = create_server(name=folder.name, path=str(folder), disk_bytes=None, by=SYSTEM)
    domain.save()
    box = Box(admin, domain, "lejos")
    assert rcpt(smtp(), box.address)[0] == 250
    deliver(box.address, b"Subject: a\r\n\r\nHola\r\n")
    assert inbox(imap, box) == 1
    assert pop3(stack, box.address, box.password).stat()[0] == 1
    with_device = make_app_password(mailbox=box.mailbox, name="Laptop", protocols=("imap",), by=SYSTEM)
    client = imap(box.address, with_device.password)
    assert client.select_folder("INBOX")[b"EXISTS"] == 1
    home = folder / str(box.mailbox.home)
    assert (home / "sdbox").is_dir()
    assert not (stack.root / "mail" / str(box.mailbox.home)).exists()
    box.post("mailbox_delete")
    box.mailbox.refresh_from_db()
    assert purge(mailbox=box.mailbox)
    assert not home.exists()


def test_each_way_is_suspended_on_its_own(
    stack: Stack, ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP]
) -> None:
    sender = smtp(ana.address, ana.password)
    ana.post("mailbox_state", active="on", receives="on")
    # Sending: refused also in the session that was open already; reading goes on.
    code, text = rcpt(sender, "otra@afuera.example", sender=ana.address)
    assert (code, text[:5]) == (550, "5.7.1")
    assert inbox(imap, ana) == 0
    ana.post("mailbox_state", active="on", sends="on")
    code, text = rcpt(smtp(), ana.address)
    assert (code, text[:5]) == (550, "5.2.1")
    assert inbox(imap, ana) == 0
    sender = smtp(ana.address, ana.password)
    ana.post("mailbox_state", receives="on", sends="on")
    assert rcpt(smtp(), ana.address)[0] == 250
    assert rcpt(sender, ana.address, sender=ana.address)[0] == 550
    with pytest.raises(smtplib.SMTPAuthenticationError):
        smtp(ana.address, ana.password)
    with pytest.raises(LoginError):
        imap(ana.address, ana.password)
    ana.post("mailbox_state", active="on", receives="on", sends="on")
    assert inbox(imap, ana) == 0
    assert rcpt(smtp(ana.address, ana.password), ana.address, sender=ana.address)[0] == 250


def test_shutting_sending_ends_no_session_and_shutting_a_protocol_of_dovecot_ends_all(ana: Box, imap: Imap) -> None:
    client = imap(ana.address, ana.password)
    kept = {"imap": "on", "pop3": "on", "sieve": "on", "quota": "5 GB", "name": "", "recovery_address": ""}
    ana.post("mailbox", **kept)
    ana.mailbox.refresh_from_db()
    assert not ana.mailbox.smtp
    assert client.noop()
    ana.post("mailbox", **{name: value for name, value in kept.items() if name != "pop3"})
    until(lambda: is_over(client))
    assert imap(ana.address, ana.password).noop()  # and comes back


def test_open_sessions_end_when_signing_in_is_suspended(stack: Stack, ana: Box, imap: Imap) -> None:
    client, pop = imap(ana.address, ana.password), pop3(stack, ana.address, ana.password)
    assert client.noop()
    ana.post("mailbox_state", receives="on", sends="on")
    until(lambda: is_over(client))
    until(lambda: is_over(pop))


def test_a_new_password_ends_what_the_old_one_opened(ana: Box, imap: Imap) -> None:
    device = make_app_password(mailbox=ana.mailbox, name="Mac", protocols=["imap"]).password
    client, other = imap(ana.address, ana.password), imap(ana.address, device)
    new = {"password": "once-timbres-lejanos-8", "again": "once-timbres-lejanos-8"}
    ana.post("mailbox_password", everywhere="on", **new)
    for old in (ana.password, device):
        with pytest.raises(LoginError):
            imap(ana.address, old)
    imap(ana.address, "once-timbres-lejanos-8")
    until(lambda: is_over(client))
    until(lambda: is_over(other))


def test_a_new_password_silences_a_session_that_hands_mail_in(ana: Box, smtp: Callable[..., smtplib.SMTP]) -> None:
    session = smtp(ana.address, ana.password)
    assert rcpt(session, ana.address, ana.address)[0] == 250
    again = {"password": "once-timbres-lejanos-8", "again": "once-timbres-lejanos-8"}
    ana.post("mailbox_password", **again)
    code, text = rcpt(session, ana.address, ana.address)
    assert code == 550
    assert "may not send any more" in text
    assert rcpt(smtp(ana.address, again["password"]), ana.address, ana.address)[0] == 250


def test_a_protocol_that_is_not_in_the_plan_is_shut(stack: Stack, ana: Box, imap: Imap, domain: Domain) -> None:
    assert pop3(stack, ana.address, ana.password).stat() == (0, 0)
    Plan.objects.update(pop3=False)
    with pytest.raises(poplib.error_proto):
        pop3(stack, ana.address, ana.password)
    assert inbox(imap, ana) == 0


def test_over_quota_is_refused_at_the_door(
    ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP], deliver: Callable[[str, bytes], None]
) -> None:
    deliver(ana.address, b"Subject: a\r\n\r\n" + (b"y" * 76 + b"\r\n") * 15_000)
    assert rcpt(smtp(), ana.address)[0] == 250
    ana.post("mailbox", quota="1 MB", imap="on", pop3="on", smtp="on", sieve="on", name="", recovery_address="")
    code, text = rcpt(smtp(), ana.address)
    assert (code, text[:5]) == (552, "5.2.2")
    usage = MailboxUsage.objects.filter(username=ana.address)
    until(lambda: usage.values_list("bytes", flat=True).first())
    refresh_standing()  # every two minutes
    page = ana.admin.get(reverse("portal:domain", args=[ana.mailbox.domain_id]) + "?show=full").content.decode()
    assert ana.address in page


def test_another_quota_holds_for_a_webmail_that_is_open(
    ana: Box, deliver: Callable[[str, bytes], None], imap: Imap
) -> None:
    deliver(ana.address, b"Subject: a\r\n\r\n" + (b"y" * 76 + b"\r\n") * 15_000)
    switches = {"imap": "on", "pop3": "on", "smtp": "on", "sieve": "on", "name": "", "recovery_address": ""}
    owner = Client(headers={"accept-language": "en"})
    entry = {"login": ana.address, "password": ana.password}
    assert owner.post(reverse("account_login"), entry).status_code == 302
    account = MailAccount.objects.get(mailbox=ana.mailbox)
    User.objects.filter(pk=account.owner_id).update(language="en")
    inbox_url, space_url = f"/mail/{account.pk}/f/{folder_token('INBOX')}/", f"/mail/{account.pk}/space/"

    def copied() -> str:
        ref = re.search(r'data-ref="([0-9.]+)"', owner.get(inbox_url).content.decode())
        assert ref
        form = {"do": "copy", "refs": ref[1], "to": folder_token("Archive")}
        return owner.post(f"{inbox_url}change/", form, headers={"hx-request": "true"}).content.decode()

    assert "data-failed" not in copied()
    program = imap(ana.address, ana.password)
    until(MailboxUsage.objects.filter(username=ana.address, bytes__gt=1_100_000).exists)
    ana.post("mailbox", quota="1 MB", **switches)
    until(lambda: is_over(program))
    assert "data-failed" in copied()
    told = SpaceAlert.objects.filter(mailbox=ana.mailbox, cleared=None)
    assert "The mailbox is full" in owner.get(space_url).content.decode()
    assert [one.percent for one in told] == [100]
    ana.post("mailbox", quota="20 MB", **switches)
    assert "data-failed" not in copied()
    assert "of 20" in owner.get(space_url).content.decode()
    assert not told.all().exists()


def test_a_renamed_mailbox_keeps_its_mail_and_the_old_address(
    ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP], deliver: Callable[[str, bytes], None]
) -> None:
    deliver(ana.address, b"Subject: antes\r\n\r\nHola\r\n")
    old = ana.address
    ana.post("mailbox_rename", address="beatriz", keep_alias="on")
    ana.address = old.replace("ana@", "beatriz@")
    assert inbox(imap, ana) == 1
    with pytest.raises(LoginError):
        imap(old, ana.password)
    smtp().sendmail("x@afuera.example", [old], b"Subject: despues\r\n\r\nHola\r\n")
    until(lambda: inbox(imap, ana) == 2)
    assert rcpt(smtp(ana.address, ana.password), ana.address, sender=old)[0] == 250


def test_who_gets_an_address_anew_finds_nothing_of_the_earlier_owner(
    admin: Client, domain: Domain, ana: Box, imap: Imap, deliver: Callable[[str, bytes], None]
) -> None:
    deliver(ana.address, b"Subject: secreto\r\n\r\nHola\r\n")
    ana.post("mailbox_rename", address="beatriz")
    again = Box(admin, domain, "ana")
    assert inbox(imap, again) == 0


def test_a_deleted_mailbox_is_shut_can_be_had_back_and_is_gone_in_the_end(
    stack: Stack, ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP], deliver: Callable[[str, bytes], None]
) -> None:
    deliver(ana.address, b"Subject: antes\r\n\r\nHola\r\n")
    home = stack.root / "mail" / str(ana.mailbox.home)
    open_ = imap(ana.address, ana.password)
    ana.post("mailbox_delete")
    assert rcpt(smtp(), ana.address)[0] == 550
    with pytest.raises(LoginError):
        imap(ana.address, ana.password)
    until(lambda: is_over(open_))
    ana.post("mailbox_restore")
    assert inbox(imap, ana) == 1
    ana.post("mailbox_delete")
    assert list(home.rglob("u.*"))
    ana.mailbox.refresh_from_db()
    assert purge(mailbox=ana.mailbox)
    assert not list(home.rglob("u.*"))
    assert not Mailbox.objects.filter(address=ana.address).exists()


def test_the_mail_of_a_suspended_domain_is_refused_as_closed(
    ana: Box, domain: Domain, imap: Imap, smtp: Callable[..., smtplib.SMTP]
) -> None:
    Domain.objects.filter(pk=domain.pk).update(active=False)
    code, text = rcpt(smtp(), ana.address)
    assert (code, text[:5]) == (550, "5.2.1")
    assert rcpt(smtp(), f"nadie@{domain.name}")[0] == 550
    with pytest.raises(LoginError):
        imap(ana.address, ana.password)


def test_a_suspended_customer_is_shut_everywhere_and_back_as_it_was(
    stack: Stack, admin: Client, ana: Box, domain: Domain, imap: Imap, smtp: Callable[..., smtplib.SMTP]
) -> None:
    bob = Box(admin, domain, "bob")
    bob.post("mailbox_state", active="on", sends="on")
    alias, group = f"ventas@{domain.name}", f"todos@{domain.name}"
    admin.post(reverse("portal:alias_new", args=[domain.pk]), {"alias-address": "ventas", "alias-target": "ana"})
    admin.post(reverse("portal:group_new", args=[domain.pk]), {"group-address": "todos", "group-members": "ana"})
    client, pop = imap(ana.address, ana.password), pop3(stack, ana.address, ana.password)
    sending = smtp(ana.address, ana.password)
    assert rcpt(sending, ana.address, sender=alias)[0] == 250
    suspend_customer(customer=domain.customer, by=SYSTEM)
    for address in (ana.address, alias, group):
        code, text = rcpt(smtp(), address)
        assert (code, text[:5]) == (550, "5.2.1"), address
    for sender in (ana.address, alias):  # in the session that was open
        code, text = rcpt(sending, ana.address, sender=sender)
        assert (code, text[:5]) == (550, "5.7.1"), sender
    with pytest.raises(LoginError):
        imap(ana.address, ana.password)
    until(lambda: is_over(client))
    until(lambda: is_over(pop))
    resume_customer(customer=domain.customer, by=SYSTEM)
    imap(ana.address, ana.password)
    for address in (ana.address, alias, group):
        assert rcpt(smtp(), address)[0] == 250, address
    assert rcpt(smtp(), bob.address)[1][:5] == "5.2.1"  # shut before, and still


@pytest.mark.parametrize("copy", [True, False])
def test_mail_is_sent_on_with_and_without_a_copy(
    admin: Client, domain: Domain, ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP], copy: bool
) -> None:
    bob = Box(admin, domain, "bob")
    ana.post("mailbox_forwards", forwards=bob.address, **({"keeps_copy": "on"} if copy else {}))
    smtp().sendmail("x@afuera.example", [ana.address], b"Subject: a\r\n\r\nHola\r\n")
    until(lambda: inbox(imap, bob) == 1)
    if copy:
        until(lambda: inbox(imap, ana) == 1)
    else:
        assert inbox(imap, ana) == 0


def test_while_sending_is_suspended_mail_is_kept_and_not_sent_on(
    admin: Client, domain: Domain, ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP]
) -> None:
    bob = Box(admin, domain, "bob")
    ana.post("mailbox_forwards", forwards=bob.address)
    ana.post("mailbox_state", active="on", receives="on")
    smtp().sendmail("x@afuera.example", [ana.address], b"Subject: a\r\n\r\nHola\r\n")
    until(lambda: inbox(imap, ana) == 1)
    ana.post("mailbox_state", active="on", receives="on", sends="on")
    smtp().sendmail("x@afuera.example", [ana.address], b"Subject: b\r\n\r\nHola\r\n")
    until(lambda: inbox(imap, bob) == 1)
    assert inbox(imap, ana) == 1


def test_aliases_groups_and_the_catch_all_lead_where_they_say(
    admin: Client, domain: Domain, ana: Box, imap: Imap, smtp: Callable[..., smtplib.SMTP]
) -> None:
    bob = Box(admin, domain, "bob")
    host = domain.name
    admin.post(reverse("portal:alias_new", args=[domain.pk]), {"alias-address": "ventas", "alias-target": "ana"})
    members = f"{ana.address}\n{bob.address}"
    admin.post(reverse("portal:group_new", args=[domain.pk]), {"group-address": "todos", "group-members": members})
    door = smtp()
    assert rcpt(door, f"nadie@{host}")[0] == 550
    door.rset()
    door.sendmail("x@afuera.example", [f"ventas@{host}"], b"Subject: alias\r\n\r\nHola\r\n")
    door.sendmail("x@afuera.example", [f"todos@{host}"], b"Subject: grupo\r\n\r\nHola\r\n")
    until(lambda: inbox(imap, ana) == 2)
    until(lambda: inbox(imap, bob) == 1)
    admin.post(reverse("portal:domain_settings", args=[domain.pk]), {"catch_all": bob.address})
    door.sendmail("x@afuera.example", [f"nadie@{host}"], b"Subject: resto\r\n\r\nHola\r\n")
    door.sendmail("x@afuera.example", [ana.address], b"Subject: ana\r\n\r\nHola\r\n")
    until(lambda: inbox(imap, bob) == 2)
    until(lambda: inbox(imap, ana) == 3)


def test_a_letter_of_casillas_own_arrives(admin: Client, domain: Domain, ana: Box, imap: Imap, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    page = reverse("portal:domain_people", args=[domain.pk])
    answer = admin.post(page, {"address": ana.address, "kind": "domain"}, follow=True)
    assert "is on its way" in answer.content.decode()
    until(lambda: inbox(imap, ana) == 1)
    client = imap(ana.address, ana.password)
    client.select_folder("INBOX")
    letter = client.fetch([1], ["BODY[]"])[1][b"BODY[]"].decode()
    assert "/portal/invitation/" in letter


def test_a_letter_that_is_refused_says_so_and_is_sent_again(
    admin: Client, domain: Domain, imap: Imap, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    page = reverse("portal:domain_people", args=[domain.pk])
    admin.post(page, {"address": f"eva@{domain.name}", "kind": "domain"})
    assert "letter refused" in admin.get(page).content.decode()
    offer = Invitation.objects.get()
    again = reverse("portal:invitation_send", args=[offer.pk])
    eva = Box(admin, domain, "eva")
    door = settings.EMAIL_PORT
    with socket.socket() as shut:
        shut.bind((LOOPBACK, 0))
        settings.EMAIL_PORT = shut.getsockname()[1]
        admin.post(again)
    assert "letter not sent" in admin.get(page).content.decode()
    settings.EMAIL_PORT = door
    answer = admin.post(again, follow=True).content.decode()
    assert "is on its way" in answer
    assert "letter sent today" in answer
    until(lambda: inbox(imap, eva) == 1)
    assert Invitation.objects.get().digest != offer.digest


def test_a_password_of_a_list_opens_the_mailbox(stack: Any, imap: Any, mailbox_factory: Any) -> None:
    """Hashed by libsodium, checked by Dovecot."""
    ana = mailbox_factory("ana")
    type(ana.mailbox).objects.filter(pk=ana.mailbox.pk).update(password=hash_batch_password("bodega-timbre-lluvia-41"))
    assert imap(ana.address, "bodega-timbre-lluvia-41").select_folder("INBOX")[b"EXISTS"] == 0
