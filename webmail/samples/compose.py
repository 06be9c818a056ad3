"""From a letter to a message: headers as mail servers and programs write them, the body in the writer's manner."""

from __future__ import annotations

from datetime import timedelta

from webmail.samples.bodies import html_page, newsletter_page, notice_page, plain_text, quoted_text, signature
from webmail.samples.dates import in_chile, mail_date
from webmail.samples.draws import draw, pick
from webmail.samples.files import make_invitation
from webmail.samples.letters import inline_logo
from webmail.samples.values import Contact, File, Letter
from webmail.samples.wire import address, address_list, encode_words, field, file_part, fold_text, multipart, text_part

PROGRAMS = ("Mozilla Thunderbird", "Microsoft Outlook 16.0", "Apple Mail (2.3774)", "K-9 Mail", "Roundcube Webmail/1.6")
CIPHERS = (
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
    "TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits)",
)
NETS = ("192.0.2", "198.51.100", "203.0.113")
"""Addresses for documentation (RFC 5737)."""
OUR_PLACE = "Taller, Av. Freire 1180, Quilpué"


def compose(
    letter: Letter, owner: Contact, seed: int, *, message_id: str, parents: tuple[str, ...] = (), draft: bool = False
) -> bytes:
    """The octets of a message, CRLF throughout; ids come without angle brackets. The same arguments give the same bytes.
    A draft is one that Thunderbird left."""
    writer = letter.sender
    subject = fold_text(encode_words(letter.subject, writer.charset, writer.words))
    head = [] if writer.email == owner.email else _trace(letter, owner, seed)
    head += [field("Date", mail_date(in_chile(letter.when))), field("From", address(writer, writer))]
    head += [field("To", address_list(letter.to, writer))]
    if letter.cc:
        head.append(field("Cc", address_list(letter.cc, writer)))
    head += [field("Subject", subject), field("Message-ID", f"<{message_id}>")]
    if parents:
        head.append(field("In-Reply-To", f"<{parents[-1]}>"))
        head.append(field("References", "\r\n ".join(f"<{parent}>" for parent in parents)))
    if letter.unsubscribe:
        head += _list_fields(writer, seed)
    if draft:
        head.append(
            field("X-Mozilla-Draft-Info", "internal/draft; vcard=0; receipt=0; DSN=0; uuencode=0; deliveryformat=0")
        )
    if writer.style not in {"notice", "newsletter"}:
        head.append(field("User-Agent", pick(draw(0, writer.email), "program", PROGRAMS)))
    return b"".join([*head, field("MIME-Version", "1.0"), _entity(letter, owner, seed)])


def _list_fields(writer: Contact, seed: int) -> list[bytes]:
    """RFC 2369, RFC 2919 and RFC 8058."""
    number, domain = draw(seed, "list") % 10**6, writer.domain
    return [
        field("List-Id", f"<{writer.email.partition('@')[0]}.{domain}>"),
        field("List-Unsubscribe", f"<https://{domain}/baja?u={number}>,\r\n <mailto:baja-{number}@{domain}>"),
        field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        field("Precedence", "bulk"),
    ]


def _trace(letter: Letter, owner: Contact, seed: int) -> list[bytes]:
    """What the owner's server stamped on top (RFC 8601, RFC 5321 section 4.4). Spam often comes in clear."""
    server, domain = f"mail.{owner.domain}", letter.sender.domain
    encrypted = letter.auth == "pass" or draw(seed, "clear") % 2 == 0
    tls = f"\r\n\t(using {CIPHERS[draw(seed, 'cipher') % 7 == 0]})" if encrypted else ""
    number = f"{pick(seed, 'net', NETS)}.{1 + draw(seed, 'host') % 250}"
    stamped = in_chile(letter.when + timedelta(seconds=2))
    sent = in_chile(letter.when)
    queue = f"{draw(seed, 'queue') % 16**11:011X}"
    inner = f"from [10.0.{draw(seed, 'lan') % 9}.{2 + draw(seed, 'desk') % 90}] by mx.{domain} (Postfix) with ESMTPSA id {queue[::-1]};"
    return [
        field("Return-Path", f"<{letter.sender.email}>"),
        field("Delivered-To", owner.email),
        field(
            "Received",
            f"from mx.{domain} (mx.{domain} [{number}]){tls}\r\n\tby {server} (Postfix) with {'ESMTPS' if encrypted else 'ESMTP'} id {queue}\r\n"
            f"\tfor <{owner.email}>; {mail_date(stamped)}",
        ),
        field("Authentication-Results", _results(letter, server, domain)),
        field("Received", f"{inner}\r\n\t{mail_date(sent)}"),
    ]


