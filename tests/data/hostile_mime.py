"""Messages whose MIME structure is broken, tricky or enormous."""

from __future__ import annotations

from collections.abc import Iterator

from tests.data.letters import CRLF, HTML, PDF, TEXT, fields, joined, letter, multipart, part

MIXED = 'multipart/mixed; boundary="b"'
RFC822 = "message/rfc822"


def mime_messages() -> Iterator[tuple[str, bytes]]:
    """Every message of light weight, by name."""
    yield from _bare()
    yield from _boundaries()
    yield from _types()
    yield from _nested()
    yield from _encodings()


def _bare() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "one-newline", CRLF
    yield "only-newlines", CRLF * 500
    yield "one-nul", b"\0"
    yield "only-nuls", b"\0" * 5_000
    yield "headerless", CRLF + b"visible text, no header at all\r\n"
    yield "headerless-no-blank", b"visible text that is no header\r\nand more of it\r\n"
    yield "header-only", fields("header only")
    yield "header-only-no-newline", fields("header only").rstrip()
    yield "body-empty", letter("empty body", "text/plain", b"")
    yield "only-subject", b"Subject: visible\r\n\r\n"
    yield "binary-garbage", bytes((n * 7919 + 13) % 256 for n in range(20_000))
    yield "all-bytes", letter("all bytes", "text/plain", bytes(range(256)) * 20)
    yield "bare-cr", fields("bare cr").replace(CRLF, b"\r") + b"\rvisible\rtext\r"
    yield "bare-lf", fields("bare lf").replace(CRLF, b"\n") + b"\nvisible\ntext\n"
    yield "mixed-line-ends", b"From: a@example.org\nSubject: mixed\r\nTo: b@example.org\r\r\nvisible\n\r\ntext\r"
    yield "cr-cr-lf", letter("crcrlf", "text/plain", b"visible\r\r\ntext\r\r\n").replace(CRLF, b"\r\r\n")
    yield (
        "mbox-line",
        b"From mallory@example.com Mon Nov  2 10:00:00 2026\r\n" + letter("mbox", "text/plain", b"visible\r\n"),
    )
    yield (
        "mbox-escaped",
        b">From mallory@example.com Mon Nov  2 10:00:00 2026\r\n" + letter("mbox", "text/plain", b"From x\r\n"),
    )
    yield (
        "nul-in-header",
        b"Subject: a\0b\0c\r\nFrom: a\0@example.org\r\nContent-Type: text/\0plain\r\n\r\nvisible\0text\r\n",
    )
    yield "nul-in-body", letter("nul body", "text/plain; charset=utf-8", b"vis\0ible\0\r\n")
    yield "dot-lines", letter("dots", "text/plain", b".\r\n..\r\n...visible\r\n.\r\n")
    yield "smuggled-end", letter("smuggled", "text/plain", b"visible\n.\nMAIL FROM:<x>\r\n.\rDATA\r")
    yield "space-blank-line", fields("space line") + b" \r\nvisible after a line of one space\r\n"
    yield "tab-blank-line", fields("tab line") + b"\t\r\n\r\nvisible\r\n"
    yield "bom-first", b"\xef\xbb\xbf" + letter("bom", "text/plain", b"visible\r\n")
    yield "utf16-message", "From: a@example.org\r\nSubject: utf16\r\n\r\nvisible\r\n".encode("utf-16")
    yield "html-without-header", b"<html><script>alert(1)</script><p>visible</p></html>"
    yield "long-line-1mb", letter("long line", "text/plain", b"visible " + b"x" * 1_000_000)
    yield "million-newlines", letter("newlines", "text/plain", CRLF * 200_000 + b"visible")


