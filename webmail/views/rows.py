"""Rows of a list, drawn: the template draws a row once for every look that a row can have, with places where its texts go.
A row that has this look is those pieces, with its own texts between them; they are octets already, and kept until something in
the row is another.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from django.template.defaultfilters import date as format_date
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from webmail.services.reading import Row
from webmail.services.tags import Tag
from webmail.services.whereabouts import Whereabouts
from webmail.sources.recent import Recent
from webmail.templatetags.casilla import day_heading, filesize, mail_date
from webmail.templatetags.pullpage import place_title, place_words
from webmail.values import Folder, FolderId, Query, Ref, Role, SortKey
from webmail.views.drawing import draw, render_part
from webmail.views.query import query_string

LOOKS = 1_000
"""Looks that are kept in a process, about 2 kB each."""
RECENT_DRAWN = 20_000
"""Rows that are kept in a process, about 1.4 kB each."""
MOMENTS = 50_000
"""Moments whose words are kept in a process, about 300 octets each."""
_MARK = secrets.token_hex(8)
_SPECIAL = re.compile("[&<>\"']")
_VALIDITY = 9_876_543_210


class TagDot(NamedTuple):
    """A tag as its dot in a row needs it."""

    keyword: str
    name: str
    css: str


class Look(NamedTuple):
    """What the template decides by. `placed` when the row stands in the list itself, not behind another row; `place` when it
    tells where the message lives."""

    placed: bool
    messages: int
    unread: bool
    tags: tuple[TagDot, ...] = ()
    answered: bool = False
    forwarded: bool = False
    has_attachment: bool = False
    flagged: bool = False
    defects: bool = False
    confirm: bool = False
    place: bool = False


class Texts(NamedTuple):
    """What the template writes."""

    position: str
    ref: str
    subject: str
    who: str
    url: str
    thread_url: str
    iso: str
    title: str
    short: str
    snippet: str
    place_at: str = ""
    place_left: str = ""
    place_title: str = ""
    place_words: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What the rows of a list have in common. `query_string` is the list's query as it stands in an address; `confirm` when
    deleting asks first; `places` tells where each message lives, for an account that is downloaded."""

    account_id: int
    folder: FolderId
    sort: SortKey
    query_string: str = ""
    confirm: bool = False
    places: Mapping[Ref, Whereabouts] = field(default_factory=dict)


def around_of(account_id: int, folder: Folder, query: Query, places: Mapping[Ref, Whereabouts]) -> Around:
    """What the rows of a folder's list have in common."""
    return Around(account_id, folder.id, query.sort, query_string(query), folder.role is Role.TRASH, places)


class Setting(NamedTuple):
    """Who looks: language, time zone, its day; and the pieces of the list's addresses (see `_address_pieces`)."""

    language: str
    zone: tzinfo
    today: date
    address: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """What a moment is in words: as a machine reads it, whole, and its time of day."""

    iso: str
    whole: str
    clock: str


def draw_rows(rows: Iterable[Row], around: Around) -> SafeString:
    """The rows, with the headings of their days."""
    return mark_safe(row_octets(rows, around).decode())  # noqa: S308 - the template's own pieces, and escaped texts


def row_octets(rows: Iterable[Row], around: Around, kept: dict[Any, list[bytes]] | None = None) -> bytes:
    """The same as it goes out. Of what it is drawn is put into `kept`, where somebody keeps the rows, and taken from it."""
    setting = setting_of(around)
    common = _common(setting, around.sort, around.query_string, around.confirm)
    if kept is None or around.places:
        return b"".join(_pieces(list(rows), around, setting, common))
    pieces = kept.get(common)
    if pieces is None:
        kept.clear()
        pieces = kept[common] = _pieces(list(rows), around, setting, common)
    return b"".join(pieces)


def _pieces(rows: list[Row], around: Around, setting: Setting, common: object) -> list[bytes]:
    """The rows in pieces that are each other's too."""
    language, today = setting.language, setting.today
    keys = [_key(common, row) for row in rows]
    out: list[bytes] = []
    for row, key, drawn in zip(rows, keys, _drawn.get_all(keys), strict=True):
        if row.day:
            out.append(_day(row.day, language, today))
        if drawn is None or around.places:
            drawn = _draw(row, around, setting)
            if not around.places:
                _drawn.keep(key, drawn)
        pieces, at = drawn
        out += pieces
        if at:
            out[at - len(pieces)] = b"%d" % row.position
    return out


_Drawn = tuple[tuple[bytes, ...], int]
"""A row in pieces, and which of them its position is, 0 for none."""
_drawn: Recent[_Drawn] = Recent(RECENT_DRAWN)


@lru_cache(maxsize=RECENT_DRAWN)
def _common(setting: Setting, sort: SortKey, query_string: str, confirm: bool) -> object:
    """What stands in a key for what the rows of a list share."""
    return object()


def _key(common: object, row: Row) -> Hashable:
    """Everything that a row is drawn of, but for its position."""
    one = row.summary
    ref, tags = one.ref, tuple(row.tags) if row.tags else ()
    who, subject, snippet = row.who, one.subject, one.snippet
    looks = (row.position >= 0, row.count, row.unread, one.has_attachment, bool(one.defects), tags)
    return common, ref.validity, ref.id, one.flags, subject, who, snippet, one.date, one.size_bytes, looks


