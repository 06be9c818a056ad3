"""Tags: IMAP keywords, with the names and colours that Thunderbird gives its five."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from imapclient import imap_utf7

from accounts.models import MailAccount
from accounts.services.names import shows
from webmail.mime.headers import make_safe
from webmail.models import OwnTag

COLOURS = 8
NAME_LIMIT, KEYWORD_LIMIT, OWN_LIMIT = 60, 100, 40

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


class TagRefused(Exception):
    """A tag that cannot be made; `args[0]` is the code of why."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a message: the keyword as the server wrote it, its name, and its CSS class ("" = neutral)."""

    keyword: str
    name: str | Promise
    css: str


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of an account: Thunderbird's five, and those that its owner made."""

    own: tuple[Tag, ...] = ()

    @property
    def all(self) -> list[Tag]:
        """What menus offer."""
        return [*FIVE, *self.own]

    def of(self, flags: Iterable[str]) -> list[Tag]:
        """The tags among a message's flags: those of `all` first, in order, then the others by name."""
        words = [flag for flag in flags if not flag.startswith("\\") and flag.lower() not in NOT_TAGS]
        if not words:
            return []
        known = {tag.keyword.lower(): (place, tag) for place, tag in enumerate(self.all)}
        found = []
        for flag in words:
            place, tag = known.get(flag.lower(), (len(known), Tag(flag, flag.lstrip("$"), "")))
            found.append((place, flag.lower(), Tag(flag, tag.name, tag.css)))
        return [tag for _place, _name, tag in sorted(found, key=lambda one: one[:2])]


FIVE = [Tag(keyword, name, f"tag--{keyword.lstrip('$')}") for keyword, name in THUNDERBIRD_TAGS.items()]


def tags_for(account: MailAccount) -> Tags:
    """The tags of an account."""
    return Tags(tuple(Tag(one.keyword, one.name, f"tag--own{one.colour}") for one in own_tags(account)))


def own_tags(account: MailAccount) -> QuerySet[OwnTag]:
    """Those that its owner made, in the order in which they were made."""
    return OwnTag.objects.filter(account=account).order_by("pk")


def make_tag(account: MailAccount, *, name: str, colour: int) -> OwnTag:
    """A new tag. Raises TagRefused with a code: empty, taken, many."""
    name = make_safe(" ".join(name.split()))[:NAME_LIMIT]
    keyword = keyword_for(name)
    if not keyword or not shows(name):
        raise TagRefused("empty")
    if keyword in {*THUNDERBIRD_TAGS, *NOT_TAGS} or own_tags(account).filter(keyword=keyword).exists():
        raise TagRefused("taken")
    if own_tags(account).count() >= OWN_LIMIT:
        raise TagRefused("many")
    return OwnTag.objects.create(account=account, keyword=keyword, name=name, colour=clean_colour(colour))


def change_tag(tag: OwnTag, *, name: str, colour: int) -> None:
    """Another name and colour; the keyword stays what it is on the server. Raises TagRefused."""
    name = make_safe(" ".join(name.split()))[:NAME_LIMIT]
    if not shows(name):
        raise TagRefused("empty")
    tag.name, tag.colour = name, clean_colour(colour)
    tag.save(update_fields=["name", "colour"])


def clean_colour(colour: int) -> int:
    return colour if 1 <= colour <= COLOURS else 1


def keyword_for(name: str) -> str:
    """The keyword of a tag of this name, as Thunderbird makes it (nsMsgTagService::AddTag), so that both mean the same: what
    no keyword may hold becomes "_", the rest modified UTF-7 in lower case. "" for a name of which nothing is left."""
    kept = re.sub(r'[ ()/{%*<>\\"\]]', "_", name.strip())
    word = imap_utf7.encode(kept).decode("ascii").lower()
    return word[:KEYWORD_LIMIT] if word.strip("_") else ""
