"""What mail servers say no to, as problem details."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI

from accounts.api.problems import problem
from webmail.errors import MailError
from webmail.services.filter_words import refusal_words
from webmail.services.filters import FiltersRefused
from webmail.sieve.client import NotOffered, ScriptRefused


def install(api: NinjaAPI) -> None:
    """Has the errors of mail rooms answered too."""

    @api.exception_handler(FiltersRefused)
    def refused(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(request, 409, refusal_words(error.detail))

    @api.exception_handler(ScriptRefused)
    def script(request: HttpRequest, error: Any) -> HttpResponse:
        text = _("Line %(line)s: %(text)s")
        lines = [text % {"line": one.line, "text": one.text} if one.line else one.text for one in error.problems]
        return problem(request, 422, _("The server cannot run this script."), errors={"script": lines})

    @api.exception_handler(NotOffered)
    def absent(request: HttpRequest, _error: Any) -> HttpResponse:
        return problem(request, 409, _("The mail server offers no filters for this mailbox."))

    @api.exception_handler(MailError)
    def silent(request: HttpRequest, _error: Any) -> HttpResponse:
        return problem(
            request, 503, _("The mail server does not answer, or refused. Nothing was changed; try again later.")
        )
