"""Messages as they are sent: read back by Python's parser and by Casilla's, and compared field by field."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.build import Draft, File, build_message, check_recipient, new_message_id, parse_recipients
from webmail.mime.choose import choose_bodies
from webmail.mime.dates import parse_date
from webmail.mime.headers import header_value, make_safe, parse_headers, split_header
from webmail.mime.parameters import clean_filename
from webmail.mime.structure import parse_message, part_bytes
from webmail.values import Address, Part

ANA = Address("Ana Pérez", "ana@example.org")
LUIS = Address("", "luis@example.org")
WHEN = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=-3)))
ID = "<1234.abc@example.org>"
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)
NAMES = WORDS.map(make_safe)


def build(draft: Draft, **more: bool) -> bytes:
    raw = build_message(draft, date=WHEN, message_id=ID, **more)
    assert_clean(raw)
    return raw


def assert_clean(raw: bytes) -> None:
    """7-bit, CRLF only, short lines, no defect for Casilla's parser."""
    assert raw.isascii()
    assert b"\0" not in raw
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 340
    assert parse_message(raw)[1] == []


def stdlib(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def ours(raw: bytes, name: str) -> str:
    return header_value(parse_headers(raw)[0], name)


def people(raw: bytes, name: str) -> tuple[Address, ...]:
    return parse_addresses(dict(split_header(raw)[0]).get(name, b""))[0]


def shape(part: Part) -> object:
    return (part.media_type, [shape(child) for child in part.children]) if part.children else part.media_type


def body_text(raw: bytes, index: int = 0) -> str:
    part = choose_bodies(parse_message(raw)[0])[0][index]
    return text_of(part, decode_part(part, part_bytes(raw, part.number)))[0]


def leaves(part: Part) -> list[Part]:
    return [leaf for child in part.children for leaf in leaves(child)] if part.children else [part]


# --- Whole messages, octet for octet -----------------------------------------------------------------------------------------
def test_a_plain_message_is_these_octets():
    draft = Draft(Address("Ana", "ana@example.org"), (LUIS,), subject="Hola", text="Hola, Luis\n-- \nAna")
    assert build(draft) == (
        b"Date: Sun, 01 Mar 2026 09:30:00 -0300\r\n"
        b"From: Ana <ana@example.org>\r\n"
        b"Message-ID: <1234.abc@example.org>\r\n"
        b"To: luis@example.org\r\n"
        b"Subject: Hola\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=UTF-8; format=flowed\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hola, Luis\r\n-- \r\nAna\r\n"
    )


def test_a_draft_is_these_octets():
    draft = Draft(
        ANA,
        (Address("Núñez, J.", "j@ñandú.cl"), Address("", "a medio")),
        bcc=(LUIS,),
        subject="¿Mañana?",
        text="Sí.",
        receipt=True,
        identity_key="id1",
        in_reply_to="<p@x>",
        references=("<o@x>", "<p@x>"),
        extra=(("X-Casilla-Kind", "reply"),),
    )
    assert build(draft, keep_bcc=True, draft_headers=True) == (
        b"Date: Sun, 01 Mar 2026 09:30:00 -0300\r\n"
        b"From: =?UTF-8?Q?Ana_P=C3=A9rez?= <ana@example.org>\r\n"
        b"Message-ID: <1234.abc@example.org>\r\n"
        b"To: =?UTF-8?B?TsO6w7FleiwgSi4=?= <j@xn--and-6ma2c.cl>, a medio\r\n"
        b"Bcc: luis@example.org\r\n"
        b"Subject: =?UTF-8?B?wr9NYcOxYW5hPw==?=\r\n"
        b"In-Reply-To: <p@x>\r\n"
        b"References: <o@x> <p@x>\r\n"
        b"X-Casilla-Kind: reply\r\n"
        b"X-Mozilla-Draft-Info: internal/draft; vcard=0; receipt=1; DSN=0; uuencode=0;\r\n"
        b" attachmentreminder=0; deliveryformat=4\r\n"
        b"X-Identity-Key: id1\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=UTF-8; format=flowed\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b"\r\n"
        b"S=C3=AD.\r\n"
    )


def test_a_message_with_a_file_is_these_octets():
    raw = build(Draft(ANA, (LUIS,), text="Va.", files=(File("año.txt", "text/plain", "ñ\n".encode()),)))
    mark = re.search(rb'boundary="([^"]+)"', raw)
    assert mark
    assert raw.partition(b"Content-Type: multipart")[2].replace(mark[1], b"MARK") == (
        b'/mixed; boundary="MARK"\r\n\r\n'
        b"--MARK\r\n"
        b"Content-Type: text/plain; charset=UTF-8; format=flowed\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n\r\n"
        b"Va.\r\n\r\n"
        b"--MARK\r\n"
        b'Content-Type: text/plain; charset=UTF-8; name="=?UTF-8?B?YcOxby50eHQ=?="\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename*=UTF-8''a%C3%B1o.txt\r\n\r\n"
        b"w7EK\r\n\r\n"
        b"--MARK--\r\n"
    )


# --- Header ------------------------------------------------------------------------------------------------------------------
@given(WORDS | st.text("ab =?", max_size=200))
def test_any_subject_is_read_back(subject):
    raw = build(Draft(ANA, (LUIS,), subject=subject))
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert ours(raw, "Subject") == make_safe(subject).strip()
    assert make_safe(str(stdlib(raw)["Subject"])).strip() == make_safe(subject).strip()


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_any_name_is_read_back_and_is_no_address(names):
    to = tuple(Address(name, f"p{index}@example.org") for index, name in enumerate(names))
    raw = build(Draft(ANA, to))
    read = people(raw, "To")
    assert [person.email for person in read] == [person.email for person in to]
    for wanted, found in zip(names, read, strict=True):
        assert plain(found.name) == plain(wanted)
    assert [person.addr_spec for person in stdlib(raw)["To"].addresses] == [person.email for person in to]
    for wanted, person in zip(names, stdlib(raw)["To"].addresses, strict=True):
        shown = plain(make_safe(person.display_name))
        assert shown.replace(" ", "") == plain(wanted).replace(" ", "")  # Python 3.11 puts spaces between encoded words


def plain(name: str) -> str:
    """A name without the quotes around it that Casilla's reader takes off, spaces squeezed."""
    return " ".join(name.split()).strip("\"' ").strip()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ana", b"Ana <ana@example.org>"),
        ("Ana María", b"=?UTF-8?Q?Ana_Mar=C3=ADa?= <ana@example.org>"),
        ("Pérez, Ana", b"=?UTF-8?B?UMOpcmV6LCBBbmE=?= <ana@example.org>"),
        ("Perez, Ana", b'"Perez, Ana" <ana@example.org>'),
        ('Ana "la" P', b'"Ana \\"la\\" P" <ana@example.org>'),
        ("back\\slash", b'"back\\\\slash" <ana@example.org>'),
        ("boss@bank.example", b'"boss@bank.example" <ana@example.org>'),
        ("=?utf-8?q?x?=", b"=?UTF-8?B?PT91dGYtOD9xP3g/PQ==?= <ana@example.org>"),
    ],
)
def test_names_are_written_as_rfc_5322_wants_them(name, written):
    raw = build(Draft(LUIS, (Address(name, "ana@example.org"),)))
    assert dict(split_header(raw)[0])["To"].strip() == written


