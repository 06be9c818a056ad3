"""On PostgreSQL two workers pass each other by SKIP LOCKED: the same claim, on the database of production."""

from __future__ import annotations

import imaplib
import time

import pytest

from deploy.stack import Stack
from tests.test_postgres import LOOPBACK, TIMEOUT_S, manage, production  # noqa: F401 - a fixture

pytestmark = [pytest.mark.server, pytest.mark.slow]
SEND = """
import threading
import time
from django.db import connection, transaction
from django.utils import timezone
from accounts.models import Mailbox
from accounts.services.login import account_of_mailbox
from webmail.models import Outgoing
from webmail.services.delivery import claim
from webmail.services.sending import enqueue
from webmail.tasks import send_due

account = account_of_mailbox(Mailbox.objects.get())
raw = b"Subject: a\\r\\nMessage-ID: <%d@x.test>\\r\\n\\r\\nHola\\r\\n"
for number in range(8):
    enqueue(account=account, raw=raw % number, sender=account.address, recipients=[account.address], subject="a",
            message_id=f"<{number}@x.test>", send_at=timezone.now())
with transaction.atomic():
    locked = Outgoing.objects.select_for_update().order_by("next_try", "pk").first()
    others = []
    def other():
        others.append(claim().pk)
        connection.close()
    thread = threading.Thread(target=other)
    thread.start()
    thread.join(10)
    assert others and others != [locked.pk], others
Outgoing.objects.filter(pk__in=others).update(state="waiting", lease_until=None)
def work():
    send_due()
    connection.close()
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join(60) for thread in threads]
until = time.monotonic() + 60
while Outgoing.objects.exclude(state="sent", filed=True).exists() and time.monotonic() < until:  # a busy server put one off
    Outgoing.objects.update(next_try=timezone.now(), file_next=None)
    send_due()
    time.sleep(0.2)
rows = set(Outgoing.objects.values_list("state", "filed", "note"))
assert rows == {("sent", True, "")}, rows
"""
PEOPLE = """
from datetime import UTC, datetime
from accounts.models import Mailbox
from accounts.services.login import account_of_mailbox
from webmail.models import Contact
from webmail.services.contacts import note_heard, suggest
account = account_of_mailbox(Mailbox.objects.get())
people = {"eva@x.test": "", "leo@x.test": "Leo"}
note_heard(account, people, first=True, moment=1_700_000_000)
note_heard(account, {**people, "eva@x.test": "Eva"}, first=True, moment=1_700_000_001)
rows = Contact.objects.order_by("email").values_list("email", "name", "heard", "last_used")
when = datetime.fromtimestamp(1_700_000_001, UTC)
assert list(rows) == [("eva@x.test", "Eva", 2, when), ("leo@x.test", "Leo", 2, when)], list(rows)
assert [one.email for one in suggest(account, "ev")] == ["eva@x.test"]
"""


def test_people_are_counted(production: Stack) -> None:  # noqa: F811
    production.start(["redis"])
    manage(production, "shell", "-v", "0", "-c", PEOPLE)


def test_workers_pass_each_other(production: Stack) -> None:  # noqa: F811
    production.start(["redis"])
    manage(production, "shell", "-v", "0", "-c", SEND)
    with imaplib.IMAP4(LOOPBACK, production.ports.imap, TIMEOUT_S) as own:
        own.login("bob@prueba.test", "clave")
        until = time.monotonic() + TIMEOUT_S
        while len(found := arrived(own)) < 8 and time.monotonic() < until:
            time.sleep(0.2)
    assert sorted(found) == [f"<{number}@x.test>" for number in range(8)]


def arrived(own: imaplib.IMAP4) -> list[str]:
    """The Message-IDs of what was sent, as they lie in the Inbox."""
    own.select("INBOX")
    _status, answers = own.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    heads = [part[1].decode() for part in answers if isinstance(part, tuple)]
    return [head.partition(":")[2].strip() for head in heads if "@x.test" in head]
