"""Moves over IMAP: in one step where the server has MOVE, else in two that are written down first, so that a cut between them
leaves nothing in two places for good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from webmail.errors import FolderRenewed, Gone, MailError, MoveCut, Unavailable, Uncopied, Unreachable
from webmail.imap.changes import batches, expunge, move_messages, status_numbers
from webmail.imap.connection import check
from webmail.imap.fetch import Fetched, parse_fetch
from webmail.imap.folders import list_folders
from webmail.imap.selected import Selected
from webmail.imap.session import Session
from webmail.imap.wire import parse_uid_set, quote, uid_set
from webmail.models import OpenMove, folder_octets, folder_of
from webmail.moves import MoveEnded
from webmail.values import FolderId

HELD_FOR = timedelta(minutes=5)
"""As long as a request may work on a move."""
LOOK_AFTER = timedelta(seconds=30)
"""Until then the server may still be at the command of the connection that broke."""
LIKENESS = b"UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)]<0.4096>"
Likeness = tuple[int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Mover:
    """Moves messages of the folder that a session has selected. Without an account nothing is written down."""

    session: Session
    account_id: int | None

    def move(self, state: Selected, uids: list[int], folder: FolderId) -> tuple[int, dict[int, int]]:
        """Moves messages; gives the UIDVALIDITY of the folder that they went to and their new UIDs by the old ones, (0, {})
        where the server does not tell. Raises MoveCut when the connection broke and it could not be finished at once, Uncopied
        when messages stayed that the server said it had copied."""
        if self.account_id is None or self.session.connection.has("MOVE"):
            return move_messages(self.session.connection, uids, folder)
        entry = self._written(self.account_id, state, uids, folder)
        try:
            moved = move_messages(self.session.connection, uids, folder)
        except Uncopied as error:
            return self._look_for_copies(entry, error)
        except Unreachable as error:
            if not isinstance(error, Unavailable):
                return self._go_on(entry, error)
            entry.delete()  # an answer to COPY, as those below
            raise
        except MailError:
            entry.delete()  # the server said no: COPY did nothing (RFC 9051 section 6.4.7)
            raise
        entry.delete()
        return moved

    def _written(self, account_id: int, state: Selected, uids: list[int], folder: FolderId) -> OpenMove:
        flight = self.session.connection.ask(b"STATUS", quote(folder), b"(UIDNEXT UIDVALIDITY)")
        told = {name: number for one in flight.of(b"STATUS") for name, number in status_numbers(one).items()}
        return OpenMove.objects.create(
            account_id=account_id,
            folder=folder_octets(state.folder),
            validity=state.validity,
            uids=uid_set(uids).decode(),
            target=folder_octets(folder),
            target_validity=told.get(b"UIDVALIDITY", 0),
            next_uid=told.get(b"UIDNEXT", 0),
            held_until=timezone.now() + HELD_FOR,
        )

    def _look_for_copies(self, entry: OpenMove, error: Uncopied) -> tuple[int, dict[int, int]]:
        """After an OK that the numbers do not bear out: what has its copy leaves the folder. The others stay and are told of."""
        try:
            pairs, left = self._finish(entry)
        except MailError as failed:
            entry.held_until = timezone.now() + LOOK_AFTER
            entry.save(update_fields=["held_until"])
            raise MoveCut(failed.detail) from failed
        entry.delete()
        if left:
            raise error
        return entry.target_validity, pairs

    def _go_on(self, entry: OpenMove, error: Unreachable) -> tuple[int, dict[int, int]]:
        """After a cut: finishes when the copies are there. Else the server may not have begun, or not have ended: it is left
        to `finish`, a while later, and never done a second time."""
        try:
            self.session.reconnect()
            pairs, left = self._finish(entry)
        except MailError:
            pairs, left = {}, [0]
        if left:
            entry.held_until = timezone.now() + LOOK_AFTER
            entry.save(update_fields=["held_until"])
            raise MoveCut(error.detail) from error
        entry.delete()
        return entry.target_validity, pairs

    def finish(self) -> Iterator[MoveEnded]:
        """Ends the moves of the account that were cut: what has its copy leaves the folder, what has none stays."""
        if self.account_id is None or self.session.connection.has("MOVE"):
            return
        now = timezone.now()
        for entry in OpenMove.objects.filter(account=self.account_id, held_until__lt=now).order_by("pk"):
            mine = OpenMove.objects.filter(pk=entry.pk, held_until__lt=now)
            if not mine.update(held_until=now + HELD_FOR):
                continue
            try:
                pairs, left = self._finish(entry)
            except Gone:
                pairs, left = {}, []
            entry.delete()
            yield MoveEnded(folder_of(entry.folder), folder_of(entry.target), len(pairs), len(left))

    def _finish(self, entry: OpenMove) -> tuple[dict[int, int], list[int]]:
        """(new UIDs by old of the messages that have moved, those that are still where they were and have no copy)."""
        uids = list(parse_uid_set(entry.uids.encode()))
        since = max(1, entry.next_uid)
        copies = self._copies(entry, [b"%d:*" % since])
        here = self._likenesses(folder_of(entry.folder), entry.validity, map(uid_set, batches(uids)))
        free: dict[Likeness, list[int]] = {}
        for uid in sorted((uid for uid in copies if uid >= since), reverse=True):
            free.setdefault(copies[uid], []).append(uid)
        pairs = {uid: free[here[uid]].pop() for uid in sorted(here) if free.get(here[uid])}
        self.session.disturbed()
        expunge(self.session.connection, list(pairs))
        gone = [uid for uid in uids if uid not in here]
        rest = sorted(uid for ones in free.values() for uid in ones)
        if len(gone) == len(rest):  # COPY keeps the order
            pairs |= dict(zip(gone, rest, strict=True))
        return pairs, [uid for uid in here if uid not in pairs]

    def _copies(self, entry: OpenMove, sets: list[bytes]) -> dict[int, Likeness]:
        """What came into the folder since. Where another program has renamed it, it is known again by its UIDVALIDITY, if no
        other folder has that. Raises Gone."""
        target = folder_of(entry.target)
        try:
            return self._likenesses(target, entry.target_validity, sets)
        except Gone:
            folders = list_folders(self.session.connection, subscribed_only=False)
            same = [one.id for one in folders if one.selectable and one.validity == entry.target_validity != 0]
            if len(same) != 1 or same == [target]:
                raise
            entry.target = folder_octets(same[0])
            return self._likenesses(same[0], entry.target_validity, sets)

    def _likenesses(self, folder: FolderId, validity: int, sets: Iterable[bytes]) -> dict[int, Likeness]:
        """Selects a folder and fetches what messages are known again by. Raises FolderRenewed."""
        state, _flight = self.session.selected(folder)
        if state.validity != validity:
            raise FolderRenewed("the folder was made anew")
        found: dict[int, Likeness] = {}
        for uids in sets if state.exists else ():
            flight = self.session.connection.run([b"UID", b"FETCH", uids, b"(" + LIKENESS + b")"])
            check(flight.ends[0])
            for one in map(parse_fetch, flight.of(b"FETCH")):
                if one.uid and b"RFC822.SIZE" in one.items:
                    found[one.uid] = _likeness(one)
        return found


def _likeness(one: Fetched) -> Likeness:
    """What a copy has in common with its original (RFC 9051 section 6.4.7: flags and internal date are kept)."""
    return one.number(b"RFC822.SIZE"), one.text(b"INTERNALDATE"), one.section().strip()
