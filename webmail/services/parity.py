"""What Casilla shows of a mailbox, held against what a witness reads in it at that moment: every difference, and no other.

Ours is read through the source that draws the pages, with whatever its caches hold. A first walk goes through each folder's list
in windows, and asks the witness for the same messages. What differs is looked at again, PAUSE_S later: the witness reads before
and after us, and only what it saw both times alike, and we showed otherwise twice, is a difference. So a change that somebody
makes meanwhile is none, and what changes at every look is told as such.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from webmail.errors import Gone
from webmail.folder_order import only_subscribed
from webmail.services.parity_compare import (
    Difference,
    compare_folder,
    compare_message,
    compare_order,
)
from webmail.services.reading import open_page
from webmail.services.tags import Tags
from webmail.sources.base import MailSource
from webmail.values import Folder, FolderId, Query, Summary, Window
from webmail.witness.seen import Seen, SeenFolder, Witness

WINDOW = 250
LOOKS = 6
PAUSE_S = 1.5
LISTED = 1_000
"""So many differences are told one by one; the rest is counted."""
SUSPECTS = 5_000
"""So many messages are looked at again together."""
QUERY = Query(sort="date", descending=True)


@dataclass(slots=True)
class Report:
    """What a comparison found. `untold` counts values that break the rules of mail, so that programs may differ; `restless`
    what changed at every look; `expected` how many messages the folders told at first."""

    started: datetime = field(default_factory=timezone.now)
    ended: datetime | None = None
    folders: int = 0
    messages: int = 0
    expected: int = 0
    untold: int = 0
    restless: int = 0
    found: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return self.found == 0

    def add(self, differences: Iterable[Difference]) -> None:
        for one in differences:
            self.found += 1
            if len(self.differences) < LISTED:
                self.differences.append(one)


Tell = Callable[[Report], None]


def verify(
    source: MailSource, witness: Witness, tags: Tags, *, all_folders: bool = False, tell: Tell = lambda _report: None
) -> Report:
    """Compares a whole mailbox. `tell` is called after every window and may raise to stop. Raises MailError and
    WitnessFailed."""
    report = Report()
    folders = [folder for folder in _verify_folders(source, witness, report, all_folders) if folder.selectable]
    report.expected = sum(folder.total or 0 for folder in folders)
    tell(report)
    for folder in folders:
        try:
            _FolderRun(source, witness, tags, report, folder, tell).verify()
        except Gone:
            report.restless += 1  # it went away meanwhile, or is another one now
            continue
        report.folders += 1
        tell(report)
    report.ended = timezone.now()
    return report


# --- folders ----------------------------------------------------------------------------------------------------------


def _verify_folders(source: MailSource, witness: Witness, report: Report, all_folders: bool) -> list[Folder]:
    suspects: set[FolderId] | None = None
    ours: list[Folder] = []
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE_S)
        before = {one.id: one for one in witness.folders()}
        ours = source.folders()
        after = {one.id: one for one in witness.folders()}
        found = _differing_folders(ours, before, all_folders)
        settled = {key for key in found if before.get(key) == after.get(key) and suspects is not None}
        if suspects is not None:
            found = {key: value for key, value in found.items() if key in suspects}
        for key in settled & found.keys():
            report.add(found.pop(key))
        suspects = set(found)
        if not suspects:
            break
    report.restless += len(suspects or ())
    return ours


def _differing_folders(
    ours: list[Folder], theirs: dict[FolderId, SeenFolder], all_folders: bool
) -> dict[FolderId, list[Difference]]:
    """What differs, by folder. A parent that no server lists is one that we put in."""
    by_id = {folder.id: folder for folder in ours}
    shown = {folder.id for folder in (ours if all_folders else only_subscribed(ours))}
    found: dict[FolderId, list[Difference]] = {}
    for key in dict.fromkeys([*by_id, *theirs]):
        mine, other = by_id.get(key), theirs.get(key)
        if mine and not other and not mine.selectable:
            continue
        if different := compare_folder(mine, other, shown=key in shown):
            found[key] = different
    for key, misplaced in compare_order(ours).items():
        found.setdefault(key, []).append(misplaced)
    return found


# --- messages ---------------------------------------------------------------------------------------------------------


Suspects = dict[int, Seen | None]
"""Messages that differ so far, and how the witness saw them last."""


class _FolderRun:
    """The messages of one folder."""

    def __init__(
        self, source: MailSource, witness: Witness, tags: Tags, report: Report, folder: Folder, tell: Tell
    ) -> None:
        self.source, self.witness, self.tags = source, witness, tags
        self.report, self.folder, self.tell = report, folder, tell
        self.validity = 0

    def verify(self) -> None:
        """Raises Gone when the folder is not there any more; one that is made anew meanwhile is restless."""
        there, marked = self._uids()
        shown: array[int] = array("Q")
        suspects: Suspects = {}
        later: array[int] = array("Q")
        for rows in self._windows():
            shown.extend(rows)
            for uid, seen in self._first_look(rows).items():
                if len(suspects) < SUSPECTS:
                    suspects[uid] = seen
                else:
                    later.append(uid)
            self.report.messages += len(rows)
            self.tell(self.report)
        self._verify_counts()
        later.extend(sorted(set(there).difference(marked, shown)))
        self._look_again(suspects)
        for first in range(0, len(later), SUSPECTS):
            self._look_again(dict.fromkeys(later[first : first + SUSPECTS]))

    def _uids(self) -> tuple[array[int], dict[int, bool]]:
        """The folder's UIDs as it is now, and which of them are marked as deleted (and unread): lists leave those out."""
        entered = self.witness.enter(self.folder.id)
        if entered is None or self.validity not in {0, entered}:
            raise Gone("the folder is gone, or was made anew")
        self.validity = entered
        there: array[int] = array("Q")
        marked: dict[int, bool] = {}
        for uid, flags in self.witness.uids():
            there.append(uid)
            if "\\deleted" in flags:
                marked[uid] = "\\seen" not in flags
        return there, marked

    def _verify_counts(self) -> None:
        """How many messages the list has, and what the tree leaves out of its counts."""
        last: list[Difference] = []
        for look in range(LOOKS):
            if look:
                time.sleep(PAUSE_S)
            there, marked = self._uids()
            page = self.source.page(self.folder.id, QUERY, Window(0, 1))
            theirs = (len(there) - len(marked), len(marked), sum(marked.values()))
            ours = (page.total, page.marked.total, page.marked.unread)
            if ours == theirs:
                return
            words = [" / ".join(map(str, counts)) for counts in (ours, theirs)]
            different = [Difference(self.folder.id, "/".join(self.folder.path), "counts", 0, *words)]
            if different == last:
                self.report.add(different)
                return
            last = different
        self.report.restless += 1

    def _windows(self) -> Iterator[dict[int, Summary]]:
        start = 0
        while True:
            page = open_page(self.source, self.folder, QUERY, Window(start, WINDOW), lambda: self.tags)
            if page.page.validity != self.validity:
                raise Gone("the folder was made anew")
            if not page.rows:
                return
            yield {int(row.summary.ref.id): row.summary for row in page.rows}
            start += len(page.rows)

    def _first_look(self, rows: dict[int, Summary]) -> Suspects:
        theirs = self.witness.read(list(rows))
        suspects: Suspects = {}
        for uid, row in rows.items():
            different, untold = compare_message(self.folder, uid, row, theirs.get(uid))
            self.report.untold += untold
            if different:
                suspects[uid] = theirs.get(uid)
        return suspects

    def _look_again(self, suspects: Suspects) -> None:
        for _look in range(LOOKS):
            if not suspects:
                return
            time.sleep(PAUSE_S)
            if self.witness.enter(self.folder.id) != self.validity:
                raise Gone("the folder was made anew")
            before = self.witness.read(list(suspects))
            rows = self._rows_of(set(suspects))
            after = self.witness.read(list(suspects))
            suspects = self._unsettled(suspects, rows, before, after)
            self.tell(self.report)
        self.report.restless += len(suspects)

    def _unsettled(
        self,
        suspects: Suspects,
        rows: dict[int, Summary],
        before: dict[int, Seen],
        after: dict[int, Seen],
    ) -> Suspects:
        """What has to be looked at once more. A difference is settled when the witness saw the same at the last look, before us
        and after us."""
        left: Suspects = {}
        for uid in suspects:
            seen = before.get(uid)
            if seen and "\\deleted" in {flag.lower() for flag in seen.flags}:  # lists leave it out
                seen = None
            different, _untold = compare_message(self.folder, uid, rows.get(uid), seen)
            if not different:
                continue
            if suspects[uid] == before.get(uid) == after.get(uid):
                self.report.add(different)
            else:
                left[uid] = after.get(uid)
        return left

    def _rows_of(self, uids: set[int]) -> dict[int, Summary]:
        """The rows of these messages where the list has them, a window for those that stand together."""
        places = [
            (place, int(ref.id))
            for place, ref in enumerate(self.source.refs(self.folder.id, QUERY))
            if int(ref.id) in uids
        ]
        found: dict[int, Summary] = {}
        for place, uid in places:
            if uid in found:
                continue
            page = open_page(self.source, self.folder, QUERY, Window(max(0, place - 2), 50), lambda: self.tags)
            found |= {int(row.summary.ref.id): row.summary for row in page.rows}
        return {uid: row for uid, row in found.items() if uid in uids}