def test_header_lines_fold_at_78():
    to = tuple(Address("Ana María Ñ" * 3, f"persona{index}@example.org") for index in range(40))
    raw = build(Draft(ANA, to, cc=to, reply_to=(LUIS,), subject="palabra " * 60, files=(File("ñ" * 150, "a/b", b""),)))
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert people(raw, "To") == people(raw, "Cc") == to
    assert people(raw, "Reply-To") == (LUIS,)


def test_an_internationalised_domain_travels_in_a_labels_and_is_shown_in_unicode():
    raw = build(Draft(ANA, (Address("", "j@ÑANDÚ.cl"),)))
    assert b"\r\nTo: j@xn--and-6ma2c.cl\r\n" in raw
    assert people(raw, "To") == (Address("", "j@ñandú.cl"),)


@given(st.integers(0, 300), st.integers(10, 200))
def test_references_keep_the_first_and_the_last(count, size):
    ids = tuple(f"<{index:0{size}}@example.org>" for index in range(count))
    written = ours(build(Draft(ANA, (LUIS,), references=ids)), "References").split()
    assert written[:1] == list(ids[:1])
    assert written[-1:] == list(ids[-1:])
    assert written == [*ids[:1], *ids[len(ids) - len(written) + 1 :]][: len(written)]
    assert len(" ".join(written)) <= max(900, 2 * (size + 20))
    assert len(written) == count or len(" ".join(written)) > 900 - size - 20


