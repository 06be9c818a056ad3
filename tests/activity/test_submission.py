"""Lines of Postfix that tell who sent, as Postfix 3.7 wrote them, and lines that pretend to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.activity import submission
from accounts.activity.reading import read_postfix
from accounts.activity.submission import HandedIn, Queued, Sent, Submissions
from accounts.models import AppPassword, MailboxEvent, ProgramUse
from accounts.services.activity import sending
from accounts.services.app_passwords import make_app_password
from accounts.services.hosting import create_customer_with_domain, create_mailbox

NOW = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
AT = datetime(2026, 11, 28, 20, 19, 41, tzinfo=UTC)
BEGUN = (
    "Nov 28 20:19:41 mail postfix/submission/smtpd[11023]: A32FF7282B1: client=unknown[192.0.2.7], sasl_method=PLAIN, "
    "sasl_username=Ana@x.test#17"
)
QUEUED = "Nov 28 20:19:41 mail postfix/qmgr[10972]: A32FF7282B1: from=<ana@x.test>, size=310, nrcpt=1 (queue active)"
OTHER = "Nov 28 20:19:43 mail postfix/smtpd[11]: A32FF7282B1: client=mx.afuera.test[2001:db8::7]"


def sent(*lines: str) -> list[Sent]:
    """What these lines tell, with a new beginning before each."""
    found, kept = [], Submissions()
    for line in lines:
        event = read_postfix(line.encode(), NOW)
        assert isinstance(event, HandedIn | Queued)
        again = Submissions()
        again.load(kept.dump())
        kept = again
        found += [one for one in [kept.take(event)] if one]
    assert kept.dump() == []
    return found


def test_who_sent_is_told_once_the_message_is_taken() -> None:
    ana = Sent(AT, "ana@x.test", 17, False, "192.0.2.7", 310)
    assert sent(BEGUN, QUEUED, QUEUED) == [ana]  # again when it is tried again
    assert sent(BEGUN.replace("#17", ""), QUEUED) == [Sent(AT, "ana@x.test", 0, False, "192.0.2.7", 310)]
    assert sent(BEGUN.replace("#17", "#0"), QUEUED) == [Sent(AT, "ana@x.test", 0, True, "192.0.2.7", 310)]
    tls = BEGUN.replace("submission/", "submissions/").replace("unknown[192.0.2.7]", "a.b[IPv6:2001:db8::1]:4711")
    assert sent(tls, QUEUED.replace("<ana@x.test>", "<>"))[0].address == "2001:db8::1"


def test_what_was_refused_or_comes_from_elsewhere_was_not_sent() -> None:
    assert sent(QUEUED) == []
    assert sent(OTHER, QUEUED) == []
    assert sent(BEGUN, OTHER, QUEUED) == []  # the first was refused at its end, and its number is used anew
    assert sent(BEGUN, QUEUED.replace("Nov 28", "Nov 29").replace("20:19", "21:19")) == []


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "WAITING_MAX", 2)
    kept = Submissions()
    for number in range(4):
        kept.take(HandedIn(AT + timedelta(hours=number), f"Q{number}", "ana@x.test", "192.0.2.7"))
    assert [row[1] for row in kept.dump()] == ["Q2", "Q3"]
    kept.settle(AT + timedelta(hours=26, minutes=1))
    assert [row[1] for row in kept.dump()] == ["Q3"]


@pytest.mark.parametrize(
    "line",
    [
        BEGUN.replace("postfix/submission/smtpd", "postfix/other/smtpd"),
        BEGUN.replace("[192.0.2.7]", "[192.0.2.7], sasl_username=x"),
        BEGUN.replace("A32FF7282B1: client", "NOQUEUE: reject: RCPT from x: client"),
        BEGUN.replace("Nov 28", "Nov 31"),
        BEGUN + "\0",
        "x" + BEGUN,
        QUEUED.replace("postfix/qmgr", "postfix/smtpd"),
        "Nov 28 20:19:41 mail postfix/smtpd[1]: warning: helo=<x: A32FF7282B1: from=<>, size=1, nrcpt=1 (queue active)",
    ],
)
def test_what_pretends_counts_for_nothing(line: str) -> None:
    assert read_postfix(line.encode(), NOW) is None


@settings(max_examples=40)
@given(st.binary(max_size=120))
def test_no_line_is_too_much(tail: bytes) -> None:
    for start in (BEGUN.partition("client=")[0] + "client=", BEGUN, QUEUED.partition("from=")[0]):
        read_postfix(start.encode() + tail, NOW)
        read_postfix(start.encode() + tail + b" (queue active)", NOW)


@pytest.mark.django_db
def test_it_is_counted_once_over_restarts_and_an_older_line_takes_nothing_back(tmp_path: Path) -> None:
    create_customer_with_domain(customer="X", domain="x.test")
    ana, eva = (create_mailbox(address=f"{name}@x.test", password="x") for name in ("ana", "eva"))
    row = make_app_password(mailbox=ana, name="Mac", protocols=["smtp"]).row
    begun, log = BEGUN.replace("#17", f"#{row.pk}"), tmp_path / "postfix.log"
    early = [line.replace("20:19", "20:10").replace("192.0.2.7", "198.51.100.7") for line in (begun, QUEUED)]
    foreign = begun.replace("Ana@", "eva@")  # no password of hers
    for line in (begun, QUEUED, *early, foreign, QUEUED):
        with log.open("a") as file:
            file.write(f"{line}\n")
        collector = sending(log)
        while collector.step():
            pass
        collector.close()
    row.refresh_from_db()
    assert (row.sent_network, row.last_protocol, row.last_network) == ("192.0.2.0/24", "smtp", "192.0.2.0/24")
    assert row.sent_at == row.last_at
    uses = set(ProgramUse.objects.values_list("mailbox", "device", "network", "sign_ins"))
    assert uses == {
        (ana.pk, "Mac", "192.0.2.0/24", 1),
        (ana.pk, "Mac", "198.51.100.0/24", 1),
        (eva.pk, "", "192.0.2.0/24", 1),
    }
    assert set(MailboxEvent.objects.values_list("kind", "device", "size_bytes")) == {
        ("sent", "Mac", 310),
        ("sent", "", 310),
    }
    assert AppPassword.objects.count() == 1
