"""Names and subjects that try to break out: of HTML, of a response header, of the folder in which a zip is unpacked."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

import pytest
from django.test import Client
from django.urls import reverse

from webmail.mime.archive import zip_stream
from webmail.views.parts import disposition

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

OWN_IMAGE = re.compile(r"data:(?:,|image/(?:png|jpeg|gif|webp|bmp|avif);base64,[A-Za-z0-9+/=]*)\Z")
PAYLOADS = {
    "crlf": "canary\r\nSet-Cookie: canary=1\r\n\r\n<script>canary()</script>.pdf",
    "bare-lf": "canary\nX-Canary: 1\n\ncanary.pdf",
    "quotes": 'can"ary\'; filename="canary.exe"; x=`a`\\".pdf',
    "script": "\"><script>canary()</script><img src=x onerror=canary()>'><svg onload=canary()>.pdf",
    "end-of-title": "</title></textarea></style></script><script>canary()</script>{{ 7|add:7 }}{% debug %}<!--.pdf",
    "rtl": "canary\u202efdp.exe\u2066x\u2069\u200f\u061c.pdf",
    "nul": "canary\0.pdf\0.exe",
    "controls": "canary\x01\x08\x0b\x1b[31m\x7f\x85\u2028\u2029.pdf",
    "long": "canary" + "ñ" * 5_000 + ".pdf",
    "traversal": "../../../canary/../../x.pdf",
    "traversal-windows": "..\\..\\canary\\x.pdf",
    "absolute": "/etc/canary.pdf",
    "dots": "..",
    "reserved": "C:\\canary\\aux.pdf:$DATA",
    "percent": "canary%0d%0aSet-Cookie:%20canary=1%2e%2e%2f.pdf",
    "surrogate": "canary\U0001f4ce\ufffe\uffff.pdf",
}
PAGES = ["", "headers/", "source/", "print/"]
DISPOSITION = re.compile(
    r'(?P<kind>attachment|inline); filename="(?P<plain>[ !#-\[\]-~]+)"; '
    r"filename\*=UTF-8''(?P<name>(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+)"
)
"""RFC 6266 section 4.1 with RFC 8187 section 3.2.1, no quoted pairs."""
UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def words(text: str) -> bytes:
    """Encoded words (RFC 2047), folded."""
    pieces = [text[at : at + 10] for at in range(0, len(text), 10)]
    return b"\r\n ".join(b"=?utf-8?B?" + base64.b64encode(piece.encode()) + b"?=" for piece in pieces)


def extended(name: str, text: str) -> bytes:
    """A parameter in percent signs (RFC 2231 section 4), folded in pieces (section 3) where it is long."""
    if len(text) < 60:
        return f"{name}*=utf-8''{quote(text, safe='')}".encode()
    pieces = [quote(text[at : at + 10], safe="") for at in range(0, len(text), 10)]
    pieces[0] = "utf-8''" + pieces[0]
    return ";\r\n ".join(f"{name}*{index}*={piece}" for index, piece in enumerate(pieces)).encode()


def quoted(text: str) -> bytes:
    """A quoted string of what can stand in one raw."""
    plain = re.sub("[\r\n]+", " ", text).replace("\\", "\\\\").replace('"', '\\"')
    return b'"' + plain.encode() + b'"'


def hostile_letter(text: str) -> bytes:
    """A message with `text` in every place from which a page, a header or a file name is made."""
    cid = re.sub("[\r\n\0]", "", text).encode()
    disposition = b"Content-Disposition: attachment"
    files = [
        (b"Content-Type: application/pdf", disposition + b";\r\n filename=" + b'"' + words(text) + b'"'),
        (b"Content-Type: application/pdf", disposition + b";\r\n " + extended("filename", text)),
        (b"Content-Type: application/pdf", disposition + b";\r\n filename=" + quoted(text)),
        (b'Content-Type: application/pdf;\r\n name="' + words(text) + b'"', disposition),
        (b"Content-Type: application/pdf;\r\n " + extended("name", text), disposition),
        (b"Content-Type: application/pdf;\r\n name=" + quoted(text), disposition),
        (b"Content-Type: " + cid + b"/" + cid + b"; name=x", disposition),
        (b"Content-Type: application/pdf", b"Content-Disposition: " + cid),
        (b"Content-Type: image/png", b"Content-ID: <" + cid + b">"),
        (b"Content-Type: image/png", b"Content-ID: " + words(text) + b"\r\nContent-Description: " + words(text)),
        (b"Content-Type: message/rfc822", disposition + b";\r\n " + extended("filename", text)),
    ]
    html = b'<p>visible<img src="cid:' + quote(cid, safe="").encode() + b'">'
    parts = [b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html]
    parts += [b"\r\n".join([*head, b"", b"Subject: octets %d\r\n\r\nx" % at]) for at, head in enumerate(files)]
    person = words(text) + b" <mallory@hostile.test>"
    header = [
        b"From: " + person,
        b"To: " + quoted(text) + b" <ana@quillay.test>",
        b"Cc: " + person,
        b"Reply-To: " + person,
        b"Subject: " + words(text),
        b"Date: Fri, 28 Nov 2025 09:31:00 -0300",
        b"Message-ID: <" + cid + b"@hostile.test>",
        b"List-Unsubscribe: <https://hostile.test/" + cid + b">, <mailto:" + cid + b">",
        b"X-Canary: " + words(text),
        b"MIME-Version: 1.0",
        b"Content-Type: multipart/mixed; boundary=b",
    ]
    return b"\r\n".join([*header, b"", *(b"--b\r\n" + part for part in parts), b"--b--", b""])


@dataclass(frozen=True)
class Opened:
    """A signed-in client, the address of its list and of the one message in it."""

    client: Client
    list: str
    message: str


Open = Callable[[bytes], Opened]


@pytest.fixture
def opened(mailbox_factory: Any, imap: Any, client: Client) -> Open:
    def open_(raw: bytes) -> Opened:
        made = mailbox_factory("ana")
        imap(made.address).append("INBOX", raw)
        client.post(reverse("account_login"), {"login": made.address, "password": made.password})
        home = client.get("/", follow=True)
        found = re.search(r'href="(/mail/\d+/f/[\w-]+/m/[^"?]+)', home.content.decode())
        assert found is not None
        return Opened(client, home.redirect_chain[-1][0], found[1])

    return open_


class Inspector(HTMLParser):
    """Collects what in a page would run, and whether the payload came out of the text or attribute that holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and not dict(attrs).get("src") and dict(attrs).get("type") != "importmap":
            self.scripts += 1
        for name, value in attrs:
            if name.startswith("on") or "canary" in name or name == "srcdoc":
                self.faults.append(f"<{tag} {name}>")
            if tag == "img" and name == "src" and OWN_IMAGE.match(value or ""):
                continue  # a raster of the message itself, or nothing
            if name in {"href", "src", "action"} and re.match(r"\s*(javascript|data|vbscript):", value or "", re.I):
                self.faults.append(f"<{tag} {name}={value}>")
        if "canary" in tag:
            self.faults.append(f"<{tag}>")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data[:40]}")


