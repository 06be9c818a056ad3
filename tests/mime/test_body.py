"""Bodies: transfer encodings, charsets, format=flowed."""

import base64
import quopri
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.body import decode_part, decode_stream, text_of, unflow
from webmail.mime.charsets import decode_text
from webmail.values import Part, PartNumber


def text_part(encoding: str = "", charset: str = "utf-8", subtype: str = "plain", *, flowed: bool = False) -> Part:
    return Part(PartNumber("1"), "text", subtype, charset=charset, encoding=encoding, format_flowed=flowed)


FILE64 = Part(PartNumber("1"), "application", "pdf", encoding="base64")


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"dmlzaWJsZQ==", b"visible"),
        (b"dmlz\r\naWJs\r\nZQ==\r\n", b"visible"),
        (b"d m l z\r\n a W J s Z Q = =", b"visible"),
        (b"dmlzaWJsZQ", b"visible"),
        (b"dmlz!aWJs#ZQ==", b"visible"),
        (b"dmlzaWJsZQ==\r\ndmlzaWJsZQ==\r\n", b"visiblevisible"),
        (b"dmlzaWJsZQ==\r\n-- \r\nThis list adds a footer\r\n", b"visible"),
        (b"_-__", b"\xff\xef\xff"),
        (b"Q", b""),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_base64_gives_what_can_be_read(encoded, decoded):
    assert decode_part(FILE64, encoded) == decoded


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"a=3Db", b"a=b"),
        (b"one =\r\ntwo", b"one two"),
        (b"one =  \r\ntwo", b"one two"),
        (b"=E9=e9", b"\xe9\xe9"),
        (b"=ZZ =4", b"=ZZ =4"),
        (b"end=", b"end"),
    ],
)
def test_quoted_printable_gives_what_can_be_read(encoded, decoded):
    assert decode_part(text_part("quoted-printable"), encoded) == decoded


def test_uuencode_is_read_between_its_lines_even_when_they_are_faulty():
    encoded = b"prose\r\nbegin 644 v.txt\r\n'=FES:6)L90``\r\n\xff\xff\r\n`\r\nend\r\nmore prose\r\n"
    assert decode_part(text_part("x-uuencode"), encoded) == b"visible"


@pytest.mark.parametrize("encoding", ["base64", "x-uuencode"])
def test_a_plain_text_that_claims_to_be_encoded_is_shown_as_it_is(encoding):
    body = b"visible plain text that is not encoded at all, sorry.\r\n"
    assert decode_part(text_part(encoding), body) == body


@pytest.mark.parametrize("encoding", ["", "7bit", "8bit", "binary", "x-rot13"])
def test_other_encodings_leave_the_bytes_alone(encoding):
    assert decode_part(text_part(encoding), b"a=3D\xff\0") == b"a=3D\xff\0"


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.binary(max_size=400), st.lists(st.integers(0, 2_000), max_size=8))
def test_base64_in_pieces_is_the_same_as_at_once(data, cuts):
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    assert b"".join(decode_stream(FILE64, pieces(encoded, cuts))) == data


@given(st.binary(max_size=400), st.lists(st.integers(0, 2_000), max_size=8))
def test_quoted_printable_in_pieces_is_the_same_as_at_once(data, cuts):
    encoded = quopri.encodestring(data)
    whole = decode_part(text_part("quoted-printable"), encoded)
    assert whole == quopri.decodestring(encoded)
    assert b"".join(decode_stream(text_part("quoted-printable"), pieces(encoded, cuts))) == whole


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_long_lines_without_a_break_can_be_cut_anywhere(size):
    encoded = b"=C3=B1" * 5_000
    chunks = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    assert b"".join(decode_stream(text_part("quoted-printable"), chunks)) == "ñ".encode() * 5_000
    long = base64.b64encode(b"visible" * 3_000)
    chunks = [long[at : at + size] for at in range(0, len(long), size)]
    assert b"".join(decode_stream(FILE64, chunks)) == b"visible" * 3_000


@given(st.binary(max_size=500), st.sampled_from(["base64", "quoted-printable", "x-uuencode", "7bit", "?"]))
def test_no_bytes_make_decoding_stumble(data, encoding):
    part = text_part(encoding, charset="utf-7")
    text, _ = text_of(part, decode_part(part, data))
    text.encode("utf-8")


def test_a_stream_holds_only_a_piece_at_a_time():
    seen: list[int] = []

    def chunks():
        for number in range(100):
            seen.append(number)
            yield b"dmlzaWJsZSAg\r\n" * 1_000

    stream = decode_stream(FILE64, chunks())
    next(stream)
    assert len(seen) <= 2


