"""Which protocol is the better one for a mailbox, in one sentence with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Mailbox, MailboxUsage, ProgramUse
from accounts.services.activity import DAYS, programs_of
from accounts.setup.values import Protocol

NEARLY_FULL = 0.9
RECENT_DAYS = 14


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a mailbox: how many programs read it over IMAP and download it over POP3, whether one of these removes
    what it has, how full it is (0 to 1, None when that is not known), and how much of that came in the last RECENT_DAYS."""

    imap: int = 0
    pop3: int = 0
    removes: bool = False
    full: float | None = None
    recent: float = 0.0


@dataclass(frozen=True, slots=True)
class Advice:
    """The protocol, and the sentence that says why."""

    protocol: Protocol
    sentence: str


def look_at(
    mailbox: Mailbox | None,
    *,
    used_bytes: int | None = None,
    quota_bytes: int | None = None,
    recent_bytes: int = 0,
) -> Seen:
    """What was seen of a mailbox in the last 30 days, and how full it is, as counted unless it is given; nothing for one of
    another server."""
    if mailbox and used_bytes is None:
        counted = MailboxUsage.objects.filter(username=mailbox.address).first()
        used_bytes, quota_bytes = (counted.bytes if counted else None), mailbox.quota_bytes
    full = used_bytes / quota_bytes if used_bytes is not None and quota_bytes else None
    recent = recent_bytes / used_bytes if used_bytes else 0.0
    if mailbox is None:
        return Seen(full=full, recent=recent)
    programs = programs_of(mailbox)
    since = timezone.now() - timedelta(days=DAYS)
    removing = ProgramUse.objects.filter(mailbox=mailbox, protocol="pop3", last_at__gte=since, deleted__gt=0)
    return Seen(len(programs.imap), len(programs.pop3), removing.exists(), full, recent)


def advise(seen: Seen) -> Advice:
    """Several programs need the server's copy; one alone that takes mail away shows what is wanted already; a mailbox that is
    nearly full needs room; and where nothing is known, IMAP closes no way."""
    several = seen.imap + seen.pop3
    percent = round((seen.full or 0) * 100)
    if seen.imap and several > 1:
        text = ngettext(
            "IMAP: %(n)d program uses this mailbox, and only on the server does it find everything.",
            "IMAP: %(n)d programs use this mailbox, and with it all of them see the same.",
            several,
        )
        return Advice("imap", text % {"n": several})
    if seen.pop3 == 1 and not seen.imap and seen.removes:
        return Advice(
            "pop3", _("POP3: one program downloads this mailbox and removes what it has; no other would miss it.")
        )
    if (seen.full or 0) >= NEARLY_FULL and seen.recent > 0.5:
        text = _("POP3 without copies: %(percent)d %% of the space is taken, most of it by mail of the last two weeks.")
        return Advice("pop3", text % {"percent": percent})
    if (seen.full or 0) >= NEARLY_FULL:
        return Advice(
            "pop3",
            _("POP3: %(percent)d %% of the space is taken, and downloading gives it back.") % {"percent": percent},
        )
    return Advice("imap", _("IMAP: what you do in one place shows everywhere, also when a second device comes."))
