"""Which protocol is the better one for a mailbox, in one sentence with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Mailbox, MailboxUsage, ProgramUse
from accounts.services.activity import DAYS, programs_of
from accounts.setup.values import Protocol

NEARLY_FULL = 0.9
SOON_DAYS = 60
"""A mailbox that is full by then needs room."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a mailbox: how many programs read it over IMAP and download it over POP3, whether one of these removes
    what it has, how full it is (0 to 1), on which day it is full as it goes on, and the most days of copies with which it never
    is (`every_days`: with any number of them); None for what is not known."""

    imap: int = 0
    pop3: int = 0
    removes: bool = False
    full: float | None = None
    full_on: date | None = None
    most_days: int | None = None
    every_days: bool = False

    @property
    def needs_room(self) -> bool:
        soon = self.full_on is not None and self.full_on <= timezone.localdate() + timedelta(days=SOON_DAYS)
        return soon or (self.full or 0) >= NEARLY_FULL


@dataclass(frozen=True, slots=True)
class Advice:
    """The protocol, and the sentence that says why."""

    protocol: Protocol
    sentence: str


def look_at(mailbox: Mailbox | None, *, used_bytes: int | None = None, quota_bytes: int | None = None) -> Seen:
    """What was seen of a mailbox in the last 30 days, and how full it is, as counted unless it is given; nothing for one of
    another server."""
    if mailbox and used_bytes is None:
        counted = MailboxUsage.objects.filter(username=mailbox.address).first()
        used_bytes, quota_bytes = (counted.bytes if counted else None), mailbox.quota_bytes
    full = used_bytes / quota_bytes if used_bytes is not None and quota_bytes else None
    if mailbox is None:
        return Seen(full=full)
    programs = programs_of(mailbox)
    since = timezone.now() - timedelta(days=DAYS)
    removing = ProgramUse.objects.filter(mailbox=mailbox, protocol="pop3", last_at__gte=since, deleted__gt=0)
    return Seen(len(programs.imap), len(programs.pop3), removing.exists(), full)


def advise(seen: Seen) -> Advice:
    """Several programs need the server's copy; one alone that takes mail away shows what is wanted already; a mailbox that is
    nearly full needs room; and where nothing is known, IMAP closes no way."""
    several = seen.imap + seen.pop3
    if seen.imap and several > 1:
        return Advice("imap", _for_several(seen, several))
    if seen.pop3 == 1 and not seen.imap and seen.removes:
        return Advice(
            "pop3", _("POP3: one program downloads this mailbox and removes what it has; no other would miss it.")
        )
    if seen.needs_room:
        return Advice("pop3", _for_room(seen))
    return Advice("imap", _("IMAP: what you do in one place shows everywhere, also when a second device comes."))


def _for_several(seen: Seen, several: int) -> str:
    values = {"n": several, "reason": _why_room(seen)}
    if seen.needs_room:
        text = ngettext(
            "IMAP: %(n)d program uses this mailbox and finds everything on the server alone; but %(reason)s, so make room there.",
            "IMAP: %(n)d programs use this mailbox, and all of them see the same; but %(reason)s, so make room there.",
            several,
        )
    else:
        text = ngettext(
            "IMAP: %(n)d program uses this mailbox, and only on the server does it find everything.",
            "IMAP: %(n)d programs use this mailbox, and with it all of them see the same.",
            several,
        )
    return text % values


def _for_room(seen: Seen) -> str:
    """With how many days of copies there is room, as the figures say."""
    values = {"n": seen.most_days, "reason": _why_room(seen)}
    if seen.every_days:
        return _("POP3: %(reason)s, and downloading gives it back when the days of the copies are over.") % values
    if seen.most_days:
        text = ngettext(
            "POP3 with copies for %(n)d day at most: %(reason)s, and with more days it would be full before copies leave.",
            "POP3 with copies for %(n)d days at most: %(reason)s, and with more days it would be full before copies leave.",
            seen.most_days,
        )
        return text % values
    if seen.most_days is None:  # nobody has weighed the messages here
        text = _(
            "POP3: %(reason)s, and downloading makes room; how many days copies may stay, “IMAP or download” shows."
        )
        return text % values
    return _("POP3 without copies: %(reason)s, and only that makes room at once.") % values


def _why_room(seen: Seen) -> str:
    """Part of a sentence: what is wrong with the space."""
    if (seen.full or 0) >= 1:
        return _("the mailbox is full")
    if seen.full_on:
        return _("as it goes on, the mailbox is full on %(day)s") % {"day": date_format(seen.full_on, "DATE_FORMAT")}
    return _("%(percent)d %% of the space is taken") % {"percent": int((seen.full or 0) * 100)}
