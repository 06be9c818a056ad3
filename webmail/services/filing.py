"""What is left to do in the mailbox once a message is sent: its copy, the mark on its parent, its draft.

Each step is remembered in the row as soon as it is done, and looks before it acts: doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from webmail.errors import Gone, MailError
from webmail.models import Outgoing
from webmail.services.access import open_account
from webmail.services.organising import special_folder
from webmail.sources.base import MailSource
from webmail.values import Credentials, Flag, Role

FILE_DELAYS = (10, 60, 300, 1800, 7200)
"""Seconds after each try to file that failed; after the last, the row gets its note."""
NOTES = {"sent_copy": "no_copy", "parent_flagged": "not_marked", "draft_removed": "draft_left"}


def file_message(outgoing: Outgoing, credentials: Credentials) -> None:
    """Does what is not done yet. Raises the MailError of the first step that failed, after the others had their turn; the
    draft is kept for as long as there is no copy."""
    with open_account(outgoing.account, credentials) as source:
        errors = [
            _step(outgoing, "sent_copy", lambda: keep_copy(source, outgoing)),
            _step(outgoing, "parent_flagged", lambda: mark_parent(source, outgoing)),
        ]
        if outgoing.sent_copy:
            errors.append(_step(outgoing, "draft_removed", lambda: remove_draft(source, outgoing)))
    for error in filter(None, errors):
        raise error


def _step(outgoing: Outgoing, name: str, action: Callable[[], None]) -> MailError | None:
    if getattr(outgoing, name):
        return None
    try:
        action()
    except MailError as error:
        return error
    setattr(outgoing, name, True)
    outgoing.save(update_fields=[name])
    return None


def keep_copy(source: MailSource, outgoing: Outgoing) -> None:
    """The message in the folder of sent mail, read, once: also when the server or an earlier try put it there."""
    folder = special_folder(source, Role.SENT).id
    if not (outgoing.message_id and source.find(folder, outgoing.message_id)):
        source.append(folder, bytes(outgoing.raw), flags=[Flag.SEEN], received=outgoing.sent_at)


def mark_parent(source: MailSource, outgoing: Outgoing) -> None:
    """\\Answered or $Forwarded on the parent, if it is still there."""
    parent = outgoing.parent
    flag = Flag.FORWARDED if outgoing.parent_kind == Outgoing.Kind.FORWARD else Flag.ANSWERED
    if parent is not None:
        _unless_gone(lambda: source.set_flags([parent], add=[flag]))


def remove_draft(source: MailSource, outgoing: Outgoing) -> None:
    """The draft removed for good, if what is there still is the one that was sent. An earlier try may have marked it as
    deleted and got no further."""
    draft = outgoing.draft
    if draft is None or not outgoing.draft_message_id:
        return

    def remove() -> None:
        if draft in source.find(draft.folder, outgoing.draft_message_id, deleted=True):
            source.delete([draft])

    _unless_gone(remove)


def _unless_gone(action: Callable[[], None]) -> None:
    try:
        action()
    except Gone:
        return
