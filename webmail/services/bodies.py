"""HTML bodies on their way into a frame: cleaned once when the message is opened, and kept for a moment for the frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from webmail.errors import Gone
from webmail.markup.document import Theme, estimate_height, render_document
from webmail.markup.sanitize import SafeHtml, sanitize
from webmail.mime.body import decode_part, text_of
from webmail.services.shortly import kept, key_of
from webmail.sources.base import MailSource
from webmail.values import Part, PartNumber, Ref

BODY_LIMIT_BYTES = 4 * 1024 * 1024

Remote = Literal["block", "proxy"]
PartUrl = Callable[[PartNumber], str]
"""Where the inline image with this part number is served."""


@dataclass(frozen=True, slots=True)
class RawBody:
    """An HTML body before cleaning: its text, and the part number of each cid of its message."""

    text: str
    cids: dict[str, PartNumber]


@dataclass(frozen=True, slots=True)
class Framed:
    """A cleaned body: the whole document of its frame, its body and style alone (for the printed sheet), how many remote
    images it wants, about how high it is in px, whether only its beginning is there."""

    document: SafeHtml
    html: SafeHtml
    css: SafeHtml
    remote_count: int
    estimate: int
    truncated: bool


def frame_body(
    raw: RawBody,
    part_url: PartUrl,
    *,
    theme: Theme,
    remote: Remote = "block",
    remote_url: Callable[[str], str] | None = None,
) -> Framed:
    """The one way from foreign HTML to a page. Remote images are left out ("block") or sent through our proxy. `theme` is
    that of the page around it."""
    cid_urls = {cid: part_url(number) for cid, number in raw.cids.items()}
    cleaned = sanitize(raw.text, cid_urls=cid_urls, remote=remote, remote_url=remote_url)
    document = render_document(cleaned, lang=get_language() or "es", title=_("Message"), theme=theme)
    return Framed(
        document,
        cleaned.html,
        cleaned.css,
        cleaned.remote_count,
        estimate_height(cleaned),
        truncated="truncated" in cleaned.removed,
    )


def framed_values(account_id: int, ref: Ref, frames: Mapping[PartNumber, Framed], *, theme: Theme) -> dict[str, str]:
    """What is to be kept (`shortly.keep`) of the blocked forms for the frames that the page is about to ask for."""
    return {_key(account_id, ref, number, theme): str(framed.document) for number, framed in frames.items()}


def kept_framed(account_id: int, ref: Ref, number: PartNumber, *, theme: Theme) -> str | None:
    """The document that was kept, None when it has gone."""
    return kept(_key(account_id, ref, number, theme))


def read_raw(source: MailSource, ref: Ref, number: PartNumber) -> RawBody:
    """Reads one HTML body from the source. Raises Gone when that part is no HTML text."""
    leaves = list(_leaves(source.structure(ref)))
    part = next((leaf for leaf in leaves if leaf.number == number and leaf.media_type == "text/html"), None)
    if part is None:
        raise Gone("no such HTML part")
    data = b"".join(_first_bytes(source.part(ref, number), BODY_LIMIT_BYTES))
    text, _guessed = text_of(part, decode_part(part, data))
    return RawBody(text, {leaf.cid: leaf.number for leaf in leaves if leaf.cid})


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children:
        yield part
    for child in part.children:
        yield from _leaves(child)


def _first_bytes(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:limit]
        limit -= len(chunk)
        if limit <= 0:
            return


def _key(account_id: int, ref: Ref, number: str, theme: Theme) -> str:
    return key_of("body", account_id, ref.folder, ref.validity, ref.id, number, get_language(), theme)