def _boundaries() -> Iterator[tuple[str, bytes]]:
    two = joined("b", TEXT, HTML)
    yield "boundary-missing", letter("no boundary", "multipart/mixed", two)
    yield "boundary-empty", letter("empty boundary", 'multipart/mixed; boundary=""', two.replace(b"--b", b"--"))
    yield "boundary-wrong", letter("wrong boundary", 'multipart/mixed; boundary="c"', two)
    yield "boundary-never", letter("never", MIXED, b"visible preamble and no part\r\n")
    yield "boundary-unterminated", letter("unterminated", MIXED, joined("b", TEXT, PDF, end=False))
    yield "boundary-cut", letter("cut", MIXED, joined("b", TEXT, HTML, PDF)[:-30])
    yield "boundary-only-end", letter("only end", MIXED, b"--b--\r\n")
    yield "boundary-no-parts", letter("no parts", MIXED, b"--b\r\n--b\r\n--b--\r\n")
    yield "boundary-double-end", letter("double end", MIXED, two + b"--b\r\n" + HTML + CRLF + b"--b--\r\n")
    yield (
        "boundary-prefix",
        letter("prefix", 'multipart/mixed; boundary="b"', joined("b", multipart("mixed", "bb", TEXT), HTML)),
    )
    yield "boundary-same-nested", letter("same", MIXED, joined("b", multipart("mixed", "b", TEXT, HTML), PDF))
    yield "boundary-space-after", letter("space after", MIXED, two.replace(b"--b\r\n", b"--b  \t\r\n"))
    yield "boundary-text-after", letter("text after", MIXED, two.replace(b"--b\r\n", b"--b tail\r\n"))
    yield "boundary-space-before", letter("space before", MIXED, two.replace(b"--b", b" --b"))
    yield "boundary-bare-lf", letter("lf", MIXED, two.replace(CRLF, b"\n"))
    yield "boundary-bare-cr", letter("cr", MIXED, two.replace(CRLF, b"\r"))
    yield (
        "boundary-in-line",
        letter("in line", MIXED, joined("b", part("text/plain", b"visible --b inside --b-- text\r\n"), HTML)),
    )
    yield "boundary-long", letter("long", f'multipart/mixed; boundary="{"x" * 5000}"', joined("x" * 5000, TEXT, HTML))
    yield (
        "boundary-strange",
        letter("strange", 'multipart/mixed; boundary="\'()+_,-./:=? x"', joined("'()+_,-./:=? x", TEXT)),
    )
    yield "boundary-quotes", letter("quotes", "multipart/mixed; boundary='b'", two)
    yield "boundary-unclosed-quote", letter("unclosed", 'multipart/mixed; boundary="b', two)
    yield (
        "boundary-8bit",
        fields("8bit")
        + b'Content-Type: multipart/mixed; boundary="\xe9\xff"\r\n\r\n--\xe9\xff\r\n'
        + TEXT
        + b"\r\n--\xe9\xff--\r\n",
    )
    yield "boundary-rfc2231", letter("2231", "multipart/mixed; boundary*0=b; boundary*1=c", joined("bc", TEXT, HTML))
    yield "boundary-encoded", letter("encoded", "multipart/mixed; boundary*=us-ascii''b%20c", joined("b c", TEXT, HTML))
    yield (
        "boundary-encoded-word",
        letter("word", 'multipart/mixed; boundary="=?us-ascii?q?b?="', joined("=?us-ascii?q?b?=", TEXT)),
    )
    yield "boundary-twice", letter("twice", 'multipart/mixed; boundary="a"; boundary="b"', joined("a", TEXT) + two)
    yield "boundary-dashes", letter("dashes", 'multipart/mixed; boundary="--"', joined("--", TEXT, HTML))
    yield (
        "boundary-whole-line",
        letter("no header", MIXED, b"--b\r\nvisible part that has no header and no blank line\r\n--b--\r\n"),
    )
    yield "boundary-glued", letter("glued", MIXED, b"--b\r\nContent-Type: text/plain\r\n\r\nvisible--b--\r\n")
    yield (
        "preamble-attack",
        letter("preamble", MIXED, b"<script>alert(1)</script>\r\n" + two + b"epilogue <script>alert(1)</script>"),
    )
    yield "parts-500", letter("500 parts", MIXED, joined("b", *[TEXT] * 500))
    yield "parts-500-attachments", letter("500 files", MIXED, joined("b", TEXT, *[PDF] * 499))
    yield "parts-1500", letter("1500 parts", MIXED, joined("b", *[TEXT] * 1500))
    yield "boundary-lines-20000", letter("boundary lines", MIXED, b"--b\r\n" * 20_000 + b"--b--\r\n")


