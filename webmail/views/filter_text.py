"""The scripts of a mailbox as text, for those who want to write Sieve themselves."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import confirm
from accounts.models import MailAccount
from accounts.services.owned import is_own
from accounts.views.portal.doors import actor_of
from webmail.services import filters as service
from webmail.services.access import settings_account
from webmail.services.filter_log import note_script
from webmail.services.filter_words import refusal_words
from webmail.services.filters import FiltersRefused, Setup, text_mark
from webmail.sieve.client import NotOffered, Problem, ScriptRefused, SieveSession
from webmail.sieve.script import JOINED, OWN
from webmail.views.filters import not_offered


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def filter_text(request: HttpRequest, account_id: int) -> HttpResponse:
    """One script as text: that of `script`, else the one that runs, else ours. POST with `text`, `seen` (as the page had it) and
    `do`: save, or check, which stores nothing."""
    account = settings_account(request, account_id)
    try:
        with service.open_filters(request, account) as session:
            setup = service.read_setup(session)
            name = _name_of(request, setup)
            if request.method != "POST":
                text = session.get(name) if name in setup.names else ""
                return _page(request, account, setup, name, text, seen=text_mark(text))
            return _answer_post(request, account, session, setup, name)
    except NotOffered:
        return not_offered(request, account, "filters")


def _answer_post(
    request: HttpRequest, account: MailAccount, session: SieveSession, setup: Setup, name: str
) -> HttpResponse:
    text = request.POST.get("text", "").replace("\r\n", "\n")
    seen = request.POST.get("seen", "")
    asked = confirm.AskForm(request.POST)
    try:
        if request.POST.get("do") == "check":
            found = session.check(text)
            return _page(request, account, setup, name, text, seen=seen, problems=found, fine=True)
        if account.mailbox and is_own(request, account) and service.may_forward(text):
            confirm.ask(asked, request, account.mailbox)
            if not (asked.is_valid() and confirm.is_answered(asked, request, account.mailbox)):
                return _page(request, account, setup, name, text, seen=seen, asked=asked, status=422)
        before = session.get(name) if name in setup.names else ""
        warnings = service.put_text(session, name, text, seen=seen)
    except ScriptRefused as error:
        return _page(request, account, setup, name, text, seen=seen, problems=error.problems, status=422)
    except FiltersRefused as error:
        now = session.get(name) if name in setup.names else ""
        return _page(
            request,
            account,
            setup,
            name,
            text,
            seen=text_mark(now),
            refused=refusal_words(error.detail),
            now=now,
            status=409,
        )
    note_script(account, name, before=before, after=text, by=actor_of(request))
    if warnings:
        return _page(
            request,
            account,
            service.read_setup(session),
            name,
            text,
            seen=text_mark(session.get(name)),
            problems=warnings,
            fine=True,
        )
    notices.info(request, _("Saved."))
    return redirect(f"{reverse('filter_text', args=[account.pk])}?{urlencode({'script': name})}")


def _name_of(request: HttpRequest, setup: Setup) -> str:
    """The script of the address; one that is not there is a 404, but for ours, which can begin here."""
    name = (request.POST if request.method == "POST" else request.GET).get("script", "")
    if not name:
        return setup.active if setup.active and setup.active != JOINED else OWN
    if name not in setup.names and name != OWN:
        raise Http404
    return name


def _page(
    request: HttpRequest,
    account: MailAccount,
    setup: Setup,
    name: str,
    text: str,
    *,
    seen: str,
    problems: tuple[Problem, ...] = (),
    refused: str = "",
    now: str | None = None,
    fine: bool = False,
    asked: confirm.AskForm | None = None,
    status: int = 200,
) -> HttpResponse:
    lines = text.split("\n")
    context: dict[str, Any] = {
        "account": account,
        "tab": "filters",
        "setup": setup,
        "name": name,
        "own": name == OWN,
        "text": text,
        "rows": min(40, max(12, len(lines) + 1)),
        "seen": seen,
        "problems": [(one, lines[one.line - 1] if 0 < one.line <= len(lines) else "") for one in problems],
        "refused": refused,
        "now": now,
        "fine": fine,
        "asked": asked,
    }
    return render(request, "webmail/filter_text.html", context, status=status)
