"""What a person is told about a file that is taken in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from webmail.services.pulls import Problem

IMPORT_PROBLEMS: dict[str, Problem] = {
    "kind": Problem(
        _("This is no file of mail"),
        _("This is neither mbox nor Maildir nor a zip of messages. Choose a file that a mail program exported."),
    ),
    "bomb": Problem(
        _("Nothing was taken in"),
        _("This file would unpack to far more than any mail is. Nothing of it was taken in."),
    ),
    "large": Problem(
        _("The file is too large"),
        _("There is more in this file, or in one message of it, than can be taken in at once."),
    ),
    "broken": Problem(
        _("The file could not be read to its end"),
        _("The file ends too early or is damaged. What stands before that place was taken in."),
    ),
    "login": Problem(
        _("The server did not accept the user or the password"),
        _("Sign in to the mailbox again, then go on: what came in stays, and nothing comes in twice."),
    ),
    "full": Problem(
        _("The mailbox has no room for more"),
        _("Free some space there and go on: what came in stays, and nothing comes in twice."),
    ),
    "folder": Problem(
        _("The folder is not there any more"),
        _("What came in before stays. Give this up, and bring the file in again into another folder."),
    ),
    "lost": Problem(
        _("The file is not here any more"),
        _("What came in before stays. Give this up, and choose the file again: what is there already is left out."),
    ),
    "unreachable": Problem(
        _("The server does not answer"),
        _("What came in stays. Casilla tries again by itself, and goes on from there."),
    ),
    "refused": Problem(
        _("The server refused"),
        _("It did not do what was asked. What came in stays; go on to try once more."),
    ),
}


def import_problem(code: str) -> Problem:
    """The words for what went wrong with a file."""
    return IMPORT_PROBLEMS.get(code, IMPORT_PROBLEMS["refused"])
