"""People of the demo are made once, whatever was done to them since."""

from __future__ import annotations

import pytest

from accounts.models import Mailbox
from accounts.services.audit import SYSTEM
from accounts.services.mailboxes import rename
from deploy.people import PEOPLE
from webmail.management.commands.seed_demo import make_people

pytestmark = pytest.mark.django_db


def test_a_mailbox_that_was_renamed_is_not_made_again() -> None:
    passwords = {person.address: "una-clave-larga-9" for person in PEOPLE}
    make_people(passwords)
    for mailbox in Mailbox.objects.all():
        rename(mailbox=mailbox, local=f"otra-{mailbox.number}", by=SYSTEM, keep_alias=False)
    make_people(passwords)
    assert Mailbox.objects.count() == len(PEOPLE)
    assert all(mailbox.address.startswith("otra-") for mailbox in Mailbox.objects.all())
