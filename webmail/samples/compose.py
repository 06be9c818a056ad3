"""From a letter to a message: headers as mail servers and programs write them, the body in the writer's manner."""

from __future__ import annotations

from datetime import timedelta
from html import escape

from webmail.samples.dates import mail_date
from webmail.samples.draws import draw, pick
from webmail.samples.files import make_invitation
from webmail.samples.letters import inline_picture
from webmail.samples.values import Contact, Letter, Table
from webmail.samples.wire import address, address_list, encode_words, field, file_part, fold_text, multipart, text_part

PROGRAMS = ("Mozilla Thunderbird", "Microsoft Outlook 16.0", "Apple Mail (2.3774)", "K-9 Mail", "Roundcube Webmail/1.6")
BULK_CSS = (
    "<style>body{margin:0;background:#f4f1ea} .wrap{width:600px;margin:0 auto;background:#ffffff} h1{font-family:Georgia,serif;"
    "color:#7a2e1d;font-size:26px} .cell{padding:18px 24px;font-family:Arial,sans-serif;font-size:15px;line-height:22px;"
    "color:#333333} @media (max-width:600px){.wrap{width:100%}}</style>"
)


def compose(letter: Letter, owner: Contact, seed: int, *, message_id: str = "", parents: tuple[str, ...] = ()) -> bytes:
    """The octets of a message, CRLF throughout. The same arguments give the same bytes."""
    incoming = letter.sender is not owner
    head = _trace(letter, owner, seed) if incoming else b""
    subject = encode_words(letter.subject, letter.sender.charset, letter.sender.words)
    head += field("Date", mail_date(letter.when))
    head += field("From", address(letter.sender, letter.sender))
    head += field("To", address_list(letter.to, letter.sender))
    if letter.cc:
        head += field("Cc", address_list(letter.cc, letter.sender))
    head += field("Subject", fold_text(subject))
    own_id = message_id or f"{draw(seed, 'mid'):016x}@{letter.sender.domain}"
    head += field("Message-ID", f"<{own_id}>")
    if parents:
        head += field("In-Reply-To", f"<{parents[-1]}>")
        head += field("References", " ".join(f"<{parent}>" for parent in parents))
    if letter.unsubscribe:
        head += field("List-Unsubscribe", f"<https://{letter.sender.domain}/baja/{seed % 99991}>")
        head += field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    head += field("User-Agent", pick(seed, "program", PROGRAMS)) + field("MIME-Version", "1.0")
    return head + _body(letter, owner, seed)


def _trace(letter: Letter, owner: Contact, seed: int) -> bytes:
    """What the owner's server stamped on top (RFC 8601, RFC 5321)."""
    server = f"mail.{owner.domain}"
    domain = letter.sender.domain
    result = {"pass": "pass", "softfail": "softfail", "fail": "fail", "none": "none"}[letter.auth]
    received = mail_date(letter.when + timedelta(seconds=2))
    trace = field("Return-Path", f"<{letter.sender.email}>")
    tls = "\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))" if letter.signed else ""
    how = "ESMTPS" if letter.signed else "ESMTP"
    origin = f"from mx.{domain} (mx.{domain} [192.0.2.{seed % 250}]){tls}"
    trace += field("Received", f"{origin}\r\n\tby {server} (Postfix) with {how} id {seed % 10**9:x};\r\n\t{received}")
    checks = f"spf={result} smtp.mailfrom={domain};\r\n\tdkim={result} header.d={domain};\r\n\tdmarc={result}"
    return trace + field("Authentication-Results", f"{server};\r\n\t{checks} header.from={domain}")


def _body(letter: Letter, owner: Contact, seed: int) -> bytes:
    mark = f"=_{draw(seed, 'boundary'):016x}"
    content = _text(letter, owner, seed, mark)
    if not letter.files:
        return content
    parts = [content, *(file_part(file, letter.sender) for file in letter.files)]
    return multipart("mixed", f"{mark}_m", parts)


