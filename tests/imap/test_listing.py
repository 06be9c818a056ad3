"""Lists and messages in few round trips, and what is kept is believed only while it is true."""

from __future__ import annotations

import random
import re
import secrets
import time
from array import array
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from redis import Redis

from tests.contract.test_source import MIXED, letter
from tests.imap.proxy import Proxy, proxied
from webmail.errors import FolderGone, Unreachable
from webmail.imap.pool import pool
from webmail.imap.wire import parse_uid_set
from webmail.sources import listing, patching
from webmail.sources.imap import ImapSource, open_imap
from webmail.sources.orders import holds_all, index_of, take_out
from webmail.values import Credentials, Endpoint, Flag, FolderId, PartNumber, Query, Ref, SortKey, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
INBOX = FolderId("INBOX")
SUBJECTS = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho"]


class Opener:
    """Opens sources on one mailbox through a proxy; counts what each asks of the server."""

    def __init__(self, proxy: Proxy, address: str, password: str, redis_url: str) -> None:
        self.proxy, self._credentials, self.redis_url = proxy, Credentials(address, password), redis_url
        self.address = address
        self.trips = 0

    def source(self, account_key: str = "") -> ImapSource:
        endpoint = Endpoint("127.0.0.1", self.proxy.port, "none")
        key = account_key or self.address
        return open_imap(endpoint, self._credentials, account_key=key, redis_url=self.redis_url)

    def refs(self, query: Query, account_key: str = "") -> list[Ref]:
        """The whole list."""
        with self.source(account_key) as source:
            return source.refs(INBOX, query)

    def subjects(self, query: Query | None = None, window: Window | None = None) -> list[str]:
        """The subjects of a page, read by a source of its own; `trips` tells its round trips."""
        with self.source() as source:
            before = source.connection.round_trips
            page = source.page(INBOX, query or Query(), window or Window())
            self.trips = source.connection.round_trips - before
        return [row.subject for row in page.rows]


@pytest.fixture
def opener(stack: Any, mailbox_factory: Any, imap: Any) -> Iterator[Opener]:
    made = mailbox_factory("ana")
    client = imap(made.address)
    for day, subject in enumerate(SUBJECTS):
        client.append("INBOX", letter(subject, day=day))
    client.append("INBOX", MIXED)
    with proxied("127.0.0.1", stack.ports.imap) as proxy:
        yield Opener(proxy, made.address, made.password, stack.environment()["REDIS_URL"])
        pool.close_all()


LISTED = [*reversed(SUBJECTS), "con adjunto"]


def test_a_page_is_two_round_trips_the_first_time_and_one_after(opener: Opener) -> None:
    assert opener.subjects() == LISTED
    assert opener.trips == 2
    assert opener.subjects() == LISTED
    assert opener.trips == 1
    assert opener.subjects(Query(descending=False)) == LISTED[::-1]
    assert opener.trips == 1


@pytest.mark.parametrize(
    "query", [Query(unread=True), Query(flagged=True), Query(text="adjunto"), Query(attachment=True)]
)
def test_a_filtered_page_is_one_round_trip_once_it_is_known(opener: Opener, query: Query) -> None:
    first = opener.subjects(query)
    assert opener.subjects(query) == first
    assert opener.trips == 1


def test_flags_are_always_the_servers(opener: Opener, imap: Any) -> None:
    opener.subjects()
    client = imap(opener.address)
    client.select_folder("INBOX")
    client.add_flags([2], [b"\\Seen", b"$label3"])
    with opener.source() as source:
        rows = {row.subject: row for row in source.page(INBOX, Query(), Window()).rows}
    assert {"\\Seen", "$label3"} <= rows["dos"].flags
    assert opener.trips == 2
    assert opener.subjects(Query(unread=True)) == [subject for subject in LISTED if subject != "dos"]


