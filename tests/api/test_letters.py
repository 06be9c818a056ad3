"""What pages could do and the API could not: guides and invitations by mail, a profile for a device, quotas taken back."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core import mail

from accounts.models import AppPassword, Invitation, Mailbox
from tests.api.conftest import call, conforms, token_of
from tests.portal.conftest import PASSWORD, World, make_mailbox, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def test_a_guide_goes_to_the_owner_in_the_language_asked_for(world: World, settings: Any) -> None:
    box, token = world.one.mailbox, token_of(world.one.people["domain"])
    where = f"/mailboxes/{box.pk}/setup"
    sent = call(token, "POST", f"{where}/outlook/letter", {"protocol": "imap", "language": "es"})
    assert (sent.json(), conforms("POST", "/mailboxes/{mailbox_id}/setup/{program}/letter", sent)) == (
        {"to": box.address},
        "",
    )
    [letter] = mail.outbox
    assert (letter.to, "Cómo" in letter.subject) == ([box.address], True)
    Mailbox.objects.filter(pk=box.pk).update(recovery_address="ana@afuera.example", pop3=False)
    assert call(token, "POST", f"{where}/outlook/letter", {}).json() == {"to": "ana@afuera.example"}
    assert "How to" in mail.outbox[1].subject
    shut = call(token, "POST", f"{where}/outlook/letter", {"protocol": "pop3"})
    assert set(shut.json()["errors"]) == {"protocol"}
    assert call(token, "POST", f"{where}/nada/letter", {}).status_code == 404
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 2
    assert call(token, "POST", f"{where}/outlook/letter", {}).status_code == 503
    Mailbox.objects.filter(pk=box.pk).update(active=False)
    assert call(token, "POST", f"{where}/outlook/letter", {}).status_code == 409


def test_the_owner_makes_a_profile_with_the_mailboxs_password(world: World, settings: Any) -> None:
    settings.PROFILE_CERT_FILE = ""  # no server runs whose certificate would sign
    box, token = world.one.mailbox, token_of(world.one.people["owner"])
    where, data = f"/mailboxes/{box.pk}/profile", {"device": "iPad de Ana", "protocol": "imap"}
    assert set(call(token, "POST", where, data).json()["errors"]) == {"current_password"}
    assert set(call(token, "POST", where, data | {"current_password": "x"}).json()["errors"]) == {"current_password"}
    assert not AppPassword.objects.exists()
    made = call(token, "POST", where, data | {"current_password": PASSWORD})
    assert (made.status_code, conforms("POST", "/mailboxes/{mailbox_id}/profile", made)) == (201, "")
    assert made.json()["content_type"] == "application/x-apple-aspen-config"
    assert box.address.encode() in base64.b64decode(made.json()["profile"])
    row = AppPassword.objects.get(pk=made.json()["app_password"])
    assert (row.name, row.imap, row.smtp, row.pop3) == ("iPad de Ana", True, True, False)
    boss = token_of(world.provider)
    assert call(boss, "POST", where, data | {"current_password": PASSWORD}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_sent_again_with_another_link(world: World) -> None:
    row, token = world.one.invitation, token_of(world.one.people["domain"])
    before, where = row.digest, f"/invitations/{row.pk}/send"
    again = call(token, "POST", where, **{"Idempotency-Key": "s-1"})
    assert (again.json()["letter"], conforms("POST", "/invitations/{invitation_id}/send", again)) == ("sent", "")
    after = Invitation.objects.get(pk=row.pk).digest
    assert (after == before, len(mail.outbox)) == (False, 1)
    replayed = call(token, "POST", where, **{"Idempotency-Key": "s-1"})
    assert (replayed.content, len(mail.outbox)) == (again.content, 1)
    assert call(token_of(world.two.people["domain"]), "POST", where).status_code == 404


def test_quotas_are_taken_back(world: World) -> None:
    side, token = world.one, token_of(world.one.people["customer"])
    boxes = [side.mailbox, make_mailbox(side.domain, "otra", quota_bytes=3 * 10**9)]
    data = {"mailboxes": [one.pk for one in boxes], "quota_bytes": 2 * 10**9}
    undo = call(token, "POST", "/space/quotas", data).json()["undo"]
    other = call(token_of(world.two.people["customer"]), "POST", "/space/quotas/undo", {"undo": undo})
    assert other.status_code == 409
    back = call(token, "POST", "/space/quotas/undo", {"undo": undo})
    assert (back.json(), conforms("POST", "/space/quotas/undo", back)) == ({"changed": 2}, "")
    assert sorted(Mailbox.objects.filter(domain=side.domain).values_list("quota_bytes", flat=True)) == [
        3 * 10**9,
        5 * 10**9,
    ]
    assert call(token, "POST", "/space/quotas/undo", {"undo": undo}).status_code == 409
    assert set(call(token, "POST", "/space/quotas/undo", {"undo": "x"}).json()["errors"]) == {"undo"}
    same = {"mailboxes": [side.mailbox.pk], "quota_bytes": 5 * 10**9}
    assert call(token, "POST", "/space/quotas", same).json()["undo"] is None
