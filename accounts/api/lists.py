"""Lists of mailboxes from CSV: read and judged (nothing is done yet), then applied all at once or not at all."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from ninja import Router, Status

from accounts.api.callers import Caller, caller_of, fails, needs, one
from accounts.api.loading import ABOVE, domain_by
from accounts.api.pages import Flag, Key, Limit, page_of
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Pages
from accounts.api.schemas.lists import ListIn, ListOut, MadeOut, RowOut
from accounts.api.tables import Format, file_of, tabular, wants_csv
from accounts.models import Batch
from accounts.services import batches
from accounts.services.batch_files import BadFile
from accounts.services.permissions import Action

router = Router(tags=["Lists"])


@router.get("/lists", response=Pages[ListOut], summary="The lists that the token's person brought")
@needs("mailboxes:read")
def list_list(request: HttpRequest, after: int = 0, limit: Limit = 50, domain: Key = None) -> Any:
    """One's own, also those that are done."""
    rows = caller_of(request).batches().defer("rows", "sealed", "made")
    return page_of(rows if domain is None else rows.filter(domain=domain), ListOut.of, after, limit)


@router.post(
    "/domains/{domain_id}/lists",
    response={201: ListOut},
    summary="Read a list, and judge what it would do: nothing is done",
)
@needs("mailboxes:write")
@idempotent
def list_new(request: HttpRequest, domain_id: int, data: ListIn) -> Any:
    """By those who run the domain; passwords in it are judged by a worker meanwhile."""
    caller = caller_of(request)
    domain = domain_by(caller, domain_id, Action.RUN_DOMAIN)
    try:
        text = data.csv.encode("utf-8", "surrogatepass")
        batch = batches.read_batch(domain=domain, data=text, name=data.name, by=caller.actor)
    except BadFile as error:
        raise ValidationError({"csv": str(error)}) from error
    return Status(201, ListOut.of(batch))


@router.get("/lists/{list_id}", response=ListOut, summary="How far a list is")
@needs("mailboxes:read")
def list_get(request: HttpRequest, list_id: int) -> Any:
    """For who brought it alone."""
    return ListOut.of(_batch(caller_of(request), list_id))


@router.get("/lists/{list_id}/rows", response=Pages[RowOut], summary="What it would do, row by row (`after` is a line)")
@needs("mailboxes:read")
def list_rows(request: HttpRequest, list_id: int, after: int = 0, limit: Limit = 50, wrong: Flag = False) -> Any:
    """Those with errors alone with `wrong`."""
    rows = [row for row in _batch(caller_of(request), list_id).rows if row["line"] > after]
    rows = [row for row in rows if row["errors"]] if wrong else rows
    more = len(rows) > limit
    return Pages(items=[RowOut.of(row) for row in rows[:limit]], next=rows[limit - 1]["line"] if more else None)


@router.post(
    "/lists/{list_id}/apply", response=ListOut, summary="Have a list without errors done, all of it or nothing"
)
@needs("mailboxes:write")
@idempotent
@fails(409)
def list_apply(request: HttpRequest, list_id: int, ignore_columns: bool = False) -> Any:
    """A worker does it; 409 while rows have errors."""
    caller = caller_of(request)
    batch = _batch(caller, list_id)
    if not batches.makes_only_below(batch, caller.person):
        raise PermissionDenied(ABOVE)
    if not batches.start_batch(batch, ignoring=ignore_columns):
        raise Problem(409, _why_not(batch))
    batch.refresh_from_db()
    return ListOut.of(batch)


@router.get("/lists/{list_id}/passwords", response=list[MadeOut], summary="The passwords that were made, for a day")
@needs("mailboxes:write")
@tabular
def list_passwords(request: HttpRequest, list_id: int, shape: Format = None) -> Any:
    """For who brought it alone; empty where none was made or the day is over."""
    made = batches.take_passwords(_batch(caller_of(request), list_id))
    if wants_csv(request, shape):
        return file_of("passwords", [["address", "password"], *made])
    return [MadeOut(address=address, password=password) for address, password in made]


def _batch(caller: Caller, key: int) -> Batch:
    batch: Batch = one(caller.batches().select_related("domain__customer__plan", "person"), key)
    caller.allow(Action.RUN_DOMAIN, batch.domain)
    return batch


def _why_not(batch: Batch) -> str:
    if batch.wrong:
        text = ngettext(
            "%(n)s of its rows has errors: nothing is done.",
            "%(n)s of its rows have errors: nothing is done.",
            batch.wrong,
        )
        return " ".join(filter(None, [batch.problem, text % {"n": batch.wrong}]))
    if batch.unknown and batch.state == Batch.State.CHECKED:
        names = ", ".join(f"“{one['name']}”" for one in batch.unknown)
        text = _("Columns that mean nothing here: %(names)s. Correct the file, or ignore them with ignore_columns.")
        return text % {"names": names}
    text = _("Its state is %(state)s: only a list that is checked can be applied.")
    return batch.problem or text % {"state": batch.state}
