"""What goes wrong on the way: servers that refuse, put off, or die at the worst moment, and workers that do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import MailAccount, User
from tests.sending.conftest import put_on_way
from tests.smtp.scripted import Scripted, scripted
from webmail.models import Outgoing
from webmail.services import delivery
from webmail.services.delivery import DELAYS_MIN, LeaseLost, claim, claim_unfiled, recover
from webmail.services.filing import FILE_DELAYS
from webmail.services.sending import cancel, deliver, dismiss, pending, retry, send_now
from webmail.tasks import clear_outgoing, send_due

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
BOB, EVA = "bob@y.test", "eva@y.test"
PASSWORD = "clave ñ"


@pytest.fixture
def server() -> Iterator[Callable[..., Scripted]]:
    with ExitStack() as stack:
        yield lambda replies=None, **more: stack.enter_context(scripted(replies, **more))


@pytest.fixture
def account(stack: Any) -> MailAccount:
    """An account on other people's servers; there is no IMAP server for it, unless a test gives it one."""
    owner = User.objects.create_user("ana@x.test")
    return MailAccount.objects.create(
        owner=owner, address="ana@x.test", login="ana", imap_host="127.0.0.1", imap_port=1, imap_tls="none"
    )


def way_through(account: MailAccount, server: Scripted, *to: str, **more: Any) -> Outgoing:
    MailAccount.objects.filter(pk=account.pk).update(smtp_host="127.0.0.1", smtp_port=server.port, smtp_tls="none")
    account.refresh_from_db()
    return put_on_way(account, *(to or (BOB,)), secret=more.pop("secret", PASSWORD), **more)


def after(outgoing: Outgoing) -> Outgoing:
    outgoing.refresh_from_db()
    return outgoing


def later(outgoing: Outgoing) -> None:
    """Lets the wait for the next try be over."""
    Outgoing.objects.filter(pk=outgoing.pk).update(next_try=timezone.now(), file_next=timezone.now())


def test_the_password_of_another_server_is_sealed_and_wiped(account: MailAccount, server: Any) -> None:
    there = server()
    outgoing = way_through(account, there)
    assert outgoing.sealed
    assert PASSWORD not in outgoing.sealed
    deliver(outgoing.pk)
    assert after(outgoing).state == "sent"
    assert any(command.startswith(b"AUTH PLAIN") for command in there.commands)
    for _delay in FILE_DELAYS:
        later(outgoing)
        assert outgoing.sealed
        assert send_due() == 1
        after(outgoing)
    assert (outgoing.state, outgoing.filed, outgoing.note, outgoing.sealed) == ("sent", True, "no_copy", "")
    assert bytes(outgoing.raw)
    assert [one.pk for one in pending(account)] == [outgoing.pk]
    assert dismiss(outgoing=outgoing)
    assert not pending(account)
    assert len(there.messages) == 1


def test_a_foreign_account_needs_its_password(account: MailAccount) -> None:
    with pytest.raises(ValueError):
        put_on_way(account, BOB)
    outgoing = put_on_way(account, BOB, secret=PASSWORD)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.error) == ("failed", "refused")  # no server is known that takes mail
    Outgoing.objects.filter(pk=outgoing.pk).update(sealed="roto")
    assert retry(outgoing=outgoing)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.error) == ("failed", "login")
    assert retry(outgoing=outgoing, secret="otra")
    assert outgoing.sealed != "roto"


def test_a_refused_password_waits_for_the_person(account: MailAccount, server: Any) -> None:
    there = server({"AUTH": b"535 wrong\r\n"})
    outgoing = way_through(account, there)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.error) == ("failed", "login")
    assert send_due() == 0
    there.replies["AUTH"] = b"235 ok\r\n"
    assert retry(outgoing=outgoing, secret="la nueva")
    deliver(outgoing.pk)
    assert after(outgoing).state == "sent"


