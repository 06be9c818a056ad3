"""The log of changes, as far as it is about what is the token's person's: the latest first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import AfterValidator

from accounts.api.callers import caller_of, needs
from accounts.api.pages import Key, Limit, Text
from accounts.api.schemas.common import Pages
from accounts.models import Change

router = Router(tags=["Changes"])


def _storable(value: datetime) -> datetime:
    """A moment that stays one in every zone. Raises ValueError."""
    if not 1970 <= value.year <= 9000:
        raise ValueError("not between 1970 and 9000")
    return value


Moment = Annotated[datetime, AfterValidator(_storable)]


class ChangeOut(Schema):
    """Who (`by`; "" is Casilla itself or a command), from where, what (`verb`, as mailbox.create), to which thing, and of
    `before` and `after` what differs. The ids are null when the thing is gone."""

    id: int
    at: datetime
    by: str
    origin: str
    verb: str
    thing: str
    before: dict[str, Any]
    after: dict[str, Any]
    reseller: int | None
    customer: int | None
    domain: int | None
    mailbox: int | None

    @classmethod
    def of(cls, row: Change) -> ChangeOut:
        """A line of the log as it is shown."""
        values: dict[str, Any] = {
            name: getattr(row, name) for name in ("at", "origin", "verb", "thing", "before", "after")
        }
        values |= {name: getattr(row, f"{name}_id") for name in ("reseller", "customer", "domain", "mailbox")}
        return cls(id=row.pk, by=row.actor_name, **values)


@router.get(
    "/changes",
    response=Pages[ChangeOut],
    summary="What was changed, the latest first: `next` of one part is `before` of the next",
)
@needs("changes:read")
def change_list(
    request: HttpRequest,
    before: Key = None,
    limit: Limit = 50,
    verb: Text = "",
    customer: Key = None,
    domain: Key = None,
    mailbox: Key = None,
    since: Moment | None = None,
) -> Any:
    """Narrowed to a `verb`, to a thing, or to what came `since` a moment."""
    rows = caller_of(request).changes()
    wanted: dict[str, Any] = {"customer": customer, "domain": domain, "mailbox": mailbox, "verb": verb or None}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if since is not None:
        rows = rows.filter(at__gte=since)
    found = list(rows.order_by("-pk")[: limit + 1])
    more = len(found) > limit
    return Pages(items=[ChangeOut.of(row) for row in found[:limit]], next=found[limit - 1].pk if more else None)
