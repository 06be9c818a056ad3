"""The MIME tree: numbers, sizes and names, whatever the message looks like."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.letters import HTML, PDF, TEXT, joined, letter, multipart, part
from webmail.mime.choose import leaves
from webmail.mime.structure import clean_filename, parse_message, part_bytes, part_from_fields
from webmail.values import Part, PartNumber

MIXED = 'multipart/mixed; boundary="b"'
PIECES = st.lists(
    st.sampled_from(
        [
            b"Content-Type: multipart/mixed; boundary=b\r\n",
            b"Content-Type: message/rfc822\r\n",
            b"Content-Disposition: attachment; filename*0*=x''%41; filename*1=b\r\n",
            b"Content-Transfer-Encoding: base64\r\n",
            b"\r\n",
            b"\n",
            b"--b\r\n",
            b"--b--\r\n",
            b"text",
            b"\0",
            b"\r",
            b";\r\n boundary=",
        ]
    )
).map(b"".join)


def outline(node: Part) -> list[tuple[str, str]]:
    return [(node.number, node.media_type)] + [line for child in node.children for line in outline(child)]


def codes(raw: bytes) -> list[str]:
    return [defect.code for defect in parse_message(raw)[1]]


def filename(*lines: bytes) -> str:
    raw = b"\r\n".join([b"Content-Type: application/pdf", *lines]) + b"\r\n\r\nx"
    return parse_message(raw)[0].filename


def test_a_message_without_mime_is_one_plain_text():
    tree, defects = parse_message(b"Subject: x\r\n\r\nhello\r\n")
    assert outline(tree) == [("1", "text/plain")]
    assert tree.size_bytes == 7
    assert defects == []


def test_parts_are_numbered_as_imap_does():
    inner = letter("inner", 'multipart/mixed; boundary="i"', joined("i", TEXT, PDF))
    single = letter("single", "text/html", b"<p>hi")
    raw = letter(
        "outer",
        MIXED,
        joined(
            "b",
            multipart("alternative", "a", TEXT, HTML),
            part("message/rfc822", inner),
            part("message/rfc822", single),
        ),
    )
    tree, defects = parse_message(raw)
    assert defects == []
    assert outline(tree) == [
        ("", "multipart/mixed"),
        ("1", "multipart/alternative"),
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "message/rfc822"),
        ("2", "multipart/mixed"),
        ("2.1", "text/plain"),
        ("2.2", "application/pdf"),
        ("3", "message/rfc822"),
        ("3.1", "text/html"),
    ]
    assert part_bytes(raw, PartNumber("1.2")) == b"<p>visible html</p>\r\n"
    assert part_bytes(raw, PartNumber("2")) == inner
    assert part_bytes(raw, PartNumber("3.1")) == b"<p>hi"
    assert part_bytes(raw, PartNumber("")) == raw
    assert part_bytes(raw, PartNumber("7.7")) == b""


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\r\r\n"])
def test_any_kind_of_line_end_gives_the_same_tree(end):
    raw = letter("x", MIXED, joined("b", TEXT, HTML)).replace(b"\r\n", end)
    tree, defects = parse_message(raw)
    assert outline(tree)[1:] == [("1", "text/plain"), ("2", "text/html")]
    assert part_bytes(raw, PartNumber("2")).strip() == b"<p>visible html</p>"


def test_what_stands_before_and_after_the_parts_is_not_shown():
    raw = letter("x", MIXED, b"preamble\r\n" + joined("b", TEXT) + b"epilogue\r\n--b\r\n\r\nsmuggled\r\n")
    assert [leaf.number for leaf in leaves(parse_message(raw)[0])] == ["1"]


def test_a_boundary_must_be_a_whole_line():
    body = joined("b", part("text/plain", b"--bb\r\n --b\r\nx --b\r\n--b x\r\n"), HTML)
    raw = letter("x", MIXED, body)
    assert part_bytes(raw, PartNumber("1")) == b"--bb\r\n --b\r\nx --b\r\n--b x\r\n"
    assert codes(raw) == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", joined("b", TEXT)),
        (MIXED, b"hello, no part here\r\n"),
        ('multipart/mixed; boundary=""', joined("b", TEXT)),
        ('multipart/mixed; boundary="other"', joined("b", TEXT)),
    ],
)
def test_a_multipart_that_cannot_be_split_is_read_as_text(content_type, body):
    raw = letter("x", content_type, body)
    tree, _ = parse_message(raw)
    assert outline(tree)[1:] == [("1", "text/plain")]
    assert part_bytes(raw, PartNumber("1")) == body
    assert codes(raw) == ["structure"]


def test_a_missing_end_is_a_defect_and_the_last_part_is_read():
    raw = letter("x", MIXED, joined("b", TEXT, HTML, end=False))
    assert codes(raw) == ["structure"]
    assert part_bytes(raw, PartNumber("2")).startswith(b"<p>visible html</p>")


def test_a_message_without_a_header_is_all_text():
    for raw in (b"\r\nhello", b"hello there, this is no header\r\nand more\r\n"):
        tree, _ = parse_message(raw)
        assert b"hello" in part_bytes(raw, tree.number)


def test_text_right_after_the_fields_is_the_body():
    raw = b"Subject: x\r\nhello without a blank line\r\nmore: text\r\n"
    assert part_bytes(raw, PartNumber("1")) == b"hello without a blank line\r\nmore: text\r\n"


def test_an_empty_message_says_so():
    assert codes(b"") == ["empty"]
    assert outline(parse_message(b"")[0]) == [("1", "text/plain")]


def test_parts_of_a_digest_are_messages():
    raw = letter("x", 'multipart/digest; boundary="b"', joined("b", b"\r\n" + letter("one", "text/plain", b"hi")))
    assert outline(parse_message(raw)[0]) == [("", "multipart/digest"), ("1", "message/rfc822"), ("1.1", "text/plain")]


def test_too_many_parts_are_cut_and_told():
    tree, _ = parse_message(letter("x", MIXED, joined("b", *[TEXT] * 1_500)))
    assert len(tree.children) == 999
    assert codes(letter("x", MIXED, joined("b", *[TEXT] * 1_500))) == ["too-many-parts"]


def test_too_deep_a_nesting_is_cut_and_told():
    entity = TEXT
    for level in range(200):
        entity = multipart("mixed", f"n{level}", entity)
    tree, defects = parse_message(entity)
    assert "too-deep" in [defect.code for defect in defects]
    assert len(outline(tree)) == 52


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([b"Content-Disposition: attachment; filename=a.pdf"], "a.pdf"),
        ([b"Content-Disposition: attachment; filename=my big file.pdf; size=3"], "my big file.pdf"),
        ([b'Content-Disposition: attachment; filename="a \\"b\\".pdf"'], "a _b_.pdf"),
        ([b"Content-Disposition: attachment; filename*=utf-8''%C3%B1.pdf; filename=n.pdf"], "ñ.pdf"),
        ([b"Content-Disposition: attachment; filename*=iso-8859-1'es'%F1.pdf"], "ñ.pdf"),
        (
            [b"Content-Disposition: attachment;\r\n filename*0*=utf-8''%C3;\r\n filename*1*=%B1;\r\n filename*2=.pdf"],
            "ñ.pdf",
        ),
        ([b"Content-Disposition: attachment; filename*1=b.pdf; filename*0=a"], "ab.pdf"),
        ([b'Content-Disposition: attachment; filename="=?utf-8?q?=C3=B1?=.pdf"'], "ñ.pdf"),
        ([b'Content-Disposition: attachment; filename="=?utf-8?q?=C3?=\r\n =?utf-8?q?=B1.pdf?="'], "ñ.pdf"),
        ([b'Content-Disposition: attachment; filename="\xf1.pdf"'], "ñ.pdf"),
        ([b'Content-Type: application/pdf; name="a.pdf"'], ""),
        ([b"Content-Disposition: attachment; filename*=utf-8''a%0D%0AX:%20y%00.pdf"], "a X_ y.pdf"),
        ([b"Content-Disposition: attachment; filename*=utf-8''%E2%80%AEfdp.exe"], "fdp.exe"),
        ([b'Content-Disposition: attachment; filename="open'], "open"),
    ],
)
def test_a_file_name_is_read_by_all_the_rules(lines, name):
    assert filename(*lines) == name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.dll", "x.dll"),
        ("C:\\x.txt", "x.txt"),
        ("a:b.txt", "a_b.txt"),
        ("...", ""),
        (".htaccess", "htaccess"),
        ("x.exe. . .", "x.exe"),
        ("CON.txt", "_CON.txt"),
        ("lpt1", "_lpt1"),
        ("console.txt", "console.txt"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("a\u200b.p\u00addf", "a.pdf"),
        ("invoice.pdf" + " " * 60 + ".exe", "invoice.pdf .exe"),
        ("a\r\nb\0c", "a bc"),
        ("x" * 300 + ".pdf", "x" * 176 + ".pdf"),
        ("a." + "x" * 300, "a." + "x" * 178),
        ("", ""),
    ],
)
def test_a_file_name_names_no_place_and_hides_no_ending(name, clean):
    assert clean_filename(name) == clean


def test_20000_segments_of_one_name_take_no_time():
    params = {f"filename*{number}": b"a" for number in range(20_000)}
    begun = time.process_time()
    made = part_from_fields(
        PartNumber("1"), "application", "pdf", {}, disposition="attachment", disposition_params=params
    )
    assert made.filename == "a" * 180
    assert time.process_time() - begun < 0.5


def test_fields_are_taken_for_what_they_mean():
    made = part_from_fields(
        PartNumber("2"),
        "TEXT",
        "Plain",
        {"charset": b"UTF-8 (unicode)", "format": b"Flowed", "delsp": b"YES"},
        encoding=' "Base64" (really)',
        size=-5,
        disposition="EXECUTE",
        cid=b" <a@b> ",
        description=b"=?utf-8?q?=C3=B1?=",
    )
    assert made == Part(
        number=PartNumber("2"),
        type="text",
        subtype="plain",
        charset="UTF-8",
        encoding="base64",
        size_bytes=0,
        disposition="attachment",
        cid="a@b",
        format_flowed=True,
        delsp=True,
        description="ñ",
    )


@pytest.mark.parametrize("kind", ["", "text", "/", ";;;", "../../etc/passwd", "<script>/x y", "text/"])
def test_a_broken_type_is_plain_text_or_one_that_can_be_shown(kind):
    tree, _ = parse_message(letter("x", kind or " ", b"hello"))
    assert set(tree.media_type) <= set("abcdefghijklmnopqrstuvwxyz0123456789./+-_")
    assert tree.type[0].isalnum()


@given(st.one_of(st.binary(max_size=500), PIECES))
def test_any_bytes_give_a_tree_whose_parts_can_be_cut_out(raw):
    tree, _ = parse_message(raw)
    for leaf in leaves(tree):
        assert len(part_bytes(raw, leaf.number)) == leaf.size_bytes


@given(st.text(max_size=400))
def test_any_name_becomes_a_safe_one(name):
    clean = clean_filename(name)
    assert len(clean) <= 181
    assert not set(clean) & set('/\\:*?"<>|\r\n\0\u202e\u2066')
    assert not clean.startswith(".")
    assert not clean.endswith((".", " "))
