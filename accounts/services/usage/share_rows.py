"""What pages and files say of shares: kinds of folders, the domains that sent, the biggest messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import MailAccount, Mailbox
from accounts.services.addresses import unicode_domain
from accounts.services.folder_words import KIND_WORDS, folder_words
from accounts.usage.shares import CLASSES, KINDS, Big, Part, Shares

SENDERS_SHOWN = 15


@dataclass(frozen=True, slots=True)
class BigRow:
    """A big message, in whose mailbox it is, and the key of the owner's account, where there is one."""

    big: Big
    mailbox: Mailbox
    account: int | None


def kind_words(kind: str) -> str:
    """A kind of folder in words."""
    return str(KIND_WORDS.get(kind) or _("Own folders"))


def sender_rows(shares: Shares, most: int = SENDERS_SHOWN) -> list[tuple[str, Part, int]]:
    """The sending domains that may be told, those that take most first, with how many mailboxes have mail of each (0 where that
    says nothing), and at the end other mail to many at once and all else together; nothing where no sender was asked for."""
    rows, mass, shown = list[tuple[str, Part, int]](), Part(), Part()
    for host, sent in sorted(shares.senders.items(), key=lambda row: (-row[1].size_bytes, row[0])):
        if len(rows) < most and sent.named(shares.total.size_bytes):
            part = Part(sent.messages, sent.size_bytes)
            rows.append((unicode_domain(host), part, 0 if shares.folders else sent.mailboxes))
        elif sent.mass:
            mass.add(sent.messages, sent.size_bytes)
        else:
            continue
        shown.add(sent.messages, sent.size_bytes)
    others = Part(shares.total.messages - shown.messages, shares.total.size_bytes - shown.size_bytes)
    rest = [(_("Other mass mail"), mass, 0), (_("All others"), others, 0)]
    return [*rows, *(row for row in rest if row[1].messages > 0)] if shares.asked else []


def biggest_rows(shares: Shares, mailboxes: QuerySet[Mailbox]) -> list[BigRow]:
    """The biggest messages of these mailboxes, the biggest first; those of mailboxes that are gone are left out."""
    found = mailboxes.filter(pk__in={one.mailbox for one in shares.biggest}, deleted__isnull=True).in_bulk()
    owned = dict(MailAccount.objects.filter(mailbox__in=found).values_list("mailbox", "pk"))
    return [BigRow(one, found[one.mailbox], owned.get(one.mailbox)) for one in shares.biggest if one.mailbox in found]


def biggest_of(shares: Shares, mailbox: Mailbox) -> list[BigRow]:
    """The biggest messages of one mailbox, the biggest first."""
    account = MailAccount.objects.filter(mailbox=mailbox).values_list("pk", flat=True).first()
    return [BigRow(one, mailbox, account) for one in sorted(shares.biggest, reverse=True)]


def share_lines(shares: Shares, biggest: list[BigRow]) -> Iterator[list[Any]]:
    """All of it as lines of a file, the names of the columns first. Sizes are bytes; of a size class the name says from how many
    to how many."""
    yield [_("Part"), _("Name"), _("Mailboxes"), _("Messages"), _("Bytes"), _("Mailbox"), _("Received on")]
    kinds = [(kind_words(kind), shares.kinds[kind]) for kind in KINDS if kind in shares.kinds]
    folders = [(folder_words(path, kind), part) for path, kind, part in shares.folders]
    years = [(str(year), part) for year, part in sorted(shares.years.items(), reverse=True)]
    bounds = [f"{low}-{high - 1}" for low, high in pairwise((0, *CLASSES))] + [f"{CLASSES[-1]}-"]
    classes = list(zip(bounds, shares.classes, strict=True))
    tables = [(_("By folder"), folders)] if folders else [(_("By kind of folder"), kinds)]
    for name, rows in [*tables, (_("By year"), years), (_("By size"), classes)]:
        for label, part in rows:
            yield [name, label, "", part.messages, part.size_bytes, "", ""]
    for label, part, mailboxes in sender_rows(shares, len(shares.senders)):
        yield [_("By sending domain"), label, mailboxes or "", part.messages, part.size_bytes, "", ""]
    for row in biggest:
        folder, whose = kind_words(row.big.kind), row.mailbox.address
        yield [_("The biggest messages"), folder, "", 1, row.big.size_bytes, whose, row.big.day]
