"""Parts of lists, by the last id that was seen: nothing is skipped or told twice while rows come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Query
from pydantic import BeforeValidator

from accounts.api.schemas.common import Pages

MOST = 200
Limit = Annotated[int, Query(ge=1, le=MOST)]
Days = Annotated[int, Query(ge=1, le=90)]
Key = Annotated[int | None, Query(ge=0, le=2**63 - 1)]
"""An id to narrow a list by; no column holds a larger one."""
Text = Annotated[str, Query(max_length=254)]


def _true_or_false(value: Any) -> Any:
    """`true` or `false` as JSON writes them; what pydantic takes beside these (1, yes, on) is refused."""
    return {"true": True, "false": False}.get(value, "") if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(_true_or_false)]
"""In an address."""


def page_of(rows: QuerySet[Any], show: Callable[[Any], Any], after: int, limit: int) -> Pages[Any]:
    """The rows that follow the one with the id `after`."""
    found = list(rows.filter(pk__gt=after).order_by("pk")[: limit + 1])
    more = len(found) > limit
    return Pages(items=[show(row) for row in found[:limit]], next=found[limit - 1].pk if more else None)
