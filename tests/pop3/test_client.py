"""The POP3 edge against a server that does what a test says."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pop3.scripted import Script, serving, stuffed
from webmail.errors import (
    Busy,
    LoginRefused,
    MailError,
    MixedUp,
    OverQuota,
    Refused,
    ServerTrouble,
    TooSoon,
    Unreachable,
)
from webmail.pop3 import wire
from webmail.pop3.client import Pop3Session, connect
from webmail.pop3.flow import Wanted
from webmail.pop3.listing import Listing
from webmail.values import Credentials, Endpoint

ANA = Credentials("ana@x.test", "secreto")
STRANGE = [
    b"",
    b"\r\n",
    b".\r\n",
    b"..\r\n.\r\n...\r\n",
    b"a\n.\nb\r\n",
    b"a\r\n.\nb\r\n",
    b"\0\0\r\n\0.\r\n",
    b"x" * 300_000 + b"\r\n",
    b"a\r\r\n.b\r\n\r\n\r\n",
    b"Subject: x\r\n\r\n" + b".\r\n" * 5000,
]


@contextlib.contextmanager
def session(script: Script) -> Iterator[Pop3Session]:
    with serving(script) as port:
        opened = connect(Endpoint("127.0.0.1", port, "none"))
        try:
            yield opened
        finally:
            opened.close()


def fetched(script: Script, spool: Path, *, pipelined: bool = False) -> list[bytes]:
    with session(script) as opened:
        listing = opened.login_and_list(ANA, pipelined=pipelined)
        sizes = opened.sizes()
        out = []
        for one in opened.retrieve(
            [Wanted(line.number, sizes[line.number], line.uidl) for line in listing.messages], spool
        ):
            raw = one.data if one.data is not None else one.path.read_bytes()  # type: ignore[union-attr]
            assert one.sha256 == hashlib.sha256(raw).hexdigest()
            assert one.size_bytes == len(raw)
            out.append(raw)
        opened.quit()
    return out


@pytest.mark.parametrize("capa", [["UIDL", "PIPELINING"], ["UIDL"], None])
@pytest.mark.parametrize("step", [0, 1, 3, 7])
def test_every_octet_comes_as_it_is(capa: list[str] | None, step: int, tmp_path: Path) -> None:
    messages = STRANGE if step != 1 else [raw for raw in STRANGE if len(raw) < 2000]
    script = Script(messages=messages, capa=capa)
    if step:
        script.pieces = lambda data: (
            [data[at : at + step] for at in range(0, min(len(data), 3000), step)]
            + [data[(min(len(data), 3000) + step - 1) // step * step :]]
        )
    assert fetched(script, tmp_path) == messages


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.lists(st.sampled_from([b".", b"\r\n", b"\n", b"\r", b"a", b"\0", b".."]), max_size=30), max_size=4
    ),
    step=st.integers(1, 9),
    spooled=st.booleans(),
)
def test_any_message_in_any_pieces(parts: list[list[bytes]], step: int, spooled: bool, tmp_path: Path) -> None:
    """By the wire alone: what is stuffed comes back, wherever the reads are cut; also where it goes into a file."""
    messages = [b"".join(part) + b"\r\n" if part else b"" for part in parts]
    data = b"".join(stuffed(raw) for raw in messages)
    limit = wire.SPOOL_BYTES
    wire.SPOOL_BYTES = 2 if spooled else limit
    try:
        reader = wire.Wire(Pieces(data, step))  # type: ignore[arg-type]
        for raw in messages:
            octets = reader.octets(tmp_path)
            got = octets.data if octets.data is not None else octets.path.read_bytes()  # type: ignore[union-attr]
            assert got == raw
            assert octets.sha256 == hashlib.sha256(raw).hexdigest()
    finally:
        wire.SPOOL_BYTES = limit


class Pieces:
    """A socket that hands out data a few octets at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step = data, step

    def settimeout(self, value: float) -> None: ...

    def recv(self, size: int) -> bytes:
        piece, self.data = self.data[: self.step], self.data[self.step :]
        return piece


def test_a_server_that_pipelines_gets_everything_in_few_flights(tmp_path: Path) -> None:
    script = Script(messages=[b"x\r\n"] * 1000)
    assert len(fetched(script, tmp_path)) == 1000
    assert 100 < script.most_ahead <= 256


def test_a_server_that_does_not_is_one_ahead_at_most(tmp_path: Path) -> None:
    script = Script(messages=[b"x\r\n"] * 50, capa=["UIDL"], slow_s=0.001)
    assert len(fetched(script, tmp_path)) == 50
    assert script.most_ahead <= 1


