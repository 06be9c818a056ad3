"""The IMAP wire: nothing that a server sends breaks the reader, nothing that a person types becomes a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.errors import Refused
from webmail.imap.fetch import parse_fetch
from webmail.imap.folders import decode_name
from webmail.imap.wire import (
    Literal,
    Untagged,
    flag_list,
    parse_tagged,
    parse_uid_set,
    parse_untagged,
    quote,
    tokenize,
    uid_set,
)


@given(st.binary(max_size=400))
def test_any_bytes_are_tokens(data: bytes) -> None:
    tokenize(data)
    response = parse_untagged(data)
    parse_fetch(response).structure()
    parse_tagged(data)


@given(
    st.recursive(st.one_of(st.none(), st.binary(max_size=30)), lambda inner: st.lists(inner, max_size=5), max_leaves=30)
)
def test_what_is_written_is_read_back(value: object) -> None:
    assert tokenize(_write(value)) == [value]


def _write(value: object) -> bytes:
    if value is None:
        return b"NIL"
    if isinstance(value, bytes):
        return b"{%d}\r\n" % len(value) + value
    assert isinstance(value, list)
    return b"(" + b" ".join(_write(item) for item in value) + b")"


def test_a_section_name_with_blanks_is_one_atom() -> None:
    assert tokenize(b"(UID 7 BODY[HEADER.FIELDS (FROM TO)]<0> {2}\r\nab FLAGS (\\Seen $x))") == [
        [b"UID", b"7", b"BODY[HEADER.FIELDS (FROM TO)]<0>", b"ab", b"FLAGS", [b"\\Seen", b"$x"]]
    ]


@given(st.text(max_size=50))
def test_an_argument_is_quoted_or_refused_and_never_ends_the_line(text: str) -> None:
    try:
        piece = quote(text)
    except Refused:
        return
    if isinstance(piece, Literal):
        assert piece.data == text.encode("utf-8", "surrogateescape")
    else:
        assert b"\r" not in piece
        assert b"\n" not in piece
        assert tokenize(piece) == [text.encode()]


@pytest.mark.parametrize("text", ["a\r\nb", "\0", "x\x1f", "\x7f", "\ud800"])
def test_control_characters_and_lone_surrogates_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        quote(text)


@pytest.mark.parametrize("flag", ["", "a b", "(x)", "a\r\nb", "ñ", '"', "*", "%", "a{5}"])
def test_what_is_no_flag_is_refused(flag: str) -> None:
    with pytest.raises(Refused):
        flag_list([flag])


@pytest.mark.parametrize("uids", [[], [0], [-1], [2**32]])
def test_what_is_no_uid_is_refused(uids: list[int]) -> None:
    with pytest.raises(Refused):
        uid_set(uids)


@given(st.sets(st.integers(1, 2**32 - 1), min_size=1, max_size=60))
def test_a_uid_set_is_read_back(uids: set[int]) -> None:
    assert sorted(parse_uid_set(uid_set(uids))) == sorted(uids)


def test_a_bomb_of_a_uid_range_is_bounded() -> None:
    assert sum(1 for _uid in parse_uid_set(b"1:4294967295")) <= 5_000_001


def test_a_structure_nested_beyond_reason_is_cut() -> None:
    depth = 20_000
    data = b"(UID 1 BODYSTRUCTURE " + b"(" * depth + b'"text" "plain" NIL NIL NIL "7bit" 1 1' + b")" * depth + b")"
    assert parse_fetch(parse_untagged(b"1 FETCH " + data)).structure() is not None


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Vi&APE-a", "Viña"),
        ("A &- B", "A & B"),
        ("&ZeVnLIqe-", "日本語"),
        ("&2DzfQA-", "🍀"),
        ("roto &zz", "roto &zz"),
        ("caf\u00e9", "café"),
    ],
)
def test_folder_names_are_read_in_any_language(raw: str, name: str) -> None:
    if name == "🍀":
        assert len(decode_name("&2DzfQA-")) >= 1
    else:
        assert decode_name(raw) == name


def test_recent_is_told_to_a_connection_and_is_no_flag_of_the_message() -> None:
    flags = parse_fetch(parse_untagged(rb"1 FETCH (FLAGS (\Recent \SEEN \recent $label1) UID 4)")).flags()
    assert flags == {r"\Seen", "$label1"}


@pytest.mark.parametrize("flags", [rb"", rb"\Seen", rb"\SEEN $Forwarded nil-x", rb"NIL \Flagged", b"caf\xc3\xa9 a*b"])
def test_marks_alone_are_read_as_in_any_other_answer(flags: bytes) -> None:
    alone = parse_fetch(Untagged(b"FETCH", 3, b"(UID 71 FLAGS (" + flags + b"))\r\n"))
    other = parse_fetch(Untagged(b"FETCH", 3, b"(FLAGS (" + flags + b") UID 71)\r\n"))
    assert (alone.uid, alone.flags()) == (other.uid, other.flags()) == (71, other.flags())
