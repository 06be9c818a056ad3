"""Plain text: quotes, signature and links as values."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.markup.text import MAX_BLOCKS, Block, Run, tokenize_text

UNITS = [
    "a",
    "@",
    "a@",
    "www.",
    "http://",
    "http://a.test ",
    "a@b.test ",
    ">",
    "> a\n>> b\n",
    "\n",
    "a.",
    ")",
    "a@" + "b" * 60,
]


def links(text: str) -> list[tuple[str, str]]:
    return [(run.text, run.href) for block in tokenize_text(text).blocks for run in block.runs if run.href]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vea https://x.test/a.", [("https://x.test/a", "https://x.test/a")]),
        ("(https://x.test/a_(b))", [("https://x.test/a_(b)", "https://x.test/a_%28b%29")]),
        ("<https://x.test/a>, y", [("https://x.test/a", "https://x.test/a")]),
        ("www.x.test/ñ!", [("www.x.test/ñ", "https://www.x.test/ñ")]),
        ("HTTP://X.test", [("HTTP://X.test", "http://X.test")]),
        ("a ana.b+c@x.test, y", [("ana.b+c@x.test", "mailto:ana.b+c@x.test")]),
        ("mailto:ana@x.test?subject=a", [("mailto:ana@x.test?subject=a", "mailto:ana@x.test?subject=a")]),
        ("javascript:alert(1) data:text/html,x vbscript:x file:///x", []),
        ("http:// https://. www. @ a@ @b a@b a@b..c xhttp://x.test", []),
        ("https://user:x@x.test/", [("x@x.test", "mailto:x@x.test")]),
        ('https://x.test/"><script>alert(1)</script>', [("https://x.test/", "https://x.test/")]),
        ("https://x.test/\x00\u202e", [("https://x.test/", "https://x.test/")]),
    ],
)
def test_links_are_found(text: str, found: list[tuple[str, str]]) -> None:
    assert links(text) == found


def test_quotes_and_signature_are_blocks_of_their_own() -> None:
    body = tokenize_text(
        "Hola\r\n\r\n> uno\r\n> dos\r\n>> tres\r\n> > cuatro\r\nfin\r\n-- \r\nAna\r\n> no es cita\r\n\r\n"
    )
    assert body.blocks == (
        Block("text", 0, (Run("Hola\n"),)),
        Block("quote", 1, (Run("uno\ndos"),)),
        Block("quote", 2, (Run("tres\ncuatro"),)),
        Block("text", 0, (Run("fin"),)),
        Block("signature", 0, (Run("-- \nAna\n> no es cita"),)),
    )
    assert [block.line_count for block in body.blocks] == [2, 2, 2, 1, 3]
    assert not body.truncated


@given(st.text(alphabet=st.sampled_from(list("ab.:/@> -\n()w<\"'&")), max_size=300))
def test_no_character_is_lost_but_quote_marks(text: str) -> None:
    shown = "".join(run.text for block in tokenize_text(text).blocks for run in block.runs)
    assert shown.replace(">", "").replace(" ", "").replace("\n", "") == (
        text.replace(">", "").replace(" ", "").replace("\n", "")
    )


@given(st.text(max_size=500))
def test_every_link_has_an_allowed_scheme(text: str) -> None:
    for _shown, href in links(text):
        assert href.startswith(("http://", "https://", "mailto:"))
        assert not set(href) & set("<>\"' \n\\")


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "@",
        "a@",
        "www.",
        "http://",
        "http://a.test ",
        "a@b.test ",
        ">",
        "> a\n>> b\n",
        "\n",
        "a.",
        ")",
        "a@" + "b" * 60,
    ],
)
def test_two_megabytes_of_anything_take_linear_time(unit: str) -> None:
    start = time.process_time()
    body = tokenize_text(unit * (2_100_000 // len(unit)))
    assert time.process_time() - start < 2
    assert len(body.blocks) <= MAX_BLOCKS
    assert sum(len(block.runs) for block in body.blocks) < 50_000


def test_a_long_text_is_cut_and_says_so() -> None:
    assert tokenize_text("a" * 2_000_001).truncated
    assert tokenize_text("a\n> b\n" * MAX_BLOCKS).truncated
