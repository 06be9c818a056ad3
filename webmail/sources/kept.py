"""Answers of a mail server that hold while its account is watched and nothing has changed: they cost no round trip.

An answer is kept under the mark that the folder had before the server was asked (see `webmail/live/marks.py`). It is given
again only while a watcher that is alive hears of the whole account, the mark is still that one, and not longer than TRUST_S:
so long at most would a list be old if a watcher were deaf without knowing. Where nothing happened since but a star of our own,
say, it is carried over that (`webmail/live/marks.py`), for no longer.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from redis import Redis, RedisError
from redis.exceptions import NoScriptError

from accounts.redis_line import Command, ask
from webmail.live.marks import Marks, Own, Step, Way, read_ways, steps_between
from webmail.sources.later import Later
from webmail.values import FolderId

TRUST_S = 60
T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer is made into what JSON can hold, and read again from the octets of that. `unpack` gives None for what
    does not hold any more; `carry` what the octets are after some steps of ours, None where only the server can tell."""

    pack: Callable[[Any], Any]
    unpack: Callable[[bytes], Any]
    carry: Callable[[bytes, Sequence[Step]], bytes | None] | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """Other keys of Redis, and who takes their values."""

    keys: list[bytes]
    take: Callable[[Mapping[bytes, bytes | None]], None]


Wanted = tuple[str, FolderId | None]
"""An answer by its name and the folder that it depends on (None = any change in the account)."""
Seen = tuple[bytes | None, bytes | None]
"""The mark under which an answer holds from now on (None = nobody watches), and what is kept of it."""


