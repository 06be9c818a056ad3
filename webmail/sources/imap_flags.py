"""Marks of messages on a live source: read with as few round trips as can be, and changed so that it is known who did it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from webmail.errors import FolderRenewed
from webmail.imap.changes import batches, store_commands, store_flags, stored_modseqs, stored_uids
from webmail.imap.connection import EXPUNGED, check
from webmail.imap.fetch import by_uid, fetch, fetch_command
from webmail.imap.selected import Selected
from webmail.imap.session import Session
from webmail.imap.wire import Flight
from webmail.live.marks import Own, Step
from webmail.sources.cache import MailCache
from webmail.sources.imap_lists import uid_of
from webmail.sources.imap_threads import ImapThreads
from webmail.sources.kept import Answers, Beside, Shape, Wanted
from webmail.sources.packing import flags_shape, place_shape
from webmail.values import Flag, FolderId, Query, Ref, Role


class ImapFlags(ImapThreads):
    """The part of an `ImapSource` that reads and changes marks."""

    def __init__(self, session: Session, cache: MailCache, roles: Mapping[Role, FolderId], answers: Answers) -> None:
        super().__init__(session, cache, roles, answers)
        self._sent: tuple[Step, bytes] | None = None
        """What was sent and not waited for, and the mark that the folder had before."""

    def look_at(self, ref: Ref, query: Query, beside: Beside | None = None) -> None:
        def take(values: Mapping[bytes, bytes | None]) -> None:
            self._cache.read_early(values)
            if beside:
                beside.take(values)

        keys = [*self._cache.keys_of(ref, query), *(beside.keys if beside else ())]
        place = self._place_name(ref, query), ref.folder
        wanted: dict[Wanted, Shape] = {flags_name(ref): flags_shape(ref), place: place_shape(query)}
        self._answers.look_ahead(wanted, Beside(keys, take))

    def keep_along(self, values: Mapping[bytes, bytes], seconds: int) -> bool:
        for key, value in values.items():
            self._cache.later.keep(key, value, seconds)
        return self._cache.redis is not None

    def flags(self, refs: Iterable[Ref]) -> dict[Ref, frozenset[str]]:
        refs = list(refs)
        if len(refs) != 1:
            return self._session.read(lambda: self._flags(refs))
        found = self._answers.ask(*flags_name(refs[0]), flags_shape(refs[0]), lambda: self._flags_now(refs[0]))
        return {refs[0]: found[0]} if found else {}

    def _flags(self, refs: list[Ref]) -> dict[Ref, frozenset[str]]:
        found: dict[Ref, frozenset[str]] = {}
        for state, uids in self._by_folder(refs):
            for batch in batches(uids):
                for uid, one in fetch(self.connection, batch, b"UID FLAGS").items():
                    found[Ref(state.folder, state.validity, str(uid))] = one.flags()
        return found

    def _flags_now(self, ref: Ref) -> list[frozenset[str]]:
        return list(self._session.read(lambda: self._flags_of(ref)).values())

    def _flags_of(self, ref: Ref) -> dict[Ref, frozenset[str]]:
        """The flags of one message, in the flight that selects its folder."""
        uid = uid_of(ref)
        state, flight = self._session.valid(ref, fetch_command([uid], b"UID FLAGS"))
        if flight.ends[0].code.upper() == EXPUNGED:
            return {}
        check(flight.ends[0])
        fetched = by_uid(flight, [uid]).get(uid)
        return {ref: fetched.flags()} if fetched and uid not in state.deleted else {}

    def set_flags(
        self, refs: Iterable[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = (), wait: bool = True
    ) -> None:
        added, removed = list(add), list(remove)
        refs = list(refs)
        if not wait and len(refs) == 1:
            self._send_flags(refs[0], added, removed)
            return
        for state, uids in self._by_folder(refs):
            with self._marking(state.folder, state.validity) as done:
                done |= store_flags(self.connection, uids, add=added, remove=removed)

    def _send_flags(self, ref: Ref, add: list[str], remove: list[str]) -> None:
        """Flags of one message, whose end is waited for when the source is closed, or before the next."""
        self._settle()
        commands = store_commands([uid_of(ref)], add, remove)
        if not self._session.is_at(ref, uid_of(ref)):
            state, _flight = self._session.read(lambda: self._session.valid(ref))
            if uid_of(ref) in state.deleted:
                return
        self._forget()
        step = Step(ref.folder, ref.validity, (uid_of(ref),), tuple(add), tuple(remove))
        self._sent = step, self._answers.before(ref.folder, look=False)
        self._session.send(commands)

    def change_flags(
        self, refs: Sequence[Ref], *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> dict[Ref, frozenset[str]]:
        added, removed = list(add), list(remove)
        before = self._session.read(lambda: self._changed_at_once(refs, added, removed))
        if before is None:
            before = self._session.read(lambda: self._flags_of(refs[0]) if len(refs) == 1 else self._flags(list(refs)))
            self.set_flags(before, add=added, remove=removed)
        return before

    def _changed_at_once(
        self, refs: Sequence[Ref], add: list[str], remove: list[str]
    ) -> dict[Ref, frozenset[str]] | None:
        """Flags read and changed in one flight, where the folder is selected already and the set is one command's; None
        elsewhere. A repetition after a cut does no harm."""
        uids = [uid_of(ref) for ref in refs]
        if not refs or len({(ref.folder, ref.validity) for ref in refs}) > 1 or len(list(batches(uids))) > 1:
            return None
        commands = [fetch_command(uids, b"UID FLAGS"), *store_commands(uids, add, remove)]
        if not self._session.is_at(refs[0], max(uids)):
            return None
        folder, validity = refs[0].folder, refs[0].validity
        since, step, modseqs = self._answers.before(folder), None, frozenset[int]()
        self._forget()
        try:
            flight = self.connection.run(*commands)
            modseqs = stored_modseqs(flight.untagged)
            step = _step_of(flight, Step(folder, validity, tuple(uids), tuple(add), tuple(remove)))
        finally:
            self._answers.changed(folder, own=Own(folder, validity, modseqs), step=step, since=since)
        for end in flight.ends:
            check(end)
        found = _flags_before(flight, uids)
        if _lost_some(flight):
            there = {uid_of(ref) for ref in self._flags(list(refs))}
            found = {uid: flags for uid, flags in found.items() if uid in there}
        return {
            ref: found[uid]
            for ref, uid in zip(refs, uids, strict=True)
            if Flag.DELETED not in found.get(uid, {Flag.DELETED})
        }

    def _by_folder(self, refs: Iterable[Ref], *, marked: bool = False) -> Iterator[tuple[Selected, list[int]]]:
        """The refs of each folder, its validity checked; messages that are marked as deleted only with `marked`: a move would
        bring those back. Raises Gone before anything of that folder is changed."""
        groups: dict[FolderId, list[Ref]] = {}
        for ref in refs:
            groups.setdefault(ref.folder, []).append(ref)
        for group in groups.values():
            uids = [uid_of(ref) for ref in group]
            if len({ref.validity for ref in group}) > 1:
                raise FolderRenewed("the folder was made anew")
            state, _flight = self._session.read(lambda ref=group[0]: self._session.valid(ref))  # type: ignore[misc]
            left = [uid for uid in uids if marked or uid not in state.deleted]
            if left:
                yield state, left

    @contextmanager
    def _marking(self, folder: FolderId, validity: int) -> Iterator[set[int]]:
        """The same for a change of marks: the block adds the MODSEQs of what the server did."""
        self._session.disturbed()
        self._forget()
        done: set[int] = set()
        try:
            yield done
        finally:
            self._answers.changed(folder, own=Own(folder, validity, frozenset(done)))

    def _settle(self) -> None:
        """Waits for the mark that was sent; what was kept holds no more from then on."""
        sent, self._sent = self._sent, None
        if sent is None:
            return
        step, since = sent
        answers = self._session.settled()
        own = Own(step.folder, step.validity, stored_modseqs(answers))
        told = stored_uids(answers) >= set(step.uids)
        self._answers.changed(step.folder, own=own, step=step if told else None, since=since)


def _flags_before(flight: Flight, uids: list[int]) -> dict[int, frozenset[str]]:
    """What the first command of a flight says of the flags of messages."""
    first = Flight(flight.ends[:1], flight.untagged[: flight.marks[0]], flight.marks[:1], flight.tags[:1])
    return {uid: one.flags() for uid, one in by_uid(first, uids).items() if b"FLAGS" in one.items}


def _lost_some(flight: Flight) -> bool:
    """Whether messages went while it was under way. Dovecot tells the flags of one that another program expunged a moment ago,
    and says OK to its STORE, until it has told of that."""
    codes = {end.code.upper() for end in flight.ends}
    return EXPUNGED in codes or any(one.kind in {b"EXPUNGE", b"VANISHED"} for one in flight.untagged)


def _step_of(flight: Flight, step: Step) -> Step | None:
    """What a flight of changes did to messages that were there: the step for those that were not as it makes them. None
    where the server does not say of each of them that it did it: rights that a person has not are passed over in silence."""
    before = _flags_before(flight, list(step.uids))
    touched = {uid for uid, flags in before.items() if step.applied(flags) != flags}
    if any(end.status != b"OK" for end in flight.ends) or not touched <= stored_uids(flight.untagged):
        return None
    return replace(step, uids=tuple(sorted(touched)))


def flags_name(ref: Ref) -> Wanted:
    return f"flags:{ref.validity}:{ref.id}", ref.folder