def _text(letter: Letter, owner: Contact, seed: int, mark: str) -> bytes:
    charset = letter.sender.charset
    plain = _plain(letter)
    if letter.style in {"plain", "flowed"}:
        extra = "; format=flowed" if letter.style == "flowed" else ""
        return text_part(plain, charset=charset, extra=extra)
    if letter.style == "invite":
        return _invitation(letter, owner, seed, mark, plain)
    html = _newsletter(letter) if letter.style == "newsletter" else _html(letter)
    if letter.style == "newsletter":
        return text_part(html, charset="utf-8", subtype="html")
    if letter.style == "html":
        cid = f"{seed % 10**9:x}@{letter.sender.domain}"
        html = html.replace("</body>", f'<p><img src="cid:{cid}" width="240" alt="imagen"></p></body>')
        related = [
            text_part(html, charset="utf-8", subtype="html"),
            file_part(inline_picture(seed, cid), letter.sender),
        ]
        return multipart("related", f"{mark}_r", related)
    both = [text_part(plain, charset=charset), text_part(html, charset="utf-8", subtype="html")]
    return multipart("alternative", f"{mark}_a", both)


def _invitation(letter: Letter, owner: Contact, seed: int, mark: str, plain: str) -> bytes:
    start = (letter.when + timedelta(days=4)).replace(hour=10, minute=30, second=0)
    event = make_invitation(
        uid=f"{seed:x}@{letter.sender.domain}",
        title=letter.subject,
        place=letter.sender.org,
        start=start,
        host=letter.sender,
        guest=owner,
        text=letter.text,
    ).decode()
    calendar = text_part(event, charset="utf-8", subtype="calendar", extra="; method=REQUEST")
    return multipart("alternative", f"{mark}_a", [text_part(plain, charset="utf-8"), calendar])


def _plain(letter: Letter) -> str:
    text = letter.text
    if letter.table:
        text += "\n\n" + "\n".join("   ".join(row) for row in letter.table.rows)
    if letter.signed and letter.style in {"plain", "flowed", "alternative"}:
        text += f"\n\n-- \n{letter.sender.name}\n{letter.sender.org} {letter.sender.phone}".rstrip()
    return text + "\n"


def _html(letter: Letter) -> str:
    paragraphs = "".join(f"<p>{escape(piece)}</p>" for piece in letter.text.replace("\n\n", "\0").split("\0"))
    table = _table(letter.table) if letter.table else ""
    sign = f'<p style="color:#5a6475;font-size:13px">{escape(letter.sender.name)}<br>{escape(letter.sender.org)}</p>'
    return f'<html><body style="font-family:Arial,sans-serif">{paragraphs}{table}{sign}</body></html>'


def _table(table: Table) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        style = "padding:5px 14px 5px 0;border-bottom:1px solid #dddddd;text-align:left"
        return "<tr>" + "".join(f'<{tag} style="{style}">{escape(cell)}</{tag}>' for cell in cells) + "</tr>"

    return f"<table>{line(table.head, 'th')}{''.join(line(row, 'td') for row in table.rows)}</table>"


def _newsletter(letter: Letter) -> str:
    """Tables, a style block, remote pictures and a tracking pixel, as bulk mail has them."""
    domain = letter.sender.domain
    rows = "".join(
        f'<tr><td class="cell"><img src="https://img.{domain}/{n}.jpg" width="160" height="110" alt="{escape(title)}"></td>'
        f'<td class="cell"><b>{escape(title)}</b><br>{escape(text)}<br><a href="https://{domain}/nota/{n}">Leer más</a></td></tr>'
        for n, (title, text) in enumerate(letter.items, 1)
    )
    return (
        f'<html><head>{BULK_CSS}</head><body bgcolor="#f4f1ea"><table class="wrap" align="center" cellpadding="0" cellspacing="0">'
        f'<tr><td colspan="2" class="cell" bgcolor="#7a2e1d" style="color:#ffffff"><b>{escape(letter.sender.name)}</b></td></tr>'
        f'<tr><td colspan="2" class="cell"><h1>{escape(letter.subject)}</h1><p>{escape(letter.text)}</p></td></tr>{rows}'
        f'<tr><td colspan="2" class="cell" style="font-size:12px;color:#777777">{escape(letter.sender.email)}'
        f'<img src="https://t.{domain}/o.gif" width="1" height="1" alt=""></td></tr></table></body></html>'
    )
