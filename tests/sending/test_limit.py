"""The day's limit of a plan, counted by the policy service that Postfix asks at the end of each message."""

from __future__ import annotations

import os
import smtplib
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Plan, SentToday
from accounts.services.app_passwords import make_app_password
from accounts.services.sending_limit import allowance_of, answer_policy, forget_old
from deploy import commands, probes
from tests.sending.conftest import Person, put_on_way
from tests.test_postgres import BASE
from tests.test_stack import submission
from webmail.models import Composing
from webmail.services.sending import deliver
from webmail.sieve.client import open_session
from webmail.values import Credentials, Endpoint

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def policy(stack: Any) -> Iterator[Any]:
    environment = os.environ | stack.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings", "TESTING": "1"}
    stack.spawn("policy", commands.policy(sys.executable, host="127.0.0.1"), env=environment, cwd=BASE)
    try:
        stack.wait_for("policy", lambda: probes.policy_answers(stack.ports.policy))
        yield stack
    finally:
        stack.stop(["policy"])


def limit(person: Person, recipients: int | None) -> None:
    Plan.objects.filter(customers__domains__mailboxes=person.hosted.mailbox).update(daily_sending_limit=recipients)


def manage_sieve(stack: Any, person: Person) -> Any:
    endpoint = Endpoint("localhost", stack.ports.sieve, "starttls")
    return open_session(endpoint, Credentials(person.address, person.hosted.password), ca_file=str(stack.ca_file))


def sent(person: Person) -> int:
    return sum(SentToday.objects.filter(mailbox=person.hosted.mailbox).values_list("recipients", flat=True))


def ask(stack: Any, question: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", stack.ports.policy), 5) as line:
        try:
            line.sendall(question)
            return line.recv(1000)
        except ConnectionError:  # hung up before all was read
            return b""


def test_who_has_sent_enough_today_is_refused_until_tomorrow(policy: Any, ana: Person, bob: Person) -> None:
    limit(ana, 3)
    phone = make_app_password(mailbox=ana.hosted.mailbox, name="Teléfono", protocols=["smtp"]).password
    with submission(policy, ana.address, phone) as client:
        client.sendmail(ana.address, [bob.address], b"Subject: 1\r\n\r\nHola\r\n")
    with submission(policy, ana.address, ana.hosted.password) as client:
        client.sendmail(ana.address, [bob.address, ana.address], b"Subject: 2\r\n\r\nHola\r\n")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(ana.address, [bob.address], b"Subject: 3\r\n\r\nHola\r\n")
        assert refused.value.smtp_code == 450
        assert b"0 of 3 recipients are left today, and this message has 1" in refused.value.smtp_error
    assert sent(ana) == 3
    limit(ana, 1)
    with submission(policy, ana.address, ana.hosted.password) as client:
        with pytest.raises(smtplib.SMTPDataError) as never:
            client.sendmail(ana.address, [bob.address, ana.address], b"Subject: 4\r\n\r\nHola\r\n")
        assert never.value.smtp_code == 550
    assert sent(ana) == 3
    SentToday.objects.update(day=timezone.localdate() - timedelta(days=1))
    limit(ana, 3)
    with submission(policy, ana.address, ana.hosted.password) as client:
        client.sendmail(ana.address, [bob.address], b"Subject: 5\r\n\r\nHola\r\n")


def test_the_webmail_is_counted_and_waits_for_tomorrow(policy: Any, ana: Person, bob: Person) -> None:
    limit(ana, 1)
    deliver(put_on_way(ana.account, bob.address).pk)
    assert sent(ana) == 1
    late = put_on_way(ana.account, bob.address)
    deliver(late.pk)
    late.refresh_from_db()
    assert (late.state, late.error, late.delivered) == ("waiting", "daily", False)
    tomorrow = timezone.localtime(late.next_try).date() - timezone.localdate()
    assert tomorrow.days == 1


def test_what_filters_forward_is_counted_and_else_kept(policy: Any, ana: Person, bob: Person) -> None:
    limit(ana, 1)
    with manage_sieve(policy, ana) as session:
        session.put("todo", f'redirect "{bob.address}";\n')
        session.activate("todo")
    for subject in (b"1", b"2"):
        with smtplib.LMTP("127.0.0.1", policy.ports.lmtp) as door:
            to = ana.address.replace("@", "+lista@")
            door.sendmail("x@afuera.test", [to], b"From: x@afuera.test\r\nSubject: " + subject + b"\r\n\r\nHola\r\n")
    assert sent(ana) == 1
    assert ana.imap.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == 1


def test_a_composer_says_it_before_it_sends(ana: Person, bob: Person) -> None:
    limit(ana, 1)
    client = Client(headers={"accept-language": "en"})
    client.force_login(ana.account.owner, backend="accounts.backends.HostedMailboxBackend")
    where = reverse("compose_new", args=[ana.account.pk])
    composer = client.get(where, follow=True).redirect_chain[-1][0]
    fields = {"do": "send", "to": f"{bob.address}, {ana.address}", "subject": "x", "text": "x", "plain": "1"}
    answer = client.post(composer, fields)
    assert answer.status_code == 422
    assert "Today this mailbox may send to 1 more" in answer.content.decode()
    assert Composing.objects.get().closed is False
    SentToday.objects.create(mailbox=ana.hosted.mailbox, day=timezone.localdate(), recipients=1)
    answer = client.post(composer, fields | {"to": bob.address})
    assert "has sent to as many as it may in a day" in answer.content.decode()
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    assert client.post(composer, fields | {"send_at": tomorrow}).status_code in {200, 302}


def test_many_at_once_cannot_pass_it(ana: Person) -> None:
    limit(ana, 10)
    question = {"protocol_state": "END-OF-MESSAGE", "sasl_username": ana.address, "recipient_count": "3"}

    def work(_number: int) -> str:
        try:
            return answer_policy(question)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(work, range(8)))
    assert (answers.count("DUNNO"), sent(ana)) == (3, 9)
    assert allowance_of(ana.hosted.mailbox).left == 1  # type: ignore[union-attr]


def test_what_is_no_question_of_this_kind_is_let_through(ana: Person) -> None:
    limit(ana, 0)
    end = {"protocol_state": "END-OF-MESSAGE", "sasl_username": ana.address, "recipient_count": "1"}
    assert answer_policy(end).startswith("550 5.7.1")
    for other in ({"protocol_state": "RCPT"}, {"sasl_username": "nadie@x.test"}, {"recipient_count": "uno"}):
        assert answer_policy(end | other) == "DUNNO"
    limit(ana, None)
    assert answer_policy(end) == "DUNNO"
    SentToday.objects.create(mailbox=ana.hosted.mailbox, day=timezone.localdate() - timedelta(days=99), recipients=1)
    assert forget_old() == 1


def test_a_hostile_question_harms_nobody(policy: Any, ana: Person) -> None:
    limit(ana, 0)
    assert ask(policy, b"x" * 100_000) == b""
    assert ask(policy, b"a=b\n" * 50_000) == b""
    assert ask(policy, b"sasl_username=\xff\x00\n=\nno equals\n\n") == b"action=DUNNO\n\n"
    end = f"protocol_state=END-OF-MESSAGE\nsasl_username={ana.address}\nrecipient_count=1\n\n".encode()
    assert ask(policy, end).startswith(b"action=550 5.7.1")
