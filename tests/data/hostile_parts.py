"""Messages whose texts and attachments are strange: charsets, file names, TNEF, calendars, dangerous plain text."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from tests.data.letters import CRLF, TEXT, joined, letter, part

MIXED = 'multipart/mixed; boundary="b"'
TNEF = b"\x78\x9f\x3e\x22\x01\x00\x01\x06\x90\x08\x00" + b"\xff" * 200
PNG = base64.encodebytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).replace(b"\n", CRLF)


def part_messages() -> Iterator[tuple[str, bytes]]:
    """Every message, by name."""
    for name, (charset, body) in CHARSETS.items():
        yield f"charset-{name}", letter(f"charset {name}", f"text/plain; charset={charset}", body)
    for name, body in PLAIN.items():
        yield f"plain-{name}", letter(f"plain {name}", "text/plain; charset=utf-8", body.encode())
    for name, lines in FILENAMES.items():
        typed = "" if lines[0].startswith(b"Content-Type") else "application/octet-stream"
        file = part(typed, PNG, b"Content-Transfer-Encoding: base64", *lines)
        yield f"filename-{name}", letter(f"filename {name}", MIXED, joined("b", TEXT, file))
    for name, (content_type, body) in FILES.items():
        file = part(content_type, base64.encodebytes(body).replace(b"\n", CRLF), b"Content-Transfer-Encoding: base64")
        yield f"file-{name}", letter(f"file {name}", MIXED, joined("b", TEXT, file))
    flowed = b">>> visible \r\n>> \r\n> \r\n-- \r\n" * 2_000
    yield "flowed-depths", letter("flowed", "text/plain; format=flowed; delsp=yes", flowed)
    yield "flowed-quote-bomb", letter("flowed", "text/plain; format=flowed", b">" * 100_000 + b" visible \r\n" * 2)
    yield "flowed-one-paragraph", letter("flowed", "text/plain; format=flowed", b"visible \r\n" * 50_000)


CHARSETS = {
    "utf8-as-ascii": ("us-ascii", "visible ñandú".encode()),
    "utf8-as-latin1": ("iso-8859-1", "visible ñandú".encode()),
    "latin1-as-utf8": ("utf-8", "visible ñandú".encode("latin-1")),
    "cp1252-as-latin1": ("iso-8859-1", "visible “comillas” €".encode("cp1252")),
    "utf8-cut": ("utf-8", "visible €".encode()[:-1]),
    "utf8-surrogates": ("utf-8", b"visible \xed\xa0\xbd\xed\xb8\x80"),
    "utf8-overlong": ("utf-8", b"visible \xc0\xbcscript\xc0\xbe"),
    "utf16-no-bom": ("utf-16", "visible".encode("utf-16-le")),
    "utf16-odd": ("utf-16be", "visible".encode("utf-16-be") + b"\0"),
    "utf32": ("utf-32", "visible".encode("utf-32")),
    "utf7-script": ("utf-7", b"visible +ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
    "utf7-unclosed": ("utf-7", b"visible +ADw-script+AD4-+"),
    "iso2022jp": ("iso-2022-jp", "visible 日本語".encode("iso2022_jp")),
    "iso2022jp-cut": ("iso-2022-jp", b"visible \x1b$BF|K"),
    "iso2022kr": ("iso-2022-kr", "visible 한국".encode("iso2022_kr")),
    "hz": ("hz-gb-2312", b"visible ~{<:Ky2;VpJ)!~}"),
    "gb2312-is-gb18030": ("gb2312", "visible 朱镕基 €".encode("gb18030")),
    "ks-c": ("ks_c_5601-1987", "visible 한국어".encode("cp949")),
    "big5": ("big5", "visible 中文".encode("big5")),
    "sjis-broken": ("shift_jis", "visible 日本語".encode("shift_jis")[:-1]),
    "koi8": ("koi8-r", "visible Привет".encode("koi8-r")),
    "windows-1251": ("windows-1251", "visible Привет".encode("cp1251")),
    "hebrew-visual": ("iso-8859-8", "visible שלום".encode("iso8859_8")),
    "ebcdic": ("cp037", "visible".encode("cp037")),
    "mac": ("macintosh", "visible ñandú".encode("mac_roman")),
    "x-unknown": ("x-unknown", "visible ñandú".encode()),
    "escape-codec": ("unicode_escape", b"visible \\u003cscript\\u003e"),
    "base64-codec": ("base64", b"dmlzaWJsZQ=="),
    "bz2-codec": ("bz2", b"BZh91AY&SY"),
    "8bit-name": ("8bit", "visible ñ".encode()),
    "spaces": ('" utf-8 "', "visible ñ".encode()),
    "bidi": ("utf-8", "visible \u202e\u2066txt.exe".encode()),
}

PLAIN = {
    "script": "visible <script>alert(1)</script> &lt;b&gt; &amp;",
    "url-quote": 'visible http://example.org/"onmouseover=alert(1)//',
    "url-angle": "visible <http://example.org/<script>alert(1)</script>>",
    "url-entity": "visible http://example.org/?a=1&lt;script&gt;",
    "url-javascript": "visible javascript:alert(1) JAVASCRIPT:alert(1) data:text/html,<script>alert(1)</script>",
    "url-credentials": "visible https://bank.example@canary.invalid/ http://canary.invalid\\@bank.example/",
    "url-bidi": "visible https://example.org/\u202egpj.exe",
    "url-idn": "visible https://аpple.com/ http://xn--pple-43d.com/",
    "url-long": "visible http://example.org/" + "a" * 100_000,
    "url-many": "visible " + "http://example.org/ " * 20_000,
    "url-dots": "visible " + "www." * 50_000,
    "url-schemes": "visible " + "http:" * 50_000,
    "mail-many": "visible " + "a@b." * 50_000,
    "mail-injection": "visible ana@example.org?bcc=x@example.org%0d%0aSubject:x mailto:x@y?attach=/etc/passwd",
    "ats": "visible " + "@" * 100_000,
    "link-refs": "visible [1] <a>##str_replacement[0]##</a> [1]: javascript:alert(1)",
    "quotes": ">" * 50_000 + " visible",
    "quote-lines": "> quoted\n" * 50_000 + "visible",
    "quote-deep": "\n".join(">" * n + " visible" for n in range(500)),
    "signature": "visible\n-- \n" * 1_000,
    "controls": "visible \x1b[31m\x07\x08\x08\x00\x7f\x0b\x0c",
    "bidi": "\u202e\u202d\u202a\u2066\u2067 visible",
    "combining": "visible" + "\u0301" * 50_000,
    "tabs": "visible" + "\t" * 50_000,
    "spaces": " " * 100_000 + "visible",
    "emoticons": "visible *bold* _under_ /italic/ " + "*" * 50_000,
    "template": "visible {{ settings.SECRET_KEY }} {% debug %} %(x)s {0.__class__}",
    "htmx": "visible <div hx-get=/logout hx-trigger=load>",
    "separators": "visible\u2028line\u2029paragraph\u0085next",
    "escape-pua": "visible \ue000\uf8ff\U000f0000\ufdd0",
}

_ATTACHMENT = b"Content-Disposition: attachment; filename="

FILENAMES = {
    "traversal": [_ATTACHMENT + b'"../../../etc/passwd"'],
    "traversal-windows": [_ATTACHMENT + b'"..\\\\..\\\\windows\\\\system32\\\\x.dll"'],
    "absolute": [_ATTACHMENT + b'"/etc/passwd"'],
    "drive": [_ATTACHMENT + b'"C:\\\\x.txt"'],
    "stream": [_ATTACHMENT + b'"x.txt:evil.exe"'],
    "reserved": [_ATTACHMENT + b'"CON.txt"'],
    "dots": [_ATTACHMENT + b'"..."'],
    "hidden": [_ATTACHMENT + b'".htaccess"'],
    "spaces": [_ATTACHMENT + b'"invoice.pdf                                                      .exe"'],
    "trailing-dot": [_ATTACHMENT + b'"x.exe. . ."'],
    "double": [_ATTACHMENT + b'"invoice.pdf.exe"'],
    "rtl": [b"Content-Disposition: attachment; filename*=utf-8''%E2%80%AEgpj.exe"],
    "rtl-raw": [_ATTACHMENT + '"\u202egpj.exe"'.encode()],
    "script": [_ATTACHMENT + b'"<script>alert(1)</script>.png"'],
    "quote": [_ATTACHMENT + b'"a\\"; filename=\\"evil.exe"'],
    "quote-html": [_ATTACHMENT + b'"\'\\"><img src=x onerror=alert(1)>.pdf"'],
    "crlf": [b"Content-Disposition: attachment; filename*=utf-8''a%0D%0ASet-Cookie:%20x=y%0D%0A%0D%0A.html"],
    "nul": [b"Content-Disposition: attachment; filename*=utf-8''invoice.pdf%00.exe"],
    "encoded-word": [_ATTACHMENT + b'"=?utf-8?q?=C3=B1and=C3=BA.pdf?="'],
    "encoded-word-bare": [_ATTACHMENT + b"=?utf-8?b?w7HDsS5wZGY=?="],
    "encoded-word-split": [_ATTACHMENT + b'"=?utf-8?q?=C3?=\r\n =?utf-8?q?=B1.pdf?="'],
    "encoded-traversal": [_ATTACHMENT + b'"=?utf-8?q?../../x?="'],
    "utf8-raw": [_ATTACHMENT + '"ñandú.pdf"'.encode()],
    "latin1-raw": [_ATTACHMENT + '"ñandú.pdf"'.encode("latin-1")],
    "rfc2231": [b"Content-Disposition: attachment; filename*=iso-8859-1'es'%F1and%FA.pdf"],
    "rfc2231-bad-charset": [b"Content-Disposition: attachment; filename*=klingon''%F1.pdf"],
    "rfc2231-no-quotes": [b"Content-Disposition: attachment; filename*=%F1.pdf"],
    "rfc2231-bad-percent": [b"Content-Disposition: attachment; filename*=utf-8''%ZZ%4%.pdf"],
    "rfc2231-parts": [b"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%B1; filename*2=.pdf"],
    "rfc2231-order": [b"Content-Disposition: attachment; filename*1=b.pdf; filename*0=a"],
    "rfc2231-gap": [b"Content-Disposition: attachment; filename*0=a; filename*2=c.pdf"],
    "rfc2231-twice": [b"Content-Disposition: attachment; filename*0=a; filename*0=b; filename*1=c"],
    "rfc2231-both": [b"Content-Disposition: attachment; filename=plain.pdf; filename*=utf-8''%C3%B1.pdf"],
    "rfc2231-huge-index": [b"Content-Disposition: attachment; filename*0=a; filename*99999999999999999999=b"],
    "rfc2231-500": [b"Content-Disposition: attachment; " + b"; ".join(b"filename*%d=x" % n for n in range(500))],
    "name-only": [b'Content-Type: image/png; name="only-name.png"'],
    "two": [_ATTACHMENT + b"a.pdf; filename=b.exe"],
    "spaces-unquoted": [_ATTACHMENT + b"my invoice november.pdf"],
    "unclosed": [_ATTACHMENT + b'"invoice.pdf'],
    "empty": [_ATTACHMENT + b'""'],
    "long": [_ATTACHMENT + b'"' + b"x" * 10_000 + b'.pdf"'],
    "long-extension": [_ATTACHMENT + b'"a.' + b"x" * 10_000 + b'"'],
    "emoji": [_ATTACHMENT + '"📎📄.pdf"'.encode()],
    "disposition-unknown": [b"Content-Disposition: execute; filename=x.sh"],
    "disposition-garbage": [b'Content-Disposition: ;;;=""; filename'],
    "disposition-twice": [b"Content-Disposition: inline", b"Content-Disposition: attachment; filename=x.html"],
    "disposition-inline-html": [b"Content-Disposition: inline; filename=x.html"],
    "formula": [_ATTACHMENT + b"\"=cmd|'/c calc'!A1.csv\""],
    "zero-width": [_ATTACHMENT + '"invoice\u200b.p\u00addf\ufeff.exe"'.encode()],
}

FILES = {
    "tnef": ("application/ms-tnef; name=winmail.dat", TNEF),
    "tnef-empty": ("application/ms-tnef; name=winmail.dat", b""),
    "html": ("text/html; name=login.html", b"<script>alert(1)</script>"),
    "svg": ("image/svg+xml; name=a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    "xml": (
        "text/xml; name=a.xml",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    ),
    "xhtml": (
        "application/xhtml+xml; name=a.xhtml",
        b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>",
    ),
    "png-is-html": ("image/png; name=a.png", b"<html><script>alert(1)</script></html>"),
    "gif-script": ("image/gif; name=a.gif", b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)"),
    "png-broken": ("image/png; name=b.png", b"\x89PNG\r\n\x1a\n" + b"\xff" * 100),
    "png-huge": (
        "image/png; name=c.png",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x06\0\0\0",
    ),
    "pdf-script": (
        "application/pdf; name=a.pdf",
        b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
    ),
    "pdf-is-html": ("application/pdf; name=b.pdf", b"<html><script>alert(1)</script>%PDF-1.7"),
    "calendar": (
        "text/calendar; name=a.ics",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:<svg onrepeat=alert(1)>\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT",
    ),
    "vcard": (
        "text/vcard; name=a.vcf",
        b"BEGIN:VCARD\r\nFN:<script>alert(1)</script>\r\nPHOTO;VALUE=uri:http://canary.invalid/p\r\nEND:VCARD",
    ),
    "exe": ("application/x-msdownload; name=a.exe", b"MZ" + b"\0" * 100),
    "zip-bomb": ("application/zip; name=42.zip", b"PK\x03\x04" + b"\xff" * 100),
    "empty": ("application/pdf; name=empty.pdf", b""),
    "mht": ("multipart/related; name=a.mht", b"<script>alert(1)</script>"),
    "eml": ("message/rfc822; name=a.eml", b"Subject: <script>alert(1)</script>\r\n\r\nx"),
    "p7s": ("application/pkcs7-signature; name=smime.p7s", b"0\x80"),
    "p7m": ("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b"0\x80"),
    "type-lie": ("text/plain; name=invoice.exe", b"MZ visible"),
    "css": ("text/css; name=a.css", b"@import 'http://canary.invalid/c.css'"),
    "swf": ("application/x-shockwave-flash; name=a.swf", b"FWS\x06"),
    "url": ("application/internet-shortcut; name=a.url", b"[InternetShortcut]\r\nURL=file://canary.invalid/x"),
}
