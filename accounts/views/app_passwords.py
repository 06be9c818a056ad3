"""Passwords of single devices: the list, a new one that is shown this once, and revoking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import confirm, once
from accounts.models import AppPassword, MailAccount
from accounts.numbers import read_number
from accounts.password_forms import AppPasswordForm
from accounts.services.app_passwords import (
    MOST,
    PROTOCOLS,
    Made,
    NameTaken,
    TooMany,
    make_app_password,
    revoke_app_password,
)
from accounts.services.device_use import device_uses
from accounts.services.owned import own_account
from accounts.views.portal.doors import actor_of

LATELY = timedelta(minutes=30)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def app_passwords(request: HttpRequest, account_id: int) -> HttpResponse:
    """The passwords of an account's devices. POST makes one (`name`, `protocols`), and the page that answers shows it; `again`
    is the number of one whose place it takes."""
    account = own_account(request, account_id, hosted=True)
    assert account.mailbox
    if request.method != "POST":
        old = _old(account, request.GET.get("again", ""))
        initial = _as_before(old) if old else {"name": request.GET.get("name", "")[:60]}
        return _page(request, account, AppPasswordForm(mailbox=account.mailbox, initial=initial), old=old)
    form = AppPasswordForm(request.POST, mailbox=account.mailbox)
    confirm.ask(form, request, account.mailbox)
    if again := _made_already(request, account):
        return _page(request, account, AppPasswordForm(mailbox=account.mailbox), made=again)
    ready = form.is_valid() and confirm.is_answered(form, request, account.mailbox)
    old = _old(account, request.POST.get("again", ""))
    made = _make(request, account, form, old) if ready else None
    if made is None:
        return _page(request, account, form, old=old, status=422)
    return _page(request, account, AppPasswordForm(mailbox=account.mailbox), made=made)


@login_required
@require_POST
def app_password_revoke(request: HttpRequest, account_id: int, password_id: int) -> HttpResponse:
    """Makes one worth nothing, and closes what is open."""
    account = own_account(request, account_id, hosted=True)
    row = get_object_or_404(AppPassword.objects.select_related("mailbox"), mailbox=account.mailbox_id, pk=password_id)
    name = row.name
    if revoke_app_password(row, by=actor_of(request)):
        text = _("“%(name)s” can no longer sign in, and its connections are closed. The other programs connect anew.")
    else:
        text = _("“%(name)s” can no longer sign in. What it has open stays open until it ends by itself.")
    notices.info(request, text % {"name": name})
    return redirect("app_passwords", account_id)


def _old(account: MailAccount, number: str) -> AppPassword | None:
    """The password that another is to take the place of, if it is there."""
    rows = AppPassword.objects.select_related("mailbox__domain__customer")
    return rows.filter(mailbox=account.mailbox_id, pk=read_number(number) or 0).first()


def _as_before(row: AppPassword) -> dict[str, Any]:
    return {"name": row.name, "protocols": [name for name in PROTOCOLS if getattr(row, name)]}


def _unseen(rows: list[AppPassword]) -> AppPassword | None:
    """The last one that was made a moment ago and not used yet: who loads the page again looks for it in vain."""
    since = timezone.now() - LATELY
    new = [row for row in rows if row.last_at is None and row.created > since]
    return max(new, key=lambda row: row.created, default=None)


def _make(request: HttpRequest, account: MailAccount, form: AppPasswordForm, old: AppPassword | None) -> Made | None:
    """The new password, None when it could not be made; then the form says why."""
    assert account.mailbox
    data = form.cleaned_data
    try:
        by = actor_of(request)
        made = make_app_password(
            mailbox=account.mailbox, name=data["name"], protocols=data["protocols"], instead_of=old, by=by
        )
        once.keep(request, f"device {account.pk}", f"{made.row.pk} {made.password}")
        return made
    except NameTaken:
        form.add_error("name", _("There is a password of this name already. Revoke it, or choose another name."))
    except TooMany:
        form.add_error("name", _("There can be at most %(n)d. Revoke one that is not used any more.") % {"n": MOST})
    return None


def _made_already(request: HttpRequest, account: MailAccount) -> Made | None:
    """What this very form has made, if it was not revoked since."""
    key, _blank, password = (once.recall(request, f"device {account.pk}") or "").partition(" ")
    row = AppPassword.objects.filter(mailbox=account.mailbox_id, pk=read_number(key) or 0).first()
    return Made(row, password) if row else None


def _page(
    request: HttpRequest,
    account: MailAccount,
    form: AppPasswordForm,
    *,
    made: Made | None = None,
    old: AppPassword | None = None,
    status: int = 200,
) -> HttpResponse:
    confirm.ask(form, request, account.mailbox)
    assert account.mailbox
    devices = device_uses(account.mailbox)
    context = {"account": account, "tab": "passwords", "form": form, "made": made, "devices": devices, "old": old}
    context["unseen"] = None if made or old else _unseen([device.row for device in devices])
    response = render(request, "accounts/app_passwords.html", context, status=status)
    response["Cache-Control"] = "no-store, private"
    return response
