"""What no operation answers, as problem details too: addresses that are not there, and methods that an address does not take."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts.api.language import speak
from accounts.api.problems import problem

NOT_ALLOWED = 405
READING = "GET"


@csrf_exempt
def missing(request: HttpRequest, **_rest: Any) -> HttpResponse:
    """Whoever asks and by whatever method."""
    speak(request)
    return problem(request, 404, _("There is nothing at this address: see openapi.json for what there is."))


def told(pattern: URLPattern) -> URLPattern:
    """The same address, which answers HEAD as GET but for the body (RFC 9110 section 9.3.2), and with a problem what it does not
    take."""
    view = pattern.callback

    @functools.wraps(view)
    def answered(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        speak(request)
        heads = request.method == "HEAD"
        if heads:
            request.method = READING
        answer: HttpResponse = view(request, *args, **values)
        if heads and answer.status_code != NOT_ALLOWED:
            answer = _head_of(answer)
        answer["Content-Language"] = translation.get_language() or ""
        if answer.status_code != NOT_ALLOWED:
            return answer
        taken = set(answer["Allow"].split(", "))
        methods = ", ".join(sorted(taken | ({"HEAD"} if READING in taken else set())))
        said = problem(request, NOT_ALLOWED, _("This address takes %(methods)s.") % {"methods": methods})
        said["Allow"] = methods
        said["Content-Language"] = answer["Content-Language"]
        return said

    answered.csrf_exempt = True  # type: ignore[attr-defined]
    pattern.callback = answered
    return pattern


def _head_of(answer: HttpResponse) -> HttpResponse:
    """The headers of an answer alone, with the length that its body has where that is known."""
    head = HttpResponse(status=answer.status_code, headers=dict(answer.items()))
    if not answer.streaming:
        head["Content-Length"] = str(len(answer.content))
    return head  # a table that was not begun is asked of no database