def _results(letter: Letter, server: str, domain: str) -> str:
    spf, dkim, dmarc = {
        "pass": ("pass", "pass", "pass"),
        "softfail": ("softfail", "none", "fail"),
        "fail": ("fail", "fail", "fail"),
        "none": ("none", "none", "none"),
    }[letter.auth]
    return (
        f"{server};\r\n\tspf={spf} smtp.mailfrom={letter.sender.email};\r\n\tdkim={dkim} header.d={domain};\r\n"
        f"\tdmarc={dmarc} header.from={domain}"
    )


# --- Bodies ------------------------------------------------------------------------------------------------------------------
def _entity(letter: Letter, owner: Contact, seed: int) -> bytes:
    """The body with its files around it."""
    mark = f"=_{draw(seed, 'boundary'):016x}"
    if letter.style == "mixed":
        return _between(letter, mark)
    parts = [_text(letter, owner, seed, mark), *(file_part(file, letter.sender) for file in letter.files)]
    if letter.style == "invite":
        event = _invitation(letter, owner, seed)
        parts.append(file_part(File("invite.ics", "application/ics", event), letter.sender))
    return parts[0] if len(parts) == 1 else multipart("mixed", f"{mark}_m", parts)


def _between(letter: Letter, mark: str) -> bytes:
    """Text, picture, text, as telephones send it."""
    above, _, below = letter.text.partition("\n\n")
    charset = letter.sender.charset
    first, *others = letter.files
    picture = File(first.name, first.media_type, first.data, cid=f"{mark[2:]}@{letter.sender.domain}")
    end = f"{below}\n\n{signature(letter.sender)}\n\n{quoted_text(letter.previous, 1)}".strip()
    parts = [
        text_part(f"{above}\n", charset=charset),
        file_part(picture, letter.sender),
        text_part(f"{end}\n", charset=charset),
    ]
    return multipart("mixed", f"{mark}_m", [*parts, *(file_part(file, letter.sender) for file in others)])


def _text(letter: Letter, owner: Contact, seed: int, mark: str) -> bytes:
    """The words alone, in the writer's manner."""
    charset, style = letter.sender.charset, letter.style
    number = draw(seed, "issue") % 10**6
    if style == "newsletter":
        return text_part(newsletter_page(letter, number), charset="utf-8", subtype="html")
    if style in {"plain", "flowed"}:
        extra = "; format=flowed" if style == "flowed" else ""
        wide = charset != "iso-2022-jp" and draw(draw(0, letter.sender.email), "8bit") % 3 > 0
        return text_part(plain_text(letter, flowed=style == "flowed"), charset=charset, extra=extra, wide=wide)
    words = text_part(plain_text(letter), charset=charset)
    if style == "invite":
        event = text_part(
            _invitation(letter, owner, seed).decode().replace("\r\n", "\n"),
            charset="utf-8",
            subtype="calendar",
            extra="; method=REQUEST",
        )
        rich = text_part(html_page(letter), charset="utf-8", subtype="html")
        return multipart("alternative", f"{mark}_a", [words, rich, event])
    return multipart("alternative", f"{mark}_a", [words, _rich(letter, mark, seed, number)])


def _rich(letter: Letter, mark: str, seed: int, number: int) -> bytes:
    """The HTML of a letter: a notice, or a personal one, which may sign with a picture of its own or with remote ones."""
    charset = letter.sender.charset
    if letter.style == "notice":
        return text_part(notice_page(letter, sum(letter.sender.email.encode())), charset="utf-8", subtype="html")
    remote = f"https://firma.{letter.sender.domain}/{number}" if letter.remote else ""
    if letter.style != "html" or remote:
        return text_part(html_page(letter, remote=remote), charset=charset, subtype="html")
    cid = f"{draw(seed, 'cid'):x}@{letter.sender.domain}"
    page = text_part(html_page(letter, logo=cid), charset=charset, subtype="html")
    logo = file_part(inline_logo(cid, sum(letter.sender.domain.encode())), letter.sender)
    return multipart("related", f"{mark}_r", [page, logo], extra='; type="text/html"')


def _invitation(letter: Letter, owner: Contact, seed: int) -> bytes:
    """The event that an invitation speaks of."""
    return make_invitation(
        uid=f"{draw(seed, 'uid'):x}@{letter.sender.domain}",
        title=letter.subject,
        place=letter.sender.org or OUR_PLACE,
        start=letter.event or letter.when,
        host=letter.sender,
        guest=owner,
        text=letter.text,
    )
