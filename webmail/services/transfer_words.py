"""What a person is told about a change of where the mail lives."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webmail.services.pulls import Problem

TRANSFER_PROBLEMS: dict[str, Problem] = {
    "differs": Problem(
        _("A copy is not what its original is"),
        _(
            "So nothing was switched and nothing was removed. Go on to compare once more; if it stays so, tell whoever runs "
            "Casilla."
        ),
    ),
    "altered": Problem(
        _("The server would change your mail"),
        _(
            "It writes other letters in place of some in the subjects or names of old messages, so they would be lost. "
            "Nothing was switched, and all mail goes on living here. Whoever runs the server can have it keep them "
            "(Cyrus: munge8bit: no)."
        ),
    ),
    "login": Problem(
        _("The server did not accept the user or the password"),
        _("Perhaps the password was changed there, or the server wants an app password. Nothing was removed."),
        secret=True,
    ),
    "full": Problem(
        _("The mail does not fit on the server"),
        _("Free some space there, or delete mail here that you do not need, and go on. Nothing was switched."),
    ),
    "unreachable": Problem(
        _("The server does not answer"),
        _("What was copied stays copied. Casilla tries again by itself, and goes on from there."),
    ),
    "refused": Problem(
        _("The server refused"),
        _("It did not do what was asked. Nothing was switched and nothing was removed."),
    ),
}


def transfer_problem(code: str) -> Problem | None:
    """The words for what went wrong with a transfer; None for nothing."""
    return TRANSFER_PROBLEMS.get(code, TRANSFER_PROBLEMS["refused"]) if code else None


STEPS: dict[str, str | Promise] = {
    "copying": _("Copying"),
    "comparing": _("Comparing each copy with its original"),
    "switched": _("Done"),
}