class Answers:
    """What an account's server said, by name and folder. Without Redis, or for an account that nobody can watch, everything
    is asked."""

    def __init__(self, later: Later, redis: Redis | None, account_id: int | None, page: str = "") -> None:
        """`page` is the page that asks, for what is changed; what is kept goes out with `later`."""
        self._later = later
        self._marks = Marks(redis, account_id, page) if redis is not None and account_id is not None else None
        self._ahead: dict[Wanted, Seen] = {}
        self._seen: dict[FolderId, bytes] = {}
        """The marks that folders had before anything was changed here."""

    def look_ahead(self, wanted: Mapping[Wanted, Shape], beside: Beside | None = None) -> set[Wanted]:
        """Looks for several answers at once, before they are asked for; those that have to be asked of the server. With the
        values of other keys, that are read `beside` them."""
        if self._marks is None:
            return set(wanted)
        self._ahead = self._look(wanted, beside)
        return {one for one, (mark, kept) in self._ahead.items() if not _holds(mark, kept)}

    def ask(self, name: str, folder: FolderId | None, shape: Shape, question: Callable[[], T]) -> T:
        """The kept answer, else the server's."""
        if self._marks is None:
            return question()
        wanted = (name, folder)
        seen = self._ahead.pop(wanted) if wanted in self._ahead else self._look({wanted: shape})[wanted]
        mark, kept = seen
        if mark is not None and kept is not None and _holds(mark, kept):
            known: T | None = shape.unpack(kept[len(mark) + 1 :])
            if known is not None:
                return known
        answer = question()
        self._keep(wanted, mark, shape.pack(answer))
        return answer

    def keep_looked(self, name: str, folder: FolderId | None, shape: Shape, answer: Any) -> None:
        """Keeps what the server said by the way, if it was looked for before that (see `look_ahead`)."""
        self._keep((name, folder), self._ahead.get((name, folder), (None, None))[0], shape.pack(answer))

    def before(self, folder: FolderId, *, look: bool = True) -> bytes:
        """The mark of a folder in which something is about to be changed; b"" when it is not known, without a `look` at least."""
        if look and self._marks is not None and folder not in self._seen:
            self._look({}, folders=[folder])
        return self._seen.get(folder, b"")

    def changed(self, *folders: FolderId, own: Own | None = None, step: Step | None = None, since: bytes = b"") -> None:
        """Says that something in these folders was changed; EVERY for the account as a whole. `own` tells which changes of
        marks the server has done for us, `step` that it was nothing but that, after the mark `since`."""
        self._ahead.clear()
        self._seen.clear()
        if self._marks is not None:
            self._marks.set(*folders, own=own, step=step if step and step.may_be_told else None, since=since)

    def tell(self, folder: FolderId) -> None:
        """Says the same, and lets open pages of the folder read it again."""
        self.changed(folder)
        if self._marks is not None:
            self._marks.tell(folder)

    def _key(self, wanted: Wanted) -> bytes:
        assert self._marks
        digest = hashlib.blake2b(repr(wanted).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"kept:2:{self._marks.account_id}:{digest}".encode()

    def _look(
        self, wanted: Mapping[Wanted, Shape], beside: Beside | None = None, folders: Sequence[FolderId] = ()
    ) -> dict[Wanted, Seen]:
        """One round trip to Redis; with a look at the marks of more `folders`."""
        assert self._marks
        keys = [self._key(one) for one in wanted]
        folders = list(dict.fromkeys([*(folder for _name, folder in wanted if folder is not None), *folders]))
        nothing: dict[Wanted, Seen] = dict.fromkeys(wanted, (None, None))
        others = beside.keys if beside else ()
        questions: list[Command] = [self._marks.question(folders), self._marks.steps]
        if keys or others:
            questions.append(("MGET", *keys, *others))
        try:
            for _attempt in range(2):
                marks, steps, *answers = ask(self._marks.redis, *questions)
                if not isinstance(marks, NoScriptError):
                    break
                self._marks.load()
        except RedisError as error:
            logger.warning("live %s: no kept answer: %s", self._marks.account_id, type(error).__name__)
            return nothing
        values = answers[0] if answers else []
        if beside and isinstance(values, list):
            beside.take(dict(zip(beside.keys, values[len(keys) :], strict=True)))
        if not isinstance(marks, list) or not isinstance(values, list):
            return nothing
        values = [self._later.waiting(key) or value for key, value in zip(keys, values, strict=False)]
        some, every, *rest = marks
        self._seen |= {
            one: every + b"." + mark for one, mark in zip(folders, rest, strict=True) if one not in self._seen
        }
        mark_of = {None: some} | {one: every + b"." + mark for one, mark in zip(folders, rest, strict=True)}
        seen: dict[Wanted, Seen] = {one: (mark_of[one[1]], value) for one, value in zip(wanted, values, strict=True)}
        if steps and any(value and not _holds(mark, value) for mark, value in seen.values()):
            ways = read_ways(steps)
            for (one, shape), key in zip(wanted.items(), keys, strict=True):
                seen[one] = self._carried(one, shape, key, seen[one], every, ways)
        return seen

    def _carried(self, wanted: Wanted, shape: Shape, key: bytes, seen: Seen, every: bytes, ways: Sequence[Way]) -> Seen:
        """An answer of before some steps of ours, as it is after them."""
        mark, value = seen
        if mark is None or value is None or shape.carry is None or _holds(mark, value):
            return seen
        old, _newline, packed = value.partition(b"\n")
        steps = steps_between(ways, wanted[1], every, old, mark)
        carried = shape.carry(packed, steps) if steps else None
        if carried is None:
            return seen
        value = mark + b"\n" + carried
        self._later.replace(key, value)
        return mark, value

    def _keep(self, wanted: Wanted, mark: bytes | None, packed: Any) -> None:
        if mark is None or self._marks is None:
            return
        value = mark + b"\n" + json.dumps(packed, separators=(",", ":")).encode()
        self._later.keep(self._key(wanted), value, TRUST_S)


def _holds(mark: bytes | None, kept: bytes | None) -> bool:
    return mark is not None and kept is not None and kept.startswith(mark + b"\n")
