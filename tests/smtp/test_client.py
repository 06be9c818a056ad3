"""The dialogue with a server that takes mail, and what is known at its end."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.tls import make_certificates
from tests.smtp.scripted import Scripted, scripted
from webmail.errors import CertificateRefused, LoginRefused, MailError, Refused, Unreachable
from webmail.smtp import client as smtp
from webmail.smtp import session
from webmail.smtp.client import Deferred, LostAnswer, Rejected, Reply, Submission, TooLarge, submit
from webmail.values import Credentials, Endpoint

ANA = Credentials("ana@x.test", "clave ñ")
LETTER = b"Subject: a\r\n\r\nHola.\r\n"


def hand_in(server: Scripted, raw: bytes = LETTER, *to: str, tls: Any = "none", **more: Any) -> dict[str, Reply]:
    submission = Submission(more.pop("sender", "ana@x.test"), to or ("bob@y.test",), raw)
    return submit(server.endpoint(tls), more.pop("credentials", ANA), submission, **more)


def test_a_message_is_handed_in_with_its_envelope() -> None:
    with scripted() as server:
        assert hand_in(server, LETTER, "bob@y.test", "eva@z.test", helo="casilla.test") == {
            "bob@y.test": Reply(250, "queued"), "eva@z.test": Reply(250, "queued")
        }  # fmt: skip
        server.wait()
    auth = base64.b64encode("\0ana@x.test\0clave ñ".encode())
    assert server.commands == [
        b"EHLO casilla.test\r\n", b"AUTH PLAIN " + auth + b"\r\n", b"MAIL FROM:<ana@x.test> SIZE=21\r\n",
        b"RCPT TO:<bob@y.test>\r\n", b"RCPT TO:<eva@z.test>\r\n", b"DATA\r\n", b"QUIT\r\n",
    ]  # fmt: skip
    assert server.messages == [LETTER + b".\r\n"]


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"a", b"..", b"\r\n.\r\n"]), max_size=12).map(b"".join))
def test_no_text_ends_the_message_early_and_every_text_comes_back(raw: bytes) -> None:
    wire = smtp._FIRST_DOT.sub(b"..", smtp._wire(raw))
    assert wire.endswith(b"\r\n")
    lines = wire[:-2].split(b"\r\n")
    assert b"." not in lines
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    back = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines) + b"\r\n"
    assert back == smtp._wire(raw)


def test_the_hook_runs_when_all_but_the_dot_is_there() -> None:
    seen: list[tuple[int, int]] = []
    with scripted({"end": lambda _message: b"250 ok\r\n" if seen else b"550 the hook was not called\r\n"}) as server:
        hand_in(server, before_end=lambda: seen.append((len(server.messages), len(server.torn))))
    assert seen == [(0, 0)]


def test_what_the_hook_raises_leaves_the_message_without_its_end() -> None:
    def refuse() -> None:
        raise KeyError("mine")

    with scripted() as server:
        with pytest.raises(KeyError):
            hand_in(server, before_end=refuse)
        server.wait()
    assert (server.messages, server.torn) == ([], [LETTER])


def test_what_the_beat_raises_ends_the_dialogue() -> None:
    calls: list[int] = []

    def beat() -> None:
        calls.append(1)
        if len(calls) > 4:
            raise KeyError("mine")

    with scripted() as server, pytest.raises(KeyError):
        hand_in(server, beat=beat)
    assert not server.messages


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ({"greeting": b"554 go away\r\n"}, Rejected),
        ({"greeting": b"421 later\r\n"}, Deferred),
        ({"greeting": b"SSH-2.0-x\r\n"}, Unreachable),
        ({"greeting": None}, Unreachable),
        ({"greeting": b"220-" + b"x" * 9000}, Unreachable),
        ({"greeting": b"220-x\r\n" * 200}, Unreachable),
        ({"greeting": b"220 a\r\n220 b\r\n"}, Unreachable),
        ({"EHLO": b"502 what?\r\n"}, Rejected),
        ({"EHLO": b"250 me\r\n"}, Refused),
        ({"EHLO": b"250-me\r\n250 AUTH GSSAPI\r\n"}, Refused),
        ({"AUTH": b"535 wrong\r\n"}, LoginRefused),
        ({"AUTH": b"454 the directory is down\r\n"}, Deferred),
        ({"AUTH": b"538 TLS first\r\n"}, Rejected),
        ({"AUTH": b"334 more\r\n"}, Unreachable),
        ({"MAIL": b"552 too much\r\n"}, Rejected),
        ({"MAIL": b"451 later\r\n"}, Deferred),
        ({"RCPT": b"421 I stop\r\n"}, Deferred),
        ({"RCPT": None}, Unreachable),
        ({"DATA": b"554 no\r\n"}, Rejected),
        ({"DATA": b"250 what?\r\n"}, Unreachable),
        ({"DATA": None}, Unreachable),
        ({"end": b"554 spam\r\n"}, Rejected),
        ({"end": b"451 later\r\n"}, Deferred),
        ({"end": None}, LostAnswer),
        ({"end": b"hm\r\n"}, LostAnswer),
        ({"end": b"354 go on\r\n"}, LostAnswer),
    ],
)  # fmt: skip
def test_each_answer_has_its_meaning(replies: dict[str, bytes], error: type[MailError]) -> None:
    handed: list[bool] = []
    with scripted(replies) as server, pytest.raises(MailError) as caught:
        hand_in(server, before_end=lambda: handed.append(True))
    assert type(caught.value) is error
    assert handed == ([True] if "end" in replies else [])


def test_recipients_are_answered_one_by_one() -> None:
    replies = {"RCPT TO:<no@y.test>": b"550 5.1.1 unknown\r\n", "RCPT TO:<later@y.test>": b"450 busy\r\n"}
    with scripted(replies) as server:
        found = hand_in(
            server, LETTER, "no@y.test", "bob@y.test", "later@y.test", "a b@y.test", "<x>@y.test", "sin-arroba"
        )
    assert {address: reply.code for address, reply in found.items()} == {
        "no@y.test": 550, "bob@y.test": 250, "later@y.test": 450, "a b@y.test": 553, "<x>@y.test": 553, "sin-arroba": 553,
    }  # fmt: skip
    assert len(server.messages) == 1


def test_nothing_is_sent_when_nobody_is_accepted() -> None:
    with scripted({"RCPT": b"550 unknown\r\n"}) as server:
        assert hand_in(server) == {"bob@y.test": Reply(550, "unknown")}
        server.wait()
    assert b"DATA\r\n" not in server.commands


def test_an_address_cannot_carry_a_command() -> None:
    with scripted() as server:
        found = hand_in(server, LETTER, "a@y.test>\r\nRCPT TO:<b@y.test", "bob@y.test")
        assert found["bob@y.test"].accepted
        with pytest.raises(Rejected):
            hand_in(server, sender="a@x.test> SIZE=1\r\nRSET")
    assert not any(b"RSET" in command for command in server.commands)


def test_addresses_beyond_ascii() -> None:
    with scripted() as server:
        found = hand_in(server, LETTER, "bob@ñandú.test", "josé@y.test")
        assert (found["bob@ñandú.test"].code, found["josé@y.test"].code) == (250, 553)
        server.replies["EHLO"] = b"250-me\r\n250-AUTH PLAIN\r\n250 SMTPUTF8\r\n"
        assert hand_in(server, LETTER, "josé@y.test")["josé@y.test"].accepted
    assert b"RCPT TO:<bob@xn--and-6ma2c.test>\r\n" in server.commands
    assert b"MAIL FROM:<ana@x.test> SMTPUTF8\r\n" in server.commands
    assert "RCPT TO:<josé@y.test>\r\n".encode() in server.commands


def test_too_large_and_eight_bits_are_said_before_anything_is_sent() -> None:
    with scripted({"EHLO": b"250-me\r\n250-AUTH PLAIN\r\n250 SIZE 20\r\n"}) as server:
        with pytest.raises(TooLarge):
            hand_in(server)
        with pytest.raises(Refused):
            hand_in(server, "ñ".encode())
    with scripted() as server:
        hand_in(server, "ñ".encode())
    assert b"MAIL FROM:<ana@x.test> SIZE=4 BODY=8BITMIME\r\n" in server.commands


def test_an_answer_before_the_end_is_no_yes() -> None:
    for early, error in ((b"552 too much\r\n", Rejected), (b"421 I stop\r\n", Deferred), (b"250 yes\r\n", Unreachable)):
        handed: list[bool] = []
        with scripted({"EHLO": b"250-me\r\n250 AUTH PLAIN\r\n"}, early=(10, early)) as server:
            with pytest.raises(MailError) as caught:
                hand_in(
                    server,
                    LETTER + (b"x" * 60 + b"\r\n") * 150_000,
                    before_end=lambda handed=handed: handed.append(True),
                )
            server.wait()
        assert (type(caught.value), handed, server.messages) == (error, [], [])


def test_login_where_plain_is_not_offered() -> None:
    replies = {"EHLO": b"250-me\r\n250 AUTH LOGIN\r\n", "AUTH": b"334 VXNlcm5hbWU6\r\n"}
    words = [base64.b64encode(word.encode()) for word in (ANA.login, ANA.password)]
    with scripted({**replies, words[0].decode(): b"334 UGFzc3dvcmQ6\r\n", words[1].decode(): b"235 ok\r\n"}) as server:
        assert hand_in(server)["bob@y.test"].accepted
    assert server.commands[1:4] == [b"AUTH LOGIN\r\n", words[0] + b"\r\n", words[1] + b"\r\n"]


def test_a_silent_server_is_waited_for_so_long_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(session.Session.getreply, "__defaults__", (0.6,))
    monkeypatch.setattr(smtp, "FINAL_TIMEOUT_S", 0.6)
    silence = threading.Event()
    for name, error in (("RCPT", Unreachable), ("end", LostAnswer)):
        beats: list[int] = []
        with scripted({name: lambda _command: str(silence.wait(10)).encode()}) as server:
            with pytest.raises(error):
                hand_in(server, beat=lambda beats=beats: beats.append(1))
            silence.set()
        silence.clear()
        assert beats


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(Unreachable):
        submit(Endpoint("127.0.0.1", 1, "none"), ANA, Submission("a@x.test", ("b@y.test",), LETTER))


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    return folder


TLS_EHLO = b"250-me\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"


@pytest.mark.parametrize("how", ["starttls", "tls"])
def test_the_password_goes_out_under_tls_only(tls: Path, how: Any) -> None:
    with scripted({"EHLO": TLS_EHLO}, certificate=str(tls)) as server:
        server.wrapped = how == "tls"
        assert hand_in(server, tls=how, ca_file=str(tls / "ca.pem"))["bob@y.test"].accepted
        with pytest.raises(CertificateRefused):
            hand_in(server, tls=how)
        server.wait()
    kinds = [command.split()[0] for command in server.commands]
    assert kinds.count(b"AUTH") == 1
    assert how == "tls" or kinds.index(b"STARTTLS") < kinds.index(b"AUTH")


def test_there_is_no_falling_back_to_clear_text(tls: Path) -> None:
    for replies in ({"EHLO": b"250 AUTH PLAIN\r\n"}, {"STARTTLS": b"454 not now\r\n", "EHLO": TLS_EHLO}):
        with scripted(replies, certificate=str(tls)) as server, pytest.raises(Unreachable):
            hand_in(server, tls="starttls", ca_file=str(tls / "ca.pem"))
        assert not any(command.startswith(b"AUTH") for command in server.commands)


def test_what_was_slipped_in_before_tls_is_refused(tls: Path) -> None:
    replies = {"EHLO": TLS_EHLO, "STARTTLS": b"220 go on\r\n250 AUTH PLAIN\r\n"}
    with scripted(replies, certificate=str(tls)) as server, pytest.raises(Unreachable):
        hand_in(server, tls="starttls", ca_file=str(tls / "ca.pem"))


def test_a_foreign_server_inside_is_not_reached(settings: Any) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    with scripted() as server:
        inside = Endpoint("127.0.0.1", server.port, "none", public_only=True)
        with pytest.raises(Refused):
            submit(inside, ANA, Submission("a@x.test", ("b@y.test",), LETTER))
    assert not server.commands
