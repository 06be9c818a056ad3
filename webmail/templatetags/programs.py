"""Words for the programs that use a mailbox."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.services.activity import Program, Programs
from webmail.templatetags.casilla import mail_date, near_day

register = template.Library()
NAMED_MAX = 6


@register.filter
def program_names(programs: tuple[Program, ...]) -> SafeString:
    """The programs in one line, each with when it was seen last: "Thunderbird (10:42), iPhone Mail (yesterday)"."""
    named = [(_name(program), mail_date(program.last_at)) for program in programs[:NAMED_MAX]]
    line = format_html_join(", ", "{} ({})", named)
    more = len(programs) - len(named)
    if not more:
        return line
    rest = ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more}
    return format_html("{} {}", line, rest)


@register.filter
def seen_period(programs: Programs) -> str:
    """From when on programs are told: "in the last 30 days", or less where nothing was recorded before."""
    if programs.partly and programs.since:
        return _("since %(day)s") % {"day": near_day(programs.since)}
    return _("in the last %(n)d days") % {"n": programs.days}


def _name(program: Program) -> SafeString:
    if program.name:
        return format_html("<bdi>{}</bdi>", program.name)
    if program.network:
        return format_html(_("unknown program from {}"), format_html('<bdi dir="ltr">{}</bdi>', program.network))
    return format_html("{}", _("unknown program"))
