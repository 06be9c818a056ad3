"""What is answered before everything else, language and time zone of a request, and nothing private left behind in a browser or
a cache."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from datetime import tzinfo
from functools import cache
from gzip import GzipFile
from io import BytesIO
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from csp.middleware import CheckableLazyObject, CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.messages.storage import default_storage
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.views.defaults import page_not_found

from accounts.services.login import SEALS, seal_cookie
from accounts.sessions import SessionStore
from accounts.standing import Standing, find_session
from accounts.views.autosetup import find_view

ZONE_COOKIE = "zone"

log = logging.getLogger(__name__)

Next = Callable[[HttpRequest], HttpResponse]


class SetupMiddleware:
    """Answers what mail programs ask for when they configure themselves (accounts/views/autosetup.py). Stands first: they ask
    at customers' names, which ALLOWED_HOSTS does not list, and need no session."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = find_view(request.path_info)
        return view(request) if view else self.get_response(request)


class PersonMiddleware:
    """Who is asking, in place of Django's AuthenticationMiddleware: session, person and their accounts come in one question
    (accounts/standing.py). `request.standing` holds the latter two, or None; the rules of Django's `get_user` hold: the backend
    must be one of the settings, the person active, the session's hash the one of now.

    Stands after the sessions.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        standing = standing_of(request)
        request.standing = standing  # type: ignore[attr-defined]
        if standing is not None:
            request._cached_user = standing.user  # type: ignore[attr-defined]
            request.user = standing.user
        else:
            request.user = get_user(request)
        return self.get_response(request)


def standing_of(request: HttpRequest) -> Standing | None:
    """Fills the session; the person of it, None where Django has to look (nobody, a hash of a retired key, a session that has
    ended)."""
    session = cast(SessionStore, request.session)
    key = session.session_key
    if not key:
        return None
    data, standing = find_session(key) if key.isascii() and key.isalnum() else (None, None)
    session.loaded(data)
    user_id, backend, bound = (session.get(name) for name in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY))
    if not (user_id and bound) or backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    if standing is None or str(standing.user.pk) != user_id or not standing.user.is_active:
        return None
    return standing if constant_time_compare(bound, standing.session_hash) else None


class PolicyMiddleware(CSPMiddleware):
    """The Content-Security-Policy of the settings. django-csp puts it together for each answer, and once more for a policy
    that only reports; here it is put together once, and only a page with a nonce gets it written in."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Views with a policy of their own are left to django-csp; all others get the text that was made once."""
        if any(hasattr(response, name) for name in _OF_ONE_VIEW):
            return super().process_response(request, response)
        nonce = getattr(request, "_csp_nonce", None)
        if "Content-Security-Policy" not in response:
            response.headers["Content-Security-Policy"] = build_policy(nonce=nonce) if nonce else _policy()
        if nonce is None:
            request.csp_nonce = CheckableLazyObject(self._csp_nonce_post_response)  # type: ignore[attr-defined]
        return response


_OF_ONE_VIEW = ("_csp_config", "_csp_update", "_csp_replace", "_csp_exempt", "_csp_config_ro", "_csp_exempt_ro")


@cache
def _policy() -> str:
    return str(build_policy())


class LanguageMiddleware:
    """The person's own language, else the one chosen on this computer, else the browser's wish, else Spanish.

    Stands after PersonMiddleware.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self._language(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        if "Vary" in response.headers:
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
        else:
            response.headers["Vary"] = "Accept-Language, Cookie"
        return response

    def _language(self, request: HttpRequest) -> str:
        chosen = str(getattr(request.user, "language", ""))
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


class NoticesMiddleware:
    """Django's messages for the next page, in place of its own middleware: where they are kept is made up only for a request
    that asks for them, or leaves one."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        made: list[Any] = []

        def make() -> Any:
            made.append(default_storage(request))
            return made[0]

        request._messages = SimpleLazyObject(make)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if made:
            made[0].update(response)
        return response


class CompressMiddleware:
    """Pages compressed for a browser that takes gzip. As Django's GZipMiddleware it hides the length by a name of random length
    (a page repeats what an address says, and its length tells of what stands beside it: BREACH); faster, and HTML alone."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        html = response.headers.get("Content-Type", "").startswith("text/html")
        if response.streaming or not html or len(response.content) < COMPRESSED_FROM or "Content-Encoding" in response:
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if _TAKES_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            buffer = BytesIO()
            name = "a" * secrets.randbelow(HIDDEN_BYTES)
            with GzipFile(filename=name, mode="wb", compresslevel=COMPRESS_LEVEL, fileobj=buffer, mtime=0) as file:
                file.write(response.content)
            response.content = buffer.getvalue()
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.content))
        return response


COMPRESSED_FROM = 1_000
COMPRESS_LEVEL = 3
HIDDEN_BYTES = 100
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


class WordsMiddleware:
    """A page in words for a browser that a view refused without any (an address that only takes what a form sends, opened by
    itself after signing in anew, say). Zero octets, which no database can be asked about, are taken out of what an address asks.

    Stands after LanguageMiddleware.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        while NUL in request.META.get("QUERY_STRING", ""):
            request.META["QUERY_STRING"] = request.META["QUERY_STRING"].replace(NUL, "")
            request.__dict__.pop("GET", None)  # Django keeps what it has read
        response = self.get_response(request)
        if response.status_code not in WORDLESS or response.streaming or response.content:
            return response
        if "text/html" in request.headers.get("Accept", "") and "HX-Request" not in request.headers:
            response.content = render_to_string("400.html", request=request)
            response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response


WORDLESS = {400, 405}
NUL = "%00"


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


class GoneMiddleware:
    """What was removed while somebody changed it is not there any more (404), and no error of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A 404 for a change whose row somebody else removed meanwhile; None, so that it goes on up, for anything else."""
        told = str(error) if isinstance(error, DatabaseError) else ""
        gone = (
            isinstance(error, ObjectDoesNotExist) or "did not affect any rows" in told or "foreign key" in told.lower()
        )
        if request.method != "POST" or not gone:
            return None
        log.warning("gone meanwhile: %s", request.path)
        return page_not_found(request, error)