def test_a_filter_is_asked_again_when_flags_changed(opener: Opener, imap: Any) -> None:
    assert opener.subjects(Query(flagged=True)) == []
    client = imap(opener.address)
    client.select_folder("INBOX")
    client.add_flags([3], [b"\\Flagged"])
    assert opener.subjects(Query(flagged=True)) == ["tres"]
    client.remove_flags([3], [b"\\Flagged"])
    assert opener.subjects(Query(flagged=True)) == []


def test_new_mail_and_expunges_are_seen(opener: Opener, imap: Any) -> None:
    assert opener.subjects() == LISTED
    client = imap(opener.address)
    client.select_folder("INBOX")
    client.append("INBOX", letter("nueve", day=9))
    assert opener.subjects() == ["nueve", *LISTED]
    client.delete_messages([4])
    client.expunge()
    assert opener.subjects() == ["nueve", *(subject for subject in LISTED if subject != "cuatro")]
    client.add_flags([5], [b"\\Deleted"])
    assert "cinco" not in opener.subjects()


def test_a_message_seen_in_the_list_opens_in_one_round_trip(opener: Opener) -> None:
    with opener.source() as source:
        ref = source.page(INBOX, Query(), Window()).rows[-1].ref
    with opener.source() as source:
        before = source.connection.round_trips
        message = source.message(ref)
        assert source.connection.round_trips - before == 1
        assert source.neighbours(ref, Query())[0] == len(LISTED) - 1
        assert source.connection.round_trips - before == 1
    assert [body.text.strip() for body in message.bodies] == ["Mira"]
    Redis.from_url(opener.redis_url).flushdb()
    with opener.source() as source:
        before = source.connection.round_trips
        assert source.message(ref) == message
        assert source.connection.round_trips - before == 1


def test_a_place_is_found_as_array_finds_it() -> None:
    order = array("I", [256, 1, 65_536, 16_777_216, 1 << 24 | 1, 7, 0xFFFFFFFF])
    assert [index_of(order, uid) for uid in order] == [order.index(uid) for uid in order]
    for uid in (2, 0x01000000 >> 8 << 4, 0x00010100):
        with pytest.raises(ValueError):
            index_of(order, uid)
    assert holds_all(order, frozenset([7, 256]))
    assert not holds_all(order, frozenset([7, 2]))


@pytest.mark.parametrize("start", [0, 1_990, 5_000])
@pytest.mark.parametrize("count", [0, 1, 700])
def test_what_is_taken_out_of_an_order_leaves_the_others_as_they_were(count: int, start: int) -> None:
    order = array("I", random.Random(count).sample(range(1, 70_000), 6_000))
    gone = frozenset(order[start : start + count])
    assert holds_all(order, gone)
    assert list(take_out(array("I", order), gone)) == [uid for uid in order if uid not in gone]


def test_the_tree_of_folders_is_one_round_trip(opener: Opener) -> None:
    with opener.source() as source:
        before = source.connection.round_trips
        source.folders()
        assert source.connection.round_trips - before == 1


def test_junk_in_the_cache_is_as_nothing(opener: Opener) -> None:
    assert opener.subjects() == LISTED
    redis = Redis.from_url(opener.redis_url)
    for key in redis.keys("mail:*"):
        value = redis.get(key)
        redis.set(key, value[:-1] if b":r:" not in key else b'{"sent":')
    assert opener.subjects() == LISTED
    with opener.source() as source:
        assert source.message(source.page(INBOX, Query(), Window()).rows[0].ref).summary.subject == "ocho"


def test_without_redis_everything_is_read_from_the_server(opener: Opener) -> None:
    opener.redis_url = "redis://127.0.0.1:1/0"
    assert opener.subjects() == opener.subjects() == LISTED


def test_the_cache_of_one_account_is_not_anothers(opener: Opener) -> None:
    assert opener.subjects() == LISTED
    endpoint = Endpoint("127.0.0.1", opener.proxy.port, "none")
    other = open_imap(endpoint, opener._credentials, account_key="another", redis_url=opener.redis_url)
    with other:
        before = other.connection.round_trips
        other.page(INBOX, Query(), Window())
        assert other.connection.round_trips - before == 2