def test_what_is_no_message_id_is_left_out_of_the_references():
    raw = build(
        Draft(ANA, (LUIS,), in_reply_to="no id", references=("<a@b>", "x <c@d> y", "<e f>", "<" + "g" * 990 + ">"))
    )
    assert ours(raw, "References") == "<a@b> <c@d>"
    assert ours(raw, "In-Reply-To") == ""


def test_date_is_read_back_with_its_zone():
    raw = build(Draft(ANA, (LUIS,)))
    assert parse_date(ours(raw, "Date")) == WHEN.astimezone(UTC)
    assert stdlib(raw)["Date"].datetime == WHEN


def test_bcc_is_kept_only_when_asked():
    draft = Draft(ANA, (), bcc=(LUIS,))
    assert b"luis" not in build(draft)
    assert people(build(draft), "To") == (Address("undisclosed-recipients", ""),)
    kept = build(draft, keep_bcc=True)
    assert people(kept, "Bcc") == (LUIS,)
    assert b"undisclosed" not in kept


def test_a_receipt_is_asked_for_when_sent_and_noted_in_a_draft():
    draft = Draft(ANA, (LUIS,), receipt=True, identity_key="id7")
    sent, kept = build(draft), build(draft, draft_headers=True)
    assert people(sent, "Disposition-Notification-To") == (ANA,)
    assert b"X-Mozilla" not in sent
    assert b"X-Identity" not in sent
    assert b"Disposition-Notification" not in kept
    assert "receipt=1;" in ours(kept, "X-Mozilla-Draft-Info")
    assert "receipt=0;" in ours(build(Draft(ANA), draft_headers=True), "X-Mozilla-Draft-Info")
    assert ours(kept, "X-Identity-Key") == "id7"


def test_our_own_fields_are_never_sent():
    draft = Draft(ANA, (LUIS,), extra=(("X-Casilla-Reply", "inbox 7"), ("X-Priority", "1")))
    assert b"Casilla" not in build(draft)
    assert ours(build(draft), "X-Priority") == "1"
    assert ours(build(draft, draft_headers=True), "X-Casilla-Reply") == "inbox 7"


@pytest.mark.parametrize(
    "name", ["Bcc", "subject", "Content-Type", "X Y", "X:Y", "", "X-Ñ", "X\r\nBcc", "Mime-Version"]
)
def test_an_extra_field_cannot_be_one_of_the_messages_own(name):
    with pytest.raises(ValueError):
        build(Draft(ANA, (LUIS,), extra=((name, "x"),)))


CONTROLS = ["\r", "\n", "\0", "\t", "\x1b", "\x7f", "\x85", "\ud800", "\r\nBcc: x@y.z"]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("drafted", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda bad: Draft(Address(bad, "a@b.c")),
        lambda bad: Draft(Address("", bad)),
        lambda bad: Draft(ANA, (Address(bad, "a@b.c"),)),
        lambda bad: Draft(ANA, (Address("", f"a{bad}@b.c"),)),
        lambda bad: Draft(ANA, cc=(Address("", f"a@b.c{bad}"),)),
        lambda bad: Draft(ANA, bcc=(Address("", f"{bad}a@b.c"),)),
        lambda bad: Draft(ANA, reply_to=(Address(bad, "a@b.c"),)),
        lambda bad: Draft(ANA, subject=bad),
        lambda bad: Draft(ANA, in_reply_to=bad),
        lambda bad: Draft(ANA, references=("<a@b>", f"<{bad}@b>")),
        lambda bad: Draft(ANA, identity_key=bad),
        lambda bad: Draft(ANA, extra=(("X-A", bad),)),
        lambda bad: Draft(ANA, extra=((f"X{bad}", "a"),)),
        lambda bad: Draft(ANA, files=(File(bad, "a/b", b""),)),
        lambda bad: Draft(ANA, html="x", files=(File("a", "a/b", b"", cid=bad),)),
    ],
)
def test_no_control_character_gets_into_a_header(make, control, drafted):
    with pytest.raises(ValueError):
        build_message(make(f"x{control}y"), date=WHEN, message_id=ID, draft_headers=drafted, keep_bcc=drafted)


@pytest.mark.parametrize(
    "message_id", ["", "a@b", "<a b>", "<a@b>\r\nX: y", "<ñ@b>", "<a@b><c@d>", "<" + "a" * 300 + ">"]
)
def test_a_message_id_that_is_none_is_refused(message_id):
    with pytest.raises(ValueError):
        build_message(Draft(ANA), date=WHEN, message_id=message_id)