def _types() -> Iterator[tuple[str, bytes]]:
    values = {
        "garbage": ';;;=;"',
        "no-slash": "text",
        "empty": "",
        "slash-only": "/",
        "spaces": "text / plain ; charset = utf-8",
        "comment": "text/plain (really text/html); charset=utf-8 (comment)",
        "upper": "TEXT/PLAIN; CHARSET=UTF-8",
        "header-break": 'text/html"><script>alert(1)</script>',
        "path": "../../etc/passwd",
        "long": "text/" + "x" * 5_000,
        "params-1000": "text/plain; " + "; ".join(f"p{n}={n}" for n in range(1_000)),
        "semicolons": "text/plain" + ";" * 50_000,
        "quote-run": 'text/plain; charset="' + "\\" * 50_001,
        "charset-empty": "text/plain; charset=",
        "charset-unknown": "text/plain; charset=x-klingon",
        "charset-codec-trick": "text/plain; charset=rot13",
        "charset-zip": "text/plain; charset=zlib_codec",
        "charset-idna": "text/plain; charset=idna",
        "charset-quoted": "text/plain; charset=\"'utf-8'\"",
        "charset-list": "text/plain; charset=utf-8,iso-8859-1",
        "charset-long": "text/plain; charset=" + "x" * 10_000,
        "charset-undefined": "text/plain; charset=undefined",
        "two-types": "text/plain; charset=utf-8, text/html",
        "javascript": "application/javascript",
        "xhtml": "application/xhtml+xml",
        "svg": "image/svg+xml; name=logo.svg",
        "xml": "text/xml",
        "external": 'message/external-body; access-type=URL; url="http://canary.invalid/x"',
        "partial": "message/partial; id=x; number=1; total=3",
        "enriched": "text/enriched",
        "richtext": "text/richtext",
        "delivery": "message/delivery-status",
        "calendar": "text/calendar; method=REQUEST",
    }
    body = b"visible <script>alert(1)</script> text\r\n"
    for name, value in values.items():
        yield f"type-{name}", letter(f"type {name}", value or " ", body)
    yield "type-twice", letter("two types", "text/plain", body, b"Content-Type: text/html")
    yield "type-fold", letter("fold", "text/\r\n plain;\r\n\tcharset=\r\n utf-8", body)
    yield "type-no-mime-version", b"Subject: x\r\nContent-Type: text/html\r\n\r\n<p>visible</p>\r\n"
    yield "type-8bit", b"Subject: x\r\nContent-Type: text/plain; charset=\xff\xfe; name=\xe9\r\n\r\nvisible\r\n"


