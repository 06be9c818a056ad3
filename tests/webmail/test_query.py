"""The list's query in an address."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from webmail.values import Query
from webmail.views.query import query_from, query_string, start_from


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(descending=False),
        Query(sort="from", descending=False),
        Query(sort="subject", descending=True),
        Query(sort="size"),
        Query(unread=True, flagged=True, attachment=True),
        Query(text="ñandú & cía #1", in_body=True),
    ],
)
def test_a_query_survives_its_own_address(query: Query) -> None:
    assert query_from(QueryDict(query_string(query).lstrip("?"))) == query


def test_the_plain_list_has_no_query_in_its_address() -> None:
    assert query_string(Query()) == ""


@pytest.mark.parametrize("value", ["", "-1", "1e9", "x", "٣", "9" * 40, "0x10"])
def test_a_start_that_is_no_number_is_the_beginning(value: str) -> None:
    assert start_from(QueryDict(f"start={value}")) == 0


def test_an_unknown_sort_is_by_date_newest_first() -> None:
    assert query_from(QueryDict("sort=drop+table")) == Query()


def test_search_text_loses_control_characters_and_is_bounded() -> None:
    text = query_from(QueryDict("q=a%0d%0aDELETE+x" + "y" * 500)).text
    assert "\r" not in text
    assert "\n" not in text
    assert len(text) == 200
