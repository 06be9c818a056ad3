"""On PostgreSQL two workers pass each other by SKIP LOCKED: the same claim, on the database of production."""

from __future__ import annotations

import pytest

from deploy.stack import Stack
from tests.test_postgres import manage, production  # noqa: F401 - a fixture

pytestmark = [pytest.mark.server, pytest.mark.slow]
SEND = """
import threading
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
rows = set(Outgoing.objects.values_list("state", "filed", "note"))
assert rows == {("sent", True, "")}, rows
assert max(Outgoing.objects.values_list("attempts", flat=True)) <= 2
"""


def test_workers_pass_each_other(production: Stack) -> None:  # noqa: F811
    production.start(["redis"])
    manage(production, "shell", "-v", "0", "-c", SEND)