def _nested() -> Iterator[tuple[str, bytes]]:
    for depth in (60, 200):
        entity = TEXT
        for level in range(depth):
            entity = multipart("mixed", f"n{level}", entity)
        yield f"nested-{depth}", fields(f"nested {depth}") + entity
        message = letter("innermost", "text/plain", b"visible innermost\r\n")
        for level in range(depth):
            message = letter(f"outer {level}", RFC822, message)
        yield f"rfc822-nested-{depth}", message
    inner = letter("inner", MIXED, joined("b", TEXT, PDF))
    yield "rfc822-multipart", letter("outer", 'multipart/mixed; boundary="o"', joined("o", TEXT, part(RFC822, inner)))
    yield "rfc822-same-boundary", letter("outer", MIXED, joined("b", TEXT, part(RFC822, inner)))
    yield (
        "rfc822-base64",
        letter("outer", RFC822, b"U3ViamVjdDogeA0KDQp2aXNpYmxlDQo=\r\n", b"Content-Transfer-Encoding: base64"),
    )
    yield "rfc822-empty", letter("outer", 'multipart/mixed; boundary="o"', joined("o", TEXT, part(RFC822, b"")))
    yield (
        "digest",
        letter(
            "digest",
            'multipart/digest; boundary="d"',
            joined("d", CRLF + letter("one", "text/plain", b"visible\r\n"), b""),
        ),
    )
    yield "alternative-empty", letter("alt", 'multipart/alternative; boundary="b"', b"--b--\r\n")
    yield "alternative-no-text", letter("alt", 'multipart/alternative; boundary="b"', joined("b", PDF, PDF))
    yield (
        "alternative-empty-html",
        letter("alt", 'multipart/alternative; boundary="b"', joined("b", TEXT, part("text/html", b""))),
    )
    yield "alternative-50-html", letter("alt", 'multipart/alternative; boundary="b"', joined("b", TEXT, *[HTML] * 50))
    yield (
        "related-no-root",
        letter("related", 'multipart/related; boundary="b"; start="<nowhere>"', joined("b", PDF, HTML)),
    )
    yield (
        "related-cid-loop",
        letter(
            "loop",
            'multipart/related; boundary="b"',
            joined("b", part("text/html", b"visible <img src=cid:a><iframe src=cid:a>", b"Content-ID: <a>")),
        ),
    )
    yield (
        "related-same-cid",
        letter(
            "cids",
            'multipart/related; boundary="b"',
            joined("b", HTML, *[part("image/png", b"x", b"Content-ID: <a>")] * 50),
        ),
    )
    yield (
        "related-cid-attack",
        letter(
            "cid",
            'multipart/related; boundary="b"',
            joined("b", HTML, part("image/png", b"x", b'Content-ID: <"><script>alert(1)</script>>')),
        ),
    )
    yield (
        "signed-broken",
        letter(
            "signed",
            'multipart/signed; boundary="b"; protocol="application/pgp-signature"',
            joined("b", TEXT, part("application/pgp-signature", b"no")),
        ),
    )
    yield (
        "encrypted-broken",
        letter(
            "encrypted",
            'multipart/encrypted; boundary="b"',
            joined("b", part("application/pgp-encrypted", b"Version: 1"), TEXT),
        ),
    )
    yield (
        "report-broken",
        letter(
            "report",
            'multipart/report; boundary="b"; report-type=delivery-status',
            joined("b", TEXT, part("message/delivery-status", b"\0\r\n\r\n"), part("text/rfc822-headers", b"<script>")),
        ),
    )
    yield "multipart-encoded", letter("b64 multipart", MIXED, joined("b", TEXT), b"Content-Transfer-Encoding: base64")
    yield "multipart-unknown", letter("unknown", 'multipart/x-strange; boundary="b"', joined("b", TEXT, HTML))
    yield (
        "efail-split",
        letter(
            "efail",
            MIXED,
            joined("b", part("text/html", b"visible <img src='http://canary.invalid/"), TEXT, part("text/html", b"'>")),
        ),
    )
    yield (
        "html-split-parts",
        letter(
            "split",
            MIXED,
            joined(
                "b",
                part("text/html", b"visible <!--"),
                part("text/html", b"<scr"),
                part("text/html", b"ipt>alert(1)</script>-->"),
            ),
        ),
    )