@pytest.mark.parametrize(
    ("charset", "data", "text", "guessed"),
    [
        ("utf-8", "ñ€".encode(), "ñ€", False),
        ("", "ñ€".encode(), "ñ€", False),
        ("", b"plain", "plain", False),
        ("", "ñ".encode("latin-1"), "ñ", True),
        ("us-ascii", "ñ".encode(), "ñ", True),
        ("iso-8859-1", "“ñ”€".encode("cp1252"), "“ñ”€", False),
        ("utf-8", "España ñandú".encode("latin-1"), "España ñandú", True),
        ("utf-8", "España €".encode()[:-1], "España \ufffd", True),
        ("utf-8", "caf\xe9".encode("latin-1"), "café", True),
        ("utf-8", "ñ".encode() + b"\xff", "ñ\ufffd", True),
        ("gb2312", "朱镕基".encode("gb18030"), "朱镕基", False),
        ("ks_c_5601-1987", "한국".encode("cp949"), "한국", False),
        ("Shift-JIS", "①髙".encode("cp932"), "①髙", False),
        ("iso-2022-jp", "日本".encode("iso2022_jp"), "日本", False),
        ("windows-1251", "Привет".encode("cp1251"), "Привет", False),
        ("WINDOWS1251", "Привет".encode("cp1251"), "Привет", False),
        ("x-windows-1252", b"\x80", "€", False),
        ("iso_8859-15", b"\xa4", "€", False),
        ("koi8-u", "Ї".encode("koi8-u"), "Ї", False),
        ("x-unknown", "ñ".encode(), "ñ", False),
        ("klingon", "ñ".encode("latin-1"), "ñ", True),
        ("rot13", b"abc", "abc", False),
        ("zlib_codec", b"abc", "abc", False),
        ("utf-7", b"+AOk-", "é", False),
        ("", b"+ADw-script+AD4-", "+ADw-script+AD4-", False),
        ("utf-8", b"a\0b", "ab", False),
        ("utf-8", b"\xed\xa0\x80x", "í\xa0€x", True),
        ("utf-16", "hola".encode("utf-16"), "hola", False),
        ("'utf-8'", "ñ".encode(), "ñ", False),
        ("x" * 10_000, b"a", "a", False),
    ],
)
def test_text_is_read_in_the_charset_that_it_is_in(charset, data, text, guessed):
    assert decode_text(data, charset) == (text, guessed)


@given(
    st.binary(max_size=300),
    st.sampled_from(["utf-7", "utf-16", "utf-32", "hz", "iso-2022-jp", "iso-2022-kr", "big5", "cp037", "gb18030"]),
)
def test_no_bytes_in_any_charset_give_surrogates_or_nul(data, charset):
    text, _ = decode_text(data, charset)
    text.encode("utf-8")
    assert "\0" not in text


def test_line_ends_become_one_kind():
    assert text_of(text_part(), b"a\r\nb\rc\nd\r\r\ne")[0] == "a\nb\nc\nd\ne"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (b"<meta charset=iso-8859-1>\xf1", "ñ"),
        (b"<meta http-equiv=Content-Type content='text/html; charset=\"koi8-r\"'>\xd0", "п"),
        (b"<meta charset=utf-7>+ADw-b+AD4-", "+ADw-b+AD4-"),
        (b"<meta charset=utf-16>\xc3\xb1", "ñ"),
        (b"\xef\xbb\xbf\xc3\xb1", "ñ"),
    ],
)
def test_html_may_name_its_own_charset(html, text):
    assert text_of(text_part(charset="", subtype="html"), html)[0].endswith(text)


@pytest.mark.parametrize(
    ("flowed", "delsp", "text"),
    [
        ("one \ntwo\nthree", False, "one two\nthree"),
        ("one \ntwo", True, "onetwo"),
        ("> one \n> two\n>> deep", False, "> one two\n>> deep"),
        ("> one \ntwo", False, "> one \ntwo"),
        (" From space\n  indented", False, "From space\n indented"),
        ("text \n-- \nsignature", False, "text \n-- \nsignature"),
        ("one \n\ntwo", False, "one \ntwo"),
        ("", False, ""),
    ],
)
def test_flowed_text_is_joined(flowed, delsp, text):
    assert unflow(flowed, delsp) == text


def test_flowed_applies_to_plain_text_only():
    assert text_of(text_part(flowed=True), b"a \r\nb")[0] == "a b"
    assert text_of(text_part(subtype="html", flowed=True), b"a \r\nb")[0] == "a \nb"


@given(st.text(alphabet="> -ab\n", max_size=200), st.booleans())
def test_unflowing_loses_no_letters(text, delsp):
    assert unflow(text, delsp).replace("\n", "").count("a") == text.count("a")
