"""The list's query as it stands in an address: ?sort=from&dir=asc&unread=1&q=…"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from accounts.numbers import read_number
from webmail.values import Query, SortKey

MAX_TEXT = 200
PAGE_SIZE = 50
MAX_START = 10_000_000


THREADS_COOKIE = "casilla_threads"
_KNOWN = "_casilla_query"


def query_of(request: HttpRequest) -> Query:
    """The query of a request: what its address says, and whether this browser wants lists by conversation."""
    known: Query | None = getattr(request, _KNOWN, None)  # a page asks half a dozen times
    if known is None:
        known = query_from(request.GET)
        if "threads" not in request.GET:
            known = replace(known, threads=request.COOKIES.get(THREADS_COOKIE) == "1")
        setattr(request, _KNOWN, known)
    return known


def query_from(params: QueryDict) -> Query:
    """Reads a query from the address; whatever is not understood is left at its default."""
    sort = params.get("sort", "date")
    return Query(
        sort=sort if sort in get_args(SortKey) else "date",  # type: ignore[arg-type]
        descending=params.get("dir", _default_dir(sort)) != "asc",
        unread=params.get("unread") == "1",
        flagged=params.get("flagged") == "1",
        attachment=params.get("attachment") == "1",
        text="".join(char for char in params.get("q", "") if char.isprintable()).strip()[:MAX_TEXT],
        in_body=params.get("body") == "1",
        threads=params.get("threads") == "1",
    )


def start_from(params: QueryDict) -> int:
    """The first position of the window, 0 when it is not a number."""
    return min(read_number(params.get("start", "0"), digits=11) or 0, MAX_START)


def start_around(position: int) -> int:
    """Where a window begins that has the row at `position` in it and what comes before; 0 when it has none (-1)."""
    return max(0, position - PAGE_SIZE // 4)


def query_string(query: Query, **changes: str) -> str:
    """The query as it goes into an address, without its defaults; "" or "?…". Whether it is by conversation is the browser's
    to know, unless `changes` say it."""
    params = {
        "sort": query.sort if query.sort != "date" else "",
        "dir": "" if query.descending == (_default_dir(query.sort) == "desc") else _dir(query.descending),
        "unread": "1" if query.unread else "",
        "flagged": "1" if query.flagged else "",
        "attachment": "1" if query.attachment else "",
        "q": query.text,
        "body": "1" if query.in_body else "",
    }
    params.update(changes)
    text = urlencode({key: value for key, value in params.items() if value})
    return f"?{text}" if text else ""


def _dir(descending: bool) -> str:
    return "desc" if descending else "asc"


def _default_dir(sort: str) -> str:
    return "asc" if sort in {"from", "to", "subject"} else "desc"
