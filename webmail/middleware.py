"""What a person sees when mail goes wrong: a page that says what happened, what is safe and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from webmail.errors import CertificateRefused, Gone, LoginRefused, MailError, OverQuota, Refused, Unreachable

logger = logging.getLogger(__name__)

STATUS: dict[type[MailError], int] = {
    Gone: 410,
    OverQuota: 507,
    Refused: 502,
    CertificateRefused: 502,
    Unreachable: 503,
}


class MailErrorMiddleware:
    """Turns a `MailError` that a view raised into its page; htmx gets the same in the place that it asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, MailError):
            return None
        logger.info("%s in %s", type(error).__name__, request.resolver_match and request.resolver_match.view_name)
        if isinstance(error, LoginRefused):
            logout(request)
            response = redirect("account_login")
            if request.htmx:  # type: ignore[attr-defined]
                return HttpResponse(headers={"HX-Redirect": response.url})
            return response
        return _state_page(request, error)


def _state_page(request: HttpRequest, error: MailError) -> HttpResponse:
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS or kind is MailError)
    title, text, cells = _words(error)
    match = request.resolver_match
    context = {
        "title": title,
        "text": text,
        "cells": cells,
        "server_reply": error.detail if isinstance(error, Refused | OverQuota) else "",
        "account_id": match.kwargs.get("account_id") if match else None,
        "retry_url": request.get_full_path() if request.method == "GET" else "",
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "webmail/error.html#state" if partial else "webmail/error.html"
    return render(request, template, context, status=STATUS.get(kind, 500))


def _words(error: MailError) -> tuple[str, str, str]:
    """Title, text and the pattern of cells for an error."""
    if isinstance(error, Gone):
        return (
            _("This is not here any more"),
            _("Another program moved or deleted it, or its folder. Nothing else was opened in its place."),
            "gone",
        )
    if isinstance(error, CertificateRefused):
        return (
            _("The server could not prove who it is"),
            _("Its certificate is not valid, so nothing was sent to it. Tell whoever runs the server."),
            "down",
        )
    if isinstance(error, Unreachable):
        return (
            _("The mail server does not answer"),
            _("Your mail is safe on the server. Try again in a moment."),
            "down",
        )
    if isinstance(error, OverQuota):
        return (_("The mailbox is full"), _("The server has no room for this. Free some space and try again."), "full")
    return (
        _("The server refused"),
        _("It did not do what was asked. Nothing was changed."),
        "down",
    )
