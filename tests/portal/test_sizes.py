"""Sizes as people write them: one reading, or a message that shows how each may be written."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from accounts.services.limits import LARGEST_BYTES, MEGABYTE, SMALLEST_BYTES, parse_size, size_typed


@pytest.mark.parametrize(
    ("text", "megabytes"),
    [
        ("500 MB", 500),
        ("500mb", 500),
        ("1,5 GB", 1500),
        ("1.5 GB", 1500),
        ("0.125 GB", 125),
        ("1.2345 GB", 1234.5),
        ("12345.678 MB", 12345.678),
        ("1.000.000 MB", 1_000_000),
        ("1,000,000 MB", 1_000_000),
        ("1.234,5 MB", 1234.5),
        ("1,234.5 MB", 1234.5),
        ("1 000 MB", 1000),
        ("1\u202f234,500\u00a0MB", 1234.5),
        ("2 TB", 2_000_000),
        ("700", 700),
    ],
)
def test_a_size_with_one_reading_is_read(text: str, megabytes: float) -> None:
    assert parse_size(text, bare=MEGABYTE) == round(megabytes * MEGABYTE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.000 MB", "write 1000 MB or 1.0000 MB"),
        ("1,000 MB", "write 1000 MB or 1.0000 MB"),
        ("12.500 GB", "write 12500 GB or 12.5000 GB"),
        ("1.234", "write 1234 or 1.2340"),
        *[
            (text, "is no size")
            for text in ("1e3 MB", "1_0 MB", "١٢ MB", "+5 MB", "-5 MB", "0 MB", "inf MB", "nan", "")
        ],
        *[(text, "is no size") for text in ("1.00.000 MB", "1.000,000.5 MB", "1 00 MB", ".5 GB", "5. GB", "9" * 13)],
    ],
)
def test_what_has_two_readings_or_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_size(text, bare=MEGABYTE)
    assert message in caught.value.message_dict["quota"][0]


@given(st.integers(SMALLEST_BYTES, LARGEST_BYTES), st.sampled_from(["en", "es"]))
def test_a_size_in_a_form_or_a_file_is_read_as_it_was(size_bytes: int, language: str) -> None:
    with translation.override(language):
        assert parse_size(size_typed(size_bytes)) == size_bytes
    assert parse_size(size_typed(size_bytes, point=".")) == size_bytes
