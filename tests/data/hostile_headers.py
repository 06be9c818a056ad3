"""Messages whose header lies, is broken, or wants to become something else."""

from __future__ import annotations

from collections.abc import Iterator

from tests.data.letters import CRLF

BODY = CRLF + b"visible text\r\n"
FROM = b"From: Mallory <mallory@example.com>\r\n"
SUBJECT = b"Subject: visible\r\n"
DATE = b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\n"


def header_messages() -> Iterator[tuple[str, bytes]]:
    """Every message with a strange header, by name."""
    for name, value in SUBJECTS.items():
        yield f"subject-{name}", FROM + DATE + b"Subject: " + value + CRLF + BODY
    for name, value in SENDERS.items():
        yield f"from-{name}", SUBJECT + DATE + b"From: " + value + CRLF + BODY
    for name, value in DATES.items():
        yield f"date-{name}", FROM + SUBJECT + b"Date: " + value + CRLF + BODY
    for name, value in BLOCKS.items():
        yield f"header-{name}", value + BODY


SUBJECTS = {
    "empty": b"",
    "spaces": b"   \t  ",
    "script": b"<script>alert(1)</script> visible",
    "html": b"</title><img src=x onerror=alert(1)>\"'&amp; visible",
    "template": b"{{ 7*7 }} {% load x %} ${7*7} visible",
    "utf8-raw": "visible ñandú €".encode(),
    "latin1-raw": "visible ñandú".encode("latin-1"),
    "cp1252-raw": "visible “€”".encode("cp1252"),
    "sjis-raw": "visible 日本語".encode("shift_jis"),
    "mixed-raw": "ñ".encode() + "ñ".encode("latin-1"),
    "surrogate-utf8": b"visible \xed\xa0\x80\xed\xb0\x80",
    "overlong": b"visible \xc0\xbcscript\xc0\xbe",
    "encoded-script": b"=?utf-8?q?=3Cscript=3Ealert(1)=3C/script=3E?=",
    "encoded-crlf": b"=?utf-8?q?visible=0D=0ABcc:_victim@example.org=0D=0A=0D=0Abody?=",
    "encoded-crlf-base64": b"=?utf-8?b?dmlzaWJsZQ0KQmNjOiB4QGV4YW1wbGUub3JnDQo=?=",
    "encoded-nul": b"=?utf-8?q?vis=00ible?=",
    "encoded-unknown": b"=?x-klingon?q?visible?=",
    "encoded-bad-encoding": b"=?utf-8?z?visible?=",
    "encoded-bad-base64": b"=?utf-8?b?dmlzaWJ!!sZ?= =?utf-8?b?Q?=",
    "encoded-unfinished": b"=?utf-8?q?visible",
    "encoded-empty": b"=?utf-8?q??= =?utf-8?b??= visible",
    "encoded-spaces": b"=?utf-8?q?visible text with spaces?=",
    "encoded-glued": b"a=?utf-8?q?visible?=b=?utf-8?q?c?=d",
    "encoded-quoted": b'"=?utf-8?q?visible?="',
    "encoded-split-char": b"=?utf-8?b?w?= =?utf-8?q?=C3?=\r\n =?utf-8?q?=B1_visible?=",
    "encoded-split-iso2022": b"=?iso-2022-jp?b?GyRCRnw=?= =?iso-2022-jp?b?S1xsRRsoQg==?=",
    "encoded-language": b"=?utf-8*es?q?visible?=",
    "encoded-utf7": b"=?utf-7?q?+ADw-script+AD4-alert(1)+ADw-/script+AD4-?=",
    "encoded-nested": b"=?utf-8?q?=3D=3Futf-8=3Fq=3Fvisible=3F=3D?=",
    "encoded-bomb": b" ".join([b"=?utf-8?q?x?="] * 5_000),
    "encoded-bomb-charsets": b" ".join(b"=?x-%d?q?x?=" % n for n in range(5_000)),
    "encoded-opens": b"=?" * 30_000,
    "encoded-almost": b"=?a?q?" * 10_000,
    "encoded-codec-trick": b"=?rot13?q?ivfvoyr?= =?hex?q?41?= =?unicode_escape?q?=5Cu202e?=",
    "rtl-override": "visible \u202etxt.exe".encode(),
    "rtl-isolate": "\u2066\u2067\u2068visible".encode(),
    "rtl-encoded": b"=?utf-8?q?=E2=80=AEvisible?=",
    "zero-width": "v\u200bi\u200cs\u200di\u2060b\ufeffle".encode(),
    "zalgo": ("v" + "\u0301\u0316" * 2_000 + "isible").encode(),
    "controls": b"visible\x01\x02\x07\x08\x1b[31m\x7f",
    "c1-controls": "visible\u0085\u009b31m\u2028\u2029".encode(),
    "noncharacters": "visible\ufffe\uffff\U0010ffff\ue000".encode(),
    "emoji": "visible 👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿".encode(),
    "huge": b"visible " + b"word " * 12_000,
    "huge-no-space": b"visible" + b"x" * 60_000,
    "folds": b"visible" + b"\r\n x" * 5_000,
    "fold-blank": b"visible\r\n \r\n \r\n text",
    "fold-8bit": "visible\r\n ñ\r\n\tñ".encode(),
    "bare-cr": b"visible\rBcc: victim@example.org",
    "bare-lf-fold": b"visible\n text",
    "formula": b"=cmd|'/c calc'!A1 visible",
    "imap-literal": b'{100+} visible" ) UID FETCH \\Seen',
}

