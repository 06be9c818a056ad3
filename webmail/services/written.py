"""What a composer holds, as it goes out: own text and quotation cleaned and joined, pictures by their Content-ID."""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape, unescape
from urllib.parse import unquote

from django.conf import settings
from django.utils.translation import gettext as _

from webmail.markup.elsewhere import give_back, stand_in
from webmail.markup.sanitize import sanitize
from webmail.mime.build import Draft, File, parse_recipients
from webmail.mime.reply import quote_text, text_of_html
from webmail.models import Composing, Upload
from webmail.services import uploads
from webmail.services.identities import signature_block, swap_html_signature
from webmail.services.inline import NOTHING, TOTAL_LIMIT_BYTES
from webmail.values import Address

CITE_PREFIX = '<div class="moz-cite-prefix">'
FORWARD_PREFIX = '<div class="moz-forward-container">'

_LONE_HARD_SPACE = re.compile(r"(?<=[^\s>;\xa0])(?:&nbsp;|\xa0)(?![\s\xa0]|&nbsp;)")
_CID = re.compile(r"""\bcid:([^\s"'<>()]{1,400})""", re.IGNORECASE)


def draft_of(composing: Composing) -> Draft:
    """What a composer holds, ready to be built into a message. A picture that stands in the text no more is left out; in a
    plain text all of them are attached."""
    identity = composing.identity
    plain = composing.plain or not (composing.html or composing.quote)
    html = "" if plain else outgoing_html(composing)
    sender = Address(
        identity.name if identity else composing.account.owner.name,
        identity.address if identity else composing.account.address,
    )
    references = tuple(composing.references)
    return Draft(
        sender=sender,
        to=tuple(parse_recipients(composing.to)),
        cc=tuple(parse_recipients(composing.cc)),
        bcc=tuple(parse_recipients(composing.bcc)),
        reply_to=tuple(parse_recipients(identity.reply_to)) if identity and identity.reply_to else (),
        subject=composing.subject,
        text=composing.text.replace("\r\n", "\n") if plain else "",
        html=html,
        files=_files(composing, html),
        in_reply_to=composing.in_reply_to,
        references=references,
        forwarded=references if composing.kind == Composing.Kind.FORWARD else (),
        receipt=composing.receipt,
    )


def outgoing_html(composing: Composing) -> str:
    """The HTML that goes out: what was written, cleaned, and below or above it the message that is answered, cleaned too;
    pictures keep their addresses."""
    own = _clean(composing.html, composing) if composing.html else f"<p>{_as_lines(composing.text)}</p>"
    if not composing.quote:
        return f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{own}</body></html>'
    quoted = sanitize(composing.quote, cid_urls=_cids(composing), remote="proxy", remote_url=lambda url: url)
    if composing.kind == Composing.Kind.FORWARD:
        other = f"{FORWARD_PREFIX}{_forward_head(composing)}{quoted.html}</div>"
    else:
        other = f'{CITE_PREFIX}{_as_lines(composing.quote_intro)}<br></div><blockquote type="cite">{quoted.html}</blockquote>'
    style = f"<style>{quoted.css}</style>" if quoted.css else ""
    body = f"{other}<br>{own}" if writes_below(composing) else f"{own}<br>{other}"
    return f'<!DOCTYPE html><html><head><meta charset="utf-8">{style}</head><body>{body}</body></html>'


def quote_to_edit(composing: Composing) -> str:
    """The quotation as the editor takes it, to answer between its lines: cleaned, its pictures from here, and in the place of
    those from elsewhere one that stands for them."""
    quoted = html_to_edit(composing, composing.quote)
    head = _as_lines(composing.quote_intro)
    if composing.kind == Composing.Kind.FORWARD:
        return f"<p>{_forward_head(composing)}</p>{quoted}"
    return f"<p>{head}</p><blockquote>{quoted}</blockquote>"


