"""A whole mailbox from a seed: who wrote when, what was answered, read, starred, filed, thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from webmail.samples import folders
from webmail.samples.compose import compose
from webmail.samples.dates import SUMMER, in_chile
from webmail.samples.draws import draw, fraction, pick
from webmail.samples.folders import Path
from webmail.samples.letters import Draft, make_big_file, write_answer, write_letter, write_reply, write_spam, writer_of
from webmail.samples.people import owner_of
from webmail.samples.values import Contact, Letter, Sample

YEARS = 5
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
SPAN_DAYS = 8.7 * 365
"""Answers take the place of the oldest letters, about two in seven; of this span the five newest years remain."""
KEPT_IN_INBOX_DAYS = 60
TODAY_COUNT, YESTERDAY_COUNT = 6, 6
FRESH = 14
"""How many of the newest are mostly unread."""
SPAM_SHARE = 0.04
ANSWERED_STYLES = frozenset({"plain", "flowed", "alternative", "html"})


@dataclass(frozen=True, slots=True)
class _Box:
    owner: Contact
    seed: int
    until: datetime


def mailbox_folders(until: datetime) -> list[Path]:
    """Every folder that a generated mailbox has, parents before children."""
    years = range(until.year - YEARS, until.year + 1)
    return [*folders.full_tree(until), *((folders.ARCHIVE, str(year)) for year in years)]


def generate_mailbox(address: str, count: int, *, seed: int, until: datetime) -> Iterator[Sample]:
    """`count` messages of a mailbox, oldest first: five years, denser towards `until`, which is the newest moment. The same
    arguments give the same bytes."""
    box = _Box(owner_of(address), seed, until)
    moments = _moments(box, count)
    first, skipped = _first_story(box, moments, count)
    stories = (_story(box, index, moments[index], len(moments)) for index in range(first, len(moments)))
    yield from islice(chain.from_iterable(stories), skipped, None)


def _first_story(box: _Box, moments: list[datetime], count: int) -> tuple[int, int]:
    """With which moment to begin, and how many of its messages to leave out, so that the newest `count` messages remain."""
    total = 0
    for index in range(len(moments) - 1, -1, -1):
        total += sum(_plan(box, index, moments[index], len(moments)))
        if total >= count:
            return index, total - count
    return 0, 0


def _moments(box: _Box, count: int) -> list[datetime]:
    """When the incoming letters arrive: a few today and yesterday, the rest spread over the years, at working hours."""
    fixed = min(count, TODAY_COUNT + YESTERDAY_COUNT)
    moments = []
    for index in range(count - fixed):
        days = min(YEARS * 365, int(2 + SPAN_DAYS * fraction(box.seed, f"day{index}") ** 1.7))
        moments.append(_at_work(box, index, box.until - timedelta(days=days)))
    for index in range(fixed):
        if index < TODAY_COUNT:
            share = fraction(box.seed, f"today{index}")
            start = box.until.replace(hour=0, minute=0, second=0)
            moments.append(start + (box.until - start) * (0.35 + 0.64 * share))
        else:
            moments.append(_at_work(box, index, box.until - timedelta(days=1)))
    return sorted(moment.replace(microsecond=0) for moment in moments)


def _at_work(box: _Box, index: int, day: datetime) -> datetime:
    minute = 8 * 60 + int(fraction(box.seed, f"minute{index}") * 11 * 60)
    local = in_chile(day) if day.tzinfo else day.replace(tzinfo=SUMMER)
    return local.replace(hour=minute // 60, minute=minute % 60, second=draw(box.seed, f"s{index}") % 60)


def _plan(box: _Box, index: int, when: datetime, count: int) -> tuple[bool, bool, bool]:
    """Whether a moment brings a message (always), the owner's answer, and an answer to that."""
    seed = _seed(box, index)
    if index in _drafts(count) or fraction(seed, "kind") < SPAM_SHARE:
        return True, False, False
    style = writer_of(seed, box.owner).style
    answered = index < count - FRESH and style in ANSWERED_STYLES and fraction(seed, "a") < 0.35
    answered = answered and _reply_at(seed, when) < box.until
    return True, answered, answered and fraction(seed, "returns") < 0.5 and _answer_at(seed, when) < box.until


