"""format=flowed as it is written, read back by Casilla's own reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.body import unflow
from webmail.mime.flowed import encode_flowed

TEXTS = st.lists(
    st.sampled_from([" ", " ", "\n", ">", "-- ", "--", "From ", "a", "word", "ñandú", "x" * 90, "\t", "\u00a0", "日本"])
).map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def without_trailing_spaces(text: str) -> str:
    """The text as a reader may compare it: no spaces at line ends, one space after quote marks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    out = []
    for line in lines:
        rest = line.lstrip(">")
        marks = line[: len(line) - len(rest)]
        rest = rest.removeprefix(" ") if marks else rest
        out.append(f"{marks}{' ' if marks else ''}{rest if rest == '-- ' else rest.rstrip(' ')}".rstrip(" "))
    return "\n".join(out)


@given(TEXTS, st.integers(5, 90))
def test_what_is_written_is_read_back(text, width):
    read = unflow(encode_flowed(text, width=width), delsp=False)
    assert without_trailing_spaces(read) == without_trailing_spaces(text)


@given(TEXTS)
def test_a_line_longer_than_the_width_is_one_word(text):
    for line in encode_flowed(text).split("\n"):
        assert (
            len(line.rstrip(" ")) <= 72
            or " " not in line.lstrip("> ").rstrip(" ")
            or line.lstrip("> ").startswith("-- ")
        )


@given(TEXTS)
def test_a_signature_mark_appears_only_where_the_text_has_one(text):
    before = text.replace("\r\n", "\n").replace("\r", "\n").split("\n").count("-- ")
    assert encode_flowed(text).split("\n").count("-- ") == before


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("uno\ndos", "uno\ndos"),
        ("uno\r\ndos\rtres", "uno\ndos\ntres"),
        ("sobra   ", "sobra"),
        ("-- \nAna", "-- \nAna"),
        ("> -- \n> Ana", "> -- \n> Ana"),
        (" sangría", "  sangría"),
        ("From ab", " From \nab"),
        (">cita", "> cita"),
        (">>  cita", ">>  cita"),
        ("> > a", "> > a"),
        (">", ">"),
        ("uno dos tres", "uno \ndos \ntres"),
        ("> uno dos tres", "> uno \n> dos \n> tres"),
        ("uno12 > dos1", "uno12 \n > dos1"),
        ("https://example.org/a-b?c=d&e=f#g fin", "https://example.org/a-b?c=d&e=f#g \nfin"),
        ("-- y algo", "-- y \nalgo"),
        ("-- largo", "-- largo"),
    ],
)
def test_lines_break_softly_at_spaces(text, written):
    assert encode_flowed(text, width=6) == written


def test_a_long_quote_keeps_its_depth_on_every_line():
    lines = encode_flowed(">> " + "palabra " * 40).split("\n")
    assert len(lines) > 3
    assert all(line.startswith(">> palabra") and len(line.rstrip()) <= 72 for line in lines)
    assert all(line.endswith(" ") for line in lines[:-1])