def html_to_edit(composing: Composing, html: str) -> str:
    """HTML of a message as the editor takes it. Nothing of it is loaded from elsewhere, and nothing is lost (see
    markup/elsewhere.py)."""
    images = {upload.cid: upload.image_url for upload in composing.uploads.all() if upload.cid}
    return str(sanitize(html, cid_urls=images, remote="proxy", remote_url=stand_in(settings.STATIC_URL)).html)


def quote_as_text(composing: Composing) -> None:
    """Puts the quotation into the text, which is a plain one from now on, below or above what was written. It is not saved
    yet."""
    text = text_of_html(composing.quote)
    if composing.kind == Composing.Kind.FORWARD:
        quoted = f"-------- {_('Forwarded message')} --------\n{composing.quote_intro}\n\n{text}"
    else:
        quoted = quote_text(text, composing.quote_intro)
    own = composing.text.replace("\r\n", "\n")
    composing.text = f"{quoted}\n\n{own}" if writes_below(composing) else f"{own}\n\n{quoted}"
    composing.html, composing.quote, composing.quote_intro, composing.plain = "", "", "", True


def embed_images(document: str, composing: Composing) -> str:
    """A document whose pictures from this composer are in it: a frame without origin may not ask for them."""
    left = TOTAL_LIMIT_BYTES
    for upload in composing.uploads.all():
        if not upload.cid or upload.image_url not in document:
            continue
        found = uploads.read_image(upload)
        fits = found is not None and len(found[1]) <= left
        left -= len(found[1]) if found and fits else 0
        address = f"data:{found[0]};base64,{b64encode(found[1]).decode('ascii')}" if found and fits else NOTHING
        document = document.replace(upload.image_url, address)
    return document


def writes_below(composing: Composing) -> bool:
    """Whether what one writes stands below the message that is answered; what is passed on always stands below."""
    return composing.kind == Composing.Kind.REPLY and not composing.account.owner.quote_below


def cids_in(html: str) -> frozenset[str]:
    """The Content-IDs that an HTML text asks for."""
    found = {unescape(word) for word in _CID.findall(html)}
    return frozenset(found | {unquote(word) for word in found})


def _forward_head(composing: Composing) -> str:
    """The lines above a message that is passed on. A draft of another program has them in the quotation."""
    if not composing.quote_intro:
        return ""
    title = _as_lines(_("Forwarded message"))
    return f"<br>-------- {title} --------<br>{_as_lines(composing.quote_intro)}<br><br>"


def _files(composing: Composing, html: str) -> tuple[File, ...]:
    shown = cids_in(html)
    return tuple(
        File(upload.name, upload.media_type, uploads.read(upload), upload.cid if html else "")
        for upload in composing.uploads.all()
        if upload.whole and not (html and upload.cid and upload.cid not in shown)
    )


def _clean(html: str, composing: Composing) -> str:
    """What the editor holds, cleaned. A hard space that it put at the edge of a format is an ordinary one again, and the
    line above the signature has the space that it took away."""
    html = _LONE_HARD_SPACE.sub(" ", html)
    block = signature_block(composing.identity)
    html = swap_html_signature(html, block, block) if block else html
    html = _images(composing).sub(lambda match: f'src="cid:{escape(_cid_of(composing, match[1]))}"', html)
    html, elsewhere = give_back(html)
    return str(sanitize(html, cid_urls=_cids(composing) | elsewhere, remote="block").html)


def _images(composing: Composing) -> re.Pattern[str]:
    """Where the editor shows a picture of this composer: group 1 is its upload."""
    return re.compile(rf"""src=["'](?:[^"'<>\s]{{0,200}})/{composing.pk}/files/([0-9]{{1,18}})/image/["']""")


def _cid_of(composing: Composing, upload_id: str) -> str:
    upload = Upload.objects.filter(composing=composing, pk=int(upload_id)).first()
    return upload.cid if upload else ""


def _cids(composing: Composing) -> dict[str, str]:
    return {upload.cid: f"cid:{upload.cid}" for upload in composing.uploads.all() if upload.cid}


def _as_lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())