def _draw(row: Row, around: Around, setting: Setting) -> _Drawn:
    pieces, places, at = _skeleton(look_of(row, around, setting.language), setting.language)
    texts = texts_of(row, around, setting)
    filled = list(pieces)
    for place, slot in places:
        text = texts[slot]
        filled[place] = (html.escape(text) if _SPECIAL.search(text) else text).encode()
    return tuple(filled), at


@lru_cache(maxsize=LOOKS)
def _day(day: date, language: str, today: date) -> bytes:
    """The heading of a day, in the language that is active now."""
    text = str(draw("webmail/row_day.html", {"heading": _MARK}))
    return text.replace(_MARK, html.escape(day_heading(day))).encode()


def setting_of(around: Around) -> Setting:
    """What the rows of a list share for who looks at it now."""
    address = _address_pieces(around.account_id, around.folder, get_script_prefix())
    return Setting(get_language() or "", timezone.get_current_timezone(), timezone.localdate(), address)


def look_of(row: Row, around: Around, language: str) -> Look:
    """How a row looks."""
    summary = row.summary
    flags = summary.flags
    return Look(
        row.position >= 0,
        row.count,
        row.unread,
        _dots(tuple(row.tags), language) if row.tags else (),
        "\\Answered" in flags,
        "$Forwarded" in flags,
        summary.has_attachment,
        "\\Flagged" in flags,
        bool(summary.defects),
        around.confirm,
        bool(around.places) and summary.ref in around.places,
    )


def texts_of(row: Row, around: Around, setting: Setting) -> Texts:
    """The texts of a row, not escaped yet."""
    summary = row.summary
    ref = summary.ref
    words = words_of(summary.date, setting.zone, setting.language)
    before, middle, end, thread_end = setting.address
    message = f"{before}{ref.validity}{middle}{ref.id}"
    texts = Texts(
        str(row.position),
        f"{ref.validity}.{ref.id}*" if row.count > 1 else f"{ref.validity}.{ref.id}",
        summary.subject or gettext("(no subject)"),
        row.who or gettext("(no sender)"),
        f"{message}{end}{around.query_string}",
        f"{message}{thread_end}{around.query_string}",
        words.iso,
        words.whole,
        _short(row, around, words, setting),
        summary.snippet,
    )
    place = around.places.get(ref) if around.places else None
    if place is None:
        return texts
    return texts._replace(
        place_at=place.at, place_left=str(place.left), place_title=place_title(place), place_words=place_words(place)
    )


def _short(row: Row, around: Around, words: Words, setting: Setting) -> str:
    """What stands at the end of a row's first line: the time below the heading of a day, the size where that is the order,
    else the day."""
    if around.sort == "date" and row.position >= 0:
        return words.clock
    if around.sort == "size":
        return filesize(row.summary.size_bytes)
    return _day_words(row.summary.date, setting.zone, setting.language, setting.today)


@lru_cache(maxsize=MOMENTS)
def words_of(moment: datetime, zone: tzinfo, language: str) -> Words:
    """The words of a moment in a zone, in the language that is active now."""
    local = timezone.localtime(moment, zone)
    clock = f"{local.hour:02}:{local.minute:02}"
    return Words(local.isoformat(), format_date(local, "DATETIME_FORMAT"), clock)


@lru_cache(maxsize=MOMENTS)
def _day_words(moment: datetime, zone: tzinfo, language: str, today: date) -> str:
    return mail_date(moment)


@lru_cache(maxsize=LOOKS)
def _dots(tags: tuple[Tag, ...], language: str) -> tuple[TagDot, ...]:
    return tuple(TagDot(tag.keyword, str(tag.name), tag.css) for tag in tags)


@lru_cache(maxsize=LOOKS)
def _address_pieces(account_id: int, folder: FolderId, prefix: str) -> tuple[str, str, str, str]:
    """What stands before a message's validity in its address, between that and its UID, and after it; and after it in the
    address of its conversation. The latter begin alike."""
    kwargs = {"account_id": account_id, "folder_id": folder, "validity": _VALIDITY, "uid": _MARK}
    before, _validity, rest = reverse("message", kwargs=kwargs).partition(str(_VALIDITY))
    middle, _uid, end = rest.partition(_MARK)
    return before, middle, end, reverse("thread_messages", kwargs=kwargs).partition(_MARK)[2]


@lru_cache(maxsize=LOOKS)
def _skeleton(look: Look, language: str) -> tuple[list[bytes], list[tuple[int, int]], int]:
    """What the template draws for a look: pieces, for those among them that are texts their place in `Texts`, and which of
    them the position is (0 = none; it stands once, in a row that is placed)."""
    marks = Texts._make(f"{_MARK}{number:02}" for number in range(len(Texts._fields)))
    pieces: list[bytes] = []
    places: list[tuple[int, int]] = []
    first, *others = draw_row(look, marks).split(_MARK)
    pieces.append(first.encode())
    for other in others:
        places.append((len(pieces), int(other[:2])))
        pieces += [b"", other[2:].encode()]
    (at,) = [place for place, slot in places if slot == 0] if look.placed else [0]
    return pieces, places, at


def draw_row(look: Look, texts: Texts) -> str:
    """One row as the template draws it."""
    return render_part("webmail/row.html", {"row": look._asdict() | texts._asdict()})
