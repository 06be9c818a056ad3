"""What the log keeps of changes of filters and of the vacation reply. Mailboxes of other servers have no log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import MailAccount
from accounts.services.audit import Actor, record
from webmail.services.filter_words import Told, tell_rule
from webmail.services.tags import tags_for
from webmail.sieve.rules import Rule, Vacation

REPLY_KEPT, SCRIPT_KEPT = 500, 2_000
"""So much of a reply's text, and of a script, stands in the log."""


def note_vacation(account: MailAccount, *, before: Vacation, after: Vacation, by: Actor) -> None:
    """How the reply was, and is."""
    _note(account, by, "mailbox.vacation", _reply(before), _reply(after))


def note_rules(account: MailAccount, *, before: Iterable[Rule], after: Iterable[Rule], by: Actor) -> None:
    """Which rows there were and are, in words."""
    tags = tags_for(account)
    old, new = ([_line(tell_rule(rule, tags)) for rule in rules] for rules in (before, after))
    _note(account, by, "mailbox.filters", {"filters": old}, {"filters": new})


def note_script(account: MailAccount, name: str, *, before: str, after: str, by: Actor) -> None:
    """A script that was written as text."""
    old, new = ({"script": name, "text": text[:SCRIPT_KEPT]} for text in (before, after))
    _note(account, by, "mailbox.filters", old, new)


def note_choice(account: MailAccount, do: str, *, by: Actor) -> None:
    """What was chosen to run."""
    _note(account, by, "mailbox.filters", {}, {"script": do})


def _note(account: MailAccount, by: Actor, verb: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    if account.mailbox:
        record(by=by, verb=verb, thing=account.mailbox, before=before, after=after)


def _reply(vacation: Vacation) -> dict[str, Any]:
    first, last = (day.isoformat() if day else "" for day in (vacation.first, vacation.last))
    told = {"vacation": vacation.on, "first": first, "last": last, "every_days": vacation.days}
    return told | {"subject": vacation.subject, "text": vacation.text[:REPLY_KEPT]}


def _line(told: Told) -> str:
    """A row as the log keeps it: name, what it asks for, what it does."""
    words = f"{told.name} ({told.when})" if told.when else told.name
    return f"{words}: {', '.join(told.does)}" + ("" if told.on else f" [{_('off')}]")
