"""The answer that goes out while one is away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import MailAccount
from accounts.views.portal.doors import actor_of
from webmail.filter_forms import VacationForm, vacation_initial
from webmail.services import filters as service
from webmail.services.access import settings_account
from webmail.services.filter_log import note_vacation
from webmail.services.filter_words import refusal_words, vacation_phase
from webmail.services.filters import FiltersRefused, Setup, State
from webmail.services.identities import allowed_addresses
from webmail.sieve.client import NotOffered, ScriptRefused
from webmail.views.filters import not_offered


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def vacation(request: HttpRequest, account_id: int) -> HttpResponse:
    """The vacation reply of an account. POST stores it, with `seen` as the page had it."""
    account = settings_account(request, account_id)
    own = allowed_addresses(account)
    try:
        with service.open_filters(request, account) as session:
            setup = service.read_setup(session)
            if request.method != "POST":
                initial = vacation_initial(setup.filters.vacation, own)
                return _page(request, account, setup, VacationForm(initial=initial, own_addresses=own))
            form = VacationForm(request.POST, own_addresses=own)
            if not form.is_valid():
                return _page(request, account, setup, form, status=422)
            made = form.vacation()
            try:
                service.change_filters(
                    session, lambda now: service.set_vacation(now, made), seen=request.POST.get("seen", "")
                )
            except FiltersRefused as error:
                return _page(
                    request, account, service.read_setup(session), form, refused=refusal_words(error.detail), status=409
                )
            except ScriptRefused as error:
                return _page(request, account, setup, form, problems=error.problems, status=422)
    except NotOffered:
        return not_offered(request, account, "vacation")
    note_vacation(account, before=setup.filters.vacation, after=made, by=actor_of(request))
    notices.info(request, _("Saved."))
    return redirect("vacation", account.pk)


def _page(
    request: HttpRequest,
    account: MailAccount,
    setup: Setup,
    form: VacationForm,
    *,
    refused: str = "",
    problems: Any = (),
    status: int = 200,
) -> HttpResponse:
    context = {
        "account": account,
        "tab": "vacation",
        "setup": setup,
        "form": form,
        "phase": vacation_phase(setup.filters.vacation) if setup.state is not State.OFF else "",
        "now": setup.filters.vacation,
        "refused": refused,
        "problems": problems,
    }
    return render(request, "webmail/vacation.html", context, status=status)
