"""A whole mailbox from a seed: who wrote when, what was answered, read, starred, filed, thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from webmail.samples import folders
from webmail.samples.abroad import ABROAD
from webmail.samples.compose import compose
from webmail.samples.dates import in_chile
from webmail.samples.draws import draw, fraction, lognormal
from webmail.samples.flags import Entry, flag_all
from webmail.samples.folders import Path
from webmail.samples.letters import Conversation, Scene, write_letter
from webmail.samples.life import LIFE
from webmail.samples.people import owner_of
from webmail.samples.scenes import SCENES
from webmail.samples.theme import Theme
from webmail.samples.trade import TRADE
from webmail.samples.values import Contact, Sample

YEARS = 5
SMALL = 20
"""A mailbox with fewer messages is new: an Inbox and nothing else."""
DRAFTS, SPAM_UNREAD, SPAM_SHARE = 3, 7, 0.02
FULL = 1000
"""From so many messages on, one is of about 20 MB."""
HUGE_BYTES = 14_600_000
BIG_EVERY, BIG_MOST = 350, 12
"""One message in so many has some MB, at most so many of them."""
PLACES: dict[str, Path] = {
    "aromo": folders.AROMO,
    "nirre": folders.NIRRE,
    "muni": folders.MUNI,
    "papeles": folders.PAPELES,
    "tintas": folders.TINTAS,
    "repuestos": folders.REPUESTOS,
    "familia": folders.FAMILIA,
    "taller": folders.TALLER,
    "japan": folders.JAPAN,
}
RECENT = (
    (0, "10:42"),
    (0, "10:15"),
    (0, "09:40"),
    (0, "09:05"),
    (0, "08:31"),
    *((1, f"{hour}:{hour * 7 % 60:02}") for hour in range(9, 19, 2)),
)
"""Day back and time of the newest letters where no scene is written for the owner."""
THEMES: tuple[Theme, ...] = (*TRADE, *LIFE, *ABROAD)
_WEIGHTS = tuple(accumulate(kind.weight for kind in THEMES))


@dataclass(frozen=True, slots=True)
class _Box:
    owner: Contact
    seed: int
    until: datetime
    inbox_only: bool = False

    @property
    def local(self) -> str:
        return self.owner.email.partition("@")[0]


def mailbox_folders(until: datetime, count: int = FULL) -> list[Path]:
    """The folders of a generated mailbox of `count` messages, parents before children."""
    if count < SMALL:
        return [folders.INBOX]
    years = range(until.year - YEARS, until.year + 1)
    return [*folders.full_tree(until), *((folders.ARCHIVE, str(year)) for year in years)]


def generate_mailbox(
    address: str, count: int, *, seed: int, until: datetime, inbox_only: bool = False
) -> Iterator[Sample]:
    """`count` messages of a mailbox, oldest first: five years, denser towards `until`, which is the newest moment (aware;
    its zone is the owner's). With `inbox_only` all of it is what others wrote, and lies in the Inbox. The same
    arguments give the same bytes."""
    box = _Box(owner_of(address), seed, until, inbox_only or count < SMALL)
    entries = sorted(_plan(box, count), key=lambda entry: entry.when)[-count:] if count else []
    flags = flag_all(entries, seed)
    for entry, marks in zip(entries, flags, strict=True):
        yield _sample(box, entry, marks)


# --- What happens --------------------------------------------------------------------------------------------------------------
def _plan(box: _Box, count: int) -> list[Entry]:
    """At least `count` messages. The newest days come first in the list, then drafts and spam, then the years."""
    entries = [entry for talk in _newest(box) for entry in _entries(box, talk, folders.INBOX)]
    small = count < SMALL
    if not small and not box.inbox_only:
        entries += [*_drafts(box), *_spam(box, SPAM_UNREAD + int(count * SPAM_SHARE))]
    number = 0
    bigs = _big_ones(count)
    while len(entries) < count:
        talk = _talk(box, number, bigs.get(number, 0))
        found = _entries(box, talk, _place(box, talk))
        entries += found[: 1 if small else count - len(entries)]
        number += 1
    return entries


def _big_ones(count: int) -> dict[int, int]:
    """Which conversations carry something large, and how large."""
    few = min(BIG_MOST, count // BIG_EVERY)
    found = {7 + 31 * n: int(lognormal(n, "big", median=2_000_000, sigma=0.4)) for n in range(few)}
    return found | ({3: HUGE_BYTES} if count >= FULL else {})


def _newest(box: _Box) -> list[Conversation]:
    """Today and yesterday."""
    scenes = SCENES.get(box.local)
    if scenes:
        return [
            Conversation(draw(box.seed, f"scene {n}"), box.owner, scene, _scene_dates(box, scene))
            for n, scene in enumerate(scenes)
        ]
    talks = []
    for number, (day, clock) in enumerate(RECENT):
        seed = draw(box.seed, f"recent {number}")
        kind = _choose(seed)
        if not kind.starts:
            continue
        talks.append(Conversation(seed, box.owner, kind, (_clock(box, day, clock),)))
    return talks


def _scene_dates(box: _Box, scene: Scene) -> tuple[datetime, ...]:
    """When its letters were written: never on a weekend before yesterday, always one after the other."""
    dates: list[datetime] = []
    for turn in scene.turns:
        when = _clock(box, turn.day, turn.clock)
        if turn.day > 1 and when.weekday() > 4:
            when -= timedelta(days=when.weekday() - 4)
        dates.append(max(when, dates[-1] + timedelta(minutes=23)) if dates else when)
    return tuple(dates)


def _clock(box: _Box, day: int, clock: str) -> datetime:
    """A time on a day back. Early in the day, what would come later is drawn together, so that nothing lies in the future."""
    hour, minute = map(int, clock.split(":"))
    start = box.until.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = timedelta(hours=hour, minutes=minute, seconds=(hour * 17 + minute * 29) % 60)
    if day == 0:
        passed = min(passed, (box.until - start) * (passed / timedelta(hours=10, minutes=50)))
    return start - timedelta(days=day) + timedelta(seconds=int(passed.total_seconds()))


def _choose(seed: int) -> Theme:
    """A theme by its weight."""
    chance = draw(seed, "theme") % _WEIGHTS[-1]
    return next(kind for kind, bound in zip(THEMES, _WEIGHTS, strict=True) if chance < bound)


def _talk(box: _Box, number: int, big_bytes: int) -> Conversation:
    """A conversation somewhere in the years, at least two days ago."""
    seed = draw(box.seed, f"talk {number}")
    kind = _choose(seed) if not big_bytes else TRADE[1 + number % 2]
    days = 2 + (YEARS * 365 - 3) * fraction(seed, "age") ** 1.6
    when = _at_work(seed, box.until - timedelta(days=days))
    if when > box.until - timedelta(days=1, hours=12):
        when -= timedelta(days=7)
    dates = [when]
    for turn in range(1, _turns(seed, kind)):
        pause = timedelta(hours=lognormal(seed, f"pause {turn}", median=5, sigma=1.1))
        later = _at_work(seed + turn, dates[-1] + pause, keep=pause < timedelta(hours=3))
        dates.append(max(later, dates[-1] + timedelta(minutes=11)))
    kept = tuple(date for date in dates if date < box.until - timedelta(days=1, hours=12)) or (when,)
    return Conversation(seed, box.owner, kind, kept, big_bytes)


def _turns(seed: int, kind: Theme) -> int:
    if not kind.phrases["u"] or fraction(seed, "silence") < 0.4:
        return 1
    return min(7, 1 + int(lognormal(seed, "turns", median=1.9, sigma=0.6)))


def _at_work(seed: int, when: datetime, *, keep: bool = False) -> datetime:
    """Moved into working hours, most of it off the weekend; with `keep` only when it fell into the night."""
    local = in_chile(when).replace(microsecond=0)
    if local.weekday() > 4 and fraction(seed, "weekend") < 0.85:
        local += timedelta(days=-1 if local.weekday() == 5 else 1)
    if keep and 8 <= local.hour < 20:
        return local
    minute = int(8 * 60 + 10 * 60 * (fraction(seed, "early") + fraction(seed, "late")) / 2 + draw(seed, "m") % 60)
    return local.replace(hour=minute // 60, minute=minute % 60, second=draw(seed, "second") % 60)


def _drafts(box: _Box) -> Iterator[Entry]:
    """Three letters that were begun: answers to what somebody wrote."""
    for number in range(DRAFTS):
        seed = draw(box.seed, f"draft {number}")
        first = box.until - timedelta(days=2 + number * 3, hours=5)
        talk = Conversation(seed, box.owner, TRADE[number], (first, first + timedelta(hours=4 + number)))
        yield Entry(talk, 0, folders.INBOX, first, ours=False, last=True)
        yield Entry(talk, 1, folders.DRAFTS, talk.dates[1], ours=True, last=True)


def _spam(box: _Box, count: int) -> Iterator[Entry]:
    for number in range(count):
        seed = draw(box.seed, f"spam {number}")
        when = box.until - timedelta(hours=9 + 400 * number / SPAM_UNREAD * fraction(seed, "age"), minutes=number)
        talk = Conversation(seed, box.owner, None, (when.replace(microsecond=0),))
        yield Entry(talk, 0, folders.JUNK, when, ours=False, last=True)


def _entries(box: _Box, talk: Conversation, place: Path) -> list[Entry]:
    """The letters of a conversation, each in its folder: what the owner wrote lies in Sent, if that is wanted."""
    last = len(talk.dates) - 1
    found = []
    for index, when in enumerate(talk.dates):
        ours = talk.ours(index)
        if ours and box.inbox_only:
            continue
        found.append(Entry(talk, index, folders.SENT if ours else place, when, ours=ours, last=index == last))
    return found


def _place(box: _Box, talk: Conversation) -> Path:
    """Recent letters lie in the Inbox; older ones were filed, archived, thrown away, or left."""
    when = talk.dates[-1]
    age, chance = (box.until - when).days, fraction(talk.seed, "place")
    if box.inbox_only:
        return folders.INBOX
    if age > 4 and chance < 0.03:
        return folders.TRASH
    if talk.place == "facturas" and age > 10 and when.year > box.until.year - folders.FACTURAS_YEARS and chance < 0.7:
        return (folders.FACTURAS, str(when.year))
    if talk.place in PLACES and age > 6 and chance < 0.42:
        return PLACES[talk.place]
    if age > 400 and chance > 0.6:
        return (folders.ARCHIVE, str(when.year))
    return folders.INBOX


# --- Octets --------------------------------------------------------------------------------------------------------------------
def _sample(box: _Box, entry: Entry, flags: tuple[str, ...]) -> Sample:
    talk, index = entry.talk, entry.index
    letter = write_letter(talk, index)
    ids = [message_id(talk, number) for number in range(index + 1)]
    raw = compose(
        letter,
        box.owner,
        draw(talk.seed, f"letter {index}"),
        message_id=ids[-1],
        parents=tuple(ids[:-1]),
        draft=entry.folder == folders.DRAFTS,
    )
    if any(not file.cid for file in letter.files[letter.style == "mixed" :]):
        flags = (*flags, "$HasAttachment")
    received = entry.when if entry.ours else entry.when + timedelta(seconds=2 + draw(talk.seed, "delay") % 5)
    return Sample(entry.folder, raw, flags, received)


def message_id(talk: Conversation, index: int) -> str:
    """The id of a letter, without angle brackets; the domain is that of who wrote it."""
    writer = talk.owner if talk.ours(index) else talk.other
    return f"{draw(talk.seed, f'id {index}'):016x}.{index}@{writer.domain}"
