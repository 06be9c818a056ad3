"""Tags: IMAP keywords, with the names and colours that Thunderbird gives its five."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

THUNDERBIRD_TAGS: dict[str, Promise] = {
    "$label1": _("Important"),
    "$label2": _("Work"),
    "$label3": _("Personal"),
    "$label4": _("To Do"),
    "$label5": _("Later"),
}
"""Keyword -> name on screen, in Thunderbird's order; the colours are the CSS classes tag--label1 to tag--label5."""

NOT_TAGS = frozenset(
    {
        "$forwarded",
        "forwarded",
        "$mdnsent",
        "mdnsent",
        "junk",
        "nonjunk",
        "notjunk",
        "$junk",
        "$notjunk",
        "$phishing",
        "$hasattachment",
        "$hasnoattachment",
        "$pop3deleted",
        "$submitted",
        "$submitpending",
        "$autojunk",
        "$autonotjunk",
        "$ismailinglist",
    }
)
"""Keywords with a meaning of their own, in lower case; they are kept but are nobody's tag."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a message: the keyword as the server wrote it, its name, and its CSS class ("" = neutral)."""

    keyword: str
    name: str | Promise
    css: str


def tags_of(flags: Iterable[str]) -> list[Tag]:
    """The tags among a message's flags: Thunderbird's five first, in order, then the others by name."""
    keywords = [flag for flag in flags if not flag.startswith("\\") and flag.lower() not in NOT_TAGS]
    return [_tag(keyword) for keyword in sorted(keywords, key=lambda word: (_ordinal(word), word.lower()))]


def _ordinal(keyword: str) -> int:
    names = list(THUNDERBIRD_TAGS)
    return names.index(keyword.lower()) if keyword.lower() in names else len(names)


def _tag(keyword: str) -> Tag:
    known = THUNDERBIRD_TAGS.get(keyword.lower())
    if known is not None:
        return Tag(keyword, known, f"tag--{keyword.lower().lstrip('$')}")
    return Tag(keyword, keyword.lstrip("$"), "")


ALL_TAGS = [_tag(keyword) for keyword in THUNDERBIRD_TAGS]
"""The tags that menus offer."""
