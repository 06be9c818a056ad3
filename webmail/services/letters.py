"""Between a composer and a message: what a reply or a forward begins with, what a draft has in it, what goes out."""

from __future__ import annotations

import re
from html import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from webmail.markup.sanitize import sanitize
from webmail.mime.build import Draft, File, parse_recipients
from webmail.mime.headers import header_value
from webmail.mime.reply import (
    Kind,
    forward_text,
    quote_text,
    reply_recipients,
    reply_references,
    reply_subject,
    text_of_html,
)
from webmail.models import Composing
from webmail.services import uploads
from webmail.services.identities import allowed_addresses, identity_for, signature_block
from webmail.sources.base import MailSource
from webmail.values import Address, Message, Ref

QUOTE_LIMIT_CHARS = 1_000_000
CITE_PREFIX = '<div class="moz-cite-prefix">'
FORWARD_PREFIX = '<div class="moz-forward-container">'

_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b[^<>]*>", re.IGNORECASE)
_LONE_HARD_SPACE = re.compile(r"(?<=[^\s>;\xa0])(?:&nbsp;|\xa0)(?![\s\xa0]|&nbsp;)")


def begin_answer(composing: Composing, source: MailSource, ref: Ref, kind: Kind) -> None:
    """Fills a composer with the answer to a message, or with the message passed on. Raises MailError."""
    message = source.message(ref)
    account = composing.account
    own = frozenset(address.lower() for address in allowed_addresses(account))
    to, cc = reply_recipients(message, own, kind)
    composing.identity = identity_for(account, [*message.summary.sender, *message.to, *message.cc])
    composing.to, composing.cc = address_list(to), address_list(cc)
    forwarding = kind == "forward"
    composing.kind = Composing.Kind.FORWARD if forwarding else Composing.Kind.REPLY
    composing.subject = reply_subject(message.summary.subject, "Fwd" if forwarding else "Re")
    composing.parent = ref
    headers = message.headers
    composing.in_reply_to, references = reply_references(
        header_value(headers, "Message-ID"), header_value(headers, "References"), header_value(headers, "In-Reply-To")
    )
    composing.references = list(references)
    if forwarding:
        composing.in_reply_to = ""
    _quote(composing, message, forwarding=forwarding)
    composing.save()
    if forwarding:
        uploads.copy_parts(composing, source, ref, message.attachments)


def begin_edit(composing: Composing, source: MailSource, ref: Ref, *, as_new: bool = False) -> None:
    """Fills a composer with a draft of the server, to go on with it; or with any message as a new one. Raises MailError."""
    message = source.message(ref)
    headers = message.headers
    composing.to, composing.cc, composing.bcc = (address_list(one) for one in (message.to, message.cc, message.bcc))
    composing.subject = message.summary.subject
    composing.identity = identity_for(composing.account, message.summary.sender)
    html = next((body.text for body in message.bodies if body.part.subtype == "html"), "")
    text = next((body.text for body in message.bodies if body.part.subtype != "html"), "")
    composing.plain = not html
    composing.text = text or text_of_html(html)
    own, composing.quote_intro, composing.quote = _split_quote(html)
    composing.html = str(sanitize(own, cid_urls={}, remote="block").html) if html else ""
    if not as_new:
        composing.draft = ref
        composing.message_id = header_value(headers, "Message-ID").strip() or composing.message_id
        composing.in_reply_to = header_value(headers, "In-Reply-To").strip()
        composing.references = header_value(headers, "References").split()
    composing.saved = timezone.now()
    composing.save()
    uploads.copy_parts(composing, source, ref, message.attachments)


def _quote(composing: Composing, message: Message, *, forwarding: bool) -> None:
    html = next((body.text for body in message.bodies if body.part.subtype == "html"), "")
    text = "\n".join(body.text if body.part.subtype != "html" else text_of_html(body.text) for body in message.bodies)
    owner = composing.account.owner
    block = signature_block(composing.identity)
    signature = f"\n\n{block}" if block else ""
    if forwarding:
        lines = [(str(name), value) for name, value in _summary_lines(message)]
        quoted = forward_text(lines, text, _("Forwarded message"))
        composing.quote_intro = "\n".join(f"{name}: {value}" for name, value in lines)
    else:
        composing.quote_intro = _intro(message)
        quoted = quote_text(text, composing.quote_intro)
    composing.plain = owner.write_plain or not html
    if not composing.plain:
        composing.quote = html[:QUOTE_LIMIT_CHARS]
        composing.text = signature
    elif quoted and writes_below(composing):
        composing.text = f"{quoted}\n\n{signature}"
    else:
        composing.text = f"{signature}\n\n{quoted}" if quoted else signature


def writes_below(composing: Composing) -> bool:
    """Whether what one writes stands below the message that is answered; what is passed on always stands below."""
    return composing.kind == Composing.Kind.REPLY and not composing.account.owner.quote_below


