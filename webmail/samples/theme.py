"""The form in which kinds of letters are written down: one line, one phrase, its first letter says what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from webmail.samples.values import Style

Place = Literal[
    "aromo", "nirre", "muni", "papeles", "tintas", "repuestos", "familia", "taller", "japan", "facturas", ""
]
TableKind = Literal["", "quote", "voucher"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase with slots, and the numbers of the subjects that it goes with (from 1; none = all)."""

    text: str
    subjects: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Theme:
    """A kind of correspondence. A letter takes a subject, and of what goes with it an opening, a detail and a closing;
    `ours` and `theirs` carry it on, and without `ours` nobody answers. `weight` says how often it comes; `starts` is
    False when the owner begins."""

    who: tuple[str, ...]
    place: Place
    weight: int
    subjects: tuple[str, ...]
    phrases: dict[str, tuple[Phrase, ...]]
    table: TableKind = ""
    style: Style | Literal[""] = ""
    file_chance: float = 0.8
    greet: bool = True
    starts: bool = True

    def options(self, kind: str, subject: int) -> tuple[str, ...]:
        """The phrases of a kind that go with a subject (from 0)."""
        return tuple(one.text for one in self.phrases[kind] if not one.subjects or subject + 1 in one.subjects)


def theme(
    who: str,
    place: Place,
    weight: int,
    text: str,
    *,
    table: TableKind = "",
    style: Style | Literal[""] = "",
    file_chance: float = 0.8,
    greet: bool = True,
    starts: bool = True,
) -> Theme:
    """A theme from its lines: s subject, o opening, d detail, c closing, u what we answer, t what they answer, f file name,
    i item of a newsletter ("title: text"). Digits after the letter are the subjects that the line goes with."""
    subjects: list[str] = []
    phrases: dict[str, list[Phrase]] = {letter: [] for letter in "odcutfi"}
    for line in text.strip().split("\n"):
        mark, _, phrase = line.strip().partition(" ")
        if mark == "s":
            subjects.append(phrase)
        else:
            phrases[mark[0]].append(Phrase(phrase, frozenset(map(int, mark[1:]))))
    fixed = {letter: tuple(found) for letter, found in phrases.items()}
    return Theme(tuple(who.split()), place, weight, tuple(subjects), fixed, table, style, file_chance, greet, starts)