def test_a_date_without_zone_is_refused():
    with pytest.raises(ValueError):
        build_message(Draft(ANA), date=WHEN.replace(tzinfo=None), message_id=ID)


@pytest.mark.parametrize("wrong", ["a medio", "josé@example.org", "x@", "@y", "ana@example.org, x@y.z", "<x@y.z>"])
def test_an_unfinished_recipient_is_kept_in_a_draft_and_never_sent(wrong):
    for person in (Address("", wrong), Address("Ana", wrong)):
        with pytest.raises(ValueError):
            build(Draft(ANA, bcc=(person,)))
        read = people(build(Draft(ANA, (person, LUIS)), draft_headers=True), "To")
        assert [found.email for found in read] == ["", "luis@example.org"]
        assert wrong.strip("<>") in read[0].name


# --- Bodies and files --------------------------------------------------------------------------------------------------------
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=400) | st.lists(
    st.sampled_from(["hola ", "ñ", "日本語", "\n", ">", "> ", "x" * 200, "From ", ".", "-- ", " ", "=", "\t", "\r\n"])
).map("".join)


@given(TEXTS)
def test_any_text_is_read_back(text):
    raw = build(Draft(ANA, (LUIS,), text=text))
    assert squeezed(body_text(raw)) == squeezed(text)
    assert stdlib(raw)["Content-Type"].params == {"charset": "UTF-8", "format": "flowed"}


