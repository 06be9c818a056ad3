"""Downloads that leave copies on the server for longer than need be, and shortening that: for whoever runs the mailboxes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.api.callers import caller_of, fails, needs
from accounts.api.pages import Key, Text
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Given, Id, example
from accounts.api.space import PageNumber, scope_for
from accounts.api.tables import Format, table_of, tabular, wants_csv
from accounts.models import MailAccount
from webmail.services.downloads import KEEP_DAYS_MAX
from webmail.services.retention import (
    SHORT_DAYS,
    UNDO_AGE_S,
    Shorter,
    TooLate,
    could_be_shorter,
    lengthen,
    open_undo,
    seal_undo,
    shorten,
)

router = Router(tags=["Space"])
PAGE_ROWS = 200
Days = Annotated[int, Query(ge=1, le=KEEP_DAYS_MAX)]


class ShorterOut(Schema):
    """`keep_days` null: its copies stay for ever. So many messages would go, once its copies stay for the days that were
    asked about."""

    mailbox: int
    address: str
    keep_days: int | None
    messages: int
    size_bytes: int

    @classmethod
    def of(cls, row: Shorter) -> ShorterOut:
        """The row as it is shown."""
        sizes = {"messages": row.messages, "size_bytes": row.size_bytes}
        mailbox = row.download.account.mailbox_id or 0
        return cls(mailbox=mailbox, address=row.address, keep_days=row.days, **sizes)


class ShorterTable(Schema):
    """`size_bytes` is what all pages together would free."""

    items: list[ShorterOut]
    page: int
    pages: int
    total: int
    size_bytes: int


class ShortenIn(Given):
    """`mailboxes` are to leave copies for so many days from now on; those that leave them for no longer stay as they are."""

    model_config = example(days=14, mailboxes=[41, 42])

    days: int = Field(SHORT_DAYS, ge=1, le=KEEP_DAYS_MAX)
    mailboxes: list[Id] = Field(min_length=1, max_length=1000)


class ShortenOut(Schema):
    """So many leave copies for less long. With `undo` that is taken back within `undo_s` seconds; null where nothing changed."""

    changed: int
    undo: str | None
    undo_s: int = UNDO_AGE_S


class UndoIn(Given):
    """What the change answered."""

    model_config = ConfigDict(
        str_max_length=100_000, json_schema_extra={"examples": [{"undo": ".eJyLjjY0MdCJjgYABTEBTA:1vOoK3:NQ0"}]}
    )

    undo: str = Field(max_length=100_000, min_length=1)


class UndoOut(Schema):
    """So many leave copies for as long as before."""

    changed: int


@router.get(
    "/space/retention",
    response=ShorterTable,
    summary="The downloads that leave copies for longer than so many days, and what less would free",
)
@needs("usage:read")
@fails(404)
@tabular
def retention_list(
    request: HttpRequest,
    days: Days = SHORT_DAYS,
    sort: Literal["freed", "messages", "days", "name"] = "freed",
    address: Text = "",
    reseller: Key = None,
    customer: Key = None,
    server: Key = None,
    plan: Key = None,
    page: PageNumber = 1,
    shape: Format = None,
) -> Any:
    """Within what the person runs."""
    scope = scope_for(caller_of(request), reseller, customer, server, plan)
    rows = could_be_shorter(scope, days=days, text=address.strip(), sort=sort)
    if wants_csv(request, shape):
        return table_of("retention", ShorterOut, rows, ShorterOut.of)
    part = Paginator(rows, PAGE_ROWS).get_page(page)
    numbers = {"page": part.number, "pages": part.paginator.num_pages, "total": part.paginator.count}
    freed = sum(row.size_bytes for row in rows)
    return ShorterTable(items=[ShorterOut.of(row) for row in part.object_list], size_bytes=freed, **numbers)


@router.post("/space/retention", response=ShortenOut, summary="Have downloads leave copies for less long")
@needs("mailboxes:write")
@fails(404)
@idempotent
def retention_shorten(request: HttpRequest, data: ShortenIn) -> Any:
    """Answers with what takes it back."""
    caller = caller_of(request)
    scope, wanted = scope_for(caller), sorted(set(data.mailboxes))
    there = caller.mailboxes().filter(scope.within("domain"), pk__in=wanted, deleted__isnull=True)
    if there.count() != len(wanted):
        raise ValidationError({"mailboxes": _("Some of them are not there.")})
    accounts = MailAccount.objects.filter(mailbox__in=wanted).values_list("pk", flat=True)
    before = shorten(accounts, days=data.days, scope=scope, by=caller.actor)
    return ShortenOut(changed=len(before), undo=seal_undo(data.days, before) if before else None)


@router.post("/space/retention/undo", response=UndoOut, summary="Take back that downloads leave copies for less long")
@needs("mailboxes:write")
@fails(404, 409)
def retention_undo(request: HttpRequest, data: UndoIn) -> Any:
    """All of them; 409 where they were changed since."""
    caller = caller_of(request)
    scope = scope_for(caller)
    try:
        days, before = open_undo(data.undo)
    except TooLate as error:
        raise ValidationError({"undo": _("This was not given by a change, or is too old.")}) from error
    changed = lengthen(before, days=days, scope=scope, by=caller.actor)
    if not changed:
        raise Problem(409, _("This can no longer be undone."))
    return UndoOut(changed=changed)
