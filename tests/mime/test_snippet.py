"""The first words of a message, for its row."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.snippet import snippet_from_html, snippet_from_text


@pytest.mark.parametrize(
    ("text", "snippet"),
    [
        ("Hola,\n\n¿comemos  mañana?\n", "Hola, ¿comemos mañana?"),
        ("> quoted\n> text\n\nMy answer", "My answer"),
        ("Vale.\n\nEl lun, 2 nov 2026 a las 10:00, Ana <a@example.org> escribió:\n> hola", "Vale."),
        ("Vale.\n\nEl lun, 2 nov 2026 a las 10:00, Ana Pérez\n(<ana@example.org>) escribió:\n> hola", "Vale."),
        ("Fine.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Ana <a@example.org> wrote:\n> hi", "Fine."),
        ("> only\n> quoted", "only quoted"),
        ("Hi\n-- \nAna\nDirectora", "Hi"),
        ("Hi\n-----Original Message-----\nFrom: x", "Hi"),
        ("-----Mensaje original-----\nDe: x", "Mensaje original De: x"),
        ("==========\nTitle\n==========", "Title"),
        ("Look <https://example.org/very/long> here", "Look here"),
        ("a\u200b\u200cb\u00ad \ufeff c", "ab c"),
        ("x\x00\x1b\u202ey", "x y"),
        ("", ""),
    ],
)
def test_the_snippet_is_what_the_writer_wrote(text, snippet):
    assert " ".join(snippet_from_text(text).split()) == snippet


@pytest.mark.parametrize(
    ("html", "snippet"),
    [
        ("<p>Hola <b>mun</b>do</p><p>adiós</p>", "Hola mundo adiós"),
        ("<style>p{color:red}</style><script>x()</script><title>t</title>Hi", "Hi"),
        ("<head><title>t</title><style>a{}</style></head><body>Hi</body>", "Hi"),
        ("<STYLE>a{}</STYLE >Hi<!-- <p>no</p> -->!", "Hi!"),
        ("caf&eacute; &amp; &#x2764; &lt;b&gt;", "café & ❤ <b>"),
        ('<div style="display:none">Preheader&zwnj;&nbsp;&zwnj;</div><p>Body</p>', "Preheader Body"),
        ("Yes<div class=gmail_quote>On Mon, Ana wrote:<br><blockquote>quoted</blockquote></div>", "Yes"),
        ("<blockquote>only a quote</blockquote>", "only a quote"),
        ("<blockquote>a<blockquote>b</blockquote>c</blockquote>mine", "mine"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<p>never closed <b", "never closed"),
        ("<style>never closed", ""),
        ("<!-- never closed", ""),
        ("", ""),
    ],
)
def test_the_snippet_of_html_is_its_text(html, snippet):
    assert snippet_from_html(html) == snippet


def test_a_snippet_is_never_longer_than_asked():
    assert len(snippet_from_text("word " * 5_000)) <= 140
    assert len(snippet_from_html("<p>word</p> " * 5_000, length=20)) <= 20


def test_a_long_style_before_the_text_does_not_hide_it():
    assert snippet_from_html("<style>" + "p{color:red}" * 10_000 + "</style><p>Hi</p>") == "Hi"


@given(st.text(max_size=300), st.text(alphabet="<>/!-abstyle &;#x\n", max_size=300))
def test_any_text_gives_one_harmless_line(text, html):
    for snippet in (snippet_from_text(text), snippet_from_html(text), snippet_from_html(html)):
        assert len(snippet) <= 140
        assert not any(ord(char) < 32 or char in "\x7f\u202e" for char in snippet)


@pytest.mark.parametrize(
    "unit", ["<", "<!--", "<style>", "</style", "<b>", "&", "&amp", "<blockquote>", "<a b=", "-", "wrote:\n", "> "]
)
def test_repetition_takes_no_time(unit):
    begun = time.process_time()
    snippet_from_html(unit * (5_000_000 // len(unit)))
    snippet_from_text(unit * (5_000_000 // len(unit)))
    assert time.process_time() - begun < 1