def _seed(box: _Box, index: int) -> int:
    return draw(box.seed, f"story{index}")


def _drafts(count: int) -> set[int]:
    return {count - 20, count - 45, count - 90}


def _reply_at(seed: int, when: datetime) -> datetime:
    return when + timedelta(minutes=20 + draw(seed, "pause") % 900)


def _answer_at(seed: int, when: datetime) -> datetime:
    return _reply_at(seed, when) + timedelta(minutes=15 + draw(seed, "back") % 2000)


def _story(box: _Box, index: int, when: datetime, count: int) -> Iterator[Sample]:
    """What one moment brings: a draft, spam, or a letter with what was answered."""
    seed = _seed(box, index)
    if index in _drafts(count):
        draft = write_reply(seed, box.owner, write_letter(seed, box.owner, when).letter, when)
        yield _finish(box, seed, draft, folders.DRAFTS, ("\\Draft",))
    elif fraction(seed, "kind") < SPAM_SHARE:
        read = ("\\Seen",) if fraction(seed, "spam-read") < 0.8 else ()
        yield _finish(box, seed, write_spam(seed, box.owner, when), folders.JUNK, ("Junk", *read))
    else:
        yield from _conversation(box, seed, index, when, count)


def _conversation(box: _Box, seed: int, index: int, when: datetime, count: int) -> Iterator[Sample]:
    _one, answered, returns = _plan(box, index, when, count)
    draft = write_letter(seed, box.owner, when)
    letter = make_big_file(draft.letter, seed) if count >= 1000 and index == count - 60 else draft.letter
    place = _place(box, seed, draft, when)
    flags = _flags(seed, fresh=index >= count - FRESH, answered=answered)
    first = f"{draw(seed, 'id'):016x}@{letter.sender.domain}"
    yield _finish(box, seed, letter, place, flags, message_id=first)
    if not answered:
        return
    reply = write_reply(seed, box.owner, letter, _reply_at(seed, when))
    second = f"{draw(seed, 'id2'):016x}@{box.owner.domain}"
    yield _finish(box, seed + 1, reply, folders.SENT, ("\\Seen",), message_id=second, parents=(first,))
    if returns:
        answer = write_answer(seed, letter, reply, _answer_at(seed, when))
        again = _flags(seed + 2, fresh=False, answered=False)
        yield _finish(box, seed + 2, answer, place, again, parents=(first, second))


def _place(box: _Box, seed: int, draft: Draft, when: datetime) -> Path:
    """Recent letters lie in the Inbox; older ones were filed, archived, thrown away, or left."""
    age = (box.until - when).days
    chance = fraction(seed, "place")
    if age > 3 and chance < 0.04:
        return folders.TRASH
    if age < KEPT_IN_INBOX_DAYS:
        return folders.INBOX
    if draft.place == "facturas" and when.year > box.until.year - folders.FACTURAS_YEARS:
        return (folders.FACTURAS, str(when.year))
    if chance < 0.45 and draft.place in PLACES:
        return PLACES[draft.place]
    return (folders.ARCHIVE, str(when.year)) if chance < 0.62 else folders.INBOX


def _flags(seed: int, *, fresh: bool, answered: bool) -> tuple[str, ...]:
    flags = []
    if (not fresh and fraction(seed, "seen") > 0.01) or (fresh and fraction(seed, "seen") > 0.75):
        flags.append("\\Seen")
    if answered:
        flags.append("\\Answered")
    if fraction(seed, "star") < 0.03:
        flags.append("\\Flagged")
    if fraction(seed, "forward") < 0.03 and not fresh:
        flags.append("$Forwarded")
    if fraction(seed, "tag") < 0.06:
        flags.append(pick(seed, "which", ("$label1", "$label2", "$label3", "$label4", "$label5")))
    return tuple(flags)


def _finish(
    box: _Box,
    seed: int,
    letter: Letter,
    place: Path,
    flags: tuple[str, ...],
    *,
    message_id: str = "",
    parents: tuple[str, ...] = (),
) -> Sample:
    raw = compose(letter, box.owner, seed, message_id=message_id, parents=parents)
    received = letter.when + timedelta(seconds=2 + draw(seed, "delay") % 40)
    return Sample(place, raw, flags, received)
