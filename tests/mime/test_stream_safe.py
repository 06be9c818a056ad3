"""Runs of combining marks are cut; whatever people write is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.markup.sanitize import sanitize
from webmail.mime.body import text_of
from webmail.mime.headers import make_safe
from webmail.stream_safe import stream_safe
from webmail.values import Part, PartNumber

ACUTE = "\u0301"


@pytest.mark.parametrize(
    "text", ["", "plain", "ñandú", "n\u0303", "שָׁלוֹם", "x" + ACUTE * 30, "กำลังใจ", "👩\u200d👩\u200d👧", "한국어"]
)
def test_what_people_write_stays(text: str) -> None:
    assert stream_safe(text) == text


def test_what_nobody_writes_is_cut() -> None:
    assert stream_safe("x" + ACUTE * 50_000 + "y") == "x" + ACUTE * 30 + "y"
    assert stream_safe(("x" + "\u0301\u20dd" * 40) * 2) == ("x" + "\u0301\u20dd" * 15) * 2


@given(st.text())
def test_cutting_twice_is_cutting_once(text: str) -> None:
    assert stream_safe(stream_safe(text)) == stream_safe(text)


def test_it_takes_no_time() -> None:
    begun = time.process_time()
    stream_safe("é" * 2_000_000 + ACUTE * 2_000_000)
    assert time.process_time() - begun < 1


def test_bodies_subjects_and_html_pass_it() -> None:
    part = Part(PartNumber("1"), "text", "plain", charset="utf-8")
    assert len(text_of(part, ("x" + ACUTE * 1000).encode())[0]) == 31
    assert len(make_safe("x" + ACUTE * 1000)) == 31
    assert len(sanitize("<p>x" + "&#x301;" * 1000 + "</p>", cid_urls={}, remote="block").html) == len("<p></p>") + 31
