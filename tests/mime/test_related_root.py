"""multipart/related: the root is the part that `start` names (RFC 2387 section 3.2), wherever it stands."""

import pytest

from tests.data.letters import joined, letter, part
from webmail.imap.structure import read_structure
from webmail.imap.wire import Token
from webmail.mime.choose import choose_bodies, find_html, find_plain
from webmail.mime.parameters import part_from_fields
from webmail.mime.structure import parse_message
from webmail.sources.cache import _pack_structure, _unpack_structure
from webmail.values import Part, PartNumber

FRAME = part("text/html; charset=utf-8", b"<p>a frame\r\n", b"Content-ID: <frame@x>")
ROOT = part("text/html; charset=utf-8", b"<p>the root\r\n", b"Content-ID: <root@x>")
LOGO = part("image/png", b"x", b"Content-ID: <logo@x>")
ALTERNATIVE = part(
    'multipart/alternative; boundary="a"',
    joined("a", part("text/plain", b"plain\r\n"), part("text/html", b"<p>html\r\n")),
    b"Content-ID: <both@x>",
)


def related(start: str, *parts: bytes) -> Part:
    start = f"; {start}" if start else ""
    return parse_message(letter("related", f'multipart/related; boundary="b"{start}', joined("b", *parts)))[0]


def numbers(tree: Part) -> tuple[list[str], list[str]]:
    shown, files = choose_bodies(tree)
    return [body.number for body in shown], [file.number for file in files]


@pytest.mark.parametrize(
    "start",
    [
        'start="<root@x>"',
        "start=<root@x>",
        'start="root@x"',
        'START="<root@x>"',
        'start=" <root@x> "',
        "start*=us-ascii''%3Croot%40x%3E",
        'start*0="<root"; start*1="@x>"',
        'type="text/html";\r\n\tstart="<root@x>"; start-info="-i"',
    ],
)
def test_the_root_is_the_part_that_start_names(start: str) -> None:
    assert numbers(related(start, FRAME, LOGO, ROOT)) == (["3"], ["1", "2"])


@pytest.mark.parametrize(
    "start", ["", 'start=""', 'start="<nowhere@x>"', 'start="<ROOT@X>"', 'start="<logo@x>"', "start"]
)
def test_without_a_root_that_can_be_read_it_is_the_first_that_can(start: str) -> None:
    assert numbers(related(start, LOGO, FRAME, ROOT)) == (["2"], ["1", "3"])


def test_a_multipart_can_be_the_root() -> None:
    assert numbers(related('start="<both@x>"', FRAME, ALTERNATIVE)) == (["2.2"], ["1"])


def test_a_text_that_is_the_root_goes_before_an_html_that_is_not() -> None:
    plain = part("text/plain", b"the root\r\n", b"Content-ID: <root@x>")
    assert numbers(related('start="<root@x>"', FRAME, plain)) == (["2"], ["1"])


def test_start_says_nothing_outside_of_related() -> None:
    tree = parse_message(letter("mixed", 'multipart/mixed; boundary="b"; start="<root@x>"', joined("b", FRAME, ROOT)))[
        0
    ]
    assert numbers(tree) == (["1", "2"], [])
    assert parse_message(letter("text", 'text/plain; start="<root@x>"', b"x"))[0].start == ""


def test_a_snippet_is_of_the_root() -> None:
    tree = related('start="<root@x>"', FRAME, LOGO, ROOT)
    html = find_html(tree)
    assert html
    assert html.number == "3"
    texts = [part("text/plain", b"x\r\n", b"Content-ID: <%s@x>" % name) for name in (b"first", b"root")]
    plain = find_plain(related('start="<root@x>"', *texts))
    assert plain
    assert plain.number == "2"


def test_two_parts_with_the_cid_of_the_root_give_the_first() -> None:
    assert numbers(related('start="<root@x>"', FRAME, ROOT, ROOT)) == (["2"], ["1", "3"])


def test_the_root_is_found_in_what_a_server_tells() -> None:
    def html(cid: bytes) -> list[Token]:
        return [b"TEXT", b"HTML", [b"CHARSET", b"utf-8"], cid, None, b"7BIT", b"9", b"1", None, None, None, None]

    told: list[Token] = [
        html(b"<frame@x>"),
        html(b"<root@x>"),
        b"RELATED",
        [b"BOUNDARY", b"b", b"START", b"<root@x>"],
        None,
        None,
    ]
    tree = read_structure(told)
    assert tree
    assert numbers(tree) == (["2"], ["1"])


def test_the_root_is_still_known_after_the_cache() -> None:
    tree = related('start="<root@x>"', FRAME, LOGO, ROOT)
    assert _unpack_structure(_pack_structure(tree)) == tree


def test_a_hostile_start_is_harmless() -> None:
    made = part_from_fields(
        PartNumber(""), "multipart", "related", {"start": b"<\x00\r\n\xe2\x80\xae" + b"x" * 9_000 + b">"}
    )
    assert made.start.isprintable()
    assert len(made.start) <= 500
