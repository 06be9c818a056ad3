"""What a composer begins with: the answer to a message, a message passed on, a draft, a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from webmail.errors import Gone, MailError
from webmail.mime.build import FORWARDED
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
from webmail.mime.wire import pick_ids
from webmail.models import Composing
from webmail.services import uploads
from webmail.services.identities import allowed_addresses, identity_for, signature_block
from webmail.services.inline import IMAGE_LIMIT_BYTES
from webmail.services.written import (
    CITE_PREFIX,
    FORWARD_PREFIX,
    cids_in,
    html_to_edit,
    quote_to_edit,
    writes_below,
)
from webmail.sources.base import MailSource
from webmail.values import Address, Message, Part, PartNumber, Ref

QUOTE_LIMIT_CHARS = 1_000_000
FORWARD_LIMIT = 50
"""How many messages are passed on in one."""

_BLOCKQUOTE = re.compile(r"<(/?)blockquote\b[^<>]*>", re.IGNORECASE)


def begin_answer(composing: Composing, source: MailSource, ref: Ref, kind: Kind) -> None:
    """Fills a composer with the answer to a message, or with the message passed on. Pictures that stand in the quotation
    come along. Raises MailError."""
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
    composing.references = [composing.in_reply_to] * bool(composing.in_reply_to) if forwarding else list(references)
    if forwarding:
        composing.in_reply_to = ""
    _quote(composing, message, forwarding=forwarding)
    shown = cids_in(composing.quote)
    parts = message.attachments if forwarding else [part for part in message.attachments if _is_shown(part, shown)]
    with _saved(composing):
        uploads.copy_parts(composing, source, ref, parts, shown=shown)


@contextmanager
def _saved(composing: Composing) -> Iterator[None]:
    """Saves a composer for what is read into it then. Where the mailbox does not give that, nothing of it stays: nobody has
    seen it."""
    composing.save()
    try:
        yield
    except (MailError, uploads.TooLarge):
        for upload in composing.uploads.all():
            uploads.remove(upload)
        composing.delete()
        raise


def begin_forward(composing: Composing, source: MailSource, refs: Sequence[Ref]) -> None:
    """Fills a composer with messages passed on whole, as attachments, the oldest first. Raises TooLarge (of uploads) when
    they are more than one message may carry, ValueError for too many, Gone when none of them is there, MailError."""
    if len(refs) > FORWARD_LIMIT:
        raise ValueError("too many messages")
    rows = sorted(source.summaries(refs), key=lambda row: (row.date, row.ref.id))
    if not rows:
        raise Gone("no such message")
    if sum(row.size_bytes for row in rows) > uploads.FILE_LIMIT_BYTES:
        raise uploads.TooLarge
    first = source.message(rows[0].ref)
    composing.identity = identity_for(composing.account, [*first.summary.sender, *first.to, *first.cc])
    composing.kind = Composing.Kind.FORWARD
    composing.subject = reply_subject(first.summary.subject, "Fwd")
    composing.parent = first.ref
    composing.references = [row.message_id for row in rows if row.message_id]
    block = signature_block(composing.identity)
    composing.text = f"\n\n{block}" if block else ""
    with _saved(composing):
        for row in rows:
            raw = b"".join(source.part(row.ref, PartNumber("")))
            name = _file_name(row.subject)
            uploads.attach(composing, name=f"{name}.eml", media_type="message/rfc822", data=raw)


def _file_name(subject: str) -> str:
    """A subject as the name of a file; what would be a path is none."""
    return uploads.clean_name(re.sub(r"[/\\:]+", "-", subject) or _("message"))[:80].rstrip(". ")


def begin_edit(composing: Composing, source: MailSource, ref: Ref, *, as_new: bool = False) -> None:
    """Fills a composer with a draft of the server, to go on with it; or with any message as a new one. Raises MailError."""
    message = source.message(ref)
    headers = message.headers
    composing.to, composing.cc, composing.bcc = (address_list(one) for one in (message.to, message.cc, message.bcc))
    composing.subject = message.summary.subject
    composing.identity = identity_for(composing.account, message.summary.sender)
    if not as_new:
        composing.draft = ref
        composing.message_id = next(iter(pick_ids(header_value(headers, "Message-ID"))), composing.message_id)
        composing.in_reply_to = header_value(headers, "In-Reply-To").strip()
        composing.references = header_value(headers, "References").split()
        composing.saved = timezone.now()
    _fill_text(composing, source, message)


def begin_template(composing: Composing, source: MailSource, ref: Ref) -> None:
    """Fills a composer with a template, to change it: it takes the place of that one when it is saved as a template. Raises
    MailError."""
    begin_edit(composing, source, ref, as_new=True)
    if composing.quote:
        composing.html, composing.quote, composing.quote_intro = composing.html + quote_to_edit(composing), "", ""
    composing.kind, composing.parent = Composing.Kind.NEW, ref
    names = ("kind", "html", "quote", "quote_intro", "parent_folder", "parent_validity", "parent_uid")
    Composing.objects.filter(pk=composing.pk).update(**{name: getattr(composing, name) for name in names})


def _fill_text(composing: Composing, source: MailSource, message: Message) -> None:
    """The text, the quotation and the files of a message that is written on."""
    html = next((body.text for body in message.bodies if body.part.subtype == "html"), "")
    text = next((body.text for body in message.bodies if body.part.subtype != "html"), "")
    composing.plain = not html
    composing.text = text or text_of_html(html)
    own, composing.quote_intro, composing.quote = _split_quote(html)
    if FORWARD_PREFIX in html or header_value(message.headers, FORWARDED):
        composing.kind = Composing.Kind.FORWARD
    with _saved(composing):
        uploads.copy_parts(composing, source, message.ref, message.attachments, shown=cids_in(html))
    if html:
        composing.html = html_to_edit(composing, own)
        Composing.objects.filter(pk=composing.pk).update(html=composing.html)  # `changed` is when a person wrote


def _is_shown(part: Part, shown: frozenset[str]) -> bool:
    return part.type == "image" and part.cid in shown and part.size_bytes <= IMAGE_LIMIT_BYTES * 1.4


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
