"""A filter in words, for the list of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import get_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from webmail.services.tags import Tags
from webmail.sieve.rules import About, Condition, Match, Op, Rule, Vacation, Where

ABOUT_NAMES: dict[About, str | Promise] = {
    About.FROM: gettext_lazy("From"),
    About.TO: gettext_lazy("To or Cc"),
    About.SUBJECT: gettext_lazy("Subject"),
    About.SIZE: gettext_lazy("Size"),
}
OP_NAMES: dict[Op, str | Promise] = {
    Op.CONTAINS: gettext_lazy("contains"),
    Op.LACKS: gettext_lazy("does not contain"),
    Op.IS: gettext_lazy("is"),
    Op.IS_NOT: gettext_lazy("is not"),
    Op.BEGINS: gettext_lazy("begins with"),
    Op.ENDS: gettext_lazy("ends with"),
    Op.OVER: gettext_lazy("is over"),
    Op.UNDER: gettext_lazy("is under"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One row: its name (else its conditions), what it asks for, what it does, whether it is on."""

    name: str
    when: str
    does: tuple[str, ...]
    on: bool


def tell_rule(rule: Rule, tags: Tags) -> Told:
    """A row as people read it."""
    when = _tell_conditions(rule)
    return Told(rule.name or when, when if rule.name else "", tuple(_tell_acts(rule, tags)), rule.on)


def _tell_conditions(rule: Rule) -> str:
    if rule.match is Match.EVERY or not rule.conditions:
        return _("Every message")
    told = [f"{ABOUT_NAMES[one.about]} {OP_NAMES[one.op]} “{write_value(one)}”" for one in rule.conditions]
    return (_(" and ") if rule.match is Match.ALL else _(" or ")).join(told)


def _tell_acts(rule: Rule, tags: Tags) -> list[str]:
    found = []
    if rule.where is Where.MOVE:
        found.append(_("moves it to %(folder)s") % {"folder": rule.folder})
    elif rule.where is Where.COPY:
        found.append(_("puts a copy into %(folder)s") % {"folder": rule.folder})
    elif rule.where is Where.TRASH:
        found.append(_("deletes it"))
    names = [str(tag.name) for tag in tags.of(rule.tags)]
    if names:
        found.append(ngettext("tags it %(tags)s", "tags it %(tags)s", len(names)) % {"tags": ", ".join(names)})
    found += [_("marks it as read")] if rule.read else []
    found += [_("stars it")] if rule.star else []
    if rule.forward:
        to = {"addresses": ", ".join(rule.forward)}
        away = rule.where is Where.AWAY
        found.append(
            _("forwards it to %(addresses)s and keeps nothing") % to if away else _("forwards it to %(addresses)s") % to
        )
    return [*found, _("stops there")] if rule.stop else found


def write_value(one: Condition) -> str:
    """What stands in the field of a condition."""
    return write_size(one.size_bytes) if one.about is About.SIZE else one.value


def write_size(size_bytes: int) -> str:
    """A size as it is typed: in the largest unit that says it exactly."""
    for name, unit in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if size_bytes >= unit and size_bytes * 100 % unit == 0:
            number = f"{size_bytes / unit:.2f}".rstrip("0").rstrip(".")
            return f"{number.replace('.', get_format('DECIMAL_SEPARATOR'))} {name}"
    return f"{size_bytes} B"


def refusal_words(code: str) -> str:
    """What a person is told of filters that were refused (FiltersRefused)."""
    return {
        "changed": _(
            "Another program or window changed the filters in the meantime. Nothing was saved; they are shown as they are now."
        ),
        "foreign": _("Another program's script runs in this mailbox. Choose first what is to run."),
        "by-hand": _("The script was changed as text, so rows are left alone."),
        "answers": _("Another script that runs here answers already. Two answers would stop all filters."),
        "too-many": _("There is no room for another filter."),
        "too-many-forwards": _("The filters of this mailbox forward to too many addresses."),
    }[code]


def vacation_phase(vacation: Vacation) -> str:
    """How it stands today: off, before, during or after."""
    today = timezone.localdate()
    if not vacation.on:
        return "off"
    if vacation.first and today < vacation.first:
        return "before"
    return "after" if vacation.last and today > vacation.last else "during"
