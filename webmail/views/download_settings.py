"""The settings of download mode, and adding a mailbox of another server."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import MailAccount
from accounts.services.activity import programs_of
from accounts.views.portal.doors import actor_of
from webmail.download_forms import AddressForm, PolicyForm, ServerForm
from webmail.models import Download
from webmail.services import adding
from webmail.services.downloads import change_policy
from webmail.services.places import find_pop3
from webmail.services.pulls import ask_pull
from webmail.services.trying import tested
from webmail.views.downloads import download_for

UNPROCESSABLE = 422


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def download_settings(request: HttpRequest, account_id: int) -> HttpResponse:
    """Server and policy of an account in download mode. POST: `do` is test, which saves nothing, or save, which tests what is
    new about the server first."""
    account, state = download_for(request, account_id)
    download = state.download
    data = request.POST if request.method == "POST" else None
    server = None if account.hosted else _server_form(request, account, download, data)
    policy = PolicyForm(data, initial=PolicyForm.initial_of(download))
    context: dict[str, Any] = {
        "account": account,
        "pull": state,
        "download": download,
        "server": server,
        "policy": policy,
        "programs": programs_of(account.mailbox, own=True),
        "tab": "settings",
    }
    if data is None:
        return _answer(request, "download_settings", context, 200)
    if wrong_source(server, policy, account.owner_id):
        return _answer(request, "download_settings", context, UNPROCESSABLE)
    source = server.source() if server else None
    if data.get("do") == "test" or (source and _differs(account, download, source)):
        context["tested"] = told = tested(account, source, policy.policy(), download)
        if data.get("do") == "test" or not told.well:
            return _answer(request, "download_settings", context, 200 if told.well else UNPROCESSABLE)
    if source:
        adding.change_source(download, source)
        download.refresh_from_db()
    change_policy(download, policy.policy(), by=actor_of(request))
    return redirect("downloads", account.pk)


def wrong_source(server: ServerForm | None, policy: PolicyForm, owner_id: int) -> bool:
    """Whether something typed is wrong, the person's own mailbox among it."""
    if server and not server.errors and adding.own_mailbox(owner_id, server.cleaned_data["login"]):
        server.add_error("login", _("This is your own mailbox here: downloading it into itself would only empty it."))
    return bool(policy.errors or (server and server.errors))


def _server_form(request: HttpRequest, account: MailAccount, download: Download, data: Any) -> ServerForm:
    initial = {
        "host": account.pop3_host,
        "port": account.pop3_port,
        "tls": account.pop3_tls,
        "login": account.login or account.address,
        "auth": download.auth,
    }
    return ServerForm(data, initial=initial, person_id=request.user.pk or 0, kept=account)


def _differs(account: MailAccount, download: Download, source: adding.Source) -> bool:
    known = (account.pop3_host, account.pop3_port, account.pop3_tls), account.login, download.auth
    return bool(source.secret) or (source.server, source.login, source.auth) != known


def _answer(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    """The page, or its form alone for htmx."""
    part = "#form" if request.htmx else ""  # type: ignore[attr-defined]
    return render(request, f"webmail/{template}.html{part}", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_add(request: HttpRequest) -> HttpResponse:
    """A mailbox of another server. First its address: the server is looked for. Then server and policy, tested before anything
    is saved. POST: `do` is find, test or save."""
    data = request.POST if request.method == "POST" else None
    address = AddressForm(data)
    context: dict[str, Any] = {"address": address, "home_account": _first(request)}
    if data is None:
        return _answer(request, "account_add", context, 200)
    if not address.is_valid():
        return _answer(request, "account_add", context, UNPROCESSABLE)
    name = str(address.cleaned_data["address"])
    person = request.user.pk or 0
    if known := adding.known_account(person, name) or adding.own_mailbox(person, name):
        return _answer(request, "account_add", context | {"known": known}, UNPROCESSABLE)
    if data.get("do") not in {"test", "save"}:
        return _answer(request, "account_add", context | _found(name, person), 200)
    return _add(request, context, name)


def _found(address: str, person_id: int) -> dict[str, Any]:
    """The second step, filled in with what is known of the address's server."""
    place = find_pop3(address)
    initial: dict[str, Any] = {"login": address, "tls": "tls", "auth": Download.Auth.PASSWORD}
    if place:
        host, port, tls = place.pop3
        initial |= {"host": host, "port": port, "tls": tls, "login": place.login}
    return {
        "place": place,
        "looked": True,
        "server": ServerForm(initial=initial, person_id=person_id),
        "policy": PolicyForm(initial=PolicyForm.initial_of(None)),
    }


def _add(request: HttpRequest, context: dict[str, Any], address: str) -> HttpResponse:
    """Tests what was typed; adds the mailbox when that is wanted and all is well."""
    person = request.user.pk or 0
    server = ServerForm(request.POST, person_id=person)
    policy = PolicyForm(request.POST, initial=PolicyForm.initial_of(None))
    context |= {"server": server, "policy": policy}
    if wrong_source(server, policy, person):
        return _answer(request, "account_add", context, UNPROCESSABLE)
    source = server.source()
    context["tested"] = told = tested(MailAccount(address=address), source, policy.policy(), None)
    if not told.well or request.POST.get("do") != "save":
        return _answer(request, "account_add", context, 200 if told.well else UNPROCESSABLE)
    place = find_pop3(address)
    smtp = place.smtp if place and place.smtp[0] else None
    account = adding.add_account(owner_id=person, address=address, source=source, policy=policy.policy(), smtp=smtp)
    ask_pull(account)
    return redirect("account", account.pk)


def _first(request: HttpRequest) -> MailAccount | None:
    return MailAccount.objects.filter(owner=request.user.pk).order_by("pk").first()
