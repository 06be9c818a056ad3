"""What a filter would do with mail that is there already: only looked at, nothing is changed."""

from __future__ import annotations

import string
from dataclasses import dataclass

from webmail.sieve.rules import About, Condition, Match, Op, Rule
from webmail.sources.base import MailSource
from webmail.values import Address, FolderId, Query, Summary

LOOKED_LIMIT = 500
SHOWN_LIMIT = 8

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Trial:
    """How many of the newest messages of a folder a filter would have met, and the newest of those. `partly` when it asks for
    recipients in copy, which a list does not know."""

    matched: int
    looked: int
    shown: tuple[Summary, ...]
    partly: bool


def try_rule(source: MailSource, folder: FolderId, rule: Rule) -> Trial:
    """Tries a row on the newest LOOKED_LIMIT messages of a folder. Raises Gone when there is no such folder."""
    refs = source.refs(folder, Query())[:LOOKED_LIMIT]
    rows = sorted(source.summaries(refs), key=lambda row: row.received, reverse=True)
    found = [row for row in rows if matches(rule, row)]
    partly = any(one.about is About.TO for one in rule.conditions)
    return Trial(len(found), len(rows), tuple(found[:SHOWN_LIMIT]), partly)


def matches(rule: Rule, row: Summary) -> bool:
    """Whether a row of `rules` meets a message, as the script that is written of it would find."""
    if rule.match is Match.EVERY or not rule.conditions:
        return True
    results = (_holds(one, row) for one in rule.conditions)
    return all(results) if rule.match is Match.ALL else any(results)


def _holds(one: Condition, row: Summary) -> bool:
    if one.about is About.SIZE:
        return row.size_bytes > one.size_bytes if one.op is Op.OVER else row.size_bytes < one.size_bytes
    found = any(_compares(one.op, text.translate(_FOLD), one.value.translate(_FOLD)) for text in _texts(one, row))
    return not found if one.op in {Op.LACKS, Op.IS_NOT} else found


def _compares(op: Op, text: str, value: str) -> bool:
    """Letters of ASCII count as the same in both cases, as in Sieve (RFC 4790, i;ascii-casemap)."""
    if op in {Op.CONTAINS, Op.LACKS}:
        return value in text
    if op is Op.BEGINS:
        return text.startswith(value)
    if op is Op.ENDS:
        return text.endswith(value)
    return text == value


def _texts(one: Condition, row: Summary) -> list[str]:
    if one.about is About.SUBJECT:
        return [row.subject]
    people = row.sender if one.about is About.FROM else row.recipients
    if one.op in {Op.CONTAINS, Op.LACKS}:
        return [", ".join(map(_written, people))]
    return [person.email for person in people]


def _written(person: Address) -> str:
    return f"{person.name} <{person.email}>" if person.name else person.email
