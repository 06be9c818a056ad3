"""The rows of filters as the API has them, and what they have to be, judged by the forms of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pydantic import Field

from accounts.api.schemas.common import Given, example
from webmail.api.boxes import wrong_of
from webmail.filter_forms import ConditionForm, RuleForm
from webmail.sieve.rules import (
    CONDITIONS_LIMIT,
    FOLDER_LIMIT,
    FORWARDS_LIMIT,
    NAME_LIMIT,
    TAGS_LIMIT,
    VALUE_LIMIT,
    Condition,
    Rule,
)


class ConditionRow(Given):
    """What to look at ("to" is To and Cc), and how to compare: over and under are for `size_bytes`, all others for `value`."""

    about: Literal["from", "to", "subject", "size"]
    op: Literal["contains", "lacks", "is", "is-not", "begins", "ends", "over", "under"]
    value: str = Field("", max_length=VALUE_LIMIT)
    size_bytes: int = Field(0, ge=0, le=2 * 1024**3)


class RuleRow(Given):
    """One filter. `match`: all or any of the conditions, or "every" message. `where` it goes: stays in the inbox, move or copy
    (to `folder`), trash, or away (it is only forwarded). `tags` are keywords; `stop`: no row below is looked at."""

    model_config = example(
        name="Facturas",
        conditions=[{"about": "subject", "op": "contains", "value": "factura"}],
        where="move",
        folder="Facturas",
    )

    name: str = Field("", max_length=NAME_LIMIT)
    on: bool = True
    match: Literal["all", "any", "every"] = "all"
    conditions: list[ConditionRow] = Field([], max_length=CONDITIONS_LIMIT)
    where: Literal["inbox", "move", "copy", "trash", "away"] = "inbox"
    folder: str = Field("", max_length=FOLDER_LIMIT)
    tags: list[str] = Field([], max_length=TAGS_LIMIT)
    read: bool = False
    star: bool = False
    forward: list[str] = Field([], max_length=FORWARDS_LIMIT)
    stop: bool = False

    @classmethod
    def of(cls, rule: Rule) -> RuleRow:
        """A filter as it is shown."""
        values: dict[str, Any] = {
            name: getattr(rule, name) for name in ("name", "on", "folder", "read", "star", "stop")
        }
        values |= {name: list(getattr(rule, name)) for name in ("tags", "forward")}
        conditions = [
            ConditionRow(about=one.about.value, op=one.op.value, value=one.value, size_bytes=one.size_bytes)
            for one in rule.conditions
        ]
        # What another program or an older Casilla wrote is shown as it is.
        return cls.model_construct(match=rule.match.value, where=rule.where.value, conditions=conditions, **values)


def rules_of(rows: Sequence[RuleRow], choices: dict[str, Any]) -> tuple[Rule, ...]:
    """The rows as filters; `choices` is what RuleForm needs to judge them. Raises ValidationError at the field of each row, as
    `rows.0.folder`."""
    wrong: dict[str, Any] = {}
    rules = [_rule(row, f"rows.{at}.", choices, wrong) for at, row in enumerate(rows)]
    if wrong:
        raise ValidationError(wrong)
    return tuple(rule for rule in rules if rule)


def _rule(row: RuleRow, prefix: str, choices: dict[str, Any], wrong: dict[str, Any]) -> Rule | None:
    given = row.dict(include={"name", "match", "where", "folder", "tags", "read", "star", "stop"})
    form = RuleForm(given | {"forward": ", ".join(row.forward)}, **choices)
    found = wrong_of(form, prefix=prefix)
    conditions = [_condition(one, f"{prefix}conditions.{at}.", found) for at, one in enumerate(row.conditions)]
    if row.match != "every" and not row.conditions:
        found[f"{prefix}conditions"] = [_("Give a condition, or say that it is for every message.")]
    wrong |= found
    return None if found else form.rule(tuple(one for one in conditions if one), on=row.on)


def _condition(row: ConditionRow, prefix: str, wrong: dict[str, Any]) -> Condition | None:
    value = f"{row.size_bytes} B" if row.about == "size" else row.value
    form = ConditionForm({"about": row.about, "op": row.op, "value": value})
    found = wrong_of(form, prefix=prefix)
    if not found and form.condition() is None:
        found = {f"{prefix}value": ["Give a value."]}
    wrong |= found
    return None if found else form.condition()
