"""The language of a request, and no copies of private pages in anybody's cache."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

Next = Callable[[HttpRequest], HttpResponse]


class LanguageMiddleware:
    """The person's own language, else the one chosen on this computer, else the browser's wish, else Spanish."""

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
        known = {code for code, _name in settings.LANGUAGES}
        for chosen in (request.session.get("language", ""), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")):
            if chosen in known:
                return str(chosen)
        wished = request.headers.get("Accept-Language", "")
        return translation.get_language_from_request(request) if wished else settings.LANGUAGE_CODE


class NoStoreMiddleware:
    """Pages of a signed-in person are kept nowhere, unless the view says how."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private"
        return response
