"""What one query tells of an account must be what the lists themselves say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import MailAccount, User
from webmail.models import Composing, Outgoing, OwnTag
from webmail.services.beside import Beside, look_beside
from webmail.services.sending import pending

pytestmark = pytest.mark.django_db


def make(address: str) -> MailAccount:
    return MailAccount.objects.create(owner=User.objects.create_user(address), address=address)


def outgoing(account: MailAccount, **fields: Any) -> None:
    now = timezone.now()
    Outgoing.objects.create(account=account, raw=b"", send_at=now, next_try=now, **fields)


def test_an_account_with_nothing_beside_its_mail() -> None:
    account = make("ana@beside.test")
    other = make("eva@beside.test")
    OwnTag.objects.create(account=other, keyword="x", name="X", colour=1)
    Composing.objects.create(account=other)
    outgoing(other)
    assert look_beside(account) == Beside(0, composing=False, tags=False, others=False)


def test_what_there_is_is_counted() -> None:
    account = make("ana@beside.test")
    MailAccount.objects.create(owner=account.owner, address="otra@beside.test")
    OwnTag.objects.create(account=account, keyword="x", name="X", colour=1)
    Composing.objects.create(account=account)
    for state in Outgoing.State:
        outgoing(account, state=state)
        outgoing(account, state=state, note="no_copy")
    beside = look_beside(account)
    assert beside == Beside(pending(account).count(), composing=True, tags=True, others=True)
    assert 0 < beside.outgoing < 2 * len(Outgoing.State)


def test_a_closed_composer_is_not_looked_for() -> None:
    account = make("ana@beside.test")
    Composing.objects.create(account=account, closed=True, changed=timezone.now() - timedelta(days=1))
    assert not look_beside(account).composing
