"""The API as it is served at /api/v1/: its description is at openapi.json there. What belongs to webmail is added in
config/api.py."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from accounts.api import (
    addresses,
    changes,
    customers,
    devices,
    domains,
    lists,
    mailboxes,
    networks,
    people,
    problems,
    provider,
    setup,
    shares,
    space,
)
from accounts.api.callers import TokenAuth
from accounts.api.description import complete
from accounts.api.missing import told
from accounts.api.replies import keep
from accounts.services.brand import look

DESCRIPTION = """The services of the portal for billing and control panels. A token (`Authorization: Bearer TOKEN`) acts as the
person who made it, within its scopes. Requests that make something take an `Idempotency-Key`: sent again within a day it is
answered as it was the first time. Errors are problem details (RFC 9457)."""


class Api(NinjaAPI):
    """Keeps answers of requests that carry an Idempotency-Key."""

    def create_response(self, request: HttpRequest, data: Any, **more: Any) -> HttpResponse:
        """As ninja makes it, and kept where the request has claimed a key."""
        response = super().create_response(request, data, **more)
        keep(request, response)
        return response

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """Its addresses; what they do not answer is a problem too."""
        patterns, app_name, namespace = super().urls
        return [told(one) if isinstance(one, URLPattern) else one for one in patterns], app_name, namespace

    def get_openapi_schema(self, **more: Any) -> OpenAPISchema:
        """The description, under the name that the provider's brand gives. It is put together once: that takes half a second of
        processor, and anybody may ask for it."""
        known: OpenAPISchema | None = self.__dict__.get("known")
        if known is None:
            known = self.__dict__["known"] = super().get_openapi_schema()
            complete(self, known)
        shown = copy(known)
        shown["info"] = known["info"] | {"title": look().name}
        return shown

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of an operation for those who make clients of the description."""
        return operation.view_func.__name__


api = Api(
    title=settings.SITE_NAME,
    version="1",
    description=DESCRIPTION,
    auth=TokenAuth(),
    docs_url=None,
    openapi_url="openapi.json",
    urls_namespace="api",
)
problems.install(api)
for part in (
    customers,
    provider,
    people,
    domains,
    networks,
    addresses,
    mailboxes,
    devices,
    setup,
    lists,
    space,
    shares,
    changes,
):
    api.add_router("", part.router)
