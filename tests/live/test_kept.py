"""Lists of a watched account: no IMAP while nothing changes, and never old after the event."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse
from redis import Redis

from accounts.redis_line import ask
from tests.contract.test_source import letter
from tests.live.conftest import Listening, Live, Owner
from webmail.imap.pool import pool
from webmail.live.events import Event, Kind
from webmail.live.marks import ANY, Marks, Step, marks_key, new_mark, read_ways, steps_between
from webmail.services.threads import read_conversation
from webmail.sources.imap import ImapSource, open_imap
from webmail.values import Credentials, Endpoint, Flag, FolderId, Query, Role, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

INBOX = FolderId("INBOX")
PAGE = Window(0, 50)
Open = Callable[..., ImapSource]


@pytest.fixture
def one(owner: Callable[..., Owner], deliver: Any) -> Owner:
    made = owner()
    for name in ("primera", "segunda"):
        deliver(made.made.address, letter(name))
    return made


@pytest.fixture
def opened(one: Owner, live: Live) -> Iterator[Open]:
    """Opens the account anew each time, as requests do."""
    sources: list[ImapSource] = []

    def open_(page: str = "") -> ImapSource:
        endpoint = Endpoint("127.0.0.1", live.stack.ports.imap, "none")
        credentials = Credentials(one.made.address, one.made.password)
        key, pk = str(one.account.pk), one.account.pk
        source = open_imap(endpoint, credentials, account_key=key, redis_url=live.url, account_id=pk, page=page)
        sources.append(source)
        return source

    yield open_
    for source in sources:
        source.close()
    pool.close_all()


@pytest.fixture
def ear(one: Owner, live: Live, watcher: Any) -> Listening:
    watcher()
    return live.watched(one.account.pk)


def read(source: ImapSource, query: Query | None = None) -> dict[str, Any]:
    """What a list page asks for."""
    with source:
        page = source.page(INBOX, query or Query(), PAGE)
        return {
            "subjects": [row.subject for row in page.rows],
            "flags": [row.flags for row in page.rows],
            "total": page.total,
            "next": page.next_id,
            "threads": page.threads,
            "tree": source.folders(),
            "quota": source.quota(),
            "can": source.can,
            "moves": source.finish_moves(),
            "place": source.neighbours(page.rows[0].ref, query or Query()),
        }


def trips(action: Callable[[], Any]) -> int:
    """Round trips to the mail server that an action takes, logins too."""

    def count() -> int:
        return sum(connection.round_trips + 1000 for kept in pool._idle.values() for connection in kept)

    before = count()
    action()
    return count() - before


@pytest.mark.parametrize(
    "query",
    [Query(), Query(sort="from", descending=False), Query(unread=True), Query(threads=True), Query(text="prim")],
)
def test_a_watched_list_asks_the_server_nothing(opened: Open, ear: Listening, query: Query) -> None:
    first = read(opened(), query)
    assert first["subjects"]
    assert trips(lambda: read(opened(), query)) == 0
    assert read(opened(), query) == first


def test_no_list_is_old_after_the_event(opened: Open, ear: Listening, one: Owner, imap: Any, deliver: Any) -> None:
    other = imap(one.made.address)
    other.select_folder("INBOX")
    read(opened())
    deliver(one.made.address, letter("tercera"))
    ear.kind(Kind.NEW)
    assert "tercera" in str(read(opened())["subjects"])
    assert next(folder for folder in read(opened())["tree"] if folder.id == INBOX).total == 3
    for change, kind in (
        (lambda: other.add_flags([1], [b"\\Flagged"]), Kind.FLAGS),
        (lambda: other.remove_flags([1], [b"\\Flagged"]), Kind.FLAGS),
        (lambda: other.add_flags([1, 2], [b"\\Seen", b"$label1"]), Kind.FLAGS),
        (lambda: other.add_flags([2], [b"\\Deleted"]), Kind.FLAGS),
        (lambda: other.expunge(), Kind.GONE),
    ):
        change()
        ear.kind(kind)
        now = read(opened())
        fresh = read_fresh(opened, one, ear)
        assert now == fresh
    other.create_folder("Nueva")
    ear.kind(Kind.FOLDERS)
    assert "Nueva" in [folder.name for folder in read(opened())["tree"]]


def test_the_event_says_which_page_did_it_and_what_it_read_still_holds(
    opened: Open, ear: Listening, one: Owner, imap: Any
) -> None:
    marks = f"live:marks:{one.account.pk}"
    with opened("thispage") as source:
        first, second = (row.ref for row in source.page(INBOX, Query(), PAGE).rows)
        source.change_flags([first], add=[Flag.FLAGGED])
        source.set_flags([second], add=[Flag.SEEN], wait=False)
    before = ear.redis.hgetall(marks)
    marking = ear.kind(Kind.FLAGS).marking
    assert marking
    assert (marking.by, marking.was_unread - marking.unread) == ("thispage", 1)
    assert ear.redis.hgetall(marks) == before
    other = imap(one.made.address)
    other.select_folder("INBOX")
    with opened("thispage") as source:
        source.change_flags([first], remove=[Flag.FLAGGED])
        other.add_flags([int(second.id)], [b"$label1"])
    by = {event.marking.by if event.marking else "" for event in told(ear)}
    assert "" in by
    assert ear.redis.hgetall(marks) != before
    assert read(opened()) == read_fresh(opened, one, ear)


def told(ear: Listening) -> list[Event]:
    """What is told until it is quiet."""
    ear.kind(Kind.FLAGS)
    while not ear.quiet(0.7):
        pass
    return [event for _moment, event in ear.heard if event.kind is Kind.FLAGS][1:]


def test_a_message_is_opened_again_without_asking(opened: Open, ear: Listening, one: Owner, imap: Any) -> None:
    ref = opened().page(INBOX, Query(), PAGE).rows[0].ref

    def open_again() -> tuple[Any, Any]:
        with opened() as source:
            source.look_at(ref, Query())
            return source.flags([ref]), source.neighbours(ref, Query())

    with opened() as source:
        source.look_at(ref, Query())
        source.message(ref)
    open_again()
    assert trips(open_again) == 0

    def star() -> None:
        with opened() as source:
            source.change_flags([ref], add=[Flag.FLAGGED])

    assert trips(star) == 1
    other = imap(one.made.address)
    other.select_folder("INBOX")
    other.add_flags([int(ref.id)], [b"\\Answered"])
    ear.kind(Kind.FLAGS)
    assert Flag.ANSWERED in open_again()[0][ref]


def test_a_list_is_carried_over_what_we_did_ourselves(opened: Open, ear: Listening, one: Owner, imap: Any) -> None:
    queries = (Query(), Query(text="prim"), Query(unread=True))
    for query in queries:
        read(opened(), query)
    first = opened().page(INBOX, Query(), PAGE).rows[0].ref

    def change(add: list[str], remove: list[str]) -> None:
        with opened() as source:
            source.change_flags([first], add=add, remove=remove)

    for add, remove in (([Flag.FLAGGED], []), ([Flag.FLAGGED], []), ([], [Flag.FLAGGED])):
        change(add, remove)
        assert trips(lambda: [read(opened(), query) for query in queries[:2]]) == 0
        assert Flag.FLAGGED in read(opened())["flags"][0] or not add
    with opened() as source:  # as a message is opened
        source.look_at(first, Query())
        source.set_flags([first], add=[Flag.SEEN], wait=False)
    assert trips(lambda: opened().page(INBOX, Query(), PAGE)) == 0
    assert Flag.SEEN in opened().page(INBOX, Query(), PAGE).rows[0].flags
    now = [read(opened(), query) for query in queries]
    told(ear)
    assert [read(opened(), query) for query in queries] == now
    other = imap(one.made.address)
    other.select_folder("INBOX")
    other.add_flags([int(first.id)], [b"\\Answered"])
    ear.kind(Kind.FLAGS)
    change([Flag.FLAGGED], [])
    now = [read(opened(), query) for query in queries]
    assert now == [read_fresh(opened, one, ear, query) for query in queries]
    assert {Flag.ANSWERED, Flag.SEEN, Flag.FLAGGED} <= now[0]["flags"][0]


def test_nothing_is_carried_over_a_change_that_others_may_have_had_a_part_in(live: Live) -> None:
    marks = Marks(Redis.from_url(live.url), 7_000_001)
    step = Step(INBOX, 5, (3, 4), add=(Flag.FLAGGED,))
    seen = read_marks(marks)
    marks.set(INBOX, step=step, since=seen)
    one = read_marks(marks)
    marks.set(INBOX, step=step, since=seen)  # whoever looked before the first
    two = read_marks(marks)
    marks.set(FolderId("Otra"), step=replace(step, folder=FolderId("Otra")), since=b"")
    marks.set(INBOX, step=replace(step, add=(), remove=(Flag.SEEN,)), since=two)
    three, (every, _mark) = read_marks(marks), read_marks(marks).split(b".")
    ways = read_ways(ask(marks.redis, marks.steps)[0])
    assert [(way.step.add, way.step.remove) for way in ways] == [((), (Flag.SEEN,)), ((Flag.FLAGGED,), ())]

    def between(old: bytes, now: bytes) -> list[Step]:
        return steps_between(ways, INBOX, every, old, now)

    assert between(seen, one) == [step]
    assert [taken.remove for taken in between(two, three)] == [(Flag.SEEN,)]
    assert between(one, two) == between(seen, three) == between(three, seen) == []
    assert steps_between(ways, FolderId("Otra"), every, two, three) == []
    assert steps_between(ways, None, every, ways[0].old_any, ways[0].new) == []  # counts are others after it
    assert steps_between(ways, None, every, ways[1].old_any, ways[1].new) == [step]
    assert not replace(step, add=("$label1",)).may_be_told


def read_marks(marks: Marks) -> bytes:
    """The mark of the Inbox, as an answer is kept under it; the account need not be watched."""
    names = [b"", INBOX.encode()]
    for name in (*names, ANY):
        marks.redis.hsetnx(marks_key(marks.account_id), name, new_mark())
    return b".".join(marks.redis.hmget(marks_key(marks.account_id), names))  # type: ignore[arg-type]


def test_a_message_that_stands_alone_is_looked_for_among_the_sent_mail_only(
    opened: Open, ear: Listening, one: Owner, deliver: Any, imap: Any
) -> None:
    deliver(one.made.address, letter("sola", extra="Message-ID: <sola@x.test>\r\n"))
    ear.kind(Kind.NEW)
    other = imap(one.made.address)
    with opened() as source:
        folders = source.folders()
        inbox = next(folder for folder in folders if folder.role is Role.INBOX)
        ref = next(row.ref for row in source.page(INBOX, Query(), PAGE).rows if row.subject == "sola")

    def conversation() -> list[str]:
        with opened() as source:
            found = read_conversation(source, folders, inbox, ref)
        return [entry.summary.subject for entry in (*found.older, *found.newer)]

    assert conversation() == []  # the usual way: threads are read
    with opened() as source:
        source.message(ref)
    assert conversation() == []
    assert trips(conversation) == 1
    with opened() as source:
        source.change_flags([ref], add=[Flag.FLAGGED])
    assert trips(conversation) == 1
    answer = "In-Reply-To: <sola@x.test>\r\nReferences: <sola@x.test>\r\n"
    sent = next(folder for folder in folders if folder.role is Role.SENT)
    other.append(sent.id, letter("Re: sola", extra=answer))
    assert conversation() == ["Re: sola"]
    deliver(one.made.address, letter("Re: Re: sola", day=2, extra=answer))
    ear.kind(Kind.NEW)
    assert sorted(conversation()) == ["Re: Re: sola", "Re: sola"]


def read_fresh(opened: Open, one: Owner, ear: Listening, query: Query | None = None) -> dict[str, Any]:
    """The same from the server."""
    ear.redis.delete(f"live:marks:{one.account.pk}")
    return read(opened(), query)


def test_our_own_changes_show_at_once(opened: Open, ear: Listening) -> None:
    source = opened()
    read(source)
    first = source.page(INBOX, Query(), PAGE).rows[0].ref
    source.set_flags([first], add=[Flag.FLAGGED])
    assert Flag.FLAGGED in read(opened())["flags"][0]
    target = source.create_folder(None, "Aparte")
    assert target in [folder.id for folder in read(opened())["tree"]]
    moved = source.move([first], target).after[0]
    assert read(opened())["total"] == 1
    assert opened().page(target, Query(), PAGE).total == 1
    assert moved is not None
    source.delete([moved])
    assert opened().page(target, Query(), PAGE).total == 0
    source.append(INBOX, letter("guardada"))
    assert read(opened())["total"] == 2
    source.subscribe(target, on=False)
    assert not next(folder for folder in opened().folders() if folder.id == target).subscribed


def test_a_watcher_that_died_is_believed_for_seconds_alone(
    opened: Open, one: Owner, live: Live, watcher: Any, imap: Any
) -> None:
    process = watcher()
    live.watched(one.account.pk)
    read(opened())
    process.send_signal(signal.SIGKILL)
    process.wait()
    live.until(lambda: trips(lambda: read(opened())) > 0, timeout_s=9)
    other = imap(one.made.address)
    other.select_folder("INBOX")
    other.add_flags([1], [b"\\Flagged"])
    assert any(Flag.FLAGGED in flags for flags in read(opened())["flags"])
    watcher()
    live.watched(one.account.pk)
    assert any(Flag.FLAGGED in flags for flags in read(opened())["flags"])


@pytest.mark.variants
def test_what_was_kept_before_a_watch_began_is_not_believed(
    opened: Open, one: Owner, live: Live, watcher: Any, imap: Any
) -> None:
    process = watcher()
    live.watched(one.account.pk)
    read(opened())
    process.terminate()
    process.wait()
    other = imap(one.made.address)
    other.select_folder("INBOX")
    other.add_flags([1], [b"\\Flagged"])
    watcher()
    live.watched(one.account.pk)
    assert any(Flag.FLAGGED in flags for flags in read(opened())["flags"])


def test_marks_that_redis_lost_do_not_come_back(opened: Open, one: Owner, ear: Listening, imap: Any) -> None:
    read(opened())
    ear.redis.delete(f"live:marks:{one.account.pk}")
    ear.redis.script_flush()
    assert trips(lambda: read(opened())) > 0
    assert trips(lambda: read(opened())) == 0


def test_strangers_have_nothing_of_it(live: Live, one: Owner, ear: Listening, opened: Open, owner: Any) -> None:
    read(opened())
    stranger = owner("eva")
    page = stranger.client.get(f"/mail/{one.account.pk}/f/SU5CT1g/")
    assert page.status_code == 404
    assert not re.search("primera|segunda", page.content.decode())
    assert Redis.from_url(live.url).exists(f"live:marks:{stranger.account.pk}") == 0


def test_a_folder_made_a_moment_ago_is_not_told_as_gone(
    opened: Open, ear: Listening, one: Owner, imap: Any, live: Live
) -> None:
    """The event of it is still under way; whoever knows of it by another program acts on it."""
    read(opened())
    imap(one.made.address).create_folder("Obras")
    subscribe = reverse("folder_subscribe", args=[one.account.pk, FolderId("Obras")])
    assert one.client.post(subscribe, {"on": "1"}).status_code in {200, 302}
    assert "Obras" in {name for _flags, _between, name in imap(one.made.address).list_sub_folders()}
