"""How many look-ups an SPF record costs whoever checks it (RFC 7208 section 4.6.4): beyond ten, or two that find nothing, it is
worth nothing to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from accounts.setup.records import Found

LOOKUPS_MAX, VOID_MAX = 10, 2
ASKED_MAX = 30
"""So many questions are asked at most; what costs more is beyond any limit by far."""
Ask = Callable[[str, Literal["A", "MX", "TXT"]], Found]
_TERM = re.compile(r"[+~?-]?(include|a|mx|ptr|exists|redirect)(?:[:=]([^/\s]*))?(?:/\S*)?", re.IGNORECASE)


@dataclass(slots=True)
class Cost:
    """Look-ups that count, through all includes; those that found nothing; and whether every question was answered, else there
    may be more."""

    lookups: int = 0
    void: int = 0
    whole: bool = True

    @property
    def too_many(self) -> bool:
        return self.lookups > LOOKUPS_MAX

    @property
    def too_void(self) -> bool:
        return self.void > VOID_MAX


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record (RFC 7208 section 4.5)."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def cost_of(domain: str, text: str, ask: Ask) -> Cost:
    """What a record of a domain costs. Questions go by `ask`; macros are counted and not followed."""
    cost = Cost()
    _add(cost, domain, text, ask, depth=0)
    return cost


def _add(cost: Cost, domain: str, text: str, ask: Ask, *, depth: int) -> None:
    terms = [found for word in text.split()[1:] if (found := _TERM.fullmatch(word))]
    heard = [found for found in terms if found[1].lower() != "redirect"]
    if not re.search(
        r"(?:^|\s)[+~?-]?all(?:\s|$)", text, re.IGNORECASE
    ):  # else redirect is not looked at (section 6.1)
        heard += [found for found in terms if found[1].lower() == "redirect"]
    for found in heard:
        kind, name = found[1].lower(), (found[2] or domain).rstrip(".").lower()
        cost.lookups += 1
        if cost.lookups > ASKED_MAX or "%" in name or kind in {"ptr", "exists"}:
            cost.whole = cost.whole and cost.lookups <= ASKED_MAX
            continue
        _follow(cost, kind, name, ask, depth=depth)


def _follow(cost: Cost, kind: str, name: str, ask: Ask, *, depth: int) -> None:
    answer = ask(name, "MX" if kind == "mx" else "A" if kind == "a" else "TXT")
    if not answer.answered:
        cost.whole = False
    elif not answer.texts:
        cost.void += 1
    elif kind in {"include", "redirect"}:
        inner = next(filter(is_spf, answer.texts), None)
        if inner and depth <= LOOKUPS_MAX:
            _add(cost, name, inner, ask, depth=depth + 1)
