"""One row of a list: its cells read, and what is wrong with them by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Domain
from accounts.services.addresses import parse_address, parse_local
from accounts.services.batch_changes import RENAME, read_do
from accounts.services.limits import MEGABYTE, parse_size
from accounts.services.names import clean_name

NAME_MAX = 120
EMPTIED = "-"
"""A cell with this empties a name or an address for a new password; an empty cell leaves what is there."""
YES, NO = {"yes", "sí", "si", "true", "1"}, {"no", "false", "0"}
STATE_COLUMNS = {"sign_in": "active", "receives": "receives", "sends": "sends"}


def parse_row(domain: Domain, line: int, cells: dict[str, str]) -> dict[str, Any]:
    """{"line", "address", "name", "quota_bytes", "recovery", "given", "do", "to", "set", "gone", "errors"}. `do` is "" where the
    row asks for nothing: whether it makes or changes a mailbox is for judge_rows to say. `set` holds, by field of a mailbox, the
    values of the cells that are filled in; `gone` whether the file says that it is deleted (None: it says nothing)."""
    errors: list[str] = []
    if "extra" in cells:
        errors.append(_("The row has more cells than there are columns."))
    address = _tried(errors, lambda: parse_local(cells.get("address", ""), domain)) or cells.get("address", "")
    asked = cells.get("do", "")
    do = _tried(errors, lambda: read_do(asked)) or "" if asked.strip() else ""
    values = _values(errors, cells) if not do or do == "create" else {}
    to = _tried(errors, lambda: _target(cells.get("new", ""), address, domain)) if do == RENAME else ""
    gone = bool(cells["deleted"]) if "deleted" in cells and do == "" else None
    quota = values.get("quota_bytes", domain.usual_quota_bytes if not do or do == "create" else 0)
    return {
        "line": line,
        "address": address[:254],
        "name": str(values.get("name", ""))[:200],
        "quota_bytes": quota,
        "recovery": values.get("recovery_address", "")[:254],
        "given": bool(cells.get("password")) and (not do or do == "create"),
        "do": do,
        "to": to or "",
        "set": values,
        "gone": gone,
        "errors": errors,
    }


def _values(errors: list[str], cells: dict[str, str]) -> dict[str, Any]:
    """What the filled cells give a mailbox, by its field."""
    values: dict[str, Any] = {}
    if name := " ".join(cells.get("name", "").split()):
        values["name"] = "" if name == EMPTIED else _tried(errors, lambda: _name(name)) or name
    if quota := cells.get("quota", "").strip():
        values["quota_bytes"] = _tried(errors, lambda: parse_size(quota, bare=MEGABYTE)) or 0
    if recovery := cells.get("recovery", ""):
        values["recovery_address"] = (
            "" if recovery == EMPTIED else _tried(errors, lambda: parse_address(recovery)) or recovery
        )
    for column, field in STATE_COLUMNS.items():
        if state := cells.get(column, ""):
            values[field] = _tried(errors, lambda: _state(state))
    return values


def _name(text: str) -> str:
    if len(text) > NAME_MAX:
        raise ValidationError(_("The name is longer than 120 characters."))
    return clean_name(text)


def _state(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValidationError(_("“%(text)s” is neither yes nor no.") % {"text": text[:40]})
    return text.lower() in YES


def _target(new: str, address: str, domain: Domain) -> str:
    to = parse_local(new, domain)
    if to == address:
        raise ValidationError(_("This is its address already."))
    return to


def _tried(errors: list[str], parse: Callable[[], Any]) -> Any:
    """What `parse` gives; None and one more line in `errors` when it raises."""
    try:
        return parse()
    except ValidationError as error:
        errors.extend(error.messages)
        return None
