"""What is left to do in the mailbox once a message is sent: its copy, the mark on its parent, its draft.

Each step is remembered in the row as soon as it is done, and looks before it acts: doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from webmail.errors import Gone, MailError
from webmail.mime.build import FORWARDED
from webmail.mime.headers import header_value, parse_headers
from webmail.mime.resend import RESENT_ID
from webmail.mime.wire import pick_ids
from webmail.models import Outgoing
from webmail.services.access import open_account
from webmail.services.organising import special_folder
from webmail.sources.base import MailSource
from webmail.values import Credentials, Flag, FolderId, Ref, Role

FILE_DELAYS = (10, 60, 300, 1800, 7200)
"""Seconds after each try to file that failed; after the last, the row gets its note."""
HEAD_LIMIT_BYTES = 256 * 1024
FORWARD_LIMIT = 50
"""How many messages are marked that went along in one."""
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
    if not (outgoing.message_id and _is_kept(source, folder, outgoing)):
        source.append(folder, bytes(outgoing.raw), flags=[Flag.SEEN], received=outgoing.sent_at)


def _is_kept(source: MailSource, folder: FolderId, outgoing: Outgoing) -> bool:
    """Whether the copy is there. One that was sent on has the Message-ID of the original, which may be there too: it is told
    by its Resent-Message-ID."""
    found = source.find(folder, outgoing.message_id)
    resent = _field(bytes(outgoing.raw), RESENT_ID)
    if not resent:
        return bool(found)
    return any(_field(source.header(ref), RESENT_ID) == resent for ref in found)


def mark_parent(source: MailSource, outgoing: Outgoing) -> None:
    """\\Answered or $Forwarded on the parent, if it is still there; and on the others that were passed on with it."""
    parent = outgoing.parent
    if parent is None:
        return
    flag = Flag.FORWARDED if outgoing.parent_kind == Outgoing.Kind.FORWARD else Flag.ANSWERED
    _unless_gone(lambda: source.set_flags([parent], add=[flag]))
    if flag is Flag.FORWARDED and (others := _forwarded(source, parent.folder, outgoing)):
        _unless_gone(lambda: source.set_flags(others, add=[flag]))


def _forwarded(source: MailSource, folder: FolderId, outgoing: Outgoing) -> list[Ref]:
    """The messages of the parent's folder that the message names as passed on, when it names several."""
    ids = pick_ids(_field(bytes(outgoing.raw), FORWARDED))[:FORWARD_LIMIT]
    return [ref for message_id in ids for ref in source.find(folder, message_id)] if len(ids) > 1 else []


def _field(raw: bytes, name: str) -> str:
    """The value of a header field of a message."""
    headers, _defects = parse_headers(raw[:HEAD_LIMIT_BYTES].partition(b"\r\n\r\n")[0])
    return header_value(headers, name).strip()


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