def touches(command: bytes, uid: int) -> bool:
    """Whether a command makes the server read the structure or header of this message, whose number is its UID."""
    match = re.match(rb"(?:UID )?FETCH (\S+) .*(?:BODYSTRUCTURE|HEADER)", command)
    return match is not None and uid in set(parse_uid_set(match[1]))


@pytest.mark.parametrize("fault", ["NO", "BAD", "cut"])
def test_a_message_over_which_the_server_stumbles_spoils_only_its_own_row(opener: Opener, fault: str) -> None:
    opener.proxy.stumble = lambda command: fault if touches(command, 5) else ""
    with opener.source() as source:
        rows = source.page(INBOX, Query(), Window()).rows
    assert len(rows) == len(LISTED)
    assert [row.defects for row in rows if row.ref.id == "5"] == [("unreadable",)]
    assert [row.subject for row in rows if row.ref.id != "5"] == [subject for subject in LISTED if subject != "cinco"]
    opener.proxy.stumble = lambda _command: ""
    assert opener.subjects() == LISTED


def test_a_message_whose_structure_the_server_cannot_make_still_opens(opener: Opener) -> None:
    opener.redis_url = ""
    opener.proxy.stumble = lambda command: "NO" if b"BODYSTRUCTURE" in command else ""
    with opener.source() as source:
        ref = source.page(INBOX, Query(), Window()).rows[0].ref
        message = source.message(ref)
    assert message.summary.subject == "ocho"
    assert [body.text.strip() for body in message.bodies] == ["Hola"]
    assert "structure" in {defect.code for defect in message.defects}


def test_a_server_that_always_breaks_is_unreachable_in_the_end(opener: Opener) -> None:
    opener.proxy.stumble = lambda command: "cut" if b"FETCH" in command else ""
    with pytest.raises(Unreachable):
        opener.subjects()
    assert opener.proxy.connections < 40


def test_flags_set_on_a_dead_kept_connection_are_set(opener: Opener) -> None:
    with opener.source() as source:
        ref = source.page(INBOX, Query(), Window()).rows[0].ref
    opener.proxy.cut_all()
    with opener.source() as source:
        source.set_flags([ref], add=[Flag.FLAGGED])
    assert opener.subjects(Query(flagged=True)) == ["ocho"]
    opener.proxy.cut_all()
    with opener.source() as source:
        source.append(INBOX, letter("nueve", day=9))
    assert opener.subjects() == ["nueve", *LISTED]


def test_a_part_goes_on_after_a_cut_with_the_same_message(opener: Opener) -> None:
    with opener.source() as source:
        ref = source.page(INBOX, Query(text="adjunto"), Window()).rows[0].ref
    with opener.source() as source:
        pieces = source.part(ref, PartNumber("2"))
        first = next(pieces)
        opener.proxy.cut_all()
        assert (first + b"".join(pieces)).strip() == b"QUJD" * 200_000


