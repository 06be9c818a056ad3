"""Errors as problem details (RFC 9457): `type` about:blank, `status`, `title`, `detail`, and for what was sent wrongly `errors`,
the messages by field."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as RequestError

from accounts.api.callers import TooManyRequests
from accounts.api.replies import release
from accounts.api.words import words_of

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    422: "Not valid",
    429: "Too many requests",
    503: "Not now",
    507: "No room",
}
Errors = dict[str, list[str]]
FIELDS = {
    "address": "local",
    "forwards": "addresses",
    "mailbox_quota": "mailbox_quota_bytes",
    "quota": "quota_bytes",
    "target": "mailbox",
}
"""What services call a field that the API calls otherwise."""


class Problem(Exception):
    """An error to answer with: its status, a sentence, and headers."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def problem(request: HttpRequest, status: int, detail: str = "", *, errors: Errors | None = None) -> HttpResponse:
    """The answer; what the request had claimed by its Idempotency-Key is free again."""
    release(request)
    body: dict[str, Any] = {"type": "about:blank", "status": status, "title": TITLES[status]}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    return HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")


def install(api: NinjaAPI) -> None:
    """Has every error of the API answered like this."""

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, _error: Any) -> HttpResponse:
        answer = problem(request, 401, _("A token is needed: Authorization: Bearer TOKEN."))
        answer["WWW-Authenticate"] = 'Bearer realm="Casilla"'
        return answer

    @api.exception_handler(PermissionDenied)
    def denied(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(request, 403, str(error))

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, _error: Any) -> HttpResponse:
        return problem(request, 404)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: Any) -> HttpResponse:
        errors = _as_sent(request, error.message_dict) if hasattr(error, "error_dict") else {}
        return problem(request, 422, " ".join(error.messages), errors=errors)

    @api.exception_handler(RequestError)
    def malformed(request: HttpRequest, error: Any) -> HttpResponse:
        found: Errors = {}
        for one in error.errors:
            where = [str(part) for part in one["loc"] if part not in {"body", "query", "path", "data"}]
            found.setdefault(".".join(where) or "body", []).append(words_of(one))
        return problem(request, 422, _("The request is not as the description says."), errors=found)

    @api.exception_handler(TooManyRequests)
    def busy(request: HttpRequest, error: Any) -> HttpResponse:
        answer = problem(request, 429, _("Try again in %(n)s seconds.") % {"n": error.wait_s})
        answer["Retry-After"] = str(error.wait_s)
        return answer

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, error: Any) -> HttpResponse:
        unread = str(error).startswith("Cannot parse request body")  # ninja's words, of which there are no others
        return problem(request, error.status_code, _("The body is not JSON, or too large.") if unread else str(error))

    @api.exception_handler(ObjectDoesNotExist)
    def gone(request: HttpRequest, error: Any) -> HttpResponse:
        if request.method == "GET":
            raise error  # nobody removes what is only read: that is a mistake of ours
        return problem(request, 404, _("It was removed meanwhile."))

    @api.exception_handler(Problem)
    def said(request: HttpRequest, error: Any) -> HttpResponse:
        answer = problem(request, error.status, error.detail)
        for name, value in error.headers.items():
            answer[name] = value
        return answer


def _as_sent(request: HttpRequest, errors: Errors) -> Errors:
    """The errors by the names that the fields have in the body."""
    try:
        sent = json.loads(request.body or b"{}")
    except ValueError:
        sent = {}
    sent = sent if isinstance(sent, dict) else {}

    def name_of(field: str) -> str:
        name = FIELDS.get(field, field)
        return field if field in sent or (name == "local" and name not in sent) else name

    return {name_of(field): texts for field, texts in errors.items()}
