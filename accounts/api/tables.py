"""Tables as CSV, for those operations whose page gives a file too: `format=csv`, or `Accept: text/csv`. All of the table is in
it, whatever page was asked for; no cell of it is a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Schema

from accounts.api.callers import View
from accounts.services.csv_cells import csv_lines

Format = Annotated[
    Literal["json", "csv"] | None,
    Query(
        alias="format", description="csv: all of the table as a file, with the names of the fields in the first line"
    ),
]


def tabular(view: View) -> View:
    """Says in the description that an operation answers with CSV too."""
    view.tabular = True  # type: ignore[attr-defined]
    return view


def wants_csv(request: HttpRequest, chosen: str | None) -> bool:
    """Whether a table is asked for; what the address says counts more than the header."""
    if chosen is not None:
        return chosen == "csv"
    return request.get_preferred_type(["application/json", "text/csv"]) == "text/csv"


def file_of(name: str, lines: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """An answer with these lines, the names of the columns first."""
    response = StreamingHttpResponse(csv_lines(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def table_of(
    name: str, schema: type[Schema], rows: Iterable[Any], show: Callable[[Any], Schema]
) -> StreamingHttpResponse:
    """The rows as the JSON would have them, in columns that are called like its fields."""
    columns = list(schema.model_fields)

    def lines() -> Iterable[list[Any]]:
        yield columns
        for row in rows:
            yield [_cell(getattr(show(row), column)) for column in columns]

    return file_of(name, lines())


def _cell(value: Any) -> Any:
    """As JSON writes it; nothing for null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else "" if value is None else value
