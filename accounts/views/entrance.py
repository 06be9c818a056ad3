"""The door: signing in, what to do about a forgotten password, and the doors of django-allauth that stay shut."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.forms import SignInForm

UNPROCESSABLE, TOO_MANY = 422, 429


class SignInView(LoginView):  # type: ignore[misc]
    """django-allauth's sign-in, which answers with a status that says how it went."""

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        status = TOO_MANY if "too_many_login_attempts" in form.codes else UNPROCESSABLE
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=status)
        return response


sign_in = SignInView.as_view()


@require_safe
def password_help(request: HttpRequest) -> HttpResponse:
    """Whom to ask for a new password."""
    return render(request, "account/password_help.html")


def closed(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """A page of django-allauth that Casilla does not offer: mailboxes, and their passwords, are the provider's to make."""
    raise Http404
