"""Whether a mailbox is open, its address, and its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.form_parts import tried
from accounts.mailbox_forms import RenameForm, StateForm
from accounts.models import Mailbox
from accounts.services import mailboxes, purging
from accounts.services.addresses import parse_local
from accounts.services.mailboxes import SUSPENDED
from accounts.services.permissions import Action, may_take_over, outranks
from accounts.views.entrance import UNPROCESSABLE
from accounts.views.portal.doors import actor_of, mailbox_for, show, status_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_state(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Signing in, receiving and sending, each open or shut."""
    mailbox = _mailbox(request, mailbox_id)
    initial = {name: getattr(mailbox, name) for name in SUSPENDED}
    form = StateForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if tried(form, lambda: mailboxes.suspend(mailbox=mailbox, by=actor_of(request), **values)):
            messages.info(request, _("Saved"))
            return redirect("portal:mailbox_state", mailbox.pk)
    return _page(request, mailbox, form=form)


@login_required
@require_POST
def mailbox_rename(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Another address in the same domain; mail, password and settings stay."""
    mailbox = _mailbox(request, mailbox_id)
    form = RenameForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data

        def change() -> None:
            if not outranks(request.user, parse_local(data["address"], mailbox.domain)):
                raise PermissionDenied
            mailboxes.rename(
                mailbox=mailbox, local=data["address"], keep_alias=data["keep_alias"], by=actor_of(request)
            )

        if tried(form, change):
            messages.info(request, _("The mailbox is %(address)s now.") % {"address": mailbox.address})
            return redirect("portal:mailbox_state", mailbox.pk)
    return _page(request, mailbox, rename=form)


@login_required
@require_POST
def mailbox_delete(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Shuts a mailbox; it can be had back for the days of the plan. Shows what speaks against it: 422."""
    mailbox = _mailbox(request, mailbox_id)
    try:
        mailboxes.delete(mailbox=mailbox, by=actor_of(request))
    except ValidationError as error:
        return _page(request, mailbox, error=" ".join(error.messages), status=UNPROCESSABLE)
    text = _("%(address)s is shut, and its mail kept for %(days)d days.")
    days = mailbox.domain.customer.plan.retention_days
    messages.info(request, text % {"address": mailbox.address, "days": days})
    return redirect("portal:domain", mailbox.domain_id)


@login_required
@require_POST
def mailbox_restore(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Has a deleted mailbox back, where the plan has room for it still: else 422."""
    mailbox = _mailbox(request, mailbox_id)
    try:
        mailboxes.restore(mailbox=mailbox, by=actor_of(request))
    except ValidationError as error:
        return _page(request, mailbox, error=" ".join(error.messages), status=UNPROCESSABLE)
    messages.info(request, _("%(address)s is back as it was.") % {"address": mailbox.address})
    return redirect("portal:mailbox_state", mailbox.pk)


@login_required
@require_POST
def mailbox_purge(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Removes a deleted mailbox for good before its time; the address has to be typed (`address`)."""
    mailbox = _mailbox(request, mailbox_id)
    domain_id, address = mailbox.domain_id, mailbox.address
    if mailbox.deleted is None or request.POST.get("address", "").strip().lower() != address:
        text = _("Type the address of the mailbox to remove it for good.")
        return _page(request, mailbox, error=text, status=UNPROCESSABLE)
    if not purging.purge(mailbox=mailbox, by=actor_of(request)):
        text = _("The mail server did not remove the mail. Nothing was changed; try again later.")
        return _page(request, mailbox, error=text, status=503)
    messages.info(request, _("%(address)s and its mail are gone.") % {"address": address})
    return redirect("portal:domain", domain_id)


def _mailbox(request: HttpRequest, mailbox_id: int) -> Mailbox:
    mailbox = mailbox_for(request, mailbox_id, Action.RUN_MAILBOX)
    if request.method == "POST" and not may_take_over(request.user, mailbox):
        raise PermissionDenied
    return mailbox


def _page(request: HttpRequest, mailbox: Mailbox, *, status: int = 200, **context: Any) -> HttpResponse:
    initial = {name: getattr(mailbox, name) for name in SUSPENDED}
    form = context.setdefault("form", StateForm(initial=initial))
    rename = context.setdefault("rename", RenameForm(initial={"address": mailbox.address.partition("@")[0]}))
    days = mailbox.domain.customer.plan.retention_days
    context |= {
        "mailbox": mailbox,
        "runs": True,
        "section": "state",
        "tab": "mailboxes",
        "forward_count": mailbox.forwards.count(),
        "days": days,
        "gone": mailbox.deleted + timedelta(days=days) if mailbox.deleted else None,
    }
    status = max(status, status_of(form), status_of(rename))
    return show(request, "portal/mailbox_state.html", context, status=status)
