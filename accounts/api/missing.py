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


@csrf_exempt
def missing(request: HttpRequest, **_rest: Any) -> HttpResponse:
    """Whoever asks and by whatever method."""
    speak(request)
    return problem(request, 404, _("There is nothing at this address: see openapi.json for what there is."))


def told(pattern: URLPattern) -> URLPattern:
    """The same address, whose answer to a method that it does not take is a problem."""
    view = pattern.callback

    @functools.wraps(view)
    def answered(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        speak(request)
        answer: HttpResponse = view(request, *args, **values)
        answer["Content-Language"] = translation.get_language() or ""
        if answer.status_code != NOT_ALLOWED:
            return answer
        methods = ", ".join(sorted(answer["Allow"].split(", ")))
        said = problem(request, NOT_ALLOWED, _("This address takes %(methods)s.") % {"methods": methods})
        said["Allow"] = methods
        said["Content-Language"] = answer["Content-Language"]
        return said

    answered.csrf_exempt = True  # type: ignore[attr-defined]
    pattern.callback = answered
    return pattern
