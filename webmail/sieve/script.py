"""Our scripts on the server: what they are named, what stands in them, and how the rows are read back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from webmail.sieve.quote import quote
from webmail.sieve.rules import (
    CONDITIONS_LIMIT,
    RULES_LIMIT,
    About,
    Condition,
    Filters,
    Match,
    Op,
    Rule,
    Vacation,
    Where,
)
from webmail.sieve.write import write_blocks

OWN = "casilla"
"""The script that holds rows and vacation reply."""
JOINED = "casilla-and-others"
"""The script that runs it together with one that another program wrote (RFC 6609)."""

_FIRST = "# casilla 1 "
_NOTE = (
    "# Written by Casilla from the rows of its page of filters, which stand in the comments that begin with #{.\n"
    "# Whatever is changed here as text stays as it is; the rows are then left alone.\n"
)
_ROW, _AWAY = "#{", "#vacation {"
_JOIN_FIRST = "# casilla-join 1 "

_LEX = re.compile(
    r"""\#[^\n]*|/\*.*?(?:\*/|\Z)|(?i:text:)[ \t]*(?:\#[^\n]*)?\n.*?(?:^\.$|\Z)
    |"(?:[^"\\]|\\.)*(?:"|\Z)|([A-Za-z_][A-Za-z0-9_]*)""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a script of ours holds. `intact` is false when its text is no longer what was written from these rows."""

    filters: Filters
    intact: bool


def write_script(filters: Filters, *, create: bool = True) -> str:
    """The script for these rows. Its first line has a hash of all that follows, so that a change by hand is seen."""
    needs, blocks = write_blocks(filters, create=create)
    heads = [_AWAY + _json(_told(filters.vacation))[1:], *(_ROW + _json(_told(one))[1:] for one in filters.rules)]
    titles = ["", *(_title(one.name) for one in filters.rules)]
    require = f"require [{', '.join(map(quote, needs))}];\n" if needs else ""
    parts = [f"{head}\n{title}{block}" for head, title, block in zip(heads, titles, blocks, strict=True)]
    body = _NOTE + require + "".join(f"\n{part}" for part in parts)
    return f"{_FIRST}{_hash(body)}\n{body}"


def read_script(text: str) -> Read:
    """The rows of a script of ours; what cannot be read of them is left out, and then it is not intact."""
    first, _end, body = text.replace("\r\n", "\n").partition("\n")
    intact = first.startswith(_FIRST) and first[len(_FIRST) :].strip() == _hash(body)
    rules: list[Rule] = []
    vacation = Vacation()
    for line in (match[0] for match in _LEX.finditer(body) if match[0].startswith("#")):
        try:
            if line.startswith(_AWAY):
                vacation = _vacation(json.loads("{" + line[len(_AWAY) :]))
            elif line.startswith(_ROW):
                rules.append(rule_of(json.loads("{" + line[len(_ROW) :])))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            intact = False
    return Read(Filters(tuple(rules[:RULES_LIMIT]), vacation), intact and len(rules) <= RULES_LIMIT)


def write_join(others: Iterable[str]) -> str:
    """The script that runs ours first and then those of others. What stops in ours stops all of it."""
    names = tuple(others)
    lines = [f"include :personal :optional {quote(name)};\n" for name in (OWN, *names)]
    return f'{_JOIN_FIRST}{_json(list(names))}\nrequire ["include"];\n' + "".join(lines)


def read_join(text: str) -> tuple[str, ...] | None:
    """Which scripts of others it runs; None when it is not one that we wrote, or was changed."""
    first = text.replace("\r\n", "\n").partition("\n")[0]
    try:
        names = json.loads(first.removeprefix(_JOIN_FIRST)) if first.startswith(_JOIN_FIRST) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names) if write_join(names).strip() == text.replace("\r\n", "\n").strip() else None


def words_of(text: str) -> set[str]:
    """The commands and tests that any script names, in lower case; comments and strings left out."""
    return {match[1].lower() for match in _LEX.finditer(text.replace("\r\n", "\n")) if match[1]}


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """A row as plain JSON, `rule_of` reads it back."""
    return _plain(rule)


def rule_of(data: dict[str, Any]) -> Rule:
    """A row out of JSON, where what is missing is as in a new row. Raises ValueError, TypeError or KeyError for what is none."""
    data = _plain(Rule("")) | data
    conditions = tuple(
        Condition(About(one["about"]), Op(one["op"]), _str(one.get("value", "")), _int(one.get("size_bytes", 0)))
        for one in data["conditions"][:CONDITIONS_LIMIT]
    )
    return Rule(
        name=_str(data["name"]),
        on=data["on"] is True,
        match=Match(data["match"]),
        conditions=conditions,
        where=Where(data["where"]),
        folder=_str(data["folder"]),
        tags=tuple(map(_str, data["tags"])),
        read=data["read"] is True,
        star=data["star"] is True,
        forward=tuple(map(_str, data["forward"])),
        stop=data["stop"] is True,
    )


def _vacation(data: dict[str, Any]) -> Vacation:
    data = _plain(Vacation()) | data
    return Vacation(
        on=data["on"] is True,
        subject=_str(data["subject"]),
        text=_str(data["text"]),
        days=_int(data["days"]),
        addresses=tuple(map(_str, data["addresses"])),
        first=date.fromisoformat(data["first"]) if data["first"] else None,
        last=date.fromisoformat(data["last"]) if data["last"] else None,
        zone_first=_str(data["zone_first"]),
        zone_last=_str(data["zone_last"]),
    )


def _plain(value: Rule | Vacation) -> dict[str, Any]:
    return {name: one.isoformat() if isinstance(one, date) else one for name, one in asdict(value).items()}


def _told(value: Rule | Vacation) -> dict[str, Any]:
    """What differs from a new one, so that the comments stay short."""
    fresh = _plain(Rule("") if isinstance(value, Rule) else Vacation())
    told = {name: one for name, one in _plain(value).items() if one != fresh[name]}
    if "conditions" in told:
        told["conditions"] = [{name: one for name, one in each.items() if one} for each in told["conditions"]]
    return told


def _json(data: object) -> str:
    """JSON on one line, ASCII alone: nothing in it can end the comment."""
    return json.dumps(data, ensure_ascii=True, separators=(", ", ": "))


def _title(name: str) -> str:
    """The name of a row as a comment for people: printable characters alone, on one line."""
    shown = "".join(one if one.isprintable() else " " for one in name).strip()
    return f"# {shown}\n" if shown else ""


def _hash(body: str) -> str:
    return hashlib.sha256(body.rstrip("\n").encode("utf-8", "surrogatepass")).hexdigest()


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a number")
    return value