def faults_of(page: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(page)
    inspector.close()
    return inspector.faults + ["inline script"] * inspector.scripts


@pytest.mark.parametrize("payload", ["script", "end-of-title", "crlf"])
def test_the_inspector_sees_what_it_looks_for(payload: str) -> None:
    assert faults_of(f'<p title="{PAYLOADS[payload]}">{PAYLOADS[payload]}</p>')


def headers_are_clean(response: Any) -> None:
    for name, value in response.items():
        assert not re.search("[\0-\x1f\x7f-\uffff]", f"{name}{value}"), (name, value)
    assert "canary" not in response.cookies
    assert "X-Canary" not in response


def content_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def saved_name(response: Any) -> str:
    """The file name of a download, after its header was held against RFC 6266."""
    headers_are_clean(response)
    assert response["X-Content-Type-Options"] == "nosniff"
    match = DISPOSITION.fullmatch(response["Content-Disposition"])
    assert match is not None, response["Content-Disposition"]
    for name in (match["plain"], unquote_to_bytes(match["name"]).decode("utf-8")):
        assert_harmless_name(name)
    return unquote(match["name"])


def assert_harmless_name(name: str) -> None:
    assert name
    assert 0 < len(name) <= 200
    assert not re.search(r'[/\\:*?"<>|]', name), name
    assert not UNPRINTABLE.search(name), name
    assert name.strip(" .") == name
    assert name not in {".", ".."}
    assert not any(unicodedata.category(char) == "Cs" for char in name)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_page_holds_the_text_and_nothing_of_it_runs(opened: Open, payload: str) -> None:
    box = opened(hostile_letter(PAYLOADS[payload]))
    pages = [box.list, box.list + "rows/?start=0", *(box.message + page for page in PAGES)]
    for url in pages:
        for headers in ({}, {"HX-Request": "true"}):
            response = box.client.get(url, headers=headers)
            page = response.content.decode()
            assert response.status_code == 200, url
            assert faults_of(page) == [], url
            headers_are_clean(response)
            assert "<script>canary" not in page
            assert "\0" not in page
            assert payload == "dots" or "canary" in page, url
            if url != box.message + "source/":
                assert not UNPRINTABLE.search(re.sub("[\r\n\t]", "", page)), url


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_part_downloads_under_a_harmless_name(opened: Open, payload: str) -> None:
    box = opened(hostile_letter(PAYLOADS[payload]))
    page = box.client.get(box.message).content.decode()
    links = sorted(set(re.findall(rf"{re.escape(box.message)}part/[\d.]+/", page)))
    assert len(links) >= 8
    for number in range(1, 13):
        url = f"{box.message}part/{number}/"
        for query in ("", "?inline=1"):
            response = box.client.get(url + query)
            assert response.status_code == 200, url
            saved_name(response)
            assert response["Content-Type"].partition(";")[0] not in {"text/html", "image/svg+xml", "text/xml"}
            content_of(response)


def test_every_tile_of_a_file_downloads_and_an_attached_message_whole(opened: Open) -> None:
    box = opened(hostile_letter("canary.eml"))
    page = box.client.get(box.message).content.decode()
    links = set(re.findall(rf"{re.escape(box.message)}part/[\d.]+/", page))
    assert f"{box.message}part/12/" in links
    for url in links:
        assert box.client.get(url).status_code == 200, url
    response = box.client.get(f"{box.message}part/12/")
    assert saved_name(response) == "canary.eml"
    assert content_of(response) == b"Subject: octets 10\r\n\r\nx"
    assert box.client.get(f"{box.message}part/13/").status_code == 410


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_zip_has_no_way_out_and_no_name_twice(opened: Open, payload: str) -> None:
    box = opened(hostile_letter(PAYLOADS[payload]))
    response = box.client.get(box.message + "files.zip")
    assert response.status_code == 200
    assert saved_name(response).endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(content_of(response))) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert len(names) == 11
        contents = [archive.read(name) for name in names]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == len(names)
    for name in names:
        assert_harmless_name(name)
    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_eml_is_the_message_under_our_own_name(opened: Open, payload: str) -> None:
    raw = hostile_letter(PAYLOADS[payload])
    box = opened(raw)
    response = box.client.get(box.message + "message.eml")
    assert response.status_code == 200
    assert re.fullmatch(r"\w+-\d+\.eml", saved_name(response))
    assert content_of(response) == raw.replace(b"\0", b"\x80")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_frame_of_the_body_shows_no_more_than_its_pictures(opened: Open, payload: str) -> None:
    box = opened(hostile_letter(PAYLOADS[payload]))
    response = box.client.get(box.message + "body/1/")
    assert response.status_code == 200
    headers_are_clean(response)
    assert faults_of(response.content.decode()) == []
    assert "visible" in response.content.decode()


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", ["attachment", "inline"])
def test_any_name_gives_a_header_of_rfc_6266(kind: str, payload: str) -> None:
    name = PAYLOADS[payload]
    match = DISPOSITION.fullmatch(disposition(kind, name))
    assert match is not None
    assert unquote(match["name"], errors="strict") == name
    lone = DISPOSITION.fullmatch(disposition(kind, name + "\ud800"))
    assert lone is not None


def test_names_that_become_the_same_are_told_apart_in_the_zip() -> None:
    names = [
        "a.txt",
        "A.TXT",
        "../a.txt",
        "a\0.txt",
        "a (2).txt",
        "n\u0303.txt",
        "ñ.txt",
        "",
        "..",
        "ß.txt",
        "ss.txt",
        "SS.txt",
    ]
    data = b"".join(zip_stream((name, [str(at).encode()]) for at, name in enumerate(names)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = archive.namelist()
        assert [archive.read(name) for name in found] == [str(at).encode() for at in range(len(names))]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in found}) == len(names)
    for name in found:
        assert_harmless_name(name)
