"""The files of a composer: announced, sent up in pieces, taken out; the pictures of its text, shown."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.numbers import read_number
from webmail.models import Composing, Upload
from webmail.services import uploads
from webmail.services.access import open_source
from webmail.tokens import decode_folder
from webmail.values import PartNumber
from webmail.views.changes import parse_refs
from webmail.views.parts import ATTACHMENT_CSP, PRIVATE_CACHE
from webmail.views.writing import composing_for


@login_required
@require_POST
def file_announce(request: HttpRequest, account_id: int, composing_id: UUID) -> HttpResponse:
    """Makes room for a file: `name`, `type`, `size`, and `inline` for a picture that is to stand in the text. 201 with {id},
    and {url} of a picture; 413 when it is too much."""
    composing = composing_for(request, account_id, composing_id)
    try:
        upload = _announced(request, composing)
    except ValueError:
        return HttpResponseBadRequest()
    except uploads.TooLarge:
        return JsonResponse({"limit": uploads.FILE_LIMIT_BYTES}, status=413)
    return JsonResponse({"id": upload.pk, "url": upload.image_url if upload.cid else ""}, status=201)


def _announced(request: HttpRequest, composing: Composing) -> Upload:
    """The room that was made. Raises ValueError, TooLarge."""
    make = uploads.announce_image if request.POST.get("inline") == "1" else uploads.announce
    size = int(request.POST.get("size", ""))
    return make(composing, name=request.POST.get("name", ""), media_type=request.POST.get("type", ""), size_bytes=size)


@login_required
@require_POST
def file_from_message(request: HttpRequest, account_id: int, composing_id: UUID) -> HttpResponse:
    """Attaches `part` of the message `of` (VALIDITY.UID) in `folder`. 201 with {id, name, size}; 413 when it is too much."""
    composing = composing_for(request, account_id, composing_id)
    try:
        (ref,) = parse_refs(decode_folder(request.POST.get("folder", "")), request.POST.get("of", ""))
    except ValueError:
        return HttpResponseBadRequest()
    try:
        with open_source(request, composing.account) as source:
            upload = uploads.attach_part(composing, source, ref, PartNumber(request.POST.get("part", "")))
    except uploads.TooLarge:
        return JsonResponse({"limit": uploads.FILE_LIMIT_BYTES}, status=413)
    return JsonResponse({"id": upload.pk, "name": upload.name, "size": upload.size_bytes}, status=201)


@login_required
@require_http_methods(["GET", "POST", "DELETE"])
def file_piece(request: HttpRequest, account_id: int, composing_id: UUID, upload_id: int) -> HttpResponse:
    """POST ?offset=N adds the next piece (409 with {offset} when it belongs elsewhere), GET tells {offset}, DELETE takes the
    file out."""
    composing = composing_for(request, account_id, composing_id)
    upload = get_object_or_404(Upload, composing=composing, pk=upload_id)
    if request.method == "DELETE":
        uploads.remove(upload)
        return HttpResponse(status=204)
    if request.method == "GET":
        return JsonResponse({"offset": upload.received_bytes})
    offset = read_number(request.GET.get("offset", ""))
    if offset is None:
        return HttpResponseBadRequest()
    try:
        upload = uploads.add_piece(upload.pk, offset=offset, data=request.body)
    except uploads.WrongPlace as error:
        return JsonResponse({"offset": error.args[0]}, status=409)
    except uploads.TooLarge:
        return HttpResponse(status=413)
    return JsonResponse({"offset": upload.received_bytes, "whole": upload.whole})


@login_required
@require_safe
def file_image(request: HttpRequest, account_id: int, composing_id: UUID, upload_id: int) -> HttpResponse:
    """A picture of the text, as the editor shows it: a raster image by its own first bytes, and nothing else."""
    composing = composing_for(request, account_id, composing_id)
    found = uploads.read_image(get_object_or_404(Upload, composing=composing, pk=upload_id))
    if found is None:
        raise Http404
    media_type, data = found
    response = HttpResponse(data, content_type=media_type)
    response["Content-Security-Policy"] = ATTACHMENT_CSP
    response["Cache-Control"] = PRIVATE_CACHE
    return response