def test_the_window_counts_octets_too(tmp_path: Path) -> None:
    script = Script(messages=[b"x" * 6_000_000 + b"\r\n"] * 6)
    assert len(fetched(script, tmp_path)) == 6
    assert script.most_ahead <= 3


def test_user_pass_and_uidl_fly_together_once_the_server_is_known() -> None:
    script = Script(messages=[b"x\r\n"] * 3)
    with session(script) as opened:
        listing = opened.login_and_list(ANA, pipelined=True)
        assert [line.uidl for line in listing.messages] == ["u1", "u2", "u3"]
        assert opened.pipelining
    assert script.lines == ["USER ana@x.test", "PASS secreto", "UIDL"]


def test_without_uidl_the_messages_are_listed_all_the_same() -> None:
    with session(Script(messages=[b"x\r\n"] * 2, uidl=False)) as opened:
        listing = opened.login_and_list(ANA)
    assert not listing.has_uidl
    assert listing.digest == ""
    assert [(line.number, line.uidl) for line in listing.messages] == [(1, ""), (2, "")]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"-ERR [AUTH] no\r\n", LoginRefused),
        (b"-ERR no\r\n", LoginRefused),
        (b"-ERR [IN-USE] busy\r\n", Busy),
        (b"-ERR maildrop already locked\r\n", Busy),
        (b"-ERR [LOGIN-DELAY] wait\r\n", TooSoon),
        (b"-ERR [SYS/TEMP] later\r\n", ServerTrouble),
        (b"-ERR [SYS/PERM] never\r\n", Refused),
        (b"hello\r\n", Unreachable),
        (b"", Unreachable),
    ],
)
@pytest.mark.parametrize("pipelined", [False, True])
def test_a_refused_login_says_why(answer: bytes, kind: type[MailError], pipelined: bool) -> None:
    script = Script(answers={"PASS": answer})
    if not answer:
        script.cut_after = len(script.greeting) + 5
    with session(script) as opened, pytest.raises(MailError) as caught:
        opened.login_and_list(ANA, pipelined=pipelined)
    assert type(caught.value) is kind


@pytest.mark.parametrize("secret", ["a\r\nDELE 1", "a\nb", "a\0b", "a\1b", "a\x7fb", "a\x85b", "a\udcffb"])
@pytest.mark.parametrize(("pipelined", "oauth2"), [(False, False), (True, False), (False, True)])
def test_nothing_but_text_is_sent(secret: str, pipelined: bool, oauth2: bool) -> None:
    for credentials in (Credentials("ana", secret), Credentials(secret, "llave")):
        script = Script(capa=["UIDL", "USER", "SASL XOAUTH2"])
        with session(script) as opened, pytest.raises(LoginRefused):
            opened.login_and_list(credentials, pipelined=pipelined, oauth2=oauth2)
        assert script.lines in ([], ["CAPA"])


def test_one_refused_message_stops_no_other(tmp_path: Path) -> None:
    script = Script(messages=[b"a\r\n", b"b\r\n", b"c\r\n"], answers={"RETR 2": b"-ERR [SYS/TEMP] not now\r\n"})
    with session(script) as opened:
        opened.login_and_list(ANA)
        got = list(opened.retrieve([Wanted(1, 3), Wanted(2, 3), Wanted(3, 3)], tmp_path))
    assert [one.data for one in got] == [b"a\r\n", None, b"c\r\n"]
    assert isinstance(got[1].error, ServerTrouble)


def test_only_accepted_deletes_are_told() -> None:
    script = Script(messages=[b"a\r\n"] * 4, answers={"DELE 3": b"-ERR locked\r\n"})
    with session(script) as opened:
        opened.login_and_list(ANA)
        assert opened.delete([1, 2, 3, 4]) == [1, 2, 4]
        opened.quit()


def test_a_quit_that_is_refused_is_an_error() -> None:
    with session(Script(answers={"QUIT": b"-ERR some were not deleted\r\n"})) as opened:
        opened.login_and_list(ANA)
        with pytest.raises(Refused):
            opened.quit()


@pytest.mark.parametrize("cut", range(0, 140, 3))
def test_a_cut_anywhere_is_told(cut: int, tmp_path: Path) -> None:
    script = Script(messages=[b"hola\r\n.\r\n" * 3] * 3, cut_after=cut)

    def whole() -> None:
        with session(script) as opened:
            opened.login_and_list(ANA, pipelined=True)
            list(opened.retrieve([Wanted(1, None), Wanted(2, None), Wanted(3, None)], tmp_path))
            opened.quit()

    with pytest.raises(Unreachable):
        whole()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "raw", [b"x\r\n", b"0 a\r\n", b"1 a\r\n1 b\r\n", b"-1 a\r\n", b"99999999999 a\r\n", "١ a\r\n".encode()]
)
def test_what_is_no_listing_is_an_error(raw: bytes) -> None:
    with pytest.raises(Unreachable):
        _ = Listing(raw, has_uidl=True).messages


