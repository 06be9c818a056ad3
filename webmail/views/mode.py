"""Where the mail of an account lives: the two ways side by side, what changing would mean in numbers, and the change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import retarget

from accounts.adapter import client_ip
from accounts.models import MailAccount
from accounts.services.activity import programs_of
from accounts.services.owned import is_own
from accounts.services.recommend import Seen, advise, look_at
from accounts.services.setup import expect_program
from accounts.views.portal.doors import actor_of
from webmail.download_forms import ImapForm, PolicyForm, ServerForm
from webmail.errors import LoginRefused, MailError
from webmail.models import Download, Transfer
from webmail.services import transfer as moving
from webmail.services.access import account_credentials, open_source, settings_account
from webmail.services.downloads import KEEP_DAYS_MAX
from webmail.services.mode_change import begin_change, undo_change
from webmail.services.places import find_place, find_pop3
from webmail.services.pulls import code_of, problem_of
from webmail.services.removing import is_added
from webmail.services.simulator import STEPS
from webmail.services.switch_figures import Figures, figures_of, size_here
from webmail.services.trying import Tested, tested
from webmail.sources.logging_in import check_login
from webmail.values import Endpoint, Tls
from webmail.views.download_settings import wrong_source

UNPROCESSABLE = 422
DAYS = 14
MOVING = (Transfer.State.WAITING, Transfer.State.RUNNING)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mode(request: HttpRequest, account_id: int) -> HttpResponse:
    """Both ways, the change that goes on or the last one. POST: `do` is start, stop, resume, cancel or undo."""
    account = settings_account(request, account_id)
    expect_program(account.mailbox, origin=client_ip(request))
    if request.method == "POST":
        change = CHANGES.get(request.POST.get("do", ""))
        if change is None:
            return HttpResponseBadRequest()
        context = change(request, account)
        if context is not None:
            return _page(request, account, context, status=UNPROCESSABLE)
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("mode", account.pk)
        account.refresh_from_db()
    return _page(request, account, {})


@login_required
@require_safe
def mode_figures(request: HttpRequest, account_id: int) -> HttpResponse:
    """What would stay on the server under `days` days, for the slider; nothing when the server does not tell."""
    account = settings_account(request, account_id)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("mode", account.pk)
    days, wrong = _days(request)
    if wrong:
        answer = render(request, "webmail/figures_switch.html#words", {"days_wrong": wrong}, status=UNPROCESSABLE)
        return retarget(answer, "#sim-words")
    return render(
        request, "webmail/figures_switch.html#answer", {"account": account, "figures": _figures(request, account, days)}
    )


def _page(request: HttpRequest, account: MailAccount, more: dict[str, Any], *, status: int = 200) -> HttpResponse:
    last = moving.last_transfer(account)
    active = last if last and last.is_open else None
    days, wrong = _days(request)
    context: dict[str, Any] = {
        "account": account,
        "tab": "mode",
        "transfer": active,
        "last": last,
        "moving": active is not None and active.state in MOVING,
        "stamp": str(int(timezone.now().timestamp() * 1000)),
        "undoable": _undoable(last),
        "days_wrong": wrong,
        "programs": programs_of(account.mailbox, own=is_own(request, account)),
        "added": is_added(account),
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    if active is None:
        context |= _plan(request, account, days)
        context["advice"] = advise(_seen(account, None if account.downloads else context["figures"]))
    template = "webmail/mode.html#change" if partial else "webmail/mode.html"
    return render(request, template, context | more, status=status)


def _plan(request: HttpRequest, account: MailAccount, days: int) -> dict[str, Any]:
    """The numbers, and the form that begins the change."""
    if account.downloads:
        with open_source(request, account) as source:
            plan = moving.plan_switch(source)
            figures = figures_of(account, source, days=days)
        needs = None if account.hosted or account.imap_host else ImapForm(initial=_imap_place(account))
        return {"plan": plan, "size_here": size_here(account), "imap": needs, "figures": figures}
    server = None if account.hosted else _server_form(request, account, None)
    return {
        "figures": _figures(request, account, days),
        "policy": PolicyForm(initial=PolicyForm.initial_of(None) | {"keep_days": days or DAYS}),
        "server": server,
    }


def _figures(request: HttpRequest, account: MailAccount, days: int) -> Figures | None:
    """The figures of a mailbox; None where the server of one that is read there does not answer."""
    try:
        with open_source(request, account) as source:
            return figures_of(account, source, days=days)
    except MailError:
        return None


def _seen(account: MailAccount, figures: Figures | None) -> Seen:
    """What the recommendation is made of: the same figures that the page shows."""
    if figures is None:
        return look_at(account.mailbox)
    course = figures.course
    seen = look_at(account.mailbox, used_bytes=figures.plan.size_bytes, quota_bytes=course.quota_bytes)
    seen = replace(seen, full_on=course.full_on)
    if not seen.needs_room:
        return seen
    most = course.most_days
    return replace(seen, most_days=most, every_days=most == STEPS[-1])


def _days(request: HttpRequest) -> tuple[int, str]:
    """The days that are asked for, and what is wrong with them; DAYS then, and where none are asked for."""
    text = request.GET.get("days")
    if text is None:
        return DAYS, ""
    if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= KEEP_DAYS_MAX:
        return int(text), ""
    return DAYS, _("Write a number of days from 0 to %(most)s.") % {"most": KEEP_DAYS_MAX}


def _undoable(last: Transfer | None) -> bool:
    done = last is not None and last.state == Transfer.State.DONE
    return bool(done and last and last.undo_until and last.undo_until > timezone.now())


# --- changes ----------------------------------------------------------------------------------------------------------


def _start(request: HttpRequest, account: MailAccount) -> dict[str, Any] | None:
    """Begins a change; gives what is wrong with it, None for nothing."""
    return _start_imap(request, account) if account.downloads else _start_download(request, account)


def _start_download(request: HttpRequest, account: MailAccount) -> dict[str, Any] | None:
    """From the server to here. Another server must let itself be downloaded from, which is tested first."""
    policy = PolicyForm(request.POST, initial=PolicyForm.initial_of(None))
    server = None if account.hosted else _server_form(request, account, request.POST)
    wrong = {"policy": policy, "server": server}
    if wrong_source(server, policy, account.owner_id):
        return wrong
    told = tested(account, server.source() if server else None, policy.policy(), None)
    if not told.well:
        return wrong | {"tested": told}
    secret = ""
    if server:
        source = server.source()
        account.pop3_host, account.pop3_port, account.pop3_tls = source.server
        account.save(update_fields=["pop3_host", "pop3_port", "pop3_tls"])
        secret = source.secret
    return _begin(request, account, Transfer.Kind.TO_DOWNLOAD, secret=secret, policy=policy)


def _start_imap(request: HttpRequest, account: MailAccount) -> dict[str, Any] | None:
    """From here to the server, which must let itself be opened first."""
    if account.hosted or account.imap_host:
        return _begin(request, account, Transfer.Kind.TO_IMAP)
    form = ImapForm(request.POST)
    if not form.is_valid():
        return {"imap": form}
    host, port, tls = form.server()
    secret = str(form.cleaned_data["secret"])
    endpoint = Endpoint(host, port, cast(Tls, tls), public_only=True)
    try:
        check_login(endpoint, account_credentials(account, secret=secret), ca_file=settings.MAIL_CA_FILE)
    except MailError as error:
        code = code_of(error)
        return {"imap": form, "tested": Tested(problem=problem_of(code), code=code)}
    account.imap_host, account.imap_port, account.imap_tls = host, port, tls
    account.save(update_fields=["imap_host", "imap_port", "imap_tls"])
    return _begin(request, account, Transfer.Kind.TO_IMAP, secret=secret)


def _begin(
    request: HttpRequest, account: MailAccount, kind: str, *, secret: str = "", policy: PolicyForm | None = None
) -> dict[str, Any] | None:
    chosen = policy.policy() if policy else None
    try:
        begin_change(account=account, kind=kind, policy=chosen, secret=secret, by=actor_of(request))
    except moving.NotPossible:
        return {"error": _("This is not possible now: the mail lives there already, or is being moved.")}
    return None


def _server_form(request: HttpRequest, account: MailAccount, data: Any) -> ServerForm:
    """Where the mailbox of another server is downloaded from; its user name is the one with which it is read."""
    fixed = {"login": account.login or account.address, "auth": Download.Auth.PASSWORD}
    if data is None:
        place = find_pop3(account.address) if not account.pop3_host else None
        host, port, tls = place.pop3 if place else (account.pop3_host, account.pop3_port, account.pop3_tls)
        initial = fixed | {"host": host, "port": port, "tls": tls}
        return ServerForm(initial=initial, person_id=request.user.pk or 0)
    typed = data.copy()
    for name, value in fixed.items():
        typed[name] = value
    return ServerForm(typed, person_id=request.user.pk or 0)


def _imap_place(account: MailAccount) -> dict[str, Any]:
    place = find_place(account.address)
    host, port, tls = place.imap if place else ("", None, "tls")
    return {"host": host, "port": port, "tls": tls}


def _with_open(verb: Callable[[Transfer], Any]) -> Callable[[HttpRequest, MailAccount], dict[str, Any] | None]:
    def change(request: HttpRequest, account: MailAccount) -> dict[str, Any] | None:
        active = moving.open_transfer(account)
        if active is None:
            return {"error": _("Nothing is being moved any more.")}
        verb(active)
        return None

    return change


def _undo(request: HttpRequest, account: MailAccount) -> dict[str, Any] | None:
    try:
        undo_change(account=account, by=actor_of(request))
    except (moving.NotPossible, LoginRefused):
        return {"error": _("This can no longer be undone.")}
    return None


CHANGES: dict[str, Callable[[HttpRequest, MailAccount], dict[str, Any] | None]] = {
    "start": _start,
    "stop": _with_open(moving.stop_transfer),
    "resume": _with_open(moving.resume_transfer),
    "cancel": _with_open(moving.cancel_transfer),
    "undo": _undo,
}
