"""The door: signing in, what to do about a forgotten password, and the doors of django-allauth that stay shut."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.views import LoginView
from celery import current_app
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods
from kombu.exceptions import OperationalError

from accounts.adapter import client_ip
from accounts.forms import SignInForm
from accounts.models import MailAccount
from accounts.rates import take
from accounts.services import resets
from accounts.services.login import clean_address
from accounts.services.setup import expect_program

UNPROCESSABLE, TOO_MANY = 422, 429
OWN = 20
"""Of no more mailboxes of one person programs are expected where they sign in."""

log = logging.getLogger(__name__)


class SignInView(LoginView):  # type: ignore[misc]
    """django-allauth's sign-in, which answers with a status that says how it went."""

    def form_valid(self, form: SignInForm) -> HttpResponse:
        """Signs in, and lets programs in the same network find each mailbox's own set-up for a day."""
        response: HttpResponse = super().form_valid(form)
        if self.request.user.is_authenticated:
            own = MailAccount.objects.filter(owner=self.request.user.pk, mailbox__isnull=False).select_related(
                "mailbox"
            )
            for account in own[:OWN]:
                expect_program(account.mailbox, origin=client_ip(self.request))
        return response

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        """The page again, 429 when it was tried too often, else 422."""
        status = TOO_MANY if "too_many_login_attempts" in form.codes else UNPROCESSABLE
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=status)
        return response


sign_in = SignInView.as_view()


@require_http_methods(["GET", "HEAD", "POST"])
def password_help(request: HttpRequest) -> HttpResponse:
    """Who has forgotten a password asks for a link to the address that is kept for that. The answer is the same, and takes the
    same time, whether there is such a mailbox or not: a worker sends the letter, or none."""
    if request.method != "POST":
        return render(request, "account/password_help.html")
    address = clean_address(request.POST.get("address", ""))[:254]
    if take(request, "forgotten", address) is None:
        return render(request, "account/password_help.html", {"late": True}, status=TOO_MANY)
    try:
        job = [*resets.forgotten(address), get_language() or ""]
        current_app.send_task("accounts.tasks.send_forgotten", job, retry=False, expires=600)
    except (OperationalError, OSError) as error:
        log.warning("no broker: %s", type(error).__name__)
        return render(request, "account/password_help.html", {"broken": True}, status=503)
    return render(request, "account/password_help.html", {"sent": True})


def closed(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """A page of django-allauth that Casilla does not offer: mailboxes, and their passwords, are the provider's to make."""
    raise Http404