@pytest.mark.parametrize("uidl", [b"", b"x" * 201, b"a\tb", b"a b", b"\x07"])
def test_a_unique_id_that_is_none_stands_as_its_hash(uidl: bytes) -> None:
    (line,) = Listing(b"1 " + uidl + b"\r\n", has_uidl=True).messages
    assert line.uidl.startswith("sha256:")


@pytest.mark.parametrize("answer", [b"+OK " + b"x" * 5000 + b"\r\n", b"+OK " + b"x" * 300_000])
def test_an_endless_line_is_left(answer: bytes) -> None:
    with pytest.raises(Unreachable), session(Script(greeting=answer)):
        pass


def test_a_silent_server_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "READ_TIMEOUT_S", 0.3)
    with pytest.raises(Unreachable), session(Script(greeting=b"")):
        pass


def test_a_server_that_drips_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wire, "PATIENCE_S", 0.3)
    script = Script(messages=[b"x" * 100_000 + b"\r\n"])
    with session(script) as opened:
        opened.login_and_list(ANA)
        script.pieces = iter_slowly
        with pytest.raises(Unreachable):
            list(opened.retrieve([Wanted(1, None)], tmp_path))


def iter_slowly(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        time.sleep(0.02)
        yield data[at : at + 1]


def test_tokens_go_in_two_steps() -> None:
    script = Script(capa=["UIDL", "SASL XOAUTH2"], answers={"AUTH": b"+ \r\n"})
    with session(script) as opened:
        opened.login_and_list(Credentials("ana@x.test", "t" * 2000), oauth2=True)
    assert script.lines[1] == "AUTH XOAUTH2"
    assert len(script.lines[2]) > 2000


def test_a_refused_token_is_a_refused_login() -> None:
    script = Script(capa=["UIDL", "SASL OAUTHBEARER"], answers={"AUTH": b"+ \r\n"})
    original = script.answer
    script.answer = lambda line: (  # type: ignore[method-assign]
        b"+ eyJ9\r\n" if line.startswith("bixh") else b"-ERR [AUTH] no\r\n" if line == "*" else original(line)
    )
    with session(script) as opened, pytest.raises(LoginRefused):
        opened.login_and_list(Credentials("ana@x.test", "tok"), oauth2=True)
    assert script.lines[1] == "AUTH OAUTHBEARER"


def test_a_comma_in_a_login_is_no_end_of_it() -> None:
    """RFC 5801 section 4: "," and "=" of a name are written as =2C and =3D."""
    script = Script(capa=["UIDL", "SASL OAUTHBEARER"], answers={"AUTH": b"+ \r\n"})
    with session(script) as opened:
        opened.login_and_list(Credentials("a,b=c@x.test", "tok"), oauth2=True)
    assert base64.b64decode(script.lines[2]).startswith(b"n,a=a=2Cb=3Dc@x.test,\1host=127.0.0.1\1port=")


PLAIN = base64.b64encode(b"\0ana@x.test\0secreto").decode()


@pytest.mark.parametrize(
    ("answer", "lines"),
    [(b"+OK\r\n", [f"AUTH PLAIN {PLAIN}"]), (b"+ \r\n", [f"AUTH PLAIN {PLAIN}", PLAIN]), (b"+\r\n", None)],
)
def test_a_server_without_user_gets_auth_plain(answer: bytes, lines: list[str] | None) -> None:
    script = Script(messages=[b"x\r\n"], capa=["UIDL", "PIPELINING", "SASL PLAIN"], answers={"AUTH": answer})
    with session(script) as opened:
        assert opened.login_and_list(ANA).count == 1
        assert not opened.pipelining, "the next session may not begin with USER"
    assert script.lines == ["CAPA", *(lines or [f"AUTH PLAIN {PLAIN}", PLAIN]), "UIDL"]


def test_a_long_password_is_no_long_command() -> None:
    """RFC 2449 section 4: a command has 255 octets at most."""
    script = Script(capa=["UIDL", "SASL PLAIN"], answers={"AUTH": b"+ \r\n"})
    with session(script) as opened:
        opened.login_and_list(Credentials("ana", "x" * 300))
    assert script.lines[1] == "AUTH PLAIN"


def test_a_server_without_user_pipelines_all_the_same(tmp_path: Path) -> None:
    script = Script(messages=[b"x\r\n"] * 1000, capa=["UIDL", "PIPELINING", "SASL PLAIN"])
    assert len(fetched(script, tmp_path)) == 1000
    assert script.most_ahead > 100


@pytest.mark.parametrize("after", ["CAPA", "PASS", "UIDL", "LIST", "RETR", "DELE"])
def test_an_answer_too_many_is_taken_for_no_other(after: str, tmp_path: Path) -> None:
    """Or else each answer would be that of the command before: octets of another message, a DELE that was never accepted."""
    script = Script(messages=[b"a\r\n", b"b\r\n"])
    usual = script.answer
    script.answer = lambda line: usual(line) + (b"+OK extra\r\n" if line.startswith(after) else b"")  # type: ignore[method-assign]
    got: list[bytes | None] = []

    def whole() -> None:
        with session(script) as opened:
            opened.login_and_list(ANA)
            opened.sizes()
            got.extend(one.data for one in opened.retrieve([Wanted(2, 3)], tmp_path))
            opened.delete([1])
            opened.quit()

    with pytest.raises(Unreachable):
        whole()
    assert got in ([], [b"b\r\n"])
    assert "QUIT" not in script.lines
    assert after == "DELE" or "DELE 1" not in script.lines


def test_a_dot_that_the_server_did_not_double_mixes_nothing_up(tmp_path: Path) -> None:
    """What follows it looks like the answers to the next commands: a false message, and the answer to the fence after it."""
    for false in (b"", b"+OK\r\nfalso\r\n.\r\n", b"+OK\r\nfalso\r\n.\r\n+OK 3 u1\r\n", b"-ERR\r\n" * 3):
        for slow_s in (0.0, 0.02):
            trap = b"hola\r\n.\r\n" + false + b"fin\r\n"
            script = Script(messages=[b"uno\r\n", trap, b"tres\r\n"], stuffs=False, slow_s=slow_s)
            wanted = [Wanted(number, None, f"u{number}") for number in (1, 2, 3)]
            with session(script) as opened:
                opened.login_and_list(ANA)
                got: list[bytes | None] = []
                with pytest.raises(MixedUp) as told:
                    got.extend(one.data for one in opened.retrieve(wanted, tmp_path))
            assert got == []
            assert set(told.value.numbers) <= {1, 2, 3}
            assert 2 in told.value.numbers
            wanted = [one._replace(doubtful=True) for one in wanted]
            with session(script) as opened:
                opened.login_and_list(ANA)
                with pytest.raises(MixedUp) as told:
                    got.extend(one.data for one in opened.retrieve(wanted, tmp_path))
            assert (got, told.value.numbers) == ([b"uno\r\n"], (2,))


def test_a_server_that_knows_no_uidl_with_a_number_is_pulled_all_the_same(tmp_path: Path) -> None:
    script = Script(messages=[b"x\r\n"] * 70, answers={f"UIDL {number}": b"-ERR what?\r\n" for number in range(1, 71)})
    with session(script) as opened:
        opened.login_and_list(ANA)
        got = list(opened.retrieve([Wanted(number, 3, f"u{number}") for number in range(1, 71)], tmp_path))
        opened.quit()
    assert [one.data for one in got] == [b"x\r\n"] * 70
    assert len(script.lines) < 70 + 15


def test_a_server_that_lists_all_when_asked_for_one_is_told_apart(tmp_path: Path) -> None:
    whole = b"+OK\r\n1 u1\r\n2 u2\r\n.\r\n"
    script = Script(messages=[b"x\r\n"] * 2, answers={"UIDL 1": whole, "UIDL 2": whole})
    wanted = [Wanted(1, 3, "u1"), Wanted(2, 3, "u2")]
    with session(script) as opened:
        opened.login_and_list(ANA)
        with pytest.raises(MixedUp) as told:
            list(opened.retrieve(wanted, tmp_path))
        assert told.value.numbers == ()
    with session(script) as opened:
        opened.login_and_list(ANA)
        opened.fenced = False
        assert len(list(opened.retrieve(wanted, tmp_path))) == 2


def test_a_full_disk_is_no_fault_of_the_server(tmp_path: Path) -> None:
    for size in (5_000_000, 1_345_000):
        script = Script(messages=[b"x" * size + b"\r\n"])
        with session(script) as opened:
            opened.login_and_list(ANA)
            with no_file_beyond(1_340_000), pytest.raises(OverQuota):
                list(opened.retrieve([Wanted(1, None)], tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_spool_that_is_gone_is_no_fault_of_the_server(tmp_path: Path) -> None:
    with session(Script(messages=[b"x" * 2_000_000 + b"\r\n"])) as opened:
        opened.login_and_list(ANA)
        with pytest.raises(ServerTrouble):
            list(opened.retrieve([Wanted(1, None)], tmp_path / "gone"))


@contextlib.contextmanager
def no_file_beyond(size_bytes: int) -> Iterator[None]:
    """Writing more into a file fails in this process, as it does on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