def test_what_is_put_off_is_tried_again_less_and_less_often(account: MailAccount, server: Any) -> None:
    there = server({"end": b"451 4.3.0 later\r\n"})
    outgoing = way_through(account, there)
    waits: list[int] = []
    while after(outgoing).state == "waiting":
        start = timezone.now()
        later(outgoing)
        deliver(outgoing.pk)
        waits.append(round((after(outgoing).next_try - start).total_seconds() / 60))
        assert outgoing.lease_token == ""
    assert waits[: len(DELAYS_MIN)] == list(DELAYS_MIN)
    assert timedelta(hours=44) < timedelta(minutes=sum(DELAYS_MIN)) <= timedelta(days=2)
    assert (outgoing.state, outgoing.error) == ("failed", "gave_up")
    assert outgoing.results == {BOB: [451, "4.3.0 later"]}
    assert outgoing.sealed
    there.replies["end"] = b"250 ok\r\n"
    assert retry(outgoing=outgoing)
    assert outgoing.attempts == 0
    deliver(outgoing.pk)
    assert after(outgoing).state == "sent"


def test_a_waiting_try_can_be_hurried_or_given_up(account: MailAccount, server: Any) -> None:
    there = server({"greeting": b"421 later\r\n"})
    outgoing = way_through(account, there)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.error) == ("waiting", "deferred")
    deliver(outgoing.pk)
    assert after(outgoing).attempts == 1
    assert send_now(outgoing=outgoing)
    deliver(outgoing.pk)
    assert after(outgoing).attempts == 2
    assert cancel(outgoing=outgoing)
    assert outgoing.sealed == ""


def test_a_message_that_is_refused_says_why(account: MailAccount, server: Any) -> None:
    there = server({"end": b"554 5.7.1 it looks like spam\r\n"})
    outgoing = way_through(account, there, BOB, EVA)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.error, outgoing.delivered) == ("failed", "rejected", False)
    assert outgoing.results == {who: [554, "5.7.1 it looks like spam"] for who in (BOB, EVA)}
    assert bytes(outgoing.raw)
    assert dismiss(outgoing=outgoing)
    assert (outgoing.state, outgoing.sealed) == ("cancelled", "")
    assert not dismiss(outgoing=outgoing)


def test_who_was_put_off_is_tried_alone(account: MailAccount, server: Any) -> None:
    there = server({f"RCPT TO:<{EVA}>": b"450 busy\r\n"})
    outgoing = way_through(account, there, BOB, EVA)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.delivered, outgoing.open_recipients) == ("waiting", True, [EVA])
    assert not cancel(outgoing=outgoing)
    there.replies[f"RCPT TO:<{EVA}>"] = b"250 ok\r\n"
    there.commands.clear()
    Outgoing.objects.filter(pk=outgoing.pk).update(next_try=timezone.now(), lease_until=None)
    deliver(outgoing.pk)
    assert after(outgoing).state == "sent"
    assert [command for command in there.commands if b"RCPT" in command] == [f"RCPT TO:<{EVA}>\r\n".encode()]


def test_who_was_refused_is_tried_alone_when_the_person_wants(account: MailAccount, server: Any) -> None:
    there = server({f"RCPT TO:<{EVA}>": b"550 unknown\r\n"})
    outgoing = way_through(account, there, BOB, EVA)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.refused_recipients) == ("failed", [EVA])
    there.commands.clear()
    assert retry(outgoing=outgoing)
    assert outgoing.open_recipients == [EVA]
    deliver(outgoing.pk)
    assert after(outgoing).state == "failed"
    assert [command for command in there.commands if b"RCPT" in command] == [f"RCPT TO:<{EVA}>\r\n".encode()]
    assert dismiss(outgoing=outgoing)
    assert outgoing.state == "sent"


def test_a_lost_answer_is_a_doubt_and_never_repeated(account: MailAccount, server: Any) -> None:
    there = server({"end": None})
    outgoing = way_through(account, there)
    deliver(outgoing.pk)
    assert (after(outgoing).state, outgoing.error, outgoing.delivered) == ("doubt", "lost", False)
    later(outgoing)
    deliver(outgoing.pk)
    assert send_due() == 0
    assert len(there.messages) == 1
    assert not cancel(outgoing=outgoing)
    assert [one.pk for one in pending(account)] == [outgoing.pk]
    there.replies["end"] = b"250 ok\r\n"
    assert retry(outgoing=outgoing)
    deliver(outgoing.pk)
    assert after(outgoing).state == "sent"
    assert there.messages[0] == there.messages[1]


