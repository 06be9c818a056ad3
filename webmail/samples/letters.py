"""Conversations and the letters in them: who writes to whom, when, and what they say in turn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from webmail.samples import files, images
from webmail.samples.abroad import SPAM, SPAMMERS
from webmail.samples.dates import workday
from webmail.samples.draws import draw, fraction, lognormal, pick
from webmail.samples.people import contact
from webmail.samples.slots import Slots, greeted
from webmail.samples.theme import Place, Theme
from webmail.samples.values import Contact, File, Letter, Style, Table
from webmail.samples.wire import wrap

MEDIAN_FILE_BYTES = 34_000
SHEET_WIDTH = 84
LARGEST_USUAL_BYTES = 900_000
OURS = {
    "es": (
        "Gracias, {de}. Lo reviso y te confirmo mañana en la mañana.",
        "Recibido, muchas gracias.",
        "Perfecto. Que quede para el {dia}.",
    ),
    "en": ("Thank you, {de}. I will look at it and come back to you on {dia}.", "Received, thank you."),
}
FAMILY = ("Ya, gracias.", "Dale, nos vemos.", "Besos.")
THEIRS = {
    "es": ("Listo, quedó anotado. Gracias.", "Perfecto, quedo atento.", "Muchas gracias. Saludos."),
    "en": ("Perfect, thank you.", "Noted, thanks."),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One letter of a written-out conversation. `who` "" is the owner; `day` counts back from the newest day."""

    who: str
    day: int
    clock: str
    text: str
    subject: str = ""
    style: Style | Literal[""] = ""
    files: tuple[tuple[str, int], ...] = ()
    table: Table | None = None
    remote: bool = False
    unsubscribe: bool = False
    copy: str = ""
    unread: bool = False
    flags: tuple[str, ...] = ()
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation that is written out, word for word."""

    subject: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A theme or scene as it happens to a mailbox: `dates` has one moment for each letter. With `big_bytes` its first
    letter carries a file of that size."""

    seed: int
    owner: Contact
    source: Theme | Scene | None
    dates: tuple[datetime, ...]
    big_bytes: int = 0

    @property
    def place(self) -> Place:
        return self.source.place if isinstance(self.source, Theme) else ""

    @property
    def other(self) -> Contact:
        """The one who is not the owner."""
        if isinstance(self.source, Theme):
            return contact(pick(self.seed, "who", self.source.who), self.owner)
        if self.source is None:
            name, local = SPAMMERS[spam_kind(self.seed)]
            domain = f"{pick(self.seed, 'bad', ('ofertas-hoy', 'correo-aviso', 'promo99', 'secure-mailer'))}.example"
            return Contact(name, f"{local}{draw(self.seed, 'no') % 900}@{domain}", style="html")
        return contact(next(turn.who for turn in self.source.turns if turn.who), self.owner)

    def ours(self, index: int) -> bool:
        """True when the owner writes this letter."""
        if isinstance(self.source, Scene):
            return not self.source.turns[index].who
        return isinstance(self.source, Theme) and (index % 2 == 0) != self.source.starts


def spam_kind(seed: int) -> int:
    return draw(seed, "subject") % len(SPAM.subjects)


def write_letter(talk: Conversation, index: int) -> Letter:
    """The letter number `index` of a conversation, with the ones before it as what is quoted."""
    previous = write_letter(talk, index - 1) if index else None
    if isinstance(talk.source, Scene):
        return _from_scene(talk, talk.source, index, previous)
    return _from_theme(talk, talk.source, index, previous) if talk.source else _spam(talk)


# --- Themes --------------------------------------------------------------------------------------------------------------
def _from_theme(talk: Conversation, kind: Theme, index: int, previous: Letter | None) -> Letter:
    seed, other, owner = talk.seed, talk.other, talk.owner
    slots = Slots(seed=seed, when=talk.dates[0], owner=owner, other=other)
    number = draw(seed, "subject") % len(kind.subjects)
    subject = kind.subjects[number].format_map(slots)
    ours = talk.ours(index)
    writer, reader = (owner, other) if ours else (other, owner)
    style = (kind.style or writer.style) if index == 0 else _answer_style(writer)
    words = _opening(talk, kind, number, reader) if index == 0 else _turn(talk, kind, number, index, ours=ours)
    first, text = index == 0, words.format_map(slots)
    says = _Sheet(subject, text, writer)
    letter = Letter(
        sender=writer,
        to=(reader,),
        cc=_copied(talk, writer, reader),
        subject=subject if first else f"Re: {subject}",
        text=text,
        when=talk.dates[index],
        style=style,
        table=make_table(kind.table, slots) if first and kind.table and not kind.phrases["u"] else None,
        files=_files(talk, kind, number, slots, says) if first else (),
        items=_items(kind, number, seed, slots),
        remote=style in {"newsletter", "notice"},
        unsubscribe=style == "newsletter",
        auth=pick(seed, "auth", ("softfail", "fail", "none")) if fraction(seed, "bad") < 0.02 else "pass",
        signed=not kind.greet or style not in {"notice", "newsletter"},
        previous=previous,
        event=event_time(seed, talk.dates[index], subject),
    )
    if first and kind.table == "quote" and number < 2:
        return _with_table(letter, make_table("quote", slots))
    return _mixed(letter, seed) if first else letter