def squeezed(text: str) -> list[str]:
    """Lines without trailing white space, quote marks followed by one space."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").split("\n")
    spaced = [re.sub(r"^(>+) ?", r"\1 ", line).rstrip(" ") for line in lines]
    while spaced and not spaced[-1]:
        spaced.pop()
    return spaced


@given(TEXTS)
def test_any_html_is_read_back(html):
    html = f"<p>{html}"
    raw = build(Draft(ANA, (LUIS,), html=html, text="x"))
    part = parse_message(raw)[0].children[1]
    data = decode_part(part, part_bytes(raw, part.number)).decode()
    wanted = html.replace("\r\n", "\n").replace("\r", "\n")
    assert data.replace("\r\n", "\n") == (wanted if wanted.endswith("\n") else f"{wanted}\n")
    body = stdlib(raw).get_body(("html",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == data.replace("\r\n", "\n")


def test_text_with_nul_and_lone_surrogates_is_still_sent():
    assert body_text(build(Draft(ANA, (LUIS,), text="a\0b\ud800c"))) == "ab\ufffdc\n"


@given(WORDS, st.binary(max_size=300))
def test_any_file_is_read_back(name, data):
    raw = build(Draft(ANA, (LUIS,), text="x", files=(File(name, "application/x-thing", data),)))
    part = parse_message(raw)[0].children[1]
    assert part.filename == clean_filename(name)
    assert part.disposition == "attachment"
    assert part.media_type == "application/x-thing"
    assert decode_part(part, part_bytes(raw, part.number)) == data
    attachment = next(iter(stdlib(raw).iter_attachments()))
    assert attachment.get_content() == data
    assert (attachment.get_filename() or "") == clean_filename(name)


@given(WORDS)
def test_old_programs_find_the_name_in_the_content_type(name):
    raw = build(Draft(ANA, (LUIS,), text="x", files=(File(name, "a/b", b""),)))
    without = re.sub(rb"\r\nContent-Disposition:[^\r]*(\r\n [^\r]*)*", b"", raw)
    assert clean_filename(parse_message(without)[0].children[1].filename) == clean_filename(name)


@pytest.mark.parametrize(
    ("draft", "tree"),
    [
        (Draft(ANA, text="x"), "text/plain"),
        (Draft(ANA, html="<p>x"), ("multipart/alternative", ["text/plain", "text/html"])),
        (
            Draft(ANA, html="<img src=cid:i@x>", files=(File("i.png", "image/png", PIXEL, "i@x"),)),
            ("multipart/alternative", ["text/plain", ("multipart/related", ["text/html", "image/png"])]),
        ),
        (
            Draft(ANA, text="x", files=(File("i.png", "image/png", PIXEL, "i@x"),)),
            ("multipart/mixed", ["text/plain", "image/png"]),
        ),
        (
            Draft(ANA, html="x", files=(File("a.pdf", "application/pdf", b""), File("i", "image/png", PIXEL, "i@x"))),
            (
                "multipart/mixed",
                [
                    ("multipart/alternative", ["text/plain", ("multipart/related", ["text/html", "image/png"])]),
                    "application/pdf",
                ],
            ),
        ),
    ],
)
def test_parts_nest_as_in_thunderbird(draft, tree):
    raw = build(draft)
    assert shape(parse_message(raw)[0]) == tree
    assert [part.get_content_type() for part in stdlib(raw).walk() if not part.is_multipart()] == [
        part.media_type for part in leaves(parse_message(raw)[0])
    ]


def test_an_inline_image_has_its_content_id():
    raw = build(Draft(ANA, html="<img src='cid:i@x'>", files=(File("i.png", "image/png", PIXEL, "i@x"),)))
    image = leaves(parse_message(raw)[0])[-1]
    assert (image.cid, image.disposition, image.filename) == ("i@x", "inline", "i.png")
    assert decode_part(image, part_bytes(raw, image.number)) == PIXEL


def test_the_plain_text_is_made_from_the_html_when_there_is_none():
    raw = build(Draft(ANA, html="<p>Hola <b>Luis</b></p>"))
    part = parse_message(raw)[0].children[0]
    assert decode_part(part, part_bytes(raw, part.number)) == b"Hola Luis\r\n"


def test_a_plain_message_is_attached_as_one_and_keeps_its_octets():
    inner = build(Draft(LUIS, (ANA,), subject="Dentro", text="ñ", files=(File("a", "a/b", PIXEL),)))
    raw = build(Draft(ANA, (LUIS,), files=(File("Dentro", "message/rfc822", inner),)))
    part = parse_message(raw)[0].children[1]
    assert (part.media_type, part.filename, part.encoding) == ("message/rfc822", "Dentro.eml", "7bit")
    assert part_bytes(raw, part.number) == inner
    attached = next(iter(stdlib(raw).iter_attachments())).get_content()
    assert attached["Subject"] == "Dentro"


@pytest.mark.parametrize(
    "inner", [b"Subject: \xf1\r\n\r\nx\r\n", b"A: b\r\n\r\n" + b"x" * 1200, b"A: b\n\na\0", b"A: b\r\r\n\nx"]
)
def test_a_message_that_cannot_travel_as_it_is_goes_byte_for_byte_as_a_file(inner):
    raw = build(Draft(ANA, (LUIS,), files=(File("m.eml", "message/rfc822", inner),)))
    part = parse_message(raw)[0].children[1]
    assert (part.media_type, part.filename) == ("application/octet-stream", "m.eml")
    assert decode_part(part, part_bytes(raw, part.number)) == inner


@pytest.mark.parametrize("kind", ["multipart/mixed", "", "x", "a/b/c", "text/pl\r\nain", "ñ/x", "text/html\r\nBcc: x"])
def test_a_media_type_that_is_none_becomes_octet_stream(kind):
    raw = build(Draft(ANA, (LUIS,), files=(File("a", kind, b"x"),)))
    assert parse_message(raw)[0].children[1].media_type == "application/octet-stream"


def test_no_boundary_stands_in_a_part():
    first = build(Draft(ANA, (LUIS,), files=(File("a", "a/b", b""),)))
    mark = re.search(rb'boundary="([^"]+)"', first)
    assert mark
    raw = build(Draft(ANA, (LUIS,), text=f"--{mark[1].decode()}", files=(File("a", "a/b", b""),)))
    assert len(parse_message(raw)[0].children) == 2


# --- Ids and recipients ------------------------------------------------------------------------------------------------------
def test_a_message_id_has_the_senders_domain():
    assert new_message_id("ana@ñandú.cl", "a-1.b") == "<a-1.b@xn--and-6ma2c.cl>"
    for sender, token in (
        ("ana", "a"),
        ("a@b\r\n.c", "a"),
        ("a@b.c", "a@b"),
        ("a@b.c", ""),
        ("a@b.c", "a\n"),
        ("a@b.c", "ñ"),
    ):
        with pytest.raises(ValueError):
            new_message_id(sender, token)


@pytest.mark.parametrize(
    ("address", "defect"),
    [
        ("ana@example.org", None),
        ("ana+x@mail.example.org", None),
        ("o'hara@example.org", None),
        ('"ana maria"@example.org', None),
        ("ana@ñandú.cl", None),
        ("ana@例え.jp", None),
        ("ana@xn--and-6ma2c.cl", None),
        ("ana@[192.0.2.1]", None),
        ("ana@[IPv6:2001:db8::1]", None),
        ("a" * 64 + "@example.org", None),
        ("", "syntax"),
        ("@example.org", "syntax"),
        ("ana", "no-domain"),
        ("ana@", "no-domain"),
        ("ana@localhost", "no-domain"),
        ("josé@example.org", "syntax"),
        ("ana..b@example.org", "syntax"),
        (".ana@example.org", "syntax"),
        ("ana b@example.org", "syntax"),
        ("ana@b@example.org", "syntax"),
        ("ana@exa mple.org", "syntax"),
        ("ana@-a.org", "syntax"),
        ("ana@a..org", "syntax"),
        ("ana@example.org.", "syntax"),
        ("ana@192.0.2.1", "syntax"),
        ("ana@[300.0.2.1]", "syntax"),
        ("ana@[192.0.2.1", "syntax"),
        ("ana@[IPv6:fe80::1%x]", "syntax"),
        ("ana@exa_mple.org", "syntax"),
        ("<ana@example.org>", "syntax"),
        ("ana@example.org>", "syntax"),
        (" ana@example.org", "syntax"),
        ("a" * 65 + "@example.org", "too-long"),
        ("a@" + "b" * 300 + ".org", "too-long"),
        ("a" * 60 + "@" + ".".join(["b" * 40] * 5) + ".org", "too-long"),
        ("ana@example.org\n", "control"),
        ("a\0na@example.org", "control"),
        ("ana\u202e@example.org", "control"),
    ],
)
def test_recipients_are_checked(address, defect):
    assert check_recipient(address) == defect


@given(st.text(max_size=80) | st.text('ab.@[]"\\ñ\n:1-', max_size=20))
def test_what_passes_the_check_can_be_sent_to(address):
    if check_recipient(address) is None:
        raw = build(Draft(ANA, (Address("", address),)))
        assert len(people(raw, "To")) == 1
        assert len(stdlib(raw)["To"].addresses) == 1
    else:
        with pytest.raises(ValueError):
            build_message(Draft(ANA, (Address("", address),)), date=WHEN, message_id=ID)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \n ; , \t", []),
        (
            'Ana <a@b.c>; x@y.z, \n"Pérez, Juan" <j@p.cl>',
            [("Ana", "a@b.c"), ("", "x@y.z"), ("Pérez, Juan", "j@p.cl")],
        ),
        ("a@b.c\nd@e.f\r\ng@h.i", [("", "a@b.c"), ("", "d@e.f"), ("", "g@h.i")]),
        ("a@b.c\td@e.f", [("", "a@b.c"), ("", "d@e.f")]),
        ("Ana Díaz\tana@b.c\nLuis\tluis@b.c", [("Ana Díaz", "ana@b.c"), ("Luis", "luis@b.c")]),
        ("a@b.c d@e.f", [("", "a@b.c"), ("", "d@e.f")]),
        ("Ana\n <a@b.c>", [("Ana", "a@b.c")]),
        ("<a@b.c>\n<d@e.f>", [("", "a@b.c"), ("", "d@e.f")]),
        ("Para: a@b.c; d@e.f", [("", "a@b.c"), ("", "d@e.f")]),
        ("mailto:a@b.c", [("", "a@b.c")]),
        ("josé@b.c", [("", "josé@b.c")]),
        ("ana", [("ana", "")]),
        ('"abierto <a@b.c>\nd@e.f', [("abierto", "a@b.c"), ("", "d@e.f")]),
        ("j@ñandú.cl", [("", "j@ñandú.cl")]),
        ("a@b.c\0", [("", "a@b.c")]),
    ],
)
def test_pasted_recipients_are_found(text, found):
    assert [(person.name, person.email) for person in parse_recipients(text)] == found


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ['"', '"\\', "(\t", '"a\t', "a@b.c,", "<", "\n<", "a\n"])
def test_hostile_pasted_text_takes_a_bounded_time(piece):
    parse_recipients(piece * 50_000)


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(['"', "<", ">", "@", "a", "b.c", ",", ";", "\n", "\t", "(", "\\"])).map("".join)
)
def test_no_pasted_text_makes_it_stumble(text):
    for person in parse_recipients(text):
        assert person.display
        assert check_recipient(person.email) != "control"