def test_handing_is_in_the_database_before_the_end_goes_out(account: MailAccount, server: Any) -> None:
    """Seen by another connection at the moment when the final dot has arrived."""
    seen: list[str] = []

    def at_the_end(_message: bytes) -> bytes:
        try:
            seen.append(Outgoing.objects.get().state)
        finally:
            connection.close()
        return b"250 ok\r\n"

    there = server({"end": at_the_end})
    deliver(way_through(account, there).pk)
    there.wait()
    assert seen == ["handing"]


def test_a_worker_that_lost_its_lease_hangs_up_before_the_end(account: MailAccount, server: Any) -> None:
    def at_data(_command: bytes) -> bytes:
        try:
            Outgoing.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            recover()
            assert claim() is not None
        finally:
            connection.close()
        return b"354 go on\r\n"

    there = server({"DATA": at_data})
    outgoing = way_through(account, there)
    deliver(outgoing.pk)
    there.wait()
    assert (there.messages, len(there.torn)) == ([], 1)
    assert (after(outgoing).state, outgoing.attempts) == ("sending", 2)


def test_rows_of_dead_workers_are_taken_up(account: MailAccount, server: Any) -> None:
    there = server()
    past = timezone.now() - timedelta(seconds=1)
    sending, handing, fresh, often = (way_through(account, there) for _ in range(4))
    for outgoing, state in ((sending, "sending"), (handing, "handing"), (often, "sending")):
        Outgoing.objects.filter(pk=outgoing.pk).update(state=state, lease_until=past, lease_token="muerto", attempts=1)
    Outgoing.objects.filter(pk=often.pk).update(attempts=len(DELAYS_MIN) + 1)
    Outgoing.objects.filter(pk=fresh.pk).update(state="handing", lease_until=timezone.now() + timedelta(minutes=1))
    assert send_due() == 1
    states = {one.pk: (one.state, one.error) for one in Outgoing.objects.all()}
    assert states == {
        sending.pk: ("sent", ""), handing.pk: ("doubt", "lost"), fresh.pk: ("handing", ""), often.pk: ("failed", "interrupted"),
    }  # fmt: skip


def test_a_late_answer_settles_a_doubt(account: MailAccount, server: Any) -> None:
    """The answer takes longer than the lease of a worker that could not renew it."""

    def at_the_end(_message: bytes) -> bytes:
        try:
            Outgoing.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            recover()
            assert Outgoing.objects.get().state == "doubt"
        finally:
            connection.close()
        return b"250 ok\r\n"

    outgoing = way_through(account, server({"end": at_the_end}))
    deliver(outgoing.pk)
    assert after(outgoing).state == "sent"


def test_two_claims_never_give_the_same_message(account: MailAccount, server: Any) -> None:
    there = server()
    rows = {way_through(account, there).pk for _ in range(3)}
    claimed = [claim() for _ in range(4)]
    assert {one.pk for one in claimed if one} == rows
    assert claimed[3] is None
    assert claim_unfiled() is None
    assert all(claim(pk) is None for pk in rows)


def test_a_lease_is_renewed_while_it_is_used(account: MailAccount, server: Any, settings: Any) -> None:
    settings.SEND_LEASE_S = 0.9
    way_through(account, server())
    outgoing = claim()
    assert outgoing
    lease = delivery.Lease(outgoing.pk, outgoing.lease_token)
    lease.renewed -= 0.4
    lease.beat()
    assert after(outgoing).lease_until > timezone.now() + timedelta(seconds=0.5)
    Outgoing.objects.update(lease_token="de otro")
    lease.beat()
    lease.renewed -= 0.4
    with pytest.raises(LeaseLost):
        lease.beat()


def test_passwords_that_nobody_came_back_for_are_wiped(account: MailAccount, server: Any) -> None:
    outgoing = way_through(account, server({"end": None}))
    deliver(outgoing.pk)
    Outgoing.objects.update(send_at=timezone.now() - timedelta(days=31))
    clear_outgoing()
    assert (after(outgoing).state, outgoing.sealed) == ("doubt", "")
