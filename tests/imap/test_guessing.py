"""A message whose tree is not known yet is read with guesses at its texts: the same message as without them, sooner."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.data.hostile_mime import mime_messages
from tests.data.letters import HTML, PDF, TEXT, joined, letter, part
from webmail.sources import guessing
from webmail.sources.imap import ImapSource, open_imap
from webmail.values import Credentials, Endpoint, FolderId, Message, Ref

pytestmark = pytest.mark.server
INBOX = FolderId("INBOX")
LONG = part("text/plain", b"una l\xc3\xadnea de un mensaje largo\r\n" * 2_000)
USUAL = {
    "one text": letter("uno", "text/plain; charset=utf-8", b"hola\r\n"),
    "alternatives": letter("dos", 'multipart/alternative; boundary="a"', joined("a", TEXT, HTML)),
    "with a file": letter("tres", 'multipart/mixed; boundary="m"', joined("m", TEXT, PDF)),
}


class Opener:
    """Opens messages of one mailbox with nothing known of them, and counts the round trips."""

    def __init__(self, endpoint: Endpoint, made: Any) -> None:
        self.endpoint, self.made = endpoint, made
        self.trips = 0

    def source(self) -> ImapSource:
        return open_imap(
            self.endpoint, Credentials(self.made.address, self.made.password), account_key=self.made.address
        )

    def message(self, uid: int) -> Message:
        with self.source() as source:
            validity = source._session.selected(INBOX)[0].validity
            before = source.connection.round_trips
            message = source.message(Ref(INBOX, validity, str(uid)))
            self.trips = source.connection.round_trips - before
            return message


@pytest.fixture
def opener(stack: Any, mailbox_factory: Any) -> Opener:
    return Opener(Endpoint("127.0.0.1", stack.ports.imap, "none"), mailbox_factory("ana"))


def test_the_usual_messages_are_one_round_trip(opener: Opener, imap: Any) -> None:
    other = imap(opener.made.address)
    for raw in USUAL.values():
        other.append("INBOX", raw)
    for uid, _raw in enumerate(USUAL.values(), 1):
        assert opener.message(uid).bodies[0].text.strip() in {"hola", "<p>visible html</p>", "visible text"}
        assert opener.trips == 1


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.variants)])
def test_guessed_messages_are_the_same_as_those_that_are_not(
    opener: Opener, imap: Any, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    files = sorted(Path(__file__).parent.parent.glob("data/mime/*.eml"))
    letters = [letter("larga", 'multipart/mixed; boundary="m"', joined("m", LONG, PDF))]
    hostile = [raw for _name, raw in mime_messages() if raw][::step]
    messages = [*chain(letters, hostile, (path.read_bytes() for path in files))]
    other = imap(opener.made.address)
    other.multiappend("INBOX", messages)
    guessed = [(opener.message(uid), opener.trips) for uid in range(1, len(messages) + 1)]
    monkeypatch.setattr(guessing, "GUESSED", ())
    for uid, (message, _trips) in enumerate(guessed, 1):
        assert opener.message(uid) == message
    trips = [trips for _message, trips in guessed]
    assert trips[0] == 2
    assert trips.count(1) > len(trips) / 2
