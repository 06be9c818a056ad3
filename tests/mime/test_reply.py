"""Answering and passing on, the HTML's plain text, receipts, and what delivery reports say."""

import email
import email.policy
import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.addresses import parse_addresses
from webmail.mime.body import decode_part, text_of, unflow
from webmail.mime.flowed import encode_flowed
from webmail.mime.headers import header_value, parse_headers
from webmail.mime.reply import (
    Failure,
    forward_html,
    forward_text,
    list_post,
    mdn,
    quote_html,
    quote_text,
    read_dsn,
    reply_recipients,
    reply_references,
    reply_subject,
    text_of_html,
)
from webmail.mime.structure import parse_message, part_bytes
from webmail.values import Address, FolderId, Header, Message, Part, PartNumber, Ref, Summary

WHEN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ME, ANA, LUIS, EVA = (Address(name.title(), f"{name}@example.org") for name in ("yo", "ana", "luis", "eva"))
LIST = Address("", "lista@lists.example")
OWN = frozenset({"yo@example.org", "yo@ñandú.cl"})


def letter(sender=ANA, to=(ME,), cc=(), reply_to=(), headers=()) -> Message:
    summary = Summary(Ref(FolderId("INBOX"), 1, "1"), "Hola", (sender,), tuple(to), WHEN, WHEN, 1, frozenset())
    fields = tuple(Header(name, value) for name, value in headers)
    return Message(
        summary, fields, Part(PartNumber("1"), "text", "plain"), to=tuple(to), cc=tuple(cc), reply_to=tuple(reply_to)
    )


# --- Subject -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("subject", "prefix", "answer"),
    [
        ("Hola", "Re: ", "Re: Hola"),
        ("Hola", "Fwd", "Fwd: Hola"),
        ("Re: Hola", "Re: ", "Re: Hola"),
        ("RE: re:Hola", "Re:", "Re: Hola"),
        ("Re[2]: Hola", "Re", "Re: Hola"),
        ("Re (3): Hola", "Re", "Re: Hola"),
        ("RE : Hola", "Re", "Re: Hola"),
        ("AW: SV: RV: FWD: Fw: Hola", "Re", "Re: Hola"),
        ("Re： 你好", "Re", "Re: 你好"),
        ("Re: Hola", "Fwd", "Fwd: Hola"),
        ("Reunión: mañana", "Re", "Re: Reunión: mañana"),
        ("Revista", "Re", "Re: Revista"),
        ("Re", "Re", "Re: Re"),
        ("", "Re: ", "Re:"),
        ("  Re:  ", "Re: ", "Re:"),
        ("a\r\nBcc: x", "Re: ", "Re: a  Bcc: x"),
    ],
)
def test_the_prefix_stands_once(subject, prefix, answer):
    assert reply_subject(subject, prefix) == answer


@given(st.text(max_size=60))
def test_an_answer_to_an_answer_has_the_same_subject(subject):
    assert reply_subject(reply_subject(subject, "Re"), "Re") == reply_subject(subject, "Re")


# --- Recipients --------------------------------------------------------------------------------------------------------------
PLUS = Address("", "YO+tienda@Example.org")
IDN = Address("", "yo@xn--and-6ma2c.cl")