def _encodings() -> Iterator[tuple[str, bytes]]:
    bodies = {
        "base64-garbage": (b"base64", b"!!!! visible? ####\r\n" * 50),
        "base64-one-char": (b"base64", b"Q"),
        "base64-spaces": (b"base64", b"d m l z\r\n a W J s Z Q = =\r\n"),
        "base64-padding-inside": (b"base64", b"dmlzaWJsZQ==\r\ndmlzaWJsZQ==\r\n"),
        "base64-no-padding": (b"base64", b"dmlzaWJsZQ"),
        "base64-urlsafe": (b"base64", b"dmlzaWJsZS_-"),
        "base64-one-line": (b"base64", b"dmlzaWJsZSAg" * 100_000),
        "base64-then-text": (b"base64", b"dmlzaWJsZQ==\r\n\r\n-- \r\nThis list adds a footer.\r\n"),
        "base64-is-plain": (b"base64", b"visible plain text that is not base64 at all, sorry.\r\n"),
        "qp-garbage": (b"quoted-printable", b"visible =ZZ =0 = =\r\n=\r\n==\r\n=3D=3d=E9=\r\n"),
        "qp-end-equals": (b"quoted-printable", b"visible="),
        "qp-half-utf8": (b"quoted-printable", b"visible =C3=\r\n=A1 =C3 =A1"),
        "qp-equals-run": (b"quoted-printable", b"=" * 500_000 + b"visible"),
        "qp-one-line": (b"quoted-printable", b"=41" * 500_000),
        "qp-trailing-space": (b"quoted-printable", b"visible   \t\r\ntext=20\r\n"),
        "uuencode": (b"x-uuencode", b"begin 644 v.txt\r\n'=FES:6)L90``\r\n`\r\nend\r\n"),
        "uuencode-garbage": (b"x-uuencode", b"begin 644 ../../x\r\nM!!!!\xff\r\n" + b"~" * 100_000),
        "uuencode-bomb": (b"uuencode", b"begin 644 x\r\n" * 50_000),
        "unknown": (b"x-rot13", b"ivfvoyr\r\n"),
        "list": (b"7bit, base64", b"visible\r\n"),
        "comment": (b"base64 (really)", b"dmlzaWJsZQ==\r\n"),
        "quoted": (b'"base64"', b"dmlzaWJsZQ==\r\n"),
        "binary": (b"binary", b"visible\0\r\r\n\x80\xff"),
        "8bit-as-7bit": (b"7bit", "visible ñandú 日本\r\n".encode()),
        "header-break": (b"base64\r\n\tX: y", b"dmlzaWJsZQ==\r\n"),
        "empty": (b"", b"visible\r\n"),
        "long": (b"x" * 20_000, b"visible\r\n"),
    }
    for name, (encoding, body) in bodies.items():
        yield (
            f"encoding-{name}",
            letter(f"encoding {name}", "text/plain; charset=utf-8", body, b"Content-Transfer-Encoding: " + encoding),
        )
    yield (
        "encoding-twice",
        letter(
            "twice",
            "text/plain",
            b"dmlzaWJsZQ==",
            b"Content-Transfer-Encoding: base64",
            b"Content-Transfer-Encoding: 7bit",
        ),
    )


def heavy_messages() -> Iterator[tuple[str, bytes]]:
    """The big ones: a line of 20 MB, 10,000 recipients, 20,000 segments of one file name, 20 MB of attachment."""
    yield "line-20mb", letter("20 MB line", "text/plain", b"visible " + b"x" * 20_000_000)
    yield "html-line-20mb", letter("20 MB html", "text/html", b"<p>visible</p><p>" + b"x" * 20_000_000)
    yield (
        "attachment-20mb",
        letter(
            "20 MB file",
            MIXED,
            joined(
                "b",
                TEXT,
                part(
                    "application/pdf; name=a.pdf", (b"QUFB" * 18 + CRLF) * 270_000, b"Content-Transfer-Encoding: base64"
                ),
            ),
        ),
    )
    recipients = b",\r\n ".join(b'"Person %d" <p%d@example.org>' % (n, n) for n in range(10_000))
    yield (
        "recipients-10000",
        b"To: " + recipients + b"\r\nCc: " + recipients + CRLF + letter("10000", "text/plain", b"visible\r\n"),
    )
    segments = b";\r\n ".join(b"filename*%d=a" % n for n in range(20_000))
    yield (
        "segments-20000",
        letter("segments", "application/pdf", b"x", b"Content-Disposition: attachment;\r\n " + segments),
    )
    yield "header-line-5mb", b"X-Long: " + b"y" * 5_000_000 + CRLF + letter("long header", "text/plain", b"visible\r\n")
    yield "header-fields-100000", b"X: y\r\n" * 100_000 + letter("many fields", "text/plain", b"visible\r\n")
    yield "subject-1mb", letter("s" * 1_000_000, "text/plain", b"visible\r\n")
    yield "boundary-dashes-10mb", letter("dashes", MIXED, b"\r\n--" * 2_500_000)
    yield "parts-20000", letter("20000 parts", MIXED, joined("b", *[TEXT] * 20_000))
    yield (
        "references-1mb",
        b"References: "
        + b" ".join(b"<%d@example.org>" % n for n in range(50_000))
        + CRLF
        + letter("refs", "text/plain", b"visible\r\n"),
    )
    yield "nul-10mb", letter("nuls", "text/plain", b"visible" + b"\0" * 10_000_000)
    yield "html-tags-5mb", letter("tags", "text/html", b"visible" + b"<b>x" * 1_250_000)
