"""Requests that come twice: with an `Idempotency-Key` the second is answered with what the first was, and nothing is done again.

The key is claimed before anything is done, by a row that can exist only once; two at the same moment do the thing once too. That
it is done is written in the transaction that does it: whoever dies after that leaves a key with which nothing is done again.
Errors are not kept: what failed may be tried again with the same key. Answers hold passwords at times, so they are sealed.
"""

from __future__ import annotations

import functools
import inspect
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from ninja.errors import HttpError

from accounts.api.callers import Caller, View, caller_of
from accounts.models import ApiReply
from accounts.services.permissions import held_by
from accounts.services.tokens import REPLY_AGE
from accounts.vault import SealBroken, seal, unseal

KEY_LIMIT = 128
ABANDONED = timedelta(seconds=60)
"""A claim of which nothing was heard for so long is its process's no more."""
DONE = 1
"""The status of what is done and has no answer kept (yet)."""
REPLAYED = "Idempotency-Replayed"


def idempotent(view: View) -> View:
    """An operation that is done once for each Idempotency-Key; without the header every time."""

    @functools.wraps(view)
    def once(request: HttpRequest, *args: Any, **values: Any) -> Any:
        key = request.headers.get("Idempotency-Key", "").strip()
        if not key:
            return view(request, *args, **values)
        if len(key) > KEY_LIMIT or not key.isascii() or not key.isprintable():
            raise HttpError(
                400, _("An Idempotency-Key has at most %(n)s printable ASCII characters.") % {"n": KEY_LIMIT}
            )
        kept = _claim(request, caller_of(request), key)
        if kept is not None:
            return kept
        with transaction.atomic():
            found = view(request, *args, **values)
            ApiReply.objects.filter(pk=request.claimed.pk).update(status=DONE)  # type: ignore[attr-defined]
        return found

    # Annotations are read where the view stands, not here.
    once.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
    once.is_idempotent = True  # type: ignore[attr-defined]
    return once  # type: ignore[return-value]


def keep(request: HttpRequest, response: HttpResponse) -> None:
    """Keeps the answer for the key that the request has claimed, if it did."""
    row: ApiReply | None = getattr(request, "claimed", None)
    if row is None:
        return
    if response.status_code >= 400:
        release(request)
        return
    body = seal(response.content.decode(), context=_context(row))
    ApiReply.objects.filter(pk=row.pk).update(status=response.status_code, sealed=body)
    request.claimed = None  # type: ignore[attr-defined]


def release(request: HttpRequest) -> None:
    """Lets the key that the request has claimed go: nothing was done."""
    row: ApiReply | None = getattr(request, "claimed", None)
    if row is not None:
        ApiReply.objects.filter(pk=row.pk, status=0).delete()
        request.claimed = None  # type: ignore[attr-defined]


def _claim(request: HttpRequest, caller: Caller, key: str) -> HttpResponse | None:
    """The answer that was given already; None when this request is the first, which owns the key now. Raises HttpError 409 for
    one that is being worked on, 422 for a key that was for something else."""
    now = timezone.now()
    fingerprint = _fingerprint(request, caller)
    rows = ApiReply.objects.filter(token=caller.token, key=key)
    rows.filter(created__lt=now - REPLY_AGE).delete()
    rows.filter(status=0, created__lt=now - ABANDONED).delete()
    try:
        with transaction.atomic():
            row = ApiReply.objects.create(token=caller.token, key=key, fingerprint=fingerprint)
    except IntegrityError:
        return _kept(rows.first(), fingerprint)
    request.claimed = row  # type: ignore[attr-defined]
    return None


def _fingerprint(request: HttpRequest, caller: Caller) -> str:
    """What tells one request from another: what it means, in whatever order its fields and parameters are written."""
    query = urlencode(sorted(parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True)))
    # With the person's roles: who has lost one gets no earlier answer any more.
    what = f"{request.method} {request.path}?{query} {held_by(caller.person)}\n"
    try:
        body = json.dumps(json.loads(request.body or b"null"), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        body = request.body
    # Keyed: a body may hold a password, which nobody finds out by trying.
    return salted_hmac("accounts.api.replies", what.encode() + body, algorithm="sha256").hexdigest()


def _kept(row: ApiReply | None, fingerprint: str) -> HttpResponse:
    if row is None or row.status == 0:
        raise HttpError(409, _("The request with this Idempotency-Key is being worked on: send it again in a moment."))
    if row.fingerprint != fingerprint:
        raise HttpError(422, _("This Idempotency-Key was used for another request."))
    if row.status == DONE:
        raise HttpError(409, _("The request with this Idempotency-Key was done, and its answer is lost."))
    try:
        body = unseal(row.sealed, context=_context(row))
    except SealBroken as error:
        raise HttpError(409, _("What was answered to this Idempotency-Key cannot be read any more.")) from error
    json.loads(body or "null")
    answer = HttpResponse(body, status=row.status, content_type="application/json; charset=utf-8")
    answer[REPLAYED] = "true"
    return answer


def _context(row: ApiReply) -> str:
    return f"api-reply:{row.pk}"