@pytest.mark.parametrize(
    ("message", "kind", "to", "cc"),
    [
        (letter(), "reply", (ANA,), ()),
        (letter(to=(ME, LUIS), cc=(EVA,)), "reply", (ANA,), ()),
        (letter(to=(ME, LUIS), cc=(EVA,)), "reply_all", (ANA, LUIS), (EVA,)),
        (letter(to=(PLUS, IDN, LUIS)), "reply_all", (ANA, LUIS), ()),
        (letter(to=(ANA, LUIS, ME), cc=(LUIS, Address("x", "ANA@example.org"))), "reply_all", (ANA, LUIS), ()),
        (letter(reply_to=(EVA,)), "reply", (EVA,), ()),
        (letter(reply_to=(EVA,), to=(ME, LUIS)), "reply_all", (EVA, LUIS), ()),
        (letter(reply_to=(ME,)), "reply", (ANA,), ()),
        (letter(reply_to=(Address("nadie", ""),)), "reply", (ANA,), ()),
        (letter(ME, to=(ANA, LUIS), cc=(EVA,)), "reply", (ANA, LUIS), ()),
        (letter(ME, to=(ANA, LUIS), cc=(EVA, ME)), "reply_all", (ANA, LUIS), (EVA,)),
        (letter(ME, to=(ME,)), "reply", (ME,), ()),
        (letter(ME, to=(ME,), cc=(EVA,)), "reply_all", (EVA,), ()),
        (letter(ME, to=(Address("undisclosed-recipients", ""),)), "reply", (ME,), ()),
        (letter(to=(LIST,), headers=[("List-Post", "<mailto:lista@lists.example>")]), "reply_list", (LIST,), ()),
        (letter(to=(LIST,), headers=[("List-Post", "NO")]), "reply_list", (ANA,), ()),
        (letter(to=(LIST,)), "reply_list", (ANA,), ()),
        (letter(), "forward", (), ()),
        (letter(), "forward_attached", (), ()),
        (letter(), "redirect", (), ()),
        (letter(ME, to=(ANA, ME), cc=(EVA,)), "edit_as_new", (ANA, ME), (EVA,)),
    ],
)
def test_the_answer_goes_to(message, kind, to, cc):
    assert reply_recipients(message, OWN, kind) == (to, cc)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("<mailto:a@b.example?subject=x>", "a@b.example"),
        ("<https://b.example/post>, <MAILTO:a@b.example>", "a@b.example"),
        ("<mailto:a%2Bb@b.example> (solo socios)", "a+b@b.example"),
        ("NO (cerrada)", None),
        ("<mailto:a%0Ab@b.example>", None),
        ("<mailto:nada>", None),
        ("", None),
    ],
)
def test_the_list_is_read_from_its_header(value, found):
    post = list_post(letter(headers=[("List-Post", value)]))
    assert (post.email if post else None) == found


@pytest.mark.parametrize(
    ("message_id", "references", "in_reply_to", "answer"),
    [
        ("<c@x>", "<a@x> <b@x>", "<b@x>", ("<c@x>", ("<a@x>", "<b@x>", "<c@x>"))),
        ("<c@x>", "", "<b@x>", ("<c@x>", ("<b@x>", "<c@x>"))),
        ("<c@x>", "", "<a@x> <b@x>", ("<c@x>", ("<c@x>",))),
        ("<c@x>", "", "your message of Monday", ("<c@x>", ("<c@x>",))),
        ("", "<a@x>", "", ("", ("<a@x>",))),
        ("", "", "", ("", ())),
        ("<c@x>", "<a@x><a@x>\r\n\t<c@x>,<b@x>", "", ("<c@x>", ("<a@x>", "<b@x>", "<c@x>"))),
        ("c@x", "<a@x", "", ("", ())),
    ],
)
def test_references_follow_rfc_5322(message_id, references, in_reply_to, answer):
    assert reply_references(message_id, references, in_reply_to) == answer


# --- Quoting -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Hola\n\nchao", "Ana:\n> Hola\n>\n> chao"),
        ("> antes\nahora", "Ana:\n>> antes\n> ahora"),
        (">> a\n> > b", "Ana:\n>>> a\n>>> b"),
        ("Hola\n-- \nAna\n> x", "Ana:\n> Hola"),
        ("Hola\n--\nAna", "Ana:\n> Hola\n> --\n> Ana"),
        ("> -- \nx", "Ana:\n>> -- \n> x"),
        ("\n\n  sangría\n\n", "Ana:\n>   sangría"),
        ("", "Ana:"),
    ],
)
def test_text_is_quoted_one_level_deeper(text, quoted):
    assert quote_text(text, "Ana:") == quoted


def test_a_quote_of_a_quote_survives_the_wire():
    text = quote_text(quote_text("palabra " * 40, "A:"), "B:")
    assert unflow(encode_flowed(text), delsp=False) == text


def test_a_forwarded_text_names_its_header():
    forwarded = forward_text([("Asunto", "x"), ("De", "Ana\r\n <a@b>")], "\nHola\n", "Mensaje reenviado")
    assert forwarded == "-------- Mensaje reenviado --------\nAsunto: x\nDe: Ana   <a@b>\n\nHola"


def test_html_is_quoted_as_in_thunderbird():
    assert quote_html("<p>x</p>", "Ana <a@b> & co:", '<a"b@x>') == (
        '<div class="moz-cite-prefix">Ana &lt;a@b&gt; &amp; co:<br></div>'
        '<blockquote type="cite" cite="mid:a%22b@x"><p>x</p></blockquote>'
    )
    assert quote_html("x", "", "") == '<blockquote type="cite">x</blockquote>'


