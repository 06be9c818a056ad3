"""Conversations of the store: every message has the number of its conversation, given when it is stored."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from webmail.mime.threads import thread_key
from webmail.models import LocalFolder, LocalMessage
from webmail.storage.folders import note_changes

CHUNK = 500


def settle_threads(account_id: int, messages: Sequence[LocalMessage]) -> None:
    """Gives messages that are about to be saved the number of their conversation: the message that they name as its first may
    itself be an answer to one that they do not name. Those that are here and took one of these for the first join it."""
    for message in messages:
        message.thread = message.thread or secrets.randbits(62) + 1
    above = _answers(account_id, {message.thread for message in messages})
    above |= {
        message.own_id: message.thread for message in messages if message.own_id and message.own_id != message.thread
    }
    for message in messages:
        message.thread = _first(above, message.thread)
    joined = {
        message.own_id: message.thread for message in messages if message.own_id and message.own_id != message.thread
    }
    if not joined:
        return
    folders = list(LocalFolder.objects.filter(account=account_id).values_list("pk", flat=True))
    used = _used(folders, joined)
    if used:
        note_changes(folders)
    for thread in used:
        LocalMessage.objects.filter(folder__in=folders, thread=thread).update(thread=joined[thread])


def _answers(account_id: int, own_ids: set[int]) -> dict[int, int]:
    """own_id -> thread of the messages with these ids that are here and are answers themselves."""
    found: dict[int, int] = {}
    for chunk in _chunks(own_ids):
        rows = LocalMessage.objects.filter(account=account_id, own_id__in=chunk).order_by("pk")
        found |= {own: thread for own, thread in rows.values_list("own_id", "thread") if own != thread}
    return found


def _used(folders: Sequence[int], threads: Iterable[int]) -> set[int]:
    """Those of the threads that have messages already; by folder, as the index is."""
    found: set[int] = set()
    for chunk in _chunks(threads):
        rows = LocalMessage.objects.filter(folder__in=folders, thread__in=chunk).order_by()
        found.update(rows.values_list("thread", flat=True).distinct())
    return found


def _chunks(numbers: Iterable[int]) -> Iterable[list[int]]:
    listed = sorted(numbers)
    return (listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK))


def _first(above: dict[int, int], thread: int) -> int:
    """The end of the way up; messages that name each other in a ring are one conversation all the same."""
    seen = {thread}
    while (up := above.get(thread)) is not None and up not in seen:
        seen.add(up)
        thread = up
    return min(seen) if up is not None else thread


def threads_of_ids(account_id: int, ids: Sequence[str]) -> set[int]:
    """The conversations in which messages with these Message-IDs stand, or that begin with one of them."""
    keys = {key for key in map(thread_key, ids) if key}
    rows = LocalMessage.objects.filter(account=account_id, own_id__in=keys).order_by()
    return keys | set(rows.values_list("thread", flat=True))
