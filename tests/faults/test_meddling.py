"""Another program changes the mailbox between any two of our commands: it expunges, delivers, deletes the open folder, makes it
anew, renames it. No wrong message is ever shown or changed, and the next page shows what is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.contract.test_source import letter
from tests.faults.scene import ACTIONS, ARCHIVE, INBOX, SUBJECTS, WORKS, Action, Scene, scene
from tests.faults.test_cuts import SERVERS
from tests.imap.proxy import Proxy, proxied
from tests.webmail.test_pictures import related
from webmail.errors import Gone, Unreachable
from webmail.imap.pool import pool
from webmail.models import Composing, Upload
from webmail.services.composing import new_composing
from webmail.services.letters import begin_answer
from webmail.sources.imap import ImapSource
from webmail.values import Message, Query, Ref, Summary, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

Meddle = Callable[[Scene], None]
Make = Callable[[], AbstractContextManager[Scene]]


@pytest.fixture(params=["whole", pytest.param("poor", marks=pytest.mark.faults)])
def proxy(request: Any, stack: Any) -> Iterator[Proxy]:
    with proxied("127.0.0.1", stack.ports.imap, hide=SERVERS[request.param]) as proxy:
        yield proxy
    pool.close_all()


@pytest.fixture
def make(proxy: Proxy, mailbox_factory: Any, imap: Any, redis: Any) -> Make:
    return lambda: scene(proxy, mailbox_factory, imap, redis.environment()["REDIS_URL"])


def expunge(one: Scene, *subjects: str) -> None:
    one.client.select_folder(INBOX)
    uids = [uid for (folder, _validity, uid), subject in one.truth.items() if folder == INBOX and subject in subjects]
    one.client.delete_messages(uids)
    one.client.expunge()
    one.client.unselect_folder()


def replace_all(one: Scene) -> None:
    """The messages that were there go; others come, which have their numbers in the folder but not their UIDs."""
    expunge(one, *SUBJECTS)
    for subject in ("otra", "distinta", "ajena"):
        one.client.append(INBOX, letter(subject, body=f"Cuerpo de {subject}"))


MEDDLING: dict[str, Meddle] = {
    "expunge-named": lambda one: expunge(one, "cuatro", "dos"),
    "deliver": lambda one: one.client.append(INBOX, letter("seis", day=9, body="Cuerpo de seis")),
    "replace-all": replace_all,
}


def meddle_before(one: Scene, command: int, meddle: Meddle) -> Callable[[], bool]:
    """Has another program at work just before the server sees this command, counted from now; says whether it came to that. It
    works in the proxy's thread, with the one connection that the test has too: whoever asks waits until it is ready."""
    left, ready = [command], threading.Event()

    def stumble(_line: bytes) -> str:
        left[0] -= 1
        if left[0] == -1:
            try:
                meddle(one)
                one.look()
            finally:
                ready.set()
        return ""

    def came() -> bool:
        return left[0] < 0 and ready.wait(30)

    one.proxy.stumble = stumble
    return came


def refs_of(shown: Any) -> Iterator[tuple[Ref, str | None]]:
    """Every message in what an action gave, with its subject where it has one."""
    if isinstance(shown, Summary):
        yield shown.ref, shown.subject
    elif isinstance(shown, Message):
        yield shown.summary.ref, shown.summary.subject
        yield shown.summary.ref, shown.bodies[0].text.strip().removeprefix("Cuerpo de ") if shown.bodies else None
    elif isinstance(shown, Ref):
        yield shown, None
    elif isinstance(shown, dict | list | tuple):
        for item in shown:
            yield from refs_of(item)


def check_true(one: Scene, shown: Any) -> None:
    for ref, subject in refs_of(shown):
        assert subject in {None, one.truth[ref.folder, ref.validity, int(ref.id)]}


def commands_of(action: Action, make: Make) -> int:
    with make() as one:
        before = len(one.proxy.commands)
        with one.open() as source:
            action.run(source, one)
        return len(one.proxy.commands) - before


IN_INBOX = [
    one for one in ACTIONS if one.name not in {"folders", "create", "rename", "delete-folder", "subscribe", "quota"}
]
FEW = {"list", "neighbours", "open", "flag", "move", "copy", "delete"}
CASES = [
    *(("whole", name, one) for name in ("expunge-named", "replace-all") for one in IN_INBOX),
    *(("whole", "deliver", one) for one in IN_INBOX if one.name in FEW),
    *(("poor", name, one) for name in ("expunge-named", "replace-all") for one in IN_INBOX if one.name in FEW),
]