def test_forwarded_html_escapes_its_header():
    html = forward_html([("De", "<script>")], "<p>x</p>", "a<b")
    assert "<script>" not in html
    assert "-------- a&lt;b --------" in html
    assert html.endswith("<br><p>x</p></div>")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("Hola", "Hola"),
        ("<p>uno\n  dos</p><p>tres</p>", "uno dos\n\ntres"),
        ("<div>uno</div><div>dos</div><div><br></div><div>tres</div>", "uno\ndos\n\ntres"),
        ("uno<br>dos<br><br>tres", "uno\ndos\n\ntres"),
        ("a <b>b</b> <i>c</i>d", "a b cd"),
        ("&lt;b&gt; &amp; &ntilde;", "<b> & ñ"),
        ("a < b<!-- no -->c<?no?><!doctype no>", "a < bc"),
        ("<style>no</style><script>no</script><title>no</title>sí", "sí"),
        ("<a href='https://x.cl/a?b=1&amp;c=2'>aquí</a> fin", "aquí <https://x.cl/a?b=1&c=2> fin"),
        ("<a href='https://x.cl/'>https://x.cl</a> <a href='https://x.cl'>x.cl</a>", "https://x.cl x.cl"),
        ("<a href='mailto:a@b.c'>a@b.c</a> <a href='mailto:a@b.c'>Ana</a>", "a@b.c Ana <a@b.c>"),
        ("<a href='javascript:x'>no</a><a name=x>ancla</a>", "noancla"),
        ("<ul><li>uno</li><li><p>dos</p></li></ul>fin", "* uno\n* dos\n\nfin"),
        ("<ol start=3><li>uno<li>dos<ul><li>x</ul></ol>", "3. uno\n4. dos\n  * x"),
        ("<ul><li>uno<br>otra</ul>", "* uno\n  otra"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1<td>2</tr></table>", "a | b\n1 | 2"),
        ("x<blockquote><p>a</p><p>b</p></blockquote>y", "x\n\n> a\n>\n> b\n\ny"),
        ("<blockquote>a<blockquote>b</blockquote>c</blockquote>", "> a\n>\n>> b\n>\n> c"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<h1>T</h1>x<hr>y", "T\n\nx\n\n----------------------------------------\n\ny"),
        ("<img src=x alt='el logo'><img src=y>", "[el logo]"),
        ("&gt; no es cita", " > no es cita"),
        ("</blockquote></ul></table></pre></a>x", "x"),
        ('uno <a title="<b>">dos</a>', "uno dos"),
        ('uno <b title="abierto> dos', "uno dos"),
    ],
)
def test_html_becomes_readable_text(html, text):
    assert (
        " ".join(text_of_html(html).split()) == " ".join(text.split())
        if "abierto" in html
        else text_of_html(html) == text
    )


TAGS = [
    "<p>",
    "</p>",
    "<ul>",
    "<li>",
    "</ul>",
    "<blockquote>",
    "</blockquote>",
    "<a href='https://x'>",
    "</a>",
    "<br>",
    "<td>",
]


@given(
    st.lists(st.sampled_from([*TAGS, "<pre>", "</pre>", "<", ">", '"', "<!--", "-->", "a", " ", "\n", "&lt;"])).map(
        "".join
    )
)
def test_no_html_makes_it_stumble(html):
    text = text_of_html(html)
    assert text == text.strip("\n")


ELEMENTS = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "blockquote",
    "table",
    "tr",
    "td",
    "pre",
    "b",
    "span",
    "a href='https://x.cl'",
    "h2",
]
WORDS = st.text("abcñ", min_size=1, max_size=4)
TREES = st.recursive(
    WORDS.map(lambda word: (f" {word} ", [word])),
    lambda inner: st.tuples(st.sampled_from(ELEMENTS), st.lists(inner, max_size=4)).map(
        lambda node: (
            f"<{node[0]}>{''.join(html for html, _words in node[1])}</{node[0].split()[0]}>",
            [word for _html, words in node[1] for word in words],
        )
    ),
)