def _intro(message: Message) -> str:
    when = date_format(timezone.localtime(message.summary.date), "DATETIME_FORMAT")
    who = ", ".join(person.display for person in message.summary.sender) or _("(no sender)")
    return _("On %(when)s, %(who)s wrote:") % {"when": when, "who": who}


def _summary_lines(message: Message) -> list[tuple[str, str]]:
    summary = message.summary
    lines = [
        (_("Subject"), summary.subject),
        (_("Date"), date_format(timezone.localtime(summary.date), "DATETIME_FORMAT")),
        (_("From"), address_list(summary.sender)),
        (_("To"), address_list(message.to)),
    ]
    return lines + ([(_("Copy"), address_list(message.cc))] if message.cc else [])


def address_list(people: tuple[Address, ...]) -> str:
    """People as they stand in a recipients' field."""
    return ", ".join(_written(person) for person in people)


def _written(person: Address) -> str:
    if not person.name or not person.email:
        return person.email or person.name
    special = any(char in person.name for char in ',;"<>@()')
    name = '"' + person.name.replace("\\", "").replace('"', "'") + '"' if special else person.name
    return f"{name} <{person.email}>"


def draft_of(composing: Composing) -> Draft:
    """What a composer holds, ready to be built into a message."""
    identity = composing.identity
    plain = composing.plain or not (composing.html or composing.quote)
    sender = Address(
        identity.name if identity else composing.account.owner.name,
        identity.address if identity else composing.account.address,
    )
    return Draft(
        sender=sender,
        to=tuple(parse_recipients(composing.to)),
        cc=tuple(parse_recipients(composing.cc)),
        bcc=tuple(parse_recipients(composing.bcc)),
        reply_to=tuple(parse_recipients(identity.reply_to)) if identity and identity.reply_to else (),
        subject=composing.subject,
        text=composing.text.replace("\r\n", "\n") if plain else "",
        html="" if plain else outgoing_html(composing),
        files=tuple(
            File(upload.name, upload.media_type, uploads.read(upload), upload.cid)
            for upload in composing.uploads.all()
            if upload.whole
        ),
        in_reply_to=composing.in_reply_to,
        references=tuple(composing.references),
        receipt=composing.receipt,
    )


def outgoing_html(composing: Composing) -> str:
    """The HTML that goes out: what was written, cleaned, and below or above it the message that is answered, cleaned too;
    pictures keep their addresses."""
    own = _clean(composing.html, composing) if composing.html else f"<p>{_as_lines(composing.text)}</p>"
    if not composing.quote:
        return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{own}</body></html>'
    quoted = sanitize(composing.quote, cid_urls=_cids(composing), remote="proxy", remote_url=lambda url: url)
    intro = _as_lines(composing.quote_intro)
    if composing.kind == Composing.Kind.FORWARD:
        other = f"{FORWARD_PREFIX}<br>-------- {_as_lines(_('Forwarded message'))} --------<br>{intro}<br><br>{quoted.html}</div>"
    else:
        other = f'{CITE_PREFIX}{intro}<br></div><blockquote type="cite">{quoted.html}</blockquote>'
    style = f"<style>{quoted.css}</style>" if quoted.css else ""
    body = f"{other}<br>{own}" if writes_below(composing) else f"{own}<br>{other}"
    return f'<!DOCTYPE html><html><head><meta charset="utf-8">{style}</head><body>{body}</body></html>'


def _clean(html: str, composing: Composing) -> str:
    """What the editor holds, cleaned. A hard space that it put at the edge of a format is an ordinary one again."""
    html = _LONE_HARD_SPACE.sub(" ", html)
    return str(sanitize(html, cid_urls=_cids(composing), remote="block").html)


def _cids(composing: Composing) -> dict[str, str]:
    return {upload.cid: f"cid:{upload.cid}" for upload in composing.uploads.all() if upload.cid}


def _as_lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())


def _split_quote(html: str) -> tuple[str, str, str]:
    """(own text, intro, quote) of a draft's HTML: what stands before the quotation that mail programs mark, or where that is
    nothing what stands after it; and what it quotes."""
    for prefix in (CITE_PREFIX, FORWARD_PREFIX):
        own, found, rest = html.partition(prefix)
        if found and prefix is CITE_PREFIX:
            intro, _end, rest = rest.partition("</div>")
            quoted, below = _end_of_quote(rest)
            if text_of_html(own).strip():
                quoted += below
            elif text_of_html(below).strip():
                own = below
            return own, text_of_html(intro).strip(), quoted[:QUOTE_LIMIT_CHARS]
        if found:
            return own, "", rest[:QUOTE_LIMIT_CHARS]
    return html, "", ""


def _end_of_quote(html: str) -> tuple[str, str]:
    """(what the quotation at the beginning holds, what stands after it); all of it is held where it does not end."""
    depth = 0
    start = 0
    for tag in _BLOCKQUOTE.finditer(html):
        start = start or tag.end()
        depth += -1 if tag[1] else 1
        if depth <= 0:
            return html[start : tag.start()], html[tag.end() :]
    return html[start:], ""
