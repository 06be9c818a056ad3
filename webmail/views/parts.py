"""Parts of a message: the sandboxed body, attachments in place and as downloads, the .eml, all files as one zip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from webmail.errors import Gone
from webmail.markup.document import frame_csp
from webmail.markup.images import download_type, pdf_type, raster_type
from webmail.mime.archive import zip_stream
from webmail.mime.body import decode_stream
from webmail.mime.choose import choose_bodies
from webmail.services.access import account_for
from webmail.services.bodies import Remote, frame_body, kept_framed, read_raw
from webmail.services.images import fetch_image
from webmail.services.inline import with_inline_images
from webmail.values import FolderId, Part, PartNumber, Ref
from webmail.views.box import Box, open_box, theme_of

HEAD_BYTES = 64
PRIVATE_CACHE = "private, max-age=3600, immutable"
ATTACHMENT_CSP = "default-src 'none'; sandbox; frame-ancestors 'self'"
PDF_CSP = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"

_signer = TimestampSigner(salt="remote-image")
IMAGE_URL_S = 3600


@login_required
@require_safe
def body_frame(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str, number: PartNumber
) -> HttpResponse:
    """One HTML body as the document of its sandboxed frame. ?images=1 shows remote images, through our proxy."""
    ref = Ref(folder_id, validity, uid)
    account_for(request, account_id)
    shown = request.GET.get("images") == "1"
    theme = theme_of(request)  # the address has it too, so that the browser keeps each of them apart
    document = None if shown else kept_framed(account_id, ref, number, theme=theme)
    if document is None:
        with open_box(request, account_id) as box:
            raw = read_raw(box.source, ref, number)
            remote: Remote = "proxy" if shown else "block"
            framed = frame_body(raw, box.part_url(ref), theme=theme, remote=remote, remote_url=_image_url(box, ref))
        document = framed.document
    text = str(document)
    if "/?inline=1" in text:
        with open_box(request, account_id) as box:
            text = with_inline_images(text, box.source, ref, parts_url=box.message_url(ref) + "part/")
    response = HttpResponse(text)
    response["Content-Security-Policy"] = frame_csp(images=request.build_absolute_uri("/mail/"))
    response["Cache-Control"] = PRIVATE_CACHE
    return response


def _image_url(box: Box, ref: Ref) -> Callable[[str], str]:
    base = box.message_url(ref, "remote_image")
    return lambda url: f"{base}?u={quote(_signer.sign(url), safe='')}"


@require_safe
def remote_image(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """A remote image that the reader asked for, fetched by us: the sender learns our address, not theirs. A frame without
    origin sends no session; the signature, which only a reader's page is given, stands for it for an hour."""
    try:
        url = _signer.unsign(request.GET.get("u", ""), max_age=IMAGE_URL_S)
    except BadSignature:
        return HttpResponseNotFound()
    image = fetch_image(url)
    if image is None:
        return HttpResponseNotFound()
    response = HttpResponse(image.data, content_type=image.media_type)
    response["Content-Security-Policy"] = ATTACHMENT_CSP
    response["Cache-Control"] = PRIVATE_CACHE
    return response


@login_required
@require_safe
def part_download(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str, number: PartNumber
) -> HttpResponse | StreamingHttpResponse:
    """One part, decoded, as a download; ?inline=1 shows it in place if its first bytes are an image or a PDF that we
    know."""
    ref = Ref(folder_id, validity, uid)
    stack = ExitStack()
    with stack:
        box = stack.enter_context(open_box(request, account_id))
        part = box.source.structure(ref).find(number)
        if part is None:
            raise Gone("no such part")
        stream = decode_stream(part, box.source.part(ref, number))
        head, stream = _peek(stream)
        inline = _inline_type(head) if request.GET.get("inline") == "1" else None
        response = streamed(stream, stack.pop_all(), inline or download_type(part.filename))
    name = part.filename or _part_name(part)
    response["Content-Disposition"] = disposition("inline" if inline else "attachment", name)
    response["Content-Security-Policy"] = PDF_CSP if inline == "application/pdf" else ATTACHMENT_CSP
    response["Cache-Control"] = PRIVATE_CACHE
    return response


def _inline_type(head: bytes) -> str | None:
    return raster_type(head) or ("application/pdf" if pdf_type(head) else None)


def _peek(stream: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, and the whole stream again."""
    head = b""
    taken: list[bytes] = []
    for chunk in stream:
        taken.append(chunk)
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head[:HEAD_BYTES], chain(taken, stream)


def streamed(stream: Iterator[bytes], stack: ExitStack, media_type: str) -> StreamingHttpResponse:
    """A response that reads while it is sent; what it reads from is given back when it ends, however it ends."""

    def pieces() -> Iterator[bytes]:
        with stack:
            yield from stream

    response = StreamingHttpResponse(pieces(), content_type=media_type)
    response._resource_closers.append(stack.close)  # type: ignore[attr-defined]  # also when it never began
    return response


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition value (RFC 6266) with an ASCII name for old programs and the real one for the others."""
    plain = "".join(char if 32 <= ord(char) < 127 and char not in '"\\%;' else "_" for char in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def _part_name(part: Part) -> str:
    extension = {"message/rfc822": "eml", "text/calendar": "ics", "text/plain": "txt", "text/html": "html"}
    return _("part") + f"-{part.number}.{extension.get(part.media_type, 'bin')}"


@login_required
@require_safe
def message_download(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str
) -> StreamingHttpResponse:
    """The whole message, byte for byte, as an .eml file."""
    ref = Ref(folder_id, validity, uid)
    stack = ExitStack()
    with stack:
        box = stack.enter_context(open_box(request, account_id))
        _head, stream = _peek(box.source.part(ref, PartNumber("")))
        response = streamed(stream, stack.pop_all(), "message/rfc822")
    response["Content-Disposition"] = disposition("attachment", f"{_('message')}-{uid}.eml")
    response["Content-Security-Policy"] = ATTACHMENT_CSP
    return response


@login_required
@require_safe
def files_download(
    request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str
) -> StreamingHttpResponse:
    """All attachments of a message as one zip, made while it is sent."""
    ref = Ref(folder_id, validity, uid)
    stack = ExitStack()
    with stack:
        box = stack.enter_context(open_box(request, account_id))
        _bodies, files = choose_bodies(box.source.structure(ref))
        entries = (
            (part.filename or _part_name(part), decode_stream(part, box.source.part(ref, part.number)))
            for part in files
        )
        response = streamed(zip_stream(entries), stack.pop_all(), "application/zip")
    response["Content-Disposition"] = disposition("attachment", f"{_('attachments')}-{uid}.zip")
    response["Content-Security-Policy"] = ATTACHMENT_CSP
    return response
