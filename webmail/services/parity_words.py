"""What a person is told about a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webmail.models import Comparison
from webmail.services.pulls import Problem

FIELDS: dict[str, Promise] = {
    "absent": gettext_lazy("The folder is there and is not shown."),
    "invented": gettext_lazy("A folder is shown that is not there."),
    "name": gettext_lazy("The name of the folder is shown otherwise."),
    "selectable": gettext_lazy("Whether the folder can be opened is shown otherwise."),
    "subscribed": gettext_lazy("Whether programs list the folder is shown otherwise."),
    "hidden": gettext_lazy("Programs list the folder, and it is not shown."),
    "order": gettext_lazy("The folder stands in another place of the list."),
    "total": gettext_lazy("The number of messages is another."),
    "unread": gettext_lazy("The number of unread messages is another."),
    "renewed": gettext_lazy("The folder was made anew, and the old one is shown."),
    "counts": gettext_lazy("The list has another number of messages (shown / marked as deleted / unread among those)."),
    "missing": gettext_lazy("The message is there and is not shown."),
    "extra": gettext_lazy("A message is shown that is not there."),
    "flags": gettext_lazy("The marks and tags are others."),
    "received": gettext_lazy("The time of arrival is another."),
    "sent": gettext_lazy("The date is another."),
    "size": gettext_lazy("The size is another."),
    "subject": gettext_lazy("The subject is another."),
    "sender": gettext_lazy("The sender is another."),
    "octets": gettext_lazy("The stored message is damaged: it is not what was downloaded."),
}
PROBLEMS: dict[str, Problem] = {
    "login": Problem(
        gettext_lazy("The server did not accept the user or the password"),
        gettext_lazy("Sign in to the mailbox again, then compare once more."),
    ),
    "unreachable": Problem(
        gettext_lazy("The server does not answer"), gettext_lazy("Nothing was compared. Try again in a moment.")
    ),
    "often": Problem(
        gettext_lazy("The work was cut short again and again"),
        gettext_lazy("Nothing was compared. Tell whoever runs Casilla."),
    ),
    "refused": Problem(
        gettext_lazy("The server refused"),
        gettext_lazy("It did not let the mailbox be read to its end. What it said is below."),
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One difference as the page tells it: folder and its token, the message's number (0 for the folder itself), in words what
    differs, and what is shown and what is there ("" where that is not told)."""

    path: str
    token: str
    uid: int
    words: str | Promise
    ours: str
    theirs: str


def told_differences(job: Comparison) -> list[Told]:
    """The differences that are kept with a comparison, in words."""
    return [_told(*one) for one in job.differences]


def _told(path: str, token: str, uid: int, field: str, ours: Any, theirs: Any) -> Told:
    return Told(path, token, uid, FIELDS.get(field, field), _value(ours), _value(theirs))


def _value(value: str) -> str:
    return {"True": _("yes"), "False": _("no")}.get(value, value)


def comparison_problem(job: Comparison) -> Problem | None:
    """Why a comparison could not be made; None when nothing went wrong."""
    return PROBLEMS.get(job.problem, PROBLEMS["refused"]) if job.problem else None
