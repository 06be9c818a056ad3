"""A list whose rows are conversations: which messages stand behind each row."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from webmail.imap.connection import Connection
from webmail.imap.selected import Selected
from webmail.imap.session import Session
from webmail.imap.threads import HERE_LIMIT, ask_threads, server_threads, threads_here
from webmail.sources.cache import MailCache
from webmail.sources.listing import Listing, filter_name, mark_of
from webmail.values import Query


@dataclass(frozen=True, slots=True)
class Groups:
    """The messages of a list by conversation, the one with the newest message first: thread `i` has the UIDs
    `members[starts[i] : starts[i + 1]]`, the newest first. `turned` when the list begins with the oldest."""

    starts: array[int]
    members: array[int]
    turned: bool = False

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def heads(self) -> array[int]:
        """The newest message of each thread, in the order of the list."""
        heads = array(self.members.typecode, map(self.members.__getitem__, self.starts[:-1]))
        if self.turned:
            heads.reverse()
        return heads

    def row(self, at: int) -> array[int]:
        """The messages behind a row of the list."""
        at = len(self) - 1 - at if self.turned else at
        return self.members[self.starts[at] : self.starts[at + 1]]

    def row_of(self, uid: int) -> int:
        """Which row of the list a message is behind, -1 when the list does not have it."""
        at = self._thread_of(uid)
        return len(self) - 1 - at if self.turned and at >= 0 else at

    def together(self, uids: Iterable[int]) -> list[int]:
        """All messages that are in the conversations of these, thread by thread."""
        places = sorted({self._thread_of(uid) for uid in uids} - {-1})
        return [uid for at in places for uid in self.members[self.starts[at] : self.starts[at + 1]]]

    def _thread_of(self, uid: int) -> int:
        """Which thread a message is in, -1 when it is in none."""
        return bisect_right(self.starts, self.members.index(uid)) - 1 if uid in self.members else -1


def read_groups(session: Session, cache: MailCache, listing: Listing, query: Query) -> Groups | None:
    """The conversations of a list; None where nobody can tell them: a large folder on a server without THREAD."""
    state = listing.state
    if not can_group(session.connection, state.exists):
        return None
    name, mark = "g" + filter_name(query), mark_of(state, query)
    if mark and query.text and query.in_body:  # more and more is found
        mark += f":{listing.total}"
    kept = cache.orders(state.folder, [name])[0] if mark and not state.deleted else None
    if kept and kept[0] == mark:
        count = kept[1][0]
        return Groups(kept[1][1 : count + 1], kept[1][count + 1 :], turned=not query.descending)
    order = listing.uids if query.descending else listing.uids[::-1]
    groups = group_order(order, read_threads(session, cache, state))
    if mark and not state.deleted:
        packed = array("I", [len(groups.starts)]) + groups.starts + groups.members
        cache.keep_orders(state.folder, {name: (mark, packed)})
    return Groups(groups.starts, groups.members, turned=not query.descending)


def is_alone(session: Session, cache: MailCache, state: Selected, uids: Iterable[int]) -> bool:
    """Whether each of these messages of the selected folder is a conversation by itself, as most are: then nothing has to be
    sorted and grouped."""
    if not can_group(session.connection, state.exists):
        return False
    threads = read_threads(session, cache, state)
    return all(stands_alone(threads, uid) for uid in uids)


def stands_alone(threads: array[int], uid: int) -> bool:
    """Whether a message is a thread by itself, in threads as UIDs with a 0 after each."""
    try:
        at = threads.index(uid)
    except ValueError:
        return False
    return not (at and threads[at - 1]) and not threads[at + 1]


def can_group(connection: Connection, messages: int) -> bool:
    """Whether the threads of a folder with so many messages can be told."""
    return server_threads(connection) or messages <= HERE_LIMIT


def read_threads(session: Session, cache: MailCache, state: Selected) -> array[int]:
    """The threads of a folder, as UIDs with a 0 after each; kept until a message comes or goes."""
    mark = mark_of(state, Query())
    kept = cache.orders(state.folder, ["threads"])[0]
    if kept and kept[0] == mark:
        return kept[1]
    if not state.exists:
        return array("I")
    if server_threads(session.connection):
        threads = ask_threads(session.connection)
    else:
        threads, ids = threads_here(session.connection, cache.thread_ids(state.folder, state.validity))
        cache.keep_thread_ids(state.folder, state.validity, ids)
    cache.keep_orders(state.folder, {"threads": (mark, threads)})
    return threads


def group_order(order: Iterable[int], threads: array[int]) -> Groups:
    """The messages of a list, the newest first, by thread. One of which the threads know nothing stands alone."""
    thread_of: dict[int, int] = {}
    number = 0
    for uid in threads:
        if uid:
            thread_of[uid] = number
        else:
            number += 1
    groups: dict[int, list[int]] = {}
    for uid in order:
        groups.setdefault(thread_of.get(uid, -uid), []).append(uid)
    starts, members = array("I", [0]), array("I")
    for group in groups.values():
        members.extend(group)
        starts.append(len(members))
    return Groups(starts, members)
