"""Header fields: what a reader must see, and that nothing makes the parsers stumble."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.headers import decode_header, header_value, header_values, make_safe, parse_headers, split_header

WORDS = st.lists(
    st.sampled_from(
        [b"=?", b"?=", b"=?utf-8?q?", b"=?utf-8?b?", b"=C3", b"w7E=", b" ", b"\r\n ", b"\r", b"?", b"\xf1", b"\0"]
    )
).map(b"".join)


def test_fields_keep_their_order_their_names_and_their_folds():
    fields, defects = split_header(b"Subject: one\r\n two\r\nX-A: b\r\nsubject: three\r\n\r\nbody: no\r\n")
    assert fields == [("Subject", b" one\r\n two"), ("X-A", b" b"), ("subject", b" three")]
    assert defects == []


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\r\r\n"])
def test_every_kind_of_line_end_separates_fields(end):
    fields, _ = split_header(end.join([b"From: a", b"Subject: b", b"", b"Body: c", b""]))
    assert [(name, value.strip()) for name, value in fields] == [("From", b"a"), ("Subject", b"b")]


def test_a_bare_cr_inside_a_line_starts_no_new_field():
    headers, _ = parse_headers(b"Subject: hello\rBcc: victim@example.org\r\nFrom: a\r\n\r\n")
    assert [header.name for header in headers] == ["Subject", "From"]
    assert header_value(headers, "subject") == "hello Bcc: victim@example.org"


def test_a_line_without_a_colon_is_a_defect_and_the_rest_is_read():
    fields, defects = split_header(b"From: a\r\nnonsense\r\nSubject: b\r\n\r\n")
    assert [name for name, _ in fields] == ["From", "Subject"]
    assert [defect.code for defect in defects] == ["header"]


def test_an_mbox_line_before_the_header_is_no_defect():
    fields, defects = split_header(b"From ana@example.org Mon Nov 2 10:00:00 2026\r\nSubject: x\r\n\r\n")
    assert fields == [("Subject", b" x")]
    assert defects == []


def test_a_long_body_does_not_make_the_header_truncated():
    assert split_header(b"Subject: x\r\n\r\n" + b"y" * 500_000)[1] == []


def test_a_header_over_the_limit_is_cut_and_says_so():
    fields, defects = split_header(b"Subject: x\r\nX-Big: " + b"y" * 300_000 + b"\r\nLast: z\r\n\r\n")
    assert [name for name, _ in fields] == ["Subject", "X-Big"]
    assert [defect.code for defect in defects] == ["truncated"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"=?utf-8?q?=C3=B1and=C3=BA?=", "ñandú"),
        (b"=?UTF-8?B?w7HDsQ==?=", "ññ"),
        (b"=?utf-8?q?=C3?=\r\n =?utf-8?q?=B1?=", "ñ"),
        (b"=?utf-8?b?w?= =?utf-8?q?=C3=B1?=", "ñ"),
        (b"=?utf-8?q?a?= =?iso-8859-1?q?=F1?= b", "añ b"),
        (b"a =?utf-8?q?b?= c", "a b c"),
        (b"=?iso-8859-1?q?=93x=94_=80?=", "“x” €"),
        (b"=?gb2312?b?1uzps7v5?=", "朱槌基"),
        (b"=?ks_c_5601-1987?b?x9G5zg==?=", "한민"),
        (b"=?utf-8*es?q?hola?=", "hola"),
        (b"=?klingon?q?hola?=", "hola"),
        (b"=?utf-8?q?with spaces inside?=", "with spaces inside"),
        (b"=?utf-8?q?what??=", "what?"),
        (b"=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        (b"=?utf-8?q?unfinished =?utf-8?q?=C3=B1?=", "=?utf-8?q?unfinished ñ"),
        ("ñandú €".encode(), "ñandú €"),
        ("ñandú €".encode("cp1252"), "ñandú €"),
        (b"one\r\n\ttwo\r\n three", "one two three"),
        (b"=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x"),
        (b"a\x00b\x1bc\x7f", "ab c"),
        (b"=?utf-8?q?=E2=80=AEgpj=2Eexe?=", "gpj.exe"),
        (b"=?rot13?q?ivfvoyr?=", "ivfvoyr"),
        (b"", ""),
    ],
)
def test_a_value_is_read_as_its_writer_meant_it(raw, shown):
    assert decode_header(raw) == shown


def test_encoded_words_in_trace_fields_are_left_alone():
    forged = b"Authentication-Results: mx; spf=fail smtp.mailfrom==?utf-8?q?x=3B_dmarc=3Dpass?=@evil.example\r\n\r\n"
    headers, _ = parse_headers(forged)
    assert "; dmarc=pass" not in headers[0].value


def test_equal_names_give_the_first_or_all_of_them():
    headers, _ = parse_headers(b"Received: one\r\nreceived: two\r\n\r\n")
    assert header_value(headers, "RECEIVED") == "one"
    assert header_values(headers, "Received") == ["one", "two"]
    assert header_value(headers, "Subject") == ""


def test_a_lone_surrogate_becomes_the_replacement_character():
    assert make_safe("a\ud800b") == "a\ufffdb"


@given(st.one_of(st.binary(max_size=300), WORDS))
def test_any_bytes_give_one_harmless_line(value):
    text = decode_header(value)
    text.encode("utf-8")
    assert not any(ord(char) < 32 or char in "\x7f\u2028\u202e\u2066" for char in text)


@given(st.binary(max_size=400))
def test_any_bytes_give_fields_with_printable_names(raw):
    headers, _ = parse_headers(raw)
    assert all(header.name.isascii() and header.name.isprintable() and header.name for header in headers)


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40))
def test_what_is_written_in_utf8_words_is_read_again(text):
    raw = text.encode()
    half = len(raw) // 2
    words = [b"=?utf-8?b?" + base64.b64encode(piece) + b"?=" for piece in (raw[:half], raw[half:])]
    assert decode_header(b"\r\n ".join(words)) == make_safe(text).strip()


@pytest.mark.parametrize(
    "unit",
    [
        b"=?",
        b"=?a?q?",
        b"=?a?q?x?= ",
        b"\r",
        b"\r\n",
        b"\r\n ",
        b" ",
        b"\t",
        b"?=",
        b"=?utf-8?b?w?=",
        b"=?x-\xff?q?y?=",
    ],
)
def test_repetition_takes_no_time(unit):
    begun = time.process_time()
    decode_header(unit * (262_144 // len(unit)))
    split_header(b"X: " + unit * (262_144 // len(unit)))
    assert time.process_time() - begun < 1