SENDERS = {
    "empty": b"",
    "missing-address": b"visible",
    "null": b"<>",
    "null-name": b"visible <>",
    "no-domain": b"visible <root>",
    "at-only": b"@",
    "many-ats": b"a@b@c@example.org",
    "two": b"a@example.org, b@example.org",
    "comment": b"ana@example.org (visible (nested (deep)))",
    "comment-bomb": b"(" * 20_000 + b"ana@example.org",
    "comment-in-address": b"visible <ana(c)@(d)example(e).org>",
    "quote-unclosed": b'"visible <ana@example.org>',
    "quote-bomb": b'"' * 20_001 + b" <ana@example.org>",
    "backslash-bomb": b'"' + b"\\" * 20_001,
    "angle-bomb": b"<" * 20_000,
    "angle-unclosed": b"visible <ana@example.org",
    "comma-bomb": b"," * 50_000,
    "group": b"visible: a@example.org, b@example.org;",
    "group-empty": b"undisclosed-recipients:;",
    "group-nested": b"a: b: c: d@example.org;;;",
    "route": b"visible <@a.example,@b.example:ana@example.org>",
    "encoded-address": b"=?utf-8?q?visible_=3Cboss=40bank=2Eexample=3E?= <mallory@example.com>",
    "encoded-whole": b"=?utf-8?q?boss=40bank=2Eexample?=",
    "encoded-comma": b"=?utf-8?q?visible=2C_boss=40bank.example=2C?= <mallory@example.com>",
    "encoded-nul": b"=?utf-8?b?Ym9zc0BiYW5rLmV4YW1wbGUA?= <mallory@example.com>",
    "encoded-newline": b"=?utf-8?q?boss=40bank.example=0A=0A?= <mallory@example.com>",
    "encoded-in-address": b"<=?utf-8?q?boss=40bank.example?=@example.com>",
    "name-is-address": b'"boss@bank.example" <mallory@example.com>',
    "name-long": b'"' + b"visible " * 5_000 + b'" <mallory@example.com>',
    "address-long": b"<" + b"a" * 50_000 + b"@example.com>",
    "script": b'"<script>alert(1)</script>" <"<img/src=x onerror=alert(1)>"@example.com>',
    "script-domain": b'<ana@example.com"><script>alert(1)</script>>',
    "quoted-local": b'"ana maria"@example.org',
    "quoted-local-at": b'"boss@bank.example"@example.com',
    "space-address": b"ana @ example . org",
    "crlf": b"visible\r\n\t<ana@example.org>",
    "idn": b"visible <ana@xn--espaa-rta.example>",
    "idn-mixed": b"visible <ana@xn--pple-43d.com>",
    "idn-broken": b"visible <ana@xn--a.xn--zz-9999999.com>",
    "idn-raw": "visible <ana@españa.example>".encode(),
    "idn-cyrillic": "visible <ana@аpple.com>".encode(),
    "utf8-local": "visible <ñandú@example.org>".encode(),
    "latin1-name": "Íñigo <ana@example.org>".encode("latin-1"),
    "bidi": "\u202evisible\u202c <ana@example.org>".encode(),
    "bidi-address": "<ana\u202e@gro.elpmaxe>".encode(),
    "nul": b"visible\0 <ana\0@example.org>",
    "ip-literal": b"visible <ana@[127.0.0.1]>, <b@[IPv6:::1]>",
    "semicolons": b"a@example.org; b@example.org; c@example.org",
    "newline-injection": b"a@example.org\rBcc: victim@example.org",
    "mailsploit": b"=?utf-8?b?Ym9zc0BiYW5r?==?utf-8?Q?=00?==?utf-8?b?Ym9zc0BiYW5r?=@example.com",
}

