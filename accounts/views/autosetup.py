"""What mail programs ask for before anybody has signed in: autoconfig and autodiscover.

They are asked at names of customers' domains (autoconfig.DOMAIN), at any case of the path, with and without TLS, and by
programs that keep no cookies. So they are answered before everything else (`SetupMiddleware`): no host is checked, no session
begins, and nothing of the request counts but the address, the domain, and where it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.adapter import client_ip
from accounts.services.setup import values_for
from accounts.setup.autoconfig import render_autoconfig
from accounts.setup.autodiscover import (
    ADDRESS_LIMIT,
    REQUEST_LIMIT_BYTES,
    BadRequest,
    json_answer,
    parse_request,
    render_answer,
    render_error,
)

View = Callable[[HttpRequest], HttpResponse]
PREFIX = re.compile(r"(?:autoconfig|autodiscover)\.")
XML = "text/xml; charset=utf-8"


def find_view(path: str) -> View | None:
    """The view for a path, whatever its case; None for all other pages."""
    path = path.lower()
    if path.startswith("/autodiscover/autodiscover.json"):
        return autodiscover_json
    return PATHS.get(path)


def autoconfig(request: HttpRequest) -> HttpResponse:
    """Mozilla autoconfig for `emailaddress`, else for the domain of the host. 404 where that is not hosted here."""
    if request.method not in {"GET", "HEAD"}:
        return _plain(HttpResponse(status=405, headers={"Allow": "GET, HEAD"}))
    address = request.GET.get("emailaddress", "") or f"@{_domain_of(request)}"
    values = values_for(address, origin=_origin(request)) if "@" in address and len(address) <= ADDRESS_LIMIT else None
    if values is None:
        return _plain(HttpResponse("No such domain here.\n", status=404, content_type="text/plain"))
    return _plain(HttpResponse(render_autoconfig(values), content_type=XML))


def autodiscover(request: HttpRequest) -> HttpResponse:
    """The POX service. A GET at autodiscover.DOMAIN leads to the name for which there surely is a certificate; any other is
    answered like a request that is none."""
    if request.method == "GET" and _host(request).startswith("autodiscover."):
        return _plain(HttpResponse(status=302, headers={"Location": _own_url()}))
    if request.method not in {"GET", "HEAD", "POST"}:
        return _plain(HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"}))
    body = render_error()
    try:
        asked = parse_request(_body(request))
        if values := values_for(asked.address, origin=_origin(request)):
            body = render_answer(values, asked.address)
    except BadRequest:
        pass
    return _plain(HttpResponse(body, content_type=XML))


def autodiscover_json(request: HttpRequest) -> HttpResponse:
    """The JSON service: where the POX service is."""
    if request.method not in {"GET", "HEAD"}:
        return _plain(HttpResponse(status=405, headers={"Allow": "GET, HEAD"}))
    wanted = {name.lower(): value for name, value in request.GET.items()}.get("protocol", "")
    status, body = json_answer(str(wanted), _own_url())
    return _plain(JsonResponse(body, status=status))


PATHS: dict[str, View] = {
    "/mail/config-v1.1.xml": autoconfig,
    "/.well-known/autoconfig/mail/config-v1.1.xml": autoconfig,
    "/autodiscover/autodiscover.xml": autodiscover,
}


def _own_url() -> str:
    return f"{settings.SITE_URL}/autodiscover/autodiscover.xml"


def _body(request: HttpRequest) -> bytes:
    """What was sent, as far as it may go: one octet too many is enough to be refused."""
    return request.read(REQUEST_LIMIT_BYTES + 1)


def _origin(request: HttpRequest) -> str:
    """Where a request comes from; nowhere, if nothing trustworthy says it."""
    try:
        return client_ip(request)
    except PermissionDenied:
        return ""


def _host(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_HOST", "")).lower().partition(":")[0]


def _domain_of(request: HttpRequest) -> str:
    return PREFIX.sub("", _host(request), count=1)


def _plain(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
