"""The language and the time zone of a request, and nothing private left behind in a browser or a cache."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from accounts.services.login import SEALS, seal_cookie

ZONE_COOKIE = "zone"

Next = Callable[[HttpRequest], HttpResponse]


class LanguageMiddleware:
    """The person's own language, else the one chosen on this computer, else the browser's wish, else Spanish.

    Stands after the sessions and before AuthenticationMiddleware, which finds the person already loaded.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self._language(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    def _language(self, request: HttpRequest) -> str:
        chosen = str(getattr(get_user(request), "language", ""))
        if chosen in dict(settings.LANGUAGES):
            return chosen
        return translation.get_language_from_request(request)  # the cookie, the browser's wish, LANGUAGE_CODE


class TimeZoneMiddleware:
    """Times in the zone of the browser, which tells it in a cookie (static/js/time.js); in the server's until it does."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.COOKIES.get(ZONE_COOKIE, "")
        with timezone.override(zone_of(name)):
            return self.get_response(request)


def zone_of(name: str) -> tzinfo:
    """The time zone of this name, the server's for one that is none."""
    return ZoneInfo(name) if name in _zones() else timezone.get_default_timezone()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class NoStoreMiddleware:
    """Pages of a signed-in person are kept nowhere, unless the view says how; and the browser's half of a sealed password is
    taken back as soon as its session is gone."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private"
        name = seal_cookie()
        if name in request.COOKIES and name not in response.cookies and SEALS not in request.session:
            response.delete_cookie(name, samesite="Lax")
        return response
