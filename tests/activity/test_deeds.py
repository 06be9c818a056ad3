"""Lines that tell what was done, as Dovecot 2.3.19 and Postfix 3.7 wrote them, and lines that pretend to be such."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.activity.deeds import FOLDER_MAX, Deed, read_refusal
from accounts.activity.lines import PopEnded
from accounts.activity.reading import read_event
from accounts.activity.sessions import KNOWN_MAX, KNOWN_SAVED, Done, Sessions
from accounts.services.activity import log_zone
from tests.activity.test_lines import AT, ID_AFTER, POP_ENDED, STAMP

WHO = "(ana@x.test)<25778></WvzfklhfMd/AAAB><192.0.2.7><{0}>: Info: "
IMAP = STAMP + " imap" + WHO
LMTP = STAMP + " lmtp" + WHO
REFUSED = (
    "Nov 27 19:22:30 mail postfix/smtpd[123]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: {0} <Ana@x.test>: "
    "Recipient address rejected: {1}; from=<q@afuera.test> to=<Ana@x.test> proto=ESMTP helo=<localhost>"
)


def read(text: str) -> object:
    return read_event(text.encode())


def done(kind: str, folder: str = "INBOX", target: str = "", **more: object) -> Deed:
    who = ("imap", "/WvzfklhfMd/AAAB", "ana@x.test", "192.0.2.7")
    return Deed(AT, "ana@x.test", *who, kind, folder, target, **more)  # type: ignore[arg-type]


def test_what_was_done_is_read() -> None:
    own = IMAP.format("ana@x.test")
    assert read(own + "expunge: box=INBOX, vsize=545") == done("removed", size_bytes=545)
    assert read(own + "expunge: box=INBOX") == done("removed")
    assert read(own + "copy from INBOX: box=Viña/2026, vsize=7") == done("copied", "INBOX", "Viña/2026", size_bytes=7)
    assert read(own + "save: box=Sent, vsize=99") == done("saved", "Sent", size_bytes=99)
    ended = "Disconnected: Logged out in=1 out=7 deleted=0 expunged=0 trashed=0 hdr_count=9 hdr_bytes=1 "
    ended += "body_count=2 body_bytes=31"
    assert read(own + ended) == done("read", "", count=2, size_bytes=31)
    assert read(own + ended.replace("body_count=2", "body_count=0")) is None
    arrived = read(LMTP.format("ana@x.test") + "save: box=INBOX, vsize=545")
    assert isinstance(arrived, Deed)
    assert (arrived.kind, arrived.protocol, arrived.folder) == ("arrived", "lmtp", "INBOX")


@pytest.mark.parametrize(
    "line",
    [
        LMTP.format("a") + "expunge: box=INBOX",
        LMTP.format("a") + "msgid=<expunge: box=INBOX>: saved mail to INBOX",
        IMAP.format("a") + "expunge: mailbox=INBOX",
        "x" + IMAP.format("a") + "expunge: box=INBOX",
        IMAP.format("a").replace("2026-11-27", "2026-13-41") + "expunge: box=INBOX",
        IMAP.format("a") + "expunge: box=IN\0BOX",
        STAMP + " doveadm(ana@x.test)<1><s><><>: Info: expunge: box=INBOX",
        STAMP + " imap-login: Info: Login: user=<x: Info: expunge: box=INBOX>",
    ],
)
def test_what_is_no_deed_counts_for_nothing(line: str) -> None:
    assert not isinstance(read(line), Deed)


def test_a_folders_name_may_hold_anything() -> None:
    own = IMAP.format("ana@x.test")
    found = read(own + "expunge: box=a: box=b, vsize=5, vsize=7")
    assert isinstance(found, Deed)
    assert (found.folder, found.size_bytes) == ("a: box=b, vsize=5", 7)
    long = read(own + "expunge: box=" + "x" * 5000 + "\u202e")
    assert isinstance(long, Deed)
    assert long.folder == "x" * FOLDER_MAX


@given(st.binary(max_size=200))
def test_no_line_is_too_much(tail: bytes) -> None:
    for start in (IMAP, LMTP):
        read_event((start.format("a") + "expunge: box=").encode() + tail)
        read_event(start.format("a").encode() + tail)
    read_refusal(b"Nov 27 19:22:30 mail postfix/smtpd[123]: NOQUEUE: reject: RCPT" + tail, AT)


def test_a_refusal_is_read_and_dated() -> None:
    full = read_refusal(REFUSED.format("552 5.2.2", "Mailbox is full").encode(), AT + timedelta(hours=30))
    assert full
    assert (full.user, full.kind, full.folder) == ("ana@x.test", "refused", "full")
    assert full.at == datetime(2026, 11, 27, 19, 22, 30, tzinfo=UTC)
    there = (AT + timedelta(hours=30)).astimezone(ZoneInfo("America/Santiago"))
    far = read_refusal(REFUSED.format("552 5.2.2", "Mailbox is full").encode(), there)
    assert far
    assert far.at == datetime(2026, 11, 27, 22, 22, 30, tzinfo=UTC)
    other = read_refusal(REFUSED.format("550 5.1.1", "User unknown").encode(), AT + timedelta(hours=30))
    assert other
    assert other.folder == "other"
    new_year = datetime(2027, 1, 1, 12, tzinfo=UTC)
    last_year = read_refusal(REFUSED.format("552 5.2.2", "x").replace("Nov 27", "Dec 31").encode(), new_year)
    assert last_year
    assert last_year.at.year == 2026
    leap = REFUSED.format("552 5.2.2", "x").replace("Nov 27", "Feb 29").encode()
    assert read_refusal(leap, new_year) is None  # none of the three years around had one
    assert read_refusal(b"Nov 27 19:22:30 mail postfix/smtpd[1]: connect from unknown[192.0.2.9]", AT) is None


BOUNCED = (
    "Nov 27 19:22:30 mail postfix/lmtp[18]: BC83626A16B: to=<ana@x.test>, orig_to=<ventas@x.test>, relay=127.0.0.1[127.0.0.1]:24"
    ", conn_use=2, delay=0.03, delays=0.01/0.02/0/0.01, dsn=5.2.2, status=bounced (host said: 552 5.2.2 Quota exceeded)"
)


def test_what_was_sent_back_when_it_was_delivered_is_read() -> None:
    def found(line: str) -> Deed | None:
        return read_refusal(line.encode(), AT + timedelta(hours=30))

    full = found(BOUNCED)
    assert full
    assert (full.user, full.folder, full.target, full.at.hour) == ("ana@x.test", "full", "ventas@x.test", 19)
    plain = found(BOUNCED.replace("orig_to=<ventas@x.test>, ", "").replace("dsn=5.2.2", "dsn=5.7.1"))
    assert plain
    assert (plain.user, plain.folder, plain.target) == ("ana@x.test", "other", "")
    for no in (
        BOUNCED.replace("status=bounced", "status=deferred").replace("dsn=5", "dsn=4"),
        BOUNCED.replace("postfix/lmtp", "postfix/smtp"),
        BOUNCED.replace("dsn=5.2.2, status=bounced", "dsn=2.0.0, status=sent"),
        BOUNCED.replace("to=<ana@x.test>", "to=<x>, dsn=5.2.2, status=bounced (>"),
    ):
        assert found(no) is None


def test_who_did_it_is_told_by_the_session() -> None:
    sessions = Sessions(own_user="casilla")
    name = read(ID_AFTER.format("name=Thunderbird, version=140.0"))
    sessions.take(name)  # type: ignore[arg-type]
    deed = done("removed")
    assert sessions.name(deed) == Done(deed, "imap", "Thunderbird", "192.0.2.0/24")
    ours = read(IMAP.format("casilla") + "expunge: box=INBOX")
    assert isinstance(ours, Deed)
    assert sessions.name(ours) == Done(ours, "web", "", "")
    again = Sessions(own_user="casilla")
    again.load(sessions.dump())
    assert again.name(deed).program == "Thunderbird"
    ended = read(POP_ENDED.format("ana@x.test"))
    assert isinstance(ended, PopEnded)
    assert [(one.deed.kind, one.deed.count, one.protocol) for one in sessions.name_pop3(ended)] == [
        ("fetched", 2, "pop3"),
        ("taken", 1, "pop3"),
    ]
    heads = replace(ended, retrieved=0, deleted=0, top=4, top_bytes=900)
    assert [(one.deed.kind, one.deed.count) for one in sessions.name_pop3(heads)] == [("read", 4)]
    assert sessions.name_pop3(replace(heads, asked_by="casilla")) == []


def test_names_that_are_kept_are_bounded() -> None:
    sessions = Sessions(own_user="casilla")
    for number in range(KNOWN_MAX + 5):
        line = ID_AFTER.format("name=T").replace("/WvzfklhfMd/AAAB", f"s{number}")
        sessions.take(read(line))  # type: ignore[arg-type]
    known = sessions.dump()["known"]
    assert (len(known), known[-1]) == (KNOWN_SAVED, (f"s{KNOWN_MAX + 4}", "T"))


def test_the_zone_of_a_log_is_its_own_and_not_that_in_which_times_are_shown(tmp_path: Path) -> None:
    """Django makes TIME_ZONE the zone of the process: refusals stood three hours ahead."""
    when = datetime(2026, 7, 1, 12, tzinfo=UTC)
    madrid = tmp_path / "localtime"
    madrid.write_bytes((Path("/usr/share/zoneinfo") / "Europe/Madrid").read_bytes())
    for name, machine, hour in (
        ("America/Santiago", madrid, 8),
        (":UTC", madrid, 12),
        ("", madrid, 14),
        ("", tmp_path / "none", 12),
        ("No/Such", madrid, 12),
    ):
        assert when.astimezone(log_zone(name, machine=machine)).hour == hour, (name, machine)
