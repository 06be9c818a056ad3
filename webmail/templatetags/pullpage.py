"""Words and figures of download mode."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from webmail.models import Download, Import, LedgerEntry, Pull, Transfer
from webmail.services.import_words import import_problem
from webmail.services.pulls import DOUBTS, WAITS, Problem, PullState, problem_of
from webmail.services.transfer_words import STEPS, transfer_problem
from webmail.services.whereabouts import Whereabouts
from webmail.templatetags.casilla import mail_date, near_day

register = template.Library()


@register.filter
def place_words(place: Whereabouts) -> str:
    """A place in the few words that a row has room for."""
    if place.kind == "until" and place.until:
        return _("copy until %(day)s") % {"day": near_day(place.until)}
    words = {
        "leaving": _("copy about to be removed"),
        "stays": _("on the server and here"),
        "removed": _("removed from the server"),
        "taken": _("taken by another program"),
        "never": _("only in Casilla"),
    }
    return words[place.kind]


@register.filter
def place_title(place: Whereabouts) -> str:
    """A place in a sentence."""
    if place.kind == "until":
        return ngettext(
            "On the server and here, for %(n)d more day", "On the server and here, for %(n)d more days", place.days
        ) % {"n": place.days}
    words = {
        "leaving": _("On the server and here; the copy goes with the next download"),
        "stays": _("On the server and here, for good"),
        "removed": _("Only here: it was removed from the server"),
        "taken": _("Only here: another program took it from the server"),
        "never": _("Only here: it never was on the server"),
    }
    return words[place.kind]


@register.filter
def doubt_words(code: str) -> str | Promise:
    """Why a copy is never removed."""
    return DOUBTS.get(code, "")


@register.filter
def wait_words(entry: LedgerEntry) -> str | Promise:
    """Why a message is still on the server alone."""
    if entry.hold and entry.problem == "large":
        return _("comes with the next download")
    return WAITS.get(entry.problem, WAITS["refused"])


@register.filter
def minutes_from(moment: datetime) -> str:
    """How far away a moment is: "3 min ago", "in 7 min", "in 2 h"; the page keeps it fresh (static/js/ago.js)."""
    seconds = (moment - timezone.now()).total_seconds()
    minutes = round(abs(seconds) / 60)
    if minutes < 1:
        return _("just now") if seconds <= 0 else pgettext("moment", "now")
    if minutes < 60:
        return (_("in %(n)d min") if seconds > 0 else _("%(n)d min ago")) % {"n": minutes}
    hours = round(minutes / 60)
    if hours < 24:
        return (_("in %(n)d h") if seconds > 0 else _("%(n)d h ago")) % {"n": hours}
    return mail_date(moment, "long") if seconds <= 0 else near_day(moment)


@register.filter
def took(pull: Pull) -> str:
    """How long a pull went on."""
    return lasted((pull.ended or timezone.now()) - pull.started)


@register.filter
def lasted(span: timedelta) -> str:
    """A span in the unit that fits: "0,4 s", "21 s", "10 min", "2 h"."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 10:
        return f"{formats.number_format(round(seconds, 1), decimal_pos=1)}\u00a0s"
    if seconds < 100:
        return f"{round(seconds)}\u00a0s"
    minutes = round(seconds / 60)
    return f"{minutes}\u00a0min" if minutes < 100 else f"{round(minutes / 60)}\u00a0h"


@register.filter
def pull_new(pull: Pull) -> str:
    """How many messages a pull brought."""
    return ngettext("%(n)d new", "%(n)d new", pull.stored) % {"n": pull.stored} if pull.stored else _("nothing new")


@register.filter
def pull_result(pull: Pull) -> str | Promise:
    """What came of a pull, in words."""
    if pull.outcome == Pull.Outcome.RUNNING:
        return _("running")
    problem = problem_of(pull.problem)
    if pull.outcome == Pull.Outcome.FAILED and problem:
        return problem.title
    new = pull_new(pull)
    if pull.outcome == Pull.Outcome.PARTIAL:
        left = ngettext("%(n)d left on the server", "%(n)d left on the server", pull.waiting) % {"n": pull.waiting}
        return f"{new}, {left}"
    return new


@register.filter
def pull_details(pull: Pull) -> list[str]:
    """What else there is to say about a pull: doubles, what other programs took, what was left out."""
    told = [
        (pull.doubles, ngettext("%(n)d was here already", "%(n)d were here already", pull.doubles)),
        (pull.taken, ngettext("%(n)d taken by another program", "%(n)d taken by another program", pull.taken)),
        (pull.skipped, ngettext("%(n)d could not be fetched", "%(n)d could not be fetched", pull.skipped)),
    ]
    return [words % {"n": count} for count, words in told if count]


@register.filter
def policy_words(download: Download) -> str:
    """What becomes of the copies on the server, in a sentence."""
    if download.keep == Download.Keep.DELETE:
        return _("Each message is removed from the server as soon as its copy here is verified.")
    if download.keep == Download.Keep.ALWAYS:
        return _("Each message stays on the server as well.")
    days = download.keep_days
    return ngettext(
        "Each message stays on the server for %(n)d day after its download.",
        "Each message stays on the server for %(n)d days after its download.",
        days,
    ) % {"n": days}


@register.filter
def policy_short(download: Download) -> str:
    """The same for the account card, below "Downloaded here"."""
    if download.keep == Download.Keep.DELETE:
        return _("and removed from the server")
    if download.keep == Download.Keep.ALWAYS:
        return _("and stays on the server")
    days = download.keep_days
    return ngettext("and stays on the server for %(n)d day", "and stays on the server for %(n)d days", days) % {
        "n": days
    }


@register.filter
def pace_words(download: Download) -> str:
    """How often mail is downloaded."""
    seconds = download.every_s or download.interval_s
    minutes = max(1, round(seconds / 60))
    each = ngettext("every %(n)d minute", "every %(n)d minutes", minutes) % {"n": minutes}
    return each if download.every_s else _("%(pace)s for now, by how much arrives") % {"pace": each}


@register.simple_tag(takes_context=True)
def moved_query(context: dict[str, Any], **changes: Any) -> str:
    """The address's query with some of it changed; a value of None takes it out."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        params.pop(name, None)
        if value is not None:
            params[name] = str(value)
    text = params.urlencode()
    return f"?{text}" if text else "?"


@register.filter
def transfer_step(transfer: Transfer) -> str | Promise:
    """What a transfer is about just now."""
    if transfer.state == Transfer.State.WAITING:
        return _("Begins in a moment") if not transfer.problem else _("Waits for another try")
    return STEPS.get(transfer.step, "")


@register.filter
def transfer_trouble(transfer: Transfer) -> Problem | None:
    """What went wrong with a transfer, in words."""
    return transfer_problem(transfer.problem)


@register.filter
def import_trouble(job: Import) -> Problem | None:
    """What went wrong with a file that is taken in, in words."""
    return import_problem(job.problem) if job.problem else None


@register.filter
def pull_percent(state: PullState) -> int:
    """How much of the running pull is done."""
    wanted = state.running.wanted if state.running else 0
    return min(100, state.done * 100 // wanted) if wanted else 0


@register.filter
def rounded(value: float) -> str:
    """A coordinate of a drawing."""
    return f"{value:.1f}"
