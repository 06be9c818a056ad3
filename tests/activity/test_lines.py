"""Lines of Dovecot's log, as 2.3.19 wrote them with our configuration, and lines that pretend to be such."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.activity.lines import Named, PopEnded, SignedIn, read_line
from accounts.activity.sessions import WAITING_MAX, Sessions, Use, network_of

AT = datetime(2026, 11, 27, 22, 22, 30, tzinfo=UTC)
STAMP = "2026-11-27T19:22:30-0300"
LOGIN = (
    STAMP + " {0}-login: Info: Login: user=<ana@x.test>, auth=<{1}>, method=PLAIN, rip=192.0.2.7, lip=127.0.0.1, "
    "mpid=25778, secured, session=<{2}>"
)
ID_BEFORE = (
    STAMP
    + " imap-login: Info: ID sent: {0}: user=<>, rip=192.0.2.7, lip=127.0.0.1, secured, session=<gVPzfklhbMd/AAAB>"
)
ID_AFTER = STAMP + " imap(ana@x.test)<25778></WvzfklhfMd/AAAB><192.0.2.7><ana@x.test>: Info: ID sent: {0}"
POP_ENDED = (
    STAMP + " pop3(ana@x.test)<25782><08Xzfklh5Ot/AAAB><192.0.2.7><{0}>: Info: "
    "Disconnected: Logged out top=0/0, retr=2/301, del=1/2, size=285"
)


def read(text: str) -> SignedIn | Named | PopEnded | None:
    return read_line(text.encode())


def test_a_sign_in_is_read() -> None:
    line = LOGIN.format("imap", "ana@x.test", "/Wvz+fMd/AAAB")
    assert read(line) == SignedIn(AT, "imap", "ana@x.test", "ana@x.test", "192.0.2.7", "/Wvz+fMd/AAAB")
    assert read(LOGIN.format("pop3", "casilla", "x")) == SignedIn(AT, "pop3", "ana@x.test", "casilla", "192.0.2.7", "x")
    tls = (
        "rip=2001:db8::7, lip=::1, mpid=1, TLS, TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits), session=<s>"
    )
    found = read(f"{STAMP} imap-login: Info: Login: user=<a@x.test>, auth=<a@x.test>, method=PLAIN, {tls}")
    assert isinstance(found, SignedIn)
    assert (found.address, found.session) == ("2001:db8::7", "s")


@pytest.mark.parametrize(("app", "found"), [("<>", 0), ("<71>", 71), ("<x>", 0), ("<" + "9" * 30 + ">", 0)])
def test_the_password_of_a_device_is_told_by_its_number(app: str, found: int) -> None:
    line = LOGIN.format("imap", "ana@x.test", "s").replace("session=", f"app={app}, session=")
    assert read(line) == SignedIn(AT, "imap", "ana@x.test", "ana@x.test", "192.0.2.7", "s", found)


def test_who_changes_filters_is_no_program_that_reads_mail() -> None:
    event = read(LOGIN.format("managesieve", "ana@x.test", "s").replace("session=", "app=<7>, session="))
    assert isinstance(event, SignedIn)
    assert (event.protocol, event.app) == ("managesieve", 7)
    assert Sessions(own_user="casilla").take(event) == []


@pytest.mark.parametrize(
    ("sent", "program", "version"),
    [
        ("name=Thunderbird, version=140.0", "Thunderbird", "140.0"),
        ("name=iPhone Mail", "iPhone Mail", ""),
        ("version=1, name=K-9 Mail", "K-9 Mail", "1"),
        ("name=a, b=c, version=2, version=3", "a, b=c", "2, version=3"),
        ("name=\u202e  liaM\u200b  x", "liaM x", ""),
        ("name=<b>x</b>", "<b>x</b>", ""),
        ("name=" + "x" * 500, "x" * 60, ""),
    ],
)
def test_a_name_is_read_before_and_after_the_sign_in(sent: str, program: str, version: str) -> None:
    assert read(ID_BEFORE.format(sent)) == Named(AT, "gVPzfklhbMd/AAAB", program, version)
    assert read(ID_AFTER.format(sent)) == Named(AT, "/WvzfklhfMd/AAAB", program, version)


def test_the_end_of_a_pop3_session_is_read() -> None:
    session = "08Xzfklh5Ot/AAAB", 301
    assert read(POP_ENDED.format("casilla")) == PopEnded(AT, "ana@x.test", "casilla", "192.0.2.7", 2, 1, *session)
    lost = POP_ENDED.format("ana@x.test").replace("Logged out", "Connection closed")
    assert read(lost) == PopEnded(AT, "ana@x.test", "ana@x.test", "192.0.2.7", 2, 1, *session)


@pytest.mark.parametrize(
    ("ended", "retrieved", "size_bytes", "top"),
    [
        ("top=2/301, retr=0/0, del=2/2, size=285", 2, 301, 0),  # fetchmail, which fetches by TOP
        ("top=2/120, retr=0/0, del=2/2, size=285", 0, 0, 2),  # heads alone
        ("top=1/400, retr=0/0, del=1/2, size=285", 0, 0, 1),  # not all: nobody knows how much of it
        ("top=0/0, retr=0/0, del=0/0, size=0", 0, 0, 0),
    ],
)
def test_top_counts_as_fetched_where_it_gave_everything(ended: str, retrieved: int, size_bytes: int, top: int) -> None:
    found = read(POP_ENDED.format("ana@x.test").replace("top=0/0, retr=2/301, del=1/2, size=285", ended))
    assert isinstance(found, PopEnded)
    assert (found.retrieved, found.size_bytes, found.top) == (retrieved, size_bytes, top)


def test_a_name_that_pretends_to_be_another_session_stays_with_its_own() -> None:
    found = read(ID_BEFORE.format('name=x: user=<>, session=<AAA>", version=1'))
    assert isinstance(found, Named)
    assert found.session == "gVPzfklhbMd/AAAB"
    assert found.program.startswith("x: user=<>, session=<AAA>")


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP} imap-login: Info: Disconnected: Aborted login by logging out (auth failed, 1 attempts in 2 secs): "
        "user=<x>: Info: Login: user=<ana@x.test>, auth=<x>, rip=1.2.3.4, session=<x>>, method=PLAIN, session=<y>",
        f"{STAMP} imap(ana@x.test)<1><s><192.0.2.7><a>: Info: Disconnected: Logged out in=110 out=714",
        f"{STAMP} lmtp(25776): Info: Connect from 127.0.0.1",
        LOGIN.format("imap", "ana", "x") + " and more",
        "x" + LOGIN.format("imap", "ana", "x"),
        LOGIN.format("imap", "a\0na", "x"),
        LOGIN.format("imap", "ana", "x").replace("2026-11", "2026-13"),
        ID_AFTER.format("version=1"),
        "",
        "Nov 27 19:22:30 imap-login: Info: Login: user=<ana@x.test>",
    ],
)
def test_other_lines_tell_nothing(line: str) -> None:
    assert read(line) is None


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=80))
@example("x>, auth=<casilla>, method=PLAIN, rip=1.2.3.4, lip=1.2.3.4, session=<x")
def test_a_failed_sign_in_is_none_whatever_its_user_name(name: str) -> None:
    assert read(f"{STAMP} imap-login: Info: Disconnected (auth failed): user=<{name}>, session=<x>") is None


@given(st.binary(max_size=200))
def test_no_line_makes_the_reader_stumble(raw: bytes) -> None:
    for start in (b"", STAMP.encode() + b" imap-login: Info: ", STAMP.encode() + b" imap(x)<1><s><::1><a>: Info: "):
        read_line(start + raw)


def test_only_the_network_of_an_address_is_kept() -> None:
    assert network_of("192.0.2.7") == "192.0.2.0/24"
    assert network_of("::ffff:192.0.2.7") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::7") == "2001:db8:1::/48"
    assert network_of("") == network_of("1.2.3") == ""


def signed_in(session: str, *, protocol: str = "imap", asked_by: str = "ana@x.test") -> SignedIn:
    return SignedIn(AT, protocol, "ana@x.test", asked_by, "192.0.2.7", session)


def named(session: str, program: str = "Mutt") -> Named:
    return Named(AT, session, program, "2")


MUTT = Use("ana@x.test", "imap", "Mutt", "2", "192.0.2.0/24", AT, sign_ins=1)
UNKNOWN = Use("ana@x.test", "imap", "", "", "192.0.2.0/24", AT, sign_ins=1)


def test_a_name_joins_its_sign_in_in_either_order() -> None:
    sessions = Sessions(own_user="casilla")
    assert sessions.take(signed_in("a")) == []
    assert sessions.take(named("a")) == [MUTT]
    assert sessions.take(named("b")) == []
    assert sessions.take(signed_in("b")) == [MUTT]
    assert sessions.settle(AT + timedelta(hours=1)) == []


def test_a_sign_in_without_a_name_counts_after_its_wait() -> None:
    sessions = Sessions(own_user="casilla")
    sessions.take(signed_in("a"))
    assert sessions.settle(AT + timedelta(seconds=14)) == []
    assert sessions.settle(AT + timedelta(seconds=15)) == [UNKNOWN]
    assert sessions.take(named("a")) == []
    assert sessions.take(signed_in("c", protocol="pop3"))[0].protocol == "pop3"


def test_what_casilla_does_itself_counts_for_nothing() -> None:
    sessions = Sessions(own_user="casilla")
    sessions.take(named("a", "Casilla"))
    assert sessions.take(signed_in("a", asked_by="casilla")) == []
    assert sessions.take(PopEnded(AT, "ana@x.test", "casilla", "127.0.0.1", 5, 5)) == []
    assert sessions.settle(AT + timedelta(hours=1)) == []


def test_what_waits_is_bounded_and_survives_in_json() -> None:
    sessions = Sessions(own_user="casilla")
    counted = [use for number in range(WAITING_MAX + 3) for use in sessions.take(signed_in(f"s{number}"))]
    for number in range(WAITING_MAX + 3):
        sessions.take(named(f"n{number}"))
    assert counted == [UNKNOWN] * 3
    other = Sessions(own_user="casilla")
    other.load(sessions.dump())
    assert other.dump() == sessions.dump()
    assert other.take(named(f"s{WAITING_MAX}")) == [MUTT]
    assert other.take(signed_in("n0")) == []
    assert other.take(signed_in("n5")) == [MUTT]