@given(TREES)
def test_every_word_of_well_formed_html_is_in_the_text_in_order(tree):
    html, words = tree
    text = re.sub(r"<https://x.cl>|\d+\. |[*>|]", " ", text_of_html(html))
    assert text.split() == words


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        '<a "',
        "<a '\"",
        "<!--",
        "<!",
        "<style>",
        "</style",
        "<blockquote>",
        "<li>",
        "<ul>",
        "<a href=x>",
        "<td>",
        "<br>",
        "a='",
        "<a href=x><br>",
        '<a title="<a \'"',
        "<pre>\n",
        '"<a"',
        "' <a \" ",
    ],
)
def test_hostile_html_takes_a_bounded_time(piece):
    start = time.perf_counter()
    text_of_html(piece * (1_000_000 // len(piece)))
    text_of_html("<a " + piece * (1_000_000 // len(piece)))
    assert time.perf_counter() - start < 10


# --- Receipts ----------------------------------------------------------------------------------------------------------------
def receipt(**changes) -> bytes:
    arguments = {
        "reader": ME,
        "to": (ANA,),
        "subject": "Leído: año",
        "text": "El mensaje se mostró.",
        "original_id": "<a@x>",
        "date": WHEN,
        "message_id": "<m@x>",
    }
    return mdn(**{**arguments, **changes})


def test_a_receipt_is_a_disposition_notification():
    raw = receipt(original_recipient="rfc822;yo+x@example.org")
    assert raw.isascii()
    structure, defects = parse_message(raw)
    assert defects == []
    assert [part.media_type for part in structure.children] == ["text/plain", "message/disposition-notification"]
    assert part_bytes(raw, PartNumber("2")) == (
        b"Original-Recipient: rfc822;yo+x@example.org\r\n"
        b"Final-Recipient: rfc822;yo@example.org\r\n"
        b"Original-Message-ID: <a@x>\r\n"
        b"Disposition: manual-action/MDN-sent-manually; displayed\r\n"
    )
    text = structure.children[0]
    assert text_of(text, decode_part(text, part_bytes(raw, text.number)))[0] == "El mensaje se mostró.\n"
    headers = parse_headers(raw)[0]
    assert header_value(headers, "Subject") == "Leído: año"
    assert header_value(headers, "In-Reply-To") == header_value(headers, "References") == "<a@x>"
    assert parse_addresses(header_value(headers, "To").encode())[0] == (ANA,)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "disposition-notification"


@pytest.mark.parametrize(
    "changes",
    [
        {"to": ()},
        {"to": (Address("", "nadie"),)},
        {"reader": Address("", "nadie")},
        {"subject": "a\nb"},
        {"original_recipient": "rfc822;a\r\nX: y"},
        {"original_id": "<a\r\n@x>"},
        {"message_id": "x"},
    ],
)
def test_a_receipt_with_something_wrong_is_refused(changes):
    with pytest.raises(ValueError):
        receipt(**changes)


def test_a_receipt_for_a_message_without_id_says_nothing_of_it():
    assert b"Original-Message-ID" not in receipt(original_id="")


# --- Delivery reports --------------------------------------------------------------------------------------------------------
STATUS = b"""Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 1234
Arrival-Date: Sun, 1 Mar 2026 09:30:00 -0300 (CLST)

Final-Recipient: rfc822; nadie@example.net
Original-Recipient: rfc822;nadie@alias.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 5.1.1 <nadie@example.net>: Recipient address
    rejected: User unknown

Final-Recipient: LOCAL; <tarde@example.net>
Action: Delayed (still trying)
Status: 4.4.1 (no answer)
"""


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_a_delivery_report_says_what_became_of_each_recipient(line_end):
    assert read_dsn({"message/delivery-status": STATUS.replace(b"\n", line_end)}) == [
        Failure(
            "nadie@alias.example",
            "failed",
            "5.1.1",
            "550 5.1.1 <nadie@example.net>: Recipient address rejected: User unknown",
        ),
        Failure("tarde@example.net", "delayed", "4.4.1", ""),
    ]


def test_a_report_without_status_says_nothing():
    assert read_dsn({}) == []
    assert read_dsn({"text/plain": STATUS}) == []
    assert read_dsn({"message/delivery-status": b"Action: failed\n\nStatus: 5.0.0"}) == []


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([b"Final-Recipient:", b";", b"Action: ", b"\n", b"\xf1", b" "])).map(b"".join)
)
def test_no_report_makes_it_stumble(raw):
    for failure in read_dsn({"message/delivery-status": raw}):
        assert failure.recipient


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hola</p><p>-- </p><p>Ana</p><p>Empresa</p>", "Hola\n\n-- \nAna\n\nEmpresa"),
        ("<p>Hola</p><div>-- <br>Ana</div>", "Hola\n\n-- \nAna"),
        ("Hola<br>--&nbsp;<br>Ana", "Hola\n-- \nAna"),
        ("<blockquote>a<br>-- <br>Ana</blockquote>", "> a\n> -- \n> Ana"),
        ("<p>--</p><p>uno -- </p>", "--\n\nuno --"),
    ],
)
def test_the_line_above_a_signature_keeps_its_space(html, text):
    assert text_of_html(html) == text
