"""What a connection makes of servers that misbehave: an error in words, never a hang, never a wrong answer."""

from __future__ import annotations

import pytest

from tests.imap.scripted import scripted
from webmail.errors import OverQuota, Refused, Unreachable
from webmail.imap import stream
from webmail.imap.connection import RESPONSE_LIMIT_BYTES
from webmail.imap.wire import Literal


@pytest.mark.parametrize("no", [b"[OVERQUOTA] full", b"Over quota"])
def test_a_refused_literal_is_told_and_the_connection_lives(no: bytes) -> None:
    """The code of RFC 5530, or only words, as Cyrus 3.6 has them."""
    with scripted(literal=b"TAG NO " + no + b"\r\n") as server:
        connection = server.connect()
        with pytest.raises(OverQuota):
            connection.ask(b"APPEND", b"INBOX", Literal(b"x" * 100))
        assert connection.ask(b"NOOP").ends[0].status == b"OK"


def test_answers_to_earlier_commands_may_come_before_a_literal_is_asked_for() -> None:
    replies = {"STATUS": b"* STATUS x (MESSAGES 1)\r\nTAG OK done\r\n"}
    with scripted(replies, literal=b"* 3 EXISTS\r\n+ go\r\n") as server:
        flight = server.connect().run([b"STATUS", b"x"], [b"STATUS", Literal("ñ".encode())], [b"NOOP"])
    assert [end.status for end in flight.ends] == [b"OK", b"OK", b"OK"]
    assert [response.kind for response in flight.untagged] == [b"STATUS", b"EXISTS", b"STATUS"]


def test_what_is_done_while_the_server_is_at_it_is_done_once() -> None:
    done: list[bool] = []
    with scripted() as server:
        connection = server.connect()
        connection.meanwhile = lambda: done.append(connection.waits_since is not None)
        connection.ask(b"NOOP")
        connection.ask(b"NOOP")
        assert done == [True]
        connection.meanwhile = lambda: [][0]
        with pytest.raises(IndexError):
            connection.ask(b"NOOP")
        assert connection.broken, "its answers were not read"


def test_braces_in_a_text_for_people_are_no_literal() -> None:
    with scripted({"NOOP": b"* OK do not count {7}\r\nTAG OK done {9}\r\n"}) as server:
        assert server.connect().ask(b"NOOP").ends[0].text == "done {9}"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"* BYE closing\r\nTAG OK done\r\n",
        b"* 1 FETCH (BODY[] {%d}\r\n" % (RESPONSE_LIMIT_BYTES + 1),
        b"* 1 FETCH (BODY[] {999999999999}\r\n",
        b"OTHER OK done\r\n",
    ],
)
def test_what_is_no_answer_is_unreachable(answer: bytes) -> None:
    with scripted({"NOOP": lambda _command: answer or None}) as server:
        connection = server.connect()
        with pytest.raises(Unreachable):
            connection.ask(b"NOOP")
        assert connection.broken


def test_a_line_without_end_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LINE_LIMIT_BYTES", 100_000)
    with scripted({"NOOP": b"* " + b"x" * 300_000}) as server, pytest.raises(Unreachable, match="line too long"):
        server.connect().ask(b"NOOP")


def test_a_flood_of_answers_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "FLIGHT_LIMIT_BYTES", 100_000)
    with scripted({"NOOP": b"* 1 EXISTS\r\n" * 50_000}) as server, pytest.raises(Unreachable, match="too long"):
        server.connect().ask(b"NOOP")


def test_a_server_that_trickles_is_unreachable_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted({"NOOP": b"* 1 EXISTS\r\n"}) as server:
        connection = server.connect()
        monkeypatch.setattr(stream, "FLIGHT_LIMIT_S", -1.0)
        with pytest.raises(Unreachable, match="too long"):
            connection.ask(b"NOOP")


def test_no_and_bad_are_refused() -> None:
    with scripted({"X": b"TAG NO no\r\n", "Y": b"TAG BAD bad\r\n"}) as server:
        connection = server.connect()
        for command in (b"X", b"Y"):
            with pytest.raises(Refused):
                connection.ask(command)
        assert not connection.broken
