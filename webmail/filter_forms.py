"""The forms of a filter and of the vacation reply."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.form_parts import one_line
from webmail.mime.headers import make_safe
from webmail.mime.recipients import ascii_email, check_recipient, compare_key, parse_recipients
from webmail.services.filter_words import ABOUT_NAMES, OP_NAMES, write_value
from webmail.sieve.rules import (
    CONDITIONS_LIMIT,
    DAYS_MAX,
    DAYS_MIN,
    NAME_LIMIT,
    SUBJECT_LIMIT,
    TAGS_LIMIT,
    TEXT_LIMIT,
    VALUE_LIMIT,
    About,
    Condition,
    Match,
    Op,
    Rule,
    Vacation,
    Where,
)

SIZE_LIMIT_BYTES = 2 * 1024**3
FORWARD_LIMIT_CHARS = 2_000
_SIZE = re.compile(r"^\s*(\d{1,10}(?:[.,]\d{1,2})?)\s*(b|k|kb|kib|m|mb|mib|g|gb)?\s*$", re.IGNORECASE)
_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

MATCH_NAMES: dict[Match, str | Promise] = {
    Match.ALL: _("all of these hold"),
    Match.ANY: _("any of these holds"),
    Match.EVERY: _("it is any message at all"),
}
WHERE_NAMES: dict[Where, str | Promise] = {
    Where.INBOX: _("Leave it in the inbox"),
    Where.MOVE: _("Move it to the folder"),
    Where.COPY: _("Leave it, and put a copy into the folder"),
    Where.TRASH: _("Delete it: to the Trash"),
    Where.AWAY: _("Keep nothing of it here, only forward"),
}


class ConditionForm(forms.Form):
    """One condition. A row whose value is empty counts as none."""

    use_required_attribute = False

    about = forms.ChoiceField(choices=list(ABOUT_NAMES.items()), label=_("What to look at"))
    op = forms.ChoiceField(choices=list(OP_NAMES.items()), label=_("How to compare"))
    value = forms.CharField(label=_("Value"), required=False, max_length=VALUE_LIMIT)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs |= {"class": "input" if name == "value" else "input select", "aria-label": field.label}
        self.fields["value"].widget.attrs |= {"dir": "auto", "autocomplete": "off"}

    def clean_value(self) -> str:
        """What shows of it."""
        return make_safe(self.cleaned_data["value"]).strip()

    def clean(self) -> dict[str, Any]:
        """Sizes are compared with sizes, with `size_bytes` in octets."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors or not cleaned["value"]:
            return cleaned
        if cleaned["about"] != About.SIZE:
            if cleaned["op"] in {Op.OVER, Op.UNDER}:
                self.add_error("op", gettext("Only sizes are compared so."))
            return cleaned
        if cleaned["op"] not in {Op.OVER, Op.UNDER}:
            self.add_error("op", gettext("A size is over or under a number."))
        size_bytes = read_size(cleaned["value"])
        if not size_bytes:
            self.add_error("value", gettext("Write a size like 500 KB or 2 MB."))
        return cleaned | {"size_bytes": size_bytes}

    def condition(self) -> Condition | None:
        """The condition, once it is valid; None for an empty row."""
        data = self.cleaned_data
        if not data["value"]:
            return None
        about = About(data["about"])
        value = "" if about is About.SIZE else data["value"]
        return Condition(about, Op(data["op"]), value, data.get("size_bytes", 0))