def _opening(talk: Conversation, kind: Theme, number: int, reader: Contact) -> str:
    """Greeting, opening, detail and closing, an empty line between."""
    seed = talk.seed
    parts = [pick(seed, letter, options) for letter in "odc" if (options := kind.options(letter, number))]
    if len(parts) == 3 and fraction(seed, "short") < 0.3:
        del parts[1]
    if kind.greet and fraction(seed, "greet") < 0.75:
        hello = {"en": ("Dear {0},", "Hi {0},", "Hello {0},")}.get(
            talk.other.lang, ("Hola {0}:", "{0}:", "Buenas tardes, {0}:")
        )
        parts.insert(0, pick(seed, "hello", hello).format(greeted(reader)))
    return "\n\n".join(parts)


def _turn(talk: Conversation, kind: Theme, number: int, index: int, *, ours: bool) -> str:
    """An answer: the phrases of the theme in turn, so that nobody repeats themselves, then common ones."""
    lang = "es" if talk.other.lang == "es" else "en"
    common = FAMILY if not ours and not talk.other.org and lang == "es" else (OURS if ours else THEIRS)[lang]
    options = (*kind.options("u" if ours else "t", number), *common)
    return options[(draw(talk.seed, f"turn {ours}") % max(1, len(options) - 2) + index // 2) % len(options)]


def _answer_style(writer: Contact) -> Style:
    return "plain" if writer.style in {"notice", "newsletter", "invite"} else writer.style


def _copied(talk: Conversation, writer: Contact, reader: Contact) -> tuple[Contact, ...]:
    if writer.style in {"notice", "newsletter"} or fraction(talk.seed, "cc") > 0.12:
        return ()
    other = contact(pick(talk.seed, "cc who", ("taller", "lorena", "patricio")), talk.owner)
    return () if other in (writer, reader) else (other,)


def _items(kind: Theme, number: int, seed: int, slots: Slots) -> tuple[tuple[str, str], ...]:
    options = kind.options("i", number)
    start, count = draw(seed, "items") % max(1, len(options)), 3 + draw(seed, "item count") % 2
    chosen = [options[(start + n) % len(options)].format_map(slots) for n in range(min(count, len(options)))]
    return tuple((title, blurb) for title, _, blurb in (item.rpartition(": ") for item in chosen))


def _files(talk: Conversation, kind: Theme, number: int, slots: Slots, says: _Sheet) -> tuple[File, ...]:
    names = kind.options("f", number)
    if talk.big_bytes:
        return (_make("originales-{num}.tif", talk.seed, talk.big_bytes, slots, says),)
    if not names or fraction(talk.seed, "files") >= kind.file_chance:
        return ()
    count = 1 + (fraction(talk.seed, "more files") < 0.3)
    start = draw(talk.seed, "which file")
    chosen = dict.fromkeys(names[(start + n) % len(names)] for n in range(count))
    usual = lognormal(talk.seed, "file size", median=MEDIAN_FILE_BYTES, sigma=1.0)
    return tuple(_make(name, talk.seed, int(min(usual, LARGEST_USUAL_BYTES)), slots, says) for name in chosen)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What a file says: the words of the letter that it comes with."""

    subject: str
    text: str
    writer: Contact

    def lines(self) -> tuple[str, ...]:
        body = [line for part in self.text.split("\n") for line in wrap(part, SHEET_WIDTH)]
        return (self.subject, self.writer.name, self.writer.org, "", *body)


def _make(name: str, seed: int, size_bytes: int, slots: Slots, says: _Sheet) -> File:
    shown = name.format_map(slots)
    return files.make_file(shown, seed=seed, size_bytes=size_bytes, lines=says.lines(), person=says.writer)


def _mixed(letter: Letter, seed: int) -> Letter:
    """A plain letter with a photograph: every other one has the picture between the paragraphs."""
    photo = letter.files and letter.files[0].media_type == "image/jpeg"
    if photo and letter.style == "plain" and fraction(seed, "mixed") < 0.5:
        return replace(letter, style="mixed")
    return letter


# --- Tables --------------------------------------------------------------------------------------------------------------
def make_table(kind: str, slots: Slots) -> Table:
    """A quotation in lines with its total, or the facts of a voucher."""
    english = slots.lang == "en"
    if kind == "voucher":
        names = ("Amount", "Date", "Number") if english else ("Monto", "Fecha", "Folio")
        values = (f"$ {slots['monto']}", slots["corta"], slots["folio"])
        return Table(("Detail", "") if english else ("Detalle", ""), tuple(zip(names, values, strict=True)))
    seed = slots.seed
    amounts = [80_000 + draw(seed, f"amount {n}") % 7_000 * 100 for n in range(3)]
    labels = ("Blankets 770 × 1030", "Dampening rollers", "Sea freight") if english else (
        f"{slots['papel'].capitalize()}, {slots['formato']}",
        f"{slots['papel2'].capitalize()}, {slots['formato']}",
        f"Flete a {slots['comuna']}",
    )  # fmt: skip
    units = (slots["resmas"], str(2 + draw(seed, "unit") % 9), "")
    return quote_table(labels, units, amounts, english=english)


def quote_table(labels: Sequence[str], units: Sequence[str], amounts: Sequence[int], *, english: bool = False) -> Table:
    head = ("Item", "Units", "Net") if english else ("Papel", "Resmas", "Neto")
    sign = "£" if english else "$ "
    shown = [
        f"{sign}{amount // (1000 if english else 1):,}".replace(",", "," if english else ".") for amount in amounts
    ]
    total = f"{sign}{sum(a // (1000 if english else 1) for a in amounts):,}".replace(",", "," if english else ".")
    rows = [*zip(labels, units, shown, strict=True), ("Total" if english else "Total neto", "", total)]
    return Table(head, tuple(rows), total=True)


def _with_table(letter: Letter, table: Table) -> Letter:
    return replace(letter, table=table, style="html" if letter.style == "plain" else letter.style)


# --- Scenes and spam ---------------------------------------------------------------------------------------------------------
def _from_scene(talk: Conversation, scene: Scene, index: int, previous: Letter | None) -> Letter:
    turn = scene.turns[index]
    slots = Slots(seed=talk.seed, when=talk.dates[index], owner=talk.owner, other=talk.other)
    writer = contact(turn.who, talk.owner) if turn.who else talk.owner
    reader = talk.owner if turn.who else talk.other
    subject, text = (turn.subject or scene.subject).format_map(slots), turn.text.format_map(slots)
    return Letter(
        sender=writer,
        to=(reader,),
        cc=(contact(turn.copy, talk.owner),) if turn.copy else (),
        subject=subject if index == 0 or turn.subject else f"Re: {subject}",
        text=text,
        when=talk.dates[index],
        style=turn.style or writer.style,
        table=turn.table,
        files=tuple(
            _make(name, talk.seed + n, size, slots, _Sheet(subject, text, writer))
            for n, (name, size) in enumerate(turn.files)
        ),
        items=turn.items,
        remote=turn.remote,
        unsubscribe=turn.unsubscribe,
        signed=writer.style not in {"notice", "newsletter"},
        previous=previous,
        event=event_time(talk.seed, talk.dates[index], subject),
    )


def _spam(talk: Conversation) -> Letter:
    """One that belongs in Junk: unsigned, failing every check, or passing them from a domain of its own."""
    number = spam_kind(talk.seed)
    slots = Slots(seed=talk.seed, when=talk.dates[0], owner=talk.owner, other=talk.other)
    return Letter(
        sender=talk.other,
        to=(talk.owner,),
        subject=SPAM.subjects[number].format_map(slots),
        text=SPAM.options("o", number)[0].format_map(slots),
        when=talk.dates[0],
        style=pick(talk.seed, "spam style", ("html", "plain", "notice")),
        remote=True,
        auth=pick(talk.seed, "spam auth", ("fail", "fail", "softfail", "none", "pass")),
        signed=False,
    )


def event_time(seed: int, when: datetime, subject: str) -> datetime:
    """When the event is that an invitation speaks of: the day of its slot {dia}, the hour of its subject, else half past ten."""
    found = re.search(r"(\d\d):(\d\d)", subject)
    hour, minute = (int(found[1]), int(found[2])) if found else (10, 30)
    day = workday(when, 1 + draw(seed, "slot dia") % 4)
    return day.replace(hour=hour, minute=minute, second=0)


def inline_logo(cid: str, seed: int) -> File:
    """The small picture with which some programs sign."""
    return File("logo.png", "image/png", images.draw_logo(seed % 24), cid=cid)