DATES = {
    "empty": b"",
    "garbage": b"yesterday at noon",
    "iso": b"2026-11-02T10:00:00+01:00",
    "no-zone": b"Mon, 02 Nov 2026 10:00:00",
    "no-time": b"02 Nov 2026",
    "two-digit": b"02 Nov 26 10:00 GMT",
    "obsolete-zone": b"Mon, 02 Nov 2026 10:00:00 EST",
    "military-zone": b"Mon, 02 Nov 2026 10:00:00 Z",
    "strange-zone": b"Mon, 02 Nov 2026 10:00:00 +9999",
    "named-zone": b"Mon, 02 Nov 2026 10:00:00 Europe/Madrid",
    "comment": b"Mon (lunes), 02 Nov 2026 (hoy) 10:00:00 +0100 (CET)",
    "asctime": b"Mon Nov  2 10:00:00 2026",
    "spanish": b"lun, 02 nov 2026 10:00:00 +0100",
    "day-32": b"Mon, 32 Nov 2026 10:00:00 +0000",
    "hour-25": b"Mon, 02 Nov 2026 25:61:61 +0000",
    "leap-second": b"Sat, 31 Dec 2016 23:59:60 +0000",
    "year-0": b"Mon, 02 Nov 0000 10:00:00 +0000",
    "year-1900": b"Mon, 02 Nov 1900 10:00:00 +0000",
    "year-9999": b"Fri, 31 Dec 9999 23:59:59 -1200",
    "year-huge": b"Mon, 02 Nov 99999999999999999999 10:00:00 +0000",
    "negative": b"Mon, -2 Nov -2026 -10:00:00 +0000",
    "arabic-digits": "Mon, ٠٢ Nov ٢٠٢٦ 10:00:00 +0000".encode(),
    "html": b"<script>alert(1)</script>",
    "long": b"Mon, " + b"0" * 50_000 + b" Nov 2026",
    "parens": b"(" * 50_000,
    "fold": b"Mon,\r\n 02\r\n Nov\r\n 2026\r\n 10:00:00\r\n +0100",
    "dots": b"02.11.2026 10.00.00 +0100",
}

BLOCKS = {
    "duplicate-all": (FROM + SUBJECT + DATE) * 3,
    "duplicate-from": FROM + b"From: Boss <boss@bank.example>\r\n" + SUBJECT,
    "duplicate-subject": b"Subject: visible first\r\nSubject: visible second\r\n" + FROM,
    "no-colon": FROM + b"this line is no header\r\n" + SUBJECT,
    "no-colon-first": b"this line is no header\r\n" + FROM + SUBJECT,
    "space-before-colon": b"Subject : visible\r\nFrom\t: a@example.org\r\n",
    "empty-name": b": no name\r\n" + FROM + SUBJECT,
    "only-colons": b":\r\n::\r\n:::\r\n" + SUBJECT,
    "starts-folded": b" folded before any field\r\n" + FROM + SUBJECT,
    "name-8bit": b"S\xfcbject: x\r\n" + SUBJECT + FROM,
    "name-script": b"<script>alert(1)</script>: x\r\n" + SUBJECT,
    "name-long": b"X" * 20_000 + b": y\r\n" + SUBJECT,
    "case": b"sUbJeCt: visible\r\nFROM: a@example.org\r\nconTENT-tYPE: TEXT/plain\r\n",
    "fields-5000": b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + SUBJECT,
    "size-300k": b"X-Big: " + b"z" * 300_000 + CRLF + SUBJECT,
    "received-1000": b"Received: from a by b; Mon, 02 Nov 2026 10:00:00 +0100\r\n" * 1_000 + FROM + SUBJECT,
    "folds-50000": b"X: y\r\n" + b" z\r\n" * 50_000 + SUBJECT,
    "message-id-script": b'Message-ID: <"><script>alert(1)</script>@x>\r\n' + SUBJECT,
    "message-id-bad": b"Message-ID: not an id at all <<>> <\r\n" + SUBJECT,
    "message-id-injection": b'Message-ID: <a@b> OR ALL" {5}\r\n' + SUBJECT,
    "references-loop": b"Message-ID: <a@b>\r\nReferences: <a@b> <a@b>\r\nIn-Reply-To: <a@b>\r\n" + SUBJECT,
    "references-garbage": b"References: " + b"<" * 20_000 + CRLF + SUBJECT,
    "authentication-forged": b"Authentication-Results: mx.example.org; dkim=pass spf=pass dmarc=pass\r\n"
    + FROM
    + SUBJECT,
    "unsubscribe-js": b"List-Unsubscribe: <javascript:alert(1)>, <data:text/html,x>, <http://canary.invalid/u>\r\n"
    + SUBJECT,
    "unsubscribe-injection": b"List-Unsubscribe: <mailto:a@b?subject=x%0D%0ABcc:c@d&body=<script>>\r\n" + SUBJECT,
    "unsubscribe-bomb": b"List-Unsubscribe: " + b"<" * 20_000 + CRLF + SUBJECT,
    "receipt": b'Disposition-Notification-To: <"><script>alert(1)</script>@x>\r\nReturn-Receipt-To: a@b\r\n' + SUBJECT,
    "priority": b"X-Priority: <script>\r\nImportance: ((((\r\n" + SUBJECT,
    "to-missing": FROM + SUBJECT,
    "bcc-visible": FROM + SUBJECT + b"Bcc: secret@example.org\r\n",
    "reply-to-other": FROM + SUBJECT + b'Reply-To: "Boss" <boss@bank.example>, ,,,\r\n',
    "sender-other": FROM + SUBJECT + b"Sender: boss@bank.example\r\nReturn-Path: <>\r\n",
    "recipients-2000": FROM + SUBJECT + b"To: " + b", ".join(b"p%d@example.org" % n for n in range(2_000)) + CRLF,
}
