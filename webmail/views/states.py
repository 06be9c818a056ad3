"""What a person is told when mail goes wrong: what happened, what is safe, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webmail.errors import (
    CertificateRefused,
    FolderGone,
    FolderRenewed,
    Gone,
    LoginRefused,
    MailError,
    MoveCut,
    OverQuota,
    Refused,
    Uncopied,
    Unreachable,
)


@dataclass(frozen=True, slots=True)
class State:
    """An error as a pane shows it: HTTP status, title, text, pattern of cells, whether trying again may help, the server's
    own words ("" when they explain nothing)."""

    status: int
    title: str | Promise
    text: str | Promise
    cells: str
    retry: bool = False
    reply: str = ""


def state_of(error: MailError) -> State:
    """The state to show for an error."""
    kind = next(kind for kind in type(error).__mro__ if kind in _STATES)
    status, title, text, cells = _STATES[kind]
    reply = error.detail if isinstance(error, Refused | OverQuota) else ""
    return State(status, title, text, cells, retry=not isinstance(error, Gone), reply=reply)


_STATES: dict[type, tuple[int, str | Promise, str | Promise, str]] = {
    FolderGone: (
        410,
        _("This folder is not here any more"),
        _("Another program deleted or renamed it. Its mail, if it was moved, is in another folder."),
        "gone",
    ),
    FolderRenewed: (
        410,
        _("This folder was made anew"),
        _(
            "Another program deleted it and made one of the same name. The message that you asked for may have gone with it."
        ),
        "gone",
    ),
    Gone: (
        410,
        _("This message is not here any more"),
        _("Another program moved or deleted it. Nothing else was opened in its place."),
        "gone",
    ),
    LoginRefused: (
        502,  # not 403: open pages take that for a session that has ended
        _("This mailbox does not let Casilla in"),
        _("It was suspended, or its password was changed elsewhere. Your other mailboxes go on working."),
        "down",
    ),
    OverQuota: (
        507,
        _("The mailbox is full"),
        _("The server has no room for this. Free some space and try again."),
        "full",
    ),
    CertificateRefused: (
        502,
        _("The server could not prove who it is"),
        _("Its certificate is not valid, so nothing was sent to it. Tell whoever runs the server."),
        "down",
    ),
    MoveCut: (
        503,
        _("The connection broke while messages were moved. Nothing is lost; what was begun is finished in a moment."),
        _("Open the list again in half a minute."),
        "down",
    ),
    Uncopied: (
        502,
        _("Not every message was moved: the server said it had copied them, but their copies are not there."),
        _("What has no copy is still in its folder. Open the list again to see which."),
        "down",
    ),
    Unreachable: (
        503,
        _("The mail server does not answer"),
        _("Your mail is safe on the server. Try again in a moment."),
        "down",
    ),
    MailError: (502, _("The server refused"), _("It did not do what was asked. Nothing was changed."), "down"),
}