@pytest.mark.parametrize(("probes", "hidden"), [(240, ()), (5, ()), (5, ("ESORT",)), (240, ("ESEARCH", "ESORT"))])
def test_a_kept_order_is_patched_not_asked_for_again(
    opener: Opener, stack: Any, imap: Any, monkeypatch: pytest.MonkeyPatch, probes: int, hidden: tuple[str, ...]
) -> None:
    """New messages go where the server would sort them, those that left are taken out, and the server does not sort the whole
    folder again; with few probes also in many rounds."""
    monkeypatch.setattr(patching, "PROBES", probes)
    monkeypatch.setattr(patching, "NEWEST", probes // 2)
    queries = [Query(sort=sort, descending=down) for sort in get_args(SortKey) for down in (True, False)]
    client = imap(opener.address)
    client.select_folder("INBOX")

    def append(*days: int) -> None:
        some = [letter(f"{'xacbz'[day % 5]}{day}", day=day, sender=f"{'mazbq'[day % 5]}@x.test") for day in days]
        client.multiappend("INBOX", some)

    def expunge(*numbers: int) -> None:
        client.delete_messages(list(numbers))
        client.expunge()

    append(*range(2, 40))
    with proxied("127.0.0.1", stack.ports.imap, hide=hidden) as proxy:
        opener.proxy = proxy
        for query in queries:
            opener.refs(query)
        for change in (
            lambda: append(50),
            lambda: append(-3, 7, 7, 21, 60),
            lambda: expunge(1, 12, 30),
            lambda: (append(-9, 33), expunge(44, 2)),
            lambda: append(*range(-10, 45, 2)),
        ):
            change()  # type: ignore[no-untyped-call]
            for query in queries:
                proxy.commands.clear()
                patched = opener.refs(query)
                assert not [line for line in proxy.commands if b" SORT " in line and line.rstrip().endswith(b"ALL")]
                assert patched == opener.refs(query, account_key=secrets.token_hex(8))  # nothing is kept of that one
        pool.close_all()


def whole_page(opener: Opener) -> tuple[int, Any, Any, Any]:
    """What a list page asks for, read by a source of its own, and in how many round trips."""
    with opener.source() as source:
        before = source.connection.round_trips
        source.look_ahead(INBOX, Query(), Window())
        page, tree, quota = source.page(INBOX, Query(), Window()), source.folders(), source.quota()
        trips = source.connection.round_trips - before
        assert source.folders() == tree
        assert source.quota() == quota
    return trips, page, tree, quota


def test_tree_page_and_quota_are_one_flight(opener: Opener, imap: Any) -> None:
    whole_page(opener)
    trips, page, tree, quota = whole_page(opener)
    assert trips == 1
    client = imap(opener.address)
    client.create_folder("Otra")
    client.append("INBOX", letter("nueve", day=9))
    client.append("Otra", letter("diez"))
    client.select_folder("INBOX")
    client.add_flags([1, 2], [b"\\Seen"])
    again = whole_page(opener)
    assert again[1].total == page.total + 1
    inbox, other = (next(folder for folder in again[2] if folder.name in name) for name in (("INBOX",), ("Otra",)))
    assert (inbox.total, inbox.unread, other.total) == (page.total + 1, page.total - 1, 1)
    assert whole_page(opener)[:2] == (1, again[1])
    assert again[3].used_bytes >= quota.used_bytes
    assert len(tree) + 1 == len(again[2])


def test_what_was_looked_for_is_not_believed_after_a_change(opener: Opener) -> None:
    whole_page(opener)
    with opener.source() as source:
        source.look_ahead(INBOX, Query(), Window())
        source.delete([source.page(INBOX, Query(), Window()).rows[0].ref])
        assert source.page(INBOX, Query(), Window()).total == len(LISTED) - 1
        assert next(folder for folder in source.folders() if folder.id == INBOX).total == len(LISTED) - 1


def test_a_folder_that_is_not_there_leaves_the_tree(opener: Opener) -> None:
    with opener.source() as source:
        source.look_ahead(FolderId("Nunca"), Query(), Window())
        assert source.folders()[0].id == INBOX
        with pytest.raises(FolderGone):
            source.page(FolderId("Nunca"), Query(), Window())


@pytest.mark.parametrize(("grouped", "hide"), [(False, ()), (True, ()), (False, ("SORT",))])
def test_a_large_folder_shows_what_came_last_until_it_is_sorted(
    opener: Opener, imap: Any, monkeypatch: pytest.MonkeyPatch, grouped: bool, hide: tuple[str, ...]
) -> None:
    """The first page of a folder that nobody sorted does not wait for that, nor for the sizes, whether how large it is was known
    before or not; it says so, and the next one is in order. Nothing is sorted before the page has been given."""
    monkeypatch.setattr(listing, "LARGE", 5)
    opener.proxy.hide = hide
    imap(opener.address).append("INBOX", letter("antigua", day=-99))
    window = Window(0, 3)
    with opener.source() as source:
        before = source.connection.round_trips
        opener.proxy.commands.clear()
        page = source.page(INBOX, Query(threads=grouped), window)
        assert source.connection.round_trips - before == 2
        assert not any(b"SORT" in line for line in opener.proxy.commands)
        assert not any(b"RFC822.SIZE" in line for line in opener.proxy.commands)
        assert page.unsorted
        assert [row.subject for row in page.rows] == ["antigua", "con adjunto", "ocho"]
        assert page.total == len(LISTED) + 1
        assert source.neighbours(page.rows[0].ref, Query())[0] in {-1, 0}
    until = time.monotonic() + 10
    while True:
        with opener.source() as source:
            page = source.page(INBOX, Query(), window)
        if not page.unsorted:
            break
        assert time.monotonic() < until
        time.sleep(0.05)
    assert [row.subject for row in page.rows] == LISTED[:3]
    assert all(row.size_bytes for row in page.rows)
    opener.proxy.commands.clear()
    assert opener.subjects(window=window) == LISTED[:3]
    assert opener.trips == 1  # its rows were read by who sorted
    assert opener.subjects() == [*LISTED, "antigua"]
    if grouped:
        opener.proxy.commands.clear()
        with opener.source() as source:
            assert source.page(INBOX, Query(threads=True), window).total == len(LISTED) + 1
        assert not any(b"THREAD" in line for line in opener.proxy.commands)


def test_pages_of_a_large_folder_leave_out_what_is_deleted_before_it_is_sorted_too(
    opener: Opener, imap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LARGE", 5)
    client = imap(opener.address)
    client.select_folder("INBOX")
    client.add_flags([8, 5], [b"\\Deleted"])
    with opener.source() as source:
        source._cache.lock(INBOX, listing.SORTING, 60)
        pages = [source.page(INBOX, Query(), Window(start, 3)) for start in (0, 3, 6)]
    assert all(page.unsorted and page.total == 7 for page in pages)
    assert [[row.subject for row in page.rows] for page in pages] == [
        ["con adjunto", "siete", "seis"],
        ["cuatro", "tres", "dos"],
        ["uno"],
    ]


def test_the_first_page_of_a_folder_is_in_order_however_its_messages_came(opener: Opener, imap: Any) -> None:
    """What came last flies along with the sort; what belongs on the page besides is read after it."""
    client = imap(opener.address)
    client.append("INBOX", letter("antigua", day=-99))
    assert opener.subjects(window=Window(0, 3)) == LISTED[:3]
    assert opener.trips == 3
    assert opener.subjects() == [*LISTED, "antigua"]


def test_how_far_a_first_sorting_is_shows_on_the_page(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LARGE", 4)
    with opener.source() as source:
        source.folders()
        source._cache.lock(INBOX, listing.SORTING, 60, done=8)
        page = source.page(INBOX, Query(), Window(0, 3))
        assert (page.unsorted, page.sorted_count, page.total) == (True, 8, len(LISTED))
        done: list[int] = []
        listing.sort_folder(source._session, source._cache, INBOX, beat=done.append)
        assert done == [4, 8, len(LISTED)]


def test_a_sort_that_fails_is_not_begun_again_by_every_look(
    opener: Opener, imap: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LARGE", 5)
    imap(opener.address).append("INBOX", letter("antigua", day=-99))
    begun: list[bytes] = []

    def stumble(line: bytes) -> str:
        if line.startswith(b"UID SORT") and line.endswith(b" ALL\r\n"):
            begun.append(line)
            return "NO"
        return ""

    with opener.source() as source:
        source.folders()
    opener.proxy.stumble = stumble
    for _look in range(4):
        with opener.source() as source:
            assert source.page(INBOX, Query(), Window(0, 3)).unsorted
        time.sleep(0.2)
    assert len(begun) == 1
