"""The timeline in words."""

from __future__ import annotations

from django import template
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.services.timeline import Entry

register = template.Library()


@register.filter
def who_name(entry: Entry) -> str:
    """Who did it: a program's name and its device's, Casilla, or what is known of one without a name."""
    if entry.kind == "back" and entry.back_run:
        return _("Whoever runs the mailbox")
    if entry.protocol == "web":
        return _("Casilla on the web")
    if entry.of_server:
        return _("Mail server")
    if entry.program and entry.device:
        return _("%(program)s on %(device)s") % {"program": entry.program, "device": entry.device}
    return entry.program or entry.device or _("A program without a name")


@register.filter
def said(entry: Entry) -> str:
    """What happened, in a sentence without a subject."""
    count = entry.count
    values = {"n": formats.number_format(count), "folder": entry.folder_words, "target": entry.target_words}
    if entry.kind == "took":
        return _taken(entry)
    if entry.kind == "refused":
        return _refused(entry)
    if entry.kind == "removed" and entry.target:
        return _removed_copied(entry)
    text = {
        "moved": ngettext(
            "Moved %(n)s message from %(folder)s to %(target)s",
            "Moved %(n)s messages from %(folder)s to %(target)s",
            count,
        ),
        "copied": ngettext(
            "Copied %(n)s message from %(folder)s to %(target)s",
            "Copied %(n)s messages from %(folder)s to %(target)s",
            count,
        ),
        "removed": ngettext(
            "Deleted %(n)s message from %(folder)s for good", "Deleted %(n)s messages from %(folder)s for good", count
        ),
        "back": ngettext(
            "Put %(n)s message back from %(folder)s into %(target)s",
            "Put %(n)s messages back from %(folder)s into %(target)s",
            count,
        ),
        "saved": ngettext("Put %(n)s message into %(folder)s", "Put %(n)s messages into %(folder)s", count),
        "read": ngettext("Read %(n)s message", "Read %(n)s messages", count),
        "sent": ngettext("Sent %(n)s message", "Sent %(n)s messages", count),
        "arrived": ngettext("%(n)s message arrived in %(folder)s", "%(n)s messages arrived in %(folder)s", count),
    }[entry.kind]
    return text % values


def _removed_copied(entry: Entry) -> str:
    """Of what was removed after it was copied, without proof that this was a move."""
    values = {"n": formats.number_format(entry.count), "folder": entry.folder_words, "target": entry.target_words}
    text = ngettext(
        "Deleted %(n)s message from %(folder)s for good; a copy was put into %(target)s before",
        "Deleted %(n)s messages from %(folder)s for good; copies were put into %(target)s before",
        entry.count,
    )
    return text % values


def _taken(entry: Entry) -> str:
    values = {"n": formats.number_format(entry.count), "m": formats.number_format(entry.removed)}
    if not entry.removed:
        text = ngettext(
            "Downloaded %(n)s message and left it on the server",
            "Downloaded %(n)s messages and left them on the server",
            entry.count,
        )
    elif entry.removed == entry.count:
        text = ngettext(
            "Downloaded %(n)s message and removed it from the server",
            "Downloaded %(n)s messages and removed them from the server",
            entry.count,
        )
    elif not entry.count:
        text = ngettext(
            "Removed %(m)s message from the server", "Removed %(m)s messages from the server", entry.removed
        )
    else:
        text = _("Messages downloaded: %(n)s; removed from the server: %(m)s")
    return text % values + (f"; {_back(entry)}" if entry.back else "")


def _back(entry: Entry) -> str:
    """How many are in the Inbox again, and who put them there."""
    run = min(entry.back_run, entry.back)
    values = {"n": formats.number_format(entry.back - run), "m": formats.number_format(run)}
    if not run:
        text = ngettext("%(n)s put back by the owner", "%(n)s put back by the owner", entry.back)
    elif run == entry.back:
        text = ngettext("%(m)s put back by whoever runs the mailbox", "%(m)s put back by whoever runs the mailbox", run)
    else:
        text = _("put back: %(n)s by the owner, %(m)s by whoever runs the mailbox")
    return text % values


def _refused(entry: Entry) -> str:
    values = {"n": formats.number_format(entry.count), "address": entry.target}
    if entry.folder == "full" and entry.target:
        text = ngettext(
            "Refused %(n)s message to %(address)s: the mailbox is full",
            "Refused %(n)s messages to %(address)s: the mailbox is full",
            entry.count,
        )
    elif entry.folder == "full":
        text = ngettext(
            "Refused %(n)s message: the mailbox is full", "Refused %(n)s messages: the mailbox is full", entry.count
        )
    elif entry.target:
        text = ngettext("Refused %(n)s message to %(address)s", "Refused %(n)s messages to %(address)s", entry.count)
    else:
        text = ngettext("Refused %(n)s message", "Refused %(n)s messages", entry.count)
    return text % values