class RuleForm(forms.Form):
    """A filter but for its conditions. `account_addresses` are one's own, to which nothing is forwarded."""

    use_required_attribute = False

    name = forms.CharField(label=_("Name"), required=False, max_length=NAME_LIMIT)
    match = forms.ChoiceField(choices=list(MATCH_NAMES.items()), initial=Match.ALL, widget=forms.RadioSelect)
    where = forms.ChoiceField(choices=list(WHERE_NAMES.items()), initial=Where.MOVE, widget=forms.RadioSelect)
    folder = forms.ChoiceField(label=_("Folder"), required=False)
    tags = forms.MultipleChoiceField(label=_("Tags"), required=False, widget=forms.CheckboxSelectMultiple)
    read = forms.BooleanField(label=_("Mark as read"), required=False)
    star = forms.BooleanField(label=_("Star"), required=False)
    forward = forms.CharField(label=_("Forward to"), required=False, max_length=FORWARD_LIMIT_CHARS)
    stop = forms.BooleanField(label=_("Look at no filter below this one"), required=False)

    def __init__(
        self,
        *args: Any,
        folders: Iterable[tuple[str, str]],
        tags: Iterable[tuple[str, str]],
        trash: str,
        own_addresses: Iterable[str],
        forwards_limit: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._trash, self._limit = trash, forwards_limit
        self._own = {compare_key(address) for address in own_addresses}
        self.fields["folder"].choices = [("", "—"), *folders]  # type: ignore[attr-defined]
        self.fields["tags"].choices = list(tags)  # type: ignore[attr-defined]
        for name in ("name", "forward"):
            self.fields[name].widget.attrs["class"] = "input"
        self.fields["name"].widget.attrs |= {"dir": "auto", "autocomplete": "off"}
        self.fields["forward"].widget.attrs |= {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["folder"].widget.attrs["class"] = "input select"

    def clean_name(self) -> str:
        """On one line; something of it shows."""
        return one_line(" ".join(make_safe(self.cleaned_data["name"]).split()))

    def clean_tags(self) -> list[str]:
        """At most TAGS_LIMIT."""
        tags: list[str] = self.cleaned_data["tags"]
        if len(tags) > TAGS_LIMIT:
            raise forms.ValidationError(gettext("At most %(n)d tags.") % {"n": TAGS_LIMIT})
        return tags

    def clean_forward(self) -> tuple[str, ...]:
        """Addresses to which mail can be sent, each once, none of them one's own."""
        text: str = self.cleaned_data["forward"]
        people = parse_recipients(text)
        wrong = next((one for one in people if not one.email or check_recipient(one.email)), None)
        if wrong or (text.strip() and not people):
            about = (wrong.email or wrong.name) if wrong else text
            raise forms.ValidationError(gettext("“%(about)s” is no mail address") % {"about": about})
        mine = next((one.email for one in people if compare_key(one.email) in self._own), None)
        if mine:
            raise forms.ValidationError(
                gettext("%(address)s is this mailbox: the mail would come back.") % {"address": mine}
            )
        if len(people) > self._limit:
            raise forms.ValidationError(gettext("At most %(n)d addresses.") % {"n": self._limit})
        return tuple({compare_key(one.email): ascii_email(one.email) for one in people}.values())

    def clean(self) -> dict[str, Any]:
        """Asks for what each choice needs, and for something to do."""
        cleaned: dict[str, Any] = super().clean() or {}
        where = cleaned.get("where")
        if where in {Where.MOVE, Where.COPY} and not cleaned.get("folder") and "folder" not in self.errors:
            self.add_error("folder", gettext("Choose a folder."))
        if where == Where.TRASH and not self._trash:
            self.add_error("where", gettext("This mailbox has no Trash."))
        if where == Where.AWAY and not cleaned.get("forward") and "forward" not in self.errors:
            self.add_error("forward", gettext("Write where it is forwarded to: nothing is kept here."))
        acts = ("tags", "read", "star", "forward", "stop")
        if where == Where.INBOX and not self.errors and not any(cleaned.get(name) for name in acts):
            self.add_error("where", gettext("Choose something for it to do."))
        return cleaned

    def rule(self, conditions: tuple[Condition, ...], *, on: bool) -> Rule:
        """The filter, once it is valid."""
        data = self.cleaned_data
        where = Where(data["where"])
        folder = {Where.MOVE: data["folder"], Where.COPY: data["folder"], Where.TRASH: self._trash}.get(where, "")
        match = Match(data["match"])
        return Rule(
            name=data["name"],
            on=on,
            match=match,
            conditions=() if match is Match.EVERY else conditions,
            where=where,
            folder=folder,
            tags=tuple(data["tags"]),
            read=data["read"],
            star=data["star"],
            forward=data["forward"],
            stop=data["stop"],
        )


def rule_initial(rule: Rule) -> dict[str, Any]:
    """What the form of a rule begins with."""
    names = ("name", "match", "where", "folder", "read", "star", "stop")
    return {name: getattr(rule, name) for name in names} | {
        "tags": list(rule.tags),
        "forward": ", ".join(rule.forward),
    }


def condition_forms(data: QueryDict) -> list[ConditionForm]:
    """The conditions of a form that was sent: those named c0, c1, ... up to CONDITIONS_LIMIT."""
    names = [f"c{at}" for at in range(CONDITIONS_LIMIT)]
    return [ConditionForm(data, prefix=name) for name in names if f"{name}-about" in data]


def blank_conditions(conditions: Iterable[Condition], *, extra: int = 0) -> list[ConditionForm]:
    """The conditions of a filter as a form, and so many empty ones after them."""
    initial = [{"about": one.about, "op": one.op, "value": write_value(one)} for one in conditions]
    initial += [{} for _one in range(max(0, min(extra, CONDITIONS_LIMIT - len(initial))))]
    return [ConditionForm(prefix=f"c{at}", initial=one) for at, one in enumerate(initial)]


def read_size(text: str) -> int:
    """Bytes of a size that somebody typed: "500" (KB), "2 MB", "1,5 GB"; 0 for what is none."""
    match = _SIZE.match(text)
    if not match:
        return 0
    number = float(match[1].replace(",", "."))
    size_bytes = round(number * _UNITS[(match[2] or "k")[0].lower()])
    return size_bytes if size_bytes <= SIZE_LIMIT_BYTES else 0


class DayInput(forms.DateInput):
    """The browser's own field for a day."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"class": "input input--day"})


class VacationForm(forms.Form):
    """The vacation reply. `addresses` are those for which it answers beside the mailbox's own."""

    use_required_attribute = False

    on = forms.BooleanField(label=_("Answer while I am away"), required=False)
    first = forms.DateField(label=_("First day"), required=False, widget=DayInput(), input_formats=["%Y-%m-%d"])
    last = forms.DateField(label=_("Last day"), required=False, widget=DayInput(), input_formats=["%Y-%m-%d"])
    subject = forms.CharField(label=_("Subject"), required=False, max_length=SUBJECT_LIMIT)
    text = forms.CharField(
        label=_("Text"), required=False, max_length=TEXT_LIMIT, strip=False, widget=forms.Textarea(attrs={"rows": 8})
    )
    days = forms.IntegerField(
        label=_("Days between two answers to the same person"), min_value=DAYS_MIN, max_value=DAYS_MAX
    )
    addresses = forms.MultipleChoiceField(label=_("Answers for"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, own_addresses: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["addresses"].choices = [(one, one) for one in own_addresses]  # type: ignore[attr-defined]
        self.fields["days"].widget.attrs["class"] = "input input--number"
        for name in ("subject", "text"):
            self.fields[name].widget.attrs |= {"class": "input", "dir": "auto"}

    def clean_subject(self) -> str:
        """What shows of it."""
        return make_safe(self.cleaned_data["subject"])

    def clean_text(self) -> str:
        """With \\n at the end of each line."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()

    def clean(self) -> dict[str, Any]:
        """Asks for a text, and for days in their order."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("on") and not cleaned.get("text", "").strip() and "text" not in self.errors:
            self.add_error("text", gettext("Write what is answered."))
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", gettext("The last day is before the first."))
        return cleaned

    def vacation(self) -> Vacation:
        """The reply, once it is valid; its days are those of the person's time zone."""
        data = self.cleaned_data
        return Vacation(
            on=data["on"],
            subject=data["subject"],
            text=data["text"],
            days=data["days"],
            addresses=tuple(data["addresses"]),
            first=data["first"],
            last=data["last"],
            zone_first=_offset(data["first"], time.min),
            zone_last=_offset(data["last"], time.max),
        )


def vacation_initial(vacation: Vacation, own_addresses: Iterable[str]) -> dict[str, Any]:
    """What the form begins with: for a reply that was never written, all of one's addresses."""
    names = ("on", "first", "last", "subject", "text", "days")
    fresh = not vacation.text
    return {name: getattr(vacation, name) for name in names} | {
        "addresses": list(own_addresses) if fresh else list(vacation.addresses)
    }


def _offset(day: date | None, at: time) -> str:
    """The zone of a day as "+hhmm"."""
    if day is None:
        return "+0000"
    return datetime.combine(day, at, timezone.get_current_timezone()).strftime("%z")[:5]
