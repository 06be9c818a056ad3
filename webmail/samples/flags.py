"""What the owner did with each message: read it, answered, passed it on, starred, tagged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webmail.samples import folders
from webmail.samples.draws import draw, fraction, pick
from webmail.samples.folders import Path
from webmail.samples.letters import Conversation, Scene, Turn

UNREAD_INBOX = 12
LOOK_BACK = 60
"""The unread of the Inbox are among so many newest."""
UNREAD = {
    folders.AROMO: 2,
    folders.NIRRE: 1,
    folders.PAPELES: 3,
    folders.REPUESTOS: 1,
    folders.JUNK: 7,
    folders.TRASH: 1,
}
LABELS = ("$label1", "$label2", "$label2", "$label3", "$label4", "$label5")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message to be: the letter `index` of a conversation, where it lies, when it was written, whether the owner
    wrote it, and whether it is the conversation's last."""

    talk: Conversation
    index: int
    folder: Path
    when: datetime
    ours: bool
    last: bool

    @property
    def turn(self) -> Turn | None:
        """The written-out turn, for letters of a scene."""
        return self.talk.source.turns[self.index] if isinstance(self.talk.source, Scene) else None


def flag_all(entries: Sequence[Entry], seed: int) -> list[tuple[str, ...]]:
    """The flags and keywords of each entry; the entries come oldest first."""
    unread = _unread(entries, seed)
    return [_flags(entry, unread=number in unread) for number, entry in enumerate(entries)]


def _unread(entries: Sequence[Entry], seed: int) -> set[int]:
    """The positions of what is unread: what the scenes say, then the newest that nobody answered; a few are older."""
    found = {number for number, entry in enumerate(entries) if entry.turn and entry.turn.unread}
    left = {folders.INBOX: UNREAD_INBOX - len(found), **UNREAD}
    looked = dict.fromkeys(left, 0)
    for number in range(len(entries) - 1, -1, -1):
        entry = entries[number]
        if entry.ours or entry.turn or not entry.last or left.get(entry.folder, 0) <= 0:
            continue
        looked[entry.folder] += 1
        if entry.folder == folders.INBOX and not _left_unread(entry, looked[entry.folder], seed):
            continue
        found.add(number)
        left[entry.folder] -= 1
    return found


def _left_unread(entry: Entry, rank: int, seed: int) -> bool:
    """Most of the newest, then every eighth or so."""
    return fraction(entry.talk.seed ^ seed, "unread") < (
        0.8 if rank <= UNREAD_INBOX else 0.12 if rank <= LOOK_BACK else 0.02
    )


def _flags(entry: Entry, *, unread: bool) -> tuple[str, ...]:
    if entry.folder == folders.DRAFTS:
        return ("\\Draft",)
    flags = [] if unread else ["\\Seen"]
    if entry.turn:
        flags += entry.turn.flags
    if entry.folder == folders.JUNK:
        return (*flags, "Junk")
    seed = draw(entry.talk.seed, f"flags {entry.index}")
    if not entry.ours:
        if not entry.last and entry.talk.ours(entry.index + 1):
            flags.append("\\Answered")
        flags += _keywords(entry, seed, unread=unread)
    return tuple(flags)


def _keywords(entry: Entry, seed: int, *, unread: bool) -> list[str]:
    """Star, forward, tag, and that it is no junk. A scene has only what it says."""
    found = []
    if not entry.turn:
        if fraction(seed, "star") < 0.025:
            found.append("\\Flagged")
        if not unread and fraction(seed, "forward") < 0.04:
            found.append("$Forwarded")
        if fraction(seed, "tag") < 0.06:
            found.append(pick(seed, "label", LABELS))
    if fraction(seed, "ham") < 0.3:
        found.append("NonJunk")
    return found
