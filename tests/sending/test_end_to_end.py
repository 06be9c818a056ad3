"""Through the real Postfix and Dovecot: who gets what, and what is left in the mailbox of who sent it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.utils import timezone

from accounts.services.hosting import create_alias, suspend_mailbox
from config import celery_app
from tests.sending.conftest import Person, letter, put_on_way, queued
from webmail.models import Outgoing
from webmail.services.sending import Draft, Parent, cancel, deliver, enqueue, pending, reschedule, send_now
from webmail.tasks import clear_outgoing, send_due, send_one
from webmail.values import FolderId, Ref

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def arrived(person: Person, message_id: str, *, count: int = 1) -> list[bytes]:
    """The octets of a message in the inbox, once Postfix has brought it there."""
    until = time.monotonic() + 10
    while len(found := person.copies("INBOX", message_id)) < count and time.monotonic() < until:
        time.sleep(0.05)
    return [raw for _flags, raw in found]


def row(outgoing: Outgoing) -> Outgoing:
    outgoing.refresh_from_db()
    return outgoing


def append(person: Person, folder: str, raw: bytes, *flags: bytes) -> Ref:
    answer = person.imap.append(folder, raw, flags)
    validity, uid = answer.decode().split("APPENDUID ")[1].split("]")[0].split()
    return Ref(FolderId(folder), int(validity), uid)


def flags_of(person: Person, ref: Ref) -> tuple[bytes, ...]:
    person.imap.select_folder(ref.folder, readonly=True)
    found = person.imap.get_flags([int(ref.id)])
    person.imap.unselect_folder()
    return tuple(found.get(int(ref.id), ()))


def test_a_message_arrives_and_is_kept_once(ana: Person, bob: Person) -> None:
    text = "Hola, José.\r\n.\r\n..dos\r\nFrom aquí\r\n"
    outgoing = put_on_way(ana.account, bob.address, text=text)
    assert [one.pk for one in pending(ana.account)] == [outgoing.pk]
    deliver(outgoing.pk)
    assert row(outgoing).state == "sent"
    assert outgoing.results == {bob.address: [250, outgoing.results[bob.address][1]]}
    assert "queued as" in outgoing.results[bob.address][1]
    (raw,) = arrived(bob, outgoing.message_id)
    assert raw.endswith(b"\r\n\r\n" + text.encode())
    ((flags, copy),) = ana.copies("Sent", outgoing.message_id)
    assert b"\\Seen" in flags
    assert copy.endswith(text.encode())
    assert (outgoing.filed, outgoing.note, bytes(outgoing.raw), outgoing.lease_token) == (True, "", b"", "")
    assert not pending(ana.account)
    deliver(outgoing.pk)
    assert send_due() == 0
    assert len(arrived(bob, outgoing.message_id, count=2)) == 1


def test_hidden_recipients_get_it_and_no_header_tells(ana: Person, bob: Person, person: Any) -> None:
    eva = person("eva")
    outgoing = put_on_way(ana.account, bob.address, eva.address)
    deliver(outgoing.pk)
    for who in (bob, eva):
        (raw,) = arrived(who, outgoing.message_id)
        other = eva if who is bob else bob
        if who is bob:
            assert other.address.encode() not in raw
        assert b"bcc" not in raw.lower()


def test_a_header_that_names_hidden_recipients_is_not_sent(ana: Person) -> None:
    message_id, raw = letter(ana.address, ana.address)
    for field in (b"Bcc: eva@x.test\r\n", b"resent-BCC : eva@x.test\r\n"):
        with pytest.raises(ValueError):
            put_on_way(ana.account, ana.address, raw=field + raw, message_id=message_id)
    assert put_on_way(ana.account, ana.address, text="Bcc: esto es texto\r\n")
    with pytest.raises(ValueError):
        enqueue(
            account=ana.account, raw=raw, sender="a@b", recipients=[], subject="", message_id="", send_at=timezone.now()
        )


def test_a_cancelled_message_is_never_sent(ana: Person, bob: Person) -> None:
    outgoing = put_on_way(ana.account, bob.address)
    assert cancel(outgoing=outgoing)
    assert outgoing.state == "cancelled"
    deliver(outgoing.pk)
    assert send_due() == 0
    assert row(outgoing).state == "cancelled"
    assert not pending(ana.account)
    assert not cancel(outgoing=outgoing)
    assert not send_now(outgoing=outgoing)


def test_what_is_sent_cannot_be_cancelled(ana: Person, bob: Person) -> None:
    outgoing = put_on_way(ana.account, bob.address)
    stale = Outgoing.objects.get(pk=outgoing.pk)
    deliver(outgoing.pk)
    assert not cancel(outgoing=stale)
    assert stale.state == "sent"


def test_a_scheduled_message_waits_for_its_time(ana: Person, bob: Person, redis: Any) -> None:
    later = timezone.now() + timedelta(hours=3)
    outgoing = put_on_way(ana.account, bob.address, send_at=later)
    deliver(outgoing.pk)
    assert send_due() == 0
    assert row(outgoing).state == "waiting"
    assert reschedule(outgoing=outgoing, send_at=later + timedelta(hours=1))
    assert row(outgoing).next_try == later + timedelta(hours=1)
    url = redis.environment()["REDIS_URL"]
    assert queued(url) == []
    assert send_now(outgoing=outgoing)
    assert queued(url) == [[outgoing.pk]]
    assert send_due() == 1
    assert row(outgoing).state == "sent"
    assert arrived(bob, outgoing.message_id)


def test_without_a_broker_the_message_is_on_its_way_all_the_same(ana: Person, bob: Person) -> None:
    Celery("nowhere", broker="redis://127.0.0.1:1/0").set_current()
    try:
        outgoing = put_on_way(ana.account, bob.address)
    finally:
        celery_app.set_current()
    send_one(outgoing.pk)
    assert row(outgoing).state == "sent"


def test_a_reply_marks_its_parent_and_removes_its_draft(ana: Person, bob: Person) -> None:
    _id, question = letter(bob.address, ana.address)
    parent = append(ana, "INBOX", question)
    message_id, raw = letter(ana.address, bob.address)
    draft = append(ana, "Drafts", raw, b"\\Draft")
    beside = append(ana, "Drafts", letter(ana.address, bob.address)[1], b"\\Draft", b"\\Deleted")
    outgoing = put_on_way(
        ana.account, bob.address, raw=raw, message_id=message_id, parent=Parent(parent, "reply"), draft=Draft(draft, message_id)
    )  # fmt: skip
    deliver(outgoing.pk)
    assert row(outgoing).filed
    assert b"\\Answered" in flags_of(ana, parent)
    assert ana.copies("Drafts", message_id) == []
    assert b"\\Deleted" in flags_of(ana, beside)
    assert len(ana.copies("Sent", message_id)) == 1


def test_a_forward_marks_its_parent(ana: Person, bob: Person) -> None:
    parent = append(ana, "INBOX", letter(bob.address, ana.address)[1])
    outgoing = put_on_way(ana.account, bob.address, parent=Parent(parent, "forward"))
    deliver(outgoing.pk)
    assert b"$Forwarded" in flags_of(ana, parent)


def test_a_draft_that_is_another_by_now_stays(ana: Person, bob: Person) -> None:
    other_id, other = letter(ana.address, bob.address)
    draft = append(ana, "Drafts", other, b"\\Draft")
    stale = Ref(draft.folder, draft.validity + 1, draft.id)
    for ref, message_id in ((draft, "<otra@casilla.test>"), (draft, ""), (stale, other_id)):
        outgoing = put_on_way(ana.account, bob.address, draft=Draft(ref, message_id))
        deliver(outgoing.pk)
        assert (row(outgoing).state, outgoing.filed, outgoing.note) == ("sent", True, "")
    assert len(ana.copies("Drafts", other_id)) == 1


def test_a_parent_or_draft_that_is_gone_is_no_failure(ana: Person, bob: Person) -> None:
    gone = Ref(FolderId("INBOX"), 1, "77")
    nowhere = Ref(FolderId("No está\udcff"), 1, "1")
    outgoing = put_on_way(ana.account, bob.address, parent=Parent(gone, "reply"), draft=Draft(nowhere, "<a@b>"))
    assert Outgoing.objects.get(pk=outgoing.pk).draft == nowhere
    deliver(outgoing.pk)
    assert (row(outgoing).filed, outgoing.note) == (True, "")


def test_a_copy_that_is_there_already_is_not_made_twice(ana: Person, bob: Person) -> None:
    message_id, raw = letter(ana.address, bob.address)
    append(ana, "Sent", raw)
    outgoing = put_on_way(ana.account, bob.address, raw=raw, message_id=message_id)
    deliver(outgoing.pk)
    assert row(outgoing).sent_copy
    assert len(ana.copies("Sent", message_id)) == 1


def test_an_owner_sends_as_an_alias_and_as_nobody_else(ana: Person, bob: Person) -> None:
    alias = ana.address.replace("ana@", "ventas@")
    create_alias(address=alias, target=ana.hosted.mailbox)
    good = put_on_way(ana.account, bob.address, sender=alias)
    bad = put_on_way(ana.account, bob.address, sender=bob.address)
    send_due()
    assert row(good).state == "sent"
    assert (row(bad).state, bad.error) == ("failed", "recipients")
    assert bad.results[bob.address][0] == 553
    assert [one.pk for one in pending(ana.account)] == [bad.pk]


def test_who_is_unknown_is_named_and_the_others_get_it(ana: Person, bob: Person) -> None:
    nobody = bob.address.replace("bob@", "nadie@")
    outgoing = put_on_way(ana.account, bob.address, nobody)
    deliver(outgoing.pk)
    assert (row(outgoing).state, outgoing.error, outgoing.delivered) == ("failed", "recipients", True)
    assert outgoing.refused_recipients == [nobody]
    assert len(arrived(bob, outgoing.message_id)) == 1
    assert len(ana.copies("Sent", outgoing.message_id)) == 1
    assert bytes(outgoing.raw)


def test_a_suspended_mailbox_sends_nothing(ana: Person, bob: Person) -> None:
    suspend_mailbox(mailbox=ana.hosted.mailbox)
    outgoing = put_on_way(ana.account, bob.address)
    deliver(outgoing.pk)
    assert (row(outgoing).state, outgoing.error) == ("failed", "login")


def test_rows_that_are_done_with_are_removed_after_a_week(ana: Person, bob: Person) -> None:
    sent, held, failed = (put_on_way(ana.account, bob.address) for _ in range(3))
    deliver(sent.pk)
    cancel(outgoing=held)
    Outgoing.objects.filter(pk=failed.pk).update(state="failed")
    assert clear_outgoing() == 0
    old = timezone.now() - timedelta(days=8)
    Outgoing.objects.update(created=old, send_at=old)
    assert clear_outgoing() == 2
    assert Outgoing.objects.get().pk == failed.pk


def test_a_draft_that_an_earlier_try_only_marked_is_removed(ana: Person, bob: Person) -> None:
    message_id, raw = letter(ana.address, bob.address)
    draft = append(ana, "Drafts", raw, b"\\Draft", b"\\Deleted")
    outgoing = put_on_way(ana.account, bob.address, raw=raw, message_id=message_id, draft=Draft(draft, message_id))
    deliver(outgoing.pk)
    assert row(outgoing).draft_removed
    assert ana.copies("Drafts", message_id) == []