@pytest.mark.faults
@pytest.mark.parametrize(
    ("proxy", "meddling", "action"),
    [pytest.param(*case[:2], case[2], id=f"{case[0]}-{case[1]}-{case[2].name}") for case in CASES],
    indirect=["proxy"],
)
def test_no_wrong_message_is_shown_or_changed(make: Make, action: Action, meddling: str) -> None:
    command = -1
    while True:
        command += 1
        with make() as one:
            one.forget()
            came = meddle_before(one, command, MEDDLING[meddling])
            try:
                with one.open() as source:
                    shown = action.run(source, one)
            except Gone:
                shown = None
            if not came():
                break
            one.proxy.stumble = lambda _line: ""
            now = one.look()
            check_true(one, shown)
            assert one.shown() == now, f"{meddling} before command {command}: the next page shows something else"
            check_changes(one, action, now)


def check_changes(one: Scene, action: Action, now: dict[Any, list[str]]) -> None:
    """Only what the refs name was changed: the second and third row."""
    named = {"cuatro", "tres"}
    assert set(now[ARCHIVE]) - {"antes", "nueva"} <= (named if action.name in {"move", "copy"} else set())
    if action.name in {"flag", "unflag"}:
        one.client.select_folder(INBOX, readonly=True)
        flagged = one.client.fetch(one.client.search("FLAGGED"), ["ENVELOPE"]) if now[INBOX] else {}
        assert {items[b"ENVELOPE"].subject.decode() for items in flagged.values()} <= named
    if action.name in {"move", "delete"} and {"uno", "dos"} <= set(now[INBOX]):
        assert "cinco" in now[INBOX]


def test_an_answer_to_what_goes_before_its_picture_is_read_leaves_no_composer_behind(make: Make) -> None:
    with make() as one:
        one.client.append(INBOX, related("foto", '<p>Hola <img src="cid:part1.AB@x.test"></p>'))
        one.look()
        uid = max(uid for folder, _validity, uid in one.truth if folder == INBOX)
        ready = threading.Event()

        def stumble(line: bytes) -> str:
            if b"BODY.PEEK[2.2]" in line and not ready.is_set():  # the picture, and nothing before it
                expunge(one, "foto")
                ready.set()
            return ""

        one.proxy.stumble = stumble
        with one.open() as source, pytest.raises(Gone):
            begin_answer(new_composing(one.account), source, Ref(INBOX, one.refs[0].validity, str(uid)), "reply")
        assert ready.wait(30)
    assert not Composing.objects.exists()
    assert not Upload.objects.exists()


# --- the folder itself ---------------------------------------------------------------------------------------------------------


def delete(one: Scene) -> None:
    one.client.delete_folder(WORKS)


def make_anew(one: Scene) -> None:
    delete(one)
    one.client.create_folder(WORKS)
    for subject in ("otra", "distinta"):
        one.client.append(WORKS, letter(subject))


def rename(one: Scene) -> None:
    one.client.rename_folder(WORKS, "Taller")


FOLDER_MEDDLING: dict[str, Meddle] = {"deleted": delete, "made anew": make_anew, "renamed": rename}


def list_works(source: ImapSource, _one: Scene) -> Any:
    return source.page(WORKS, Query(), Window()).rows


def open_works(source: ImapSource, one: Scene) -> Any:
    return source.message(one.in_works())


def move_works(source: ImapSource, one: Scene) -> Any:
    return source.move([one.in_works()], ARCHIVE)


def move_into_works(source: ImapSource, one: Scene) -> Any:
    return source.move(one.refs[1:3], WORKS)


@pytest.mark.parametrize("meddling", FOLDER_MEDDLING)
@pytest.mark.parametrize("run", [list_works, open_works, move_works, move_into_works])
def test_another_program_takes_the_open_folder_away(
    make: Make, run: Callable[[ImapSource, Scene], Any], meddling: str
) -> None:
    """One thing cannot be helped: when a folder is made anew between our SELECT, which told its UIDVALIDITY, and our MOVE,
    Dovecot 2.3 takes the new folder's message with that UID and tells nobody."""
    command = -1
    while True:
        command += 1
        with make() as one:
            came = meddle_before(one, command, FOLDER_MEDDLING[meddling])
            try:
                with one.open() as source:
                    shown = run(source, one)
            except (Gone, Unreachable):  # Dovecot may say goodbye to who has such a folder open
                shown = None
            if not came():
                break
            one.proxy.stumble = lambda _line: ""
            now = one.look()
            check_true(one, shown)
            assert one.shown() == now, f"{meddling} before command {command}"
            assert "otra" not in now[ARCHIVE] or (run is move_works and meddling == "made anew")
            gone_with_it = 2 if run is move_into_works else 0  # moved there first, deleted then
            assert sum(len(found) for found in now.values()) >= 6 - gone_with_it
            in_both = [subject for subject in SUBJECTS if sum(found.count(subject) for found in now.values()) != 1]
            assert not in_both or (run is move_into_works and meddling != "renamed")
