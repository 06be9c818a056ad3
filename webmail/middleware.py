"""What a person sees when mail goes wrong: a page that says what happened, what is safe and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from webmail.errors import LoginRefused, MailError
from webmail.services.access import find_account
from webmail.views.states import state_of

logger = logging.getLogger(__name__)


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
        if isinstance(error, LoginRefused) and _signed_in_with(request):
            logout(request)
            response = redirect("account_login")
            if request.htmx:  # type: ignore[attr-defined]
                return HttpResponse(headers={"HX-Redirect": response.url})
            return response
        return _state_page(request, error)


def _signed_in_with(request: HttpRequest) -> bool:
    """Whether the account of the address is the one by which this person is signed in here; what another server says of
    another mailbox of theirs shuts that one alone. Where no account stands in the address it is the first."""
    try:
        account = find_account(request, _account_id(request))
    except Http404:
        return True
    return account.address == request.user.get_username()


def _account_id(request: HttpRequest) -> int | None:
    match = request.resolver_match
    return match.kwargs.get("account_id") if match else None


def _state_page(request: HttpRequest, error: MailError) -> HttpResponse:
    state = state_of(error)
    context = {
        "state": state,
        "refused": isinstance(error, LoginRefused),
        "account_id": _account_id(request),
        "retry_url": request.get_full_path() if state.retry and request.method == "GET" else "",
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "webmail/error.html#state" if partial else "webmail/error.html"
    return render(request, template, context | {"first": not partial}, status=state.status)
