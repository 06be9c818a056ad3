"""What is done in place: quotas of chosen mailboxes, and the thresholds."""

from __future__ import annotations

from smtplib import SMTPException
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.adapter import client_ip
from accounts.models import Mailbox, User
from accounts.numbers import read_number
from accounts.rates import take
from accounts.services.audit import Actor
from accounts.services.customers import set_alert_steps, set_reseller_steps
from accounts.services.usage.letters import propose_mode
from accounts.services.usage.quotas import QuotaRefused, TooLate, open_changed, refusal_words, set_quotas, take_back
from accounts.services.usage.report import read_limits, save_limits
from accounts.services.usage.tables import TableQuery
from accounts.services.usage.weekly import want_summary
from accounts.views.usage.dashboard import page_context, part_of_page, require_provider, scope_of, table_context
from accounts.views.usage.forms import CustomerLimitForm, LimitsForm, QuotaForm, ResellerLimitForm

UNPROCESSABLE = 422
TABLE_FIELDS = ("show", "q", "mode", "plan", "reseller", "customer", "server", "least", "sort")


@login_required
@require_POST
def quota_change(request: HttpRequest) -> HttpResponse:
    """Gives the chosen mailboxes a quota and goes back to the table; what cannot be given is said at its field."""
    query = _table_of(request)
    scope = part_of_page(request, query)
    form = QuotaForm(request.POST)
    chosen = [key for key in map(read_number, request.POST.getlist("mailbox")) if key is not None]
    if form.is_valid():
        try:
            changed = set_quotas(by=_actor(request), scope=scope, mailbox_ids=chosen, quota_bytes=form.quota_bytes)
        except QuotaRefused as error:
            form.add_error("gb", refusal_words(error, provider=scope.provider))
        else:
            text = ngettext("%(n)s quota changed", "%(n)s quotas changed", changed.number) % {"n": changed.number}
            address = reverse("usage_quota_undo", args=[changed.sealed()]) if changed.number else ""
            messages.success(request, text, extra_tags=address)
            return redirect(reverse("usage") + query.address())
    context = table_context(request, query, scope) | page_context(request, scope)
    context |= {"quota_form": form, "chosen": set(chosen)}
    return render(request, "usage/dashboard.html", context, status=UNPROCESSABLE)


@login_required
@require_POST
def quota_undo(request: HttpRequest, before: str) -> HttpResponse:
    """Gives mailboxes the quotas that they had before, or says why not; 404 for what this server did not sign or is too old."""
    scope = scope_of(request, TableQuery())
    try:
        changed = open_changed(before)
    except TooLate as error:
        raise Http404 from error
    try:
        take_back(by=_actor(request), scope=scope, changed=changed)
    except QuotaRefused as error:
        messages.error(request, refusal_words(error, provider=scope.provider))
    else:
        messages.info(request, _("Undone"))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(reverse("usage"))
    return redirect("usage")


@login_required
@require_POST
def limits_change(request: HttpRequest) -> HttpResponse:
    """Keeps the thresholds."""
    require_provider(request)
    form = LimitsForm(request.POST, instance=read_limits())
    if not form.is_valid():
        scope = scope_of(request, TableQuery())
        context = table_context(request, TableQuery(), scope) | page_context(request, scope, limits=form)
        return render(request, "usage/dashboard.html", context, status=UNPROCESSABLE)
    save_limits(form.save(commit=False), by=_actor(request))
    messages.success(request, _("Thresholds saved"))
    return redirect(reverse("usage") + "#limits")


@login_required
@require_POST
def customer_limit_change(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Keeps at which parts of its plan's space a customer is told."""
    query = TableQuery(customer=customer_id)
    scope = scope_of(request, query)
    customer = scope.one_customer
    assert customer is not None
    before = customer.alert_steps
    form = CustomerLimitForm(request.POST, instance=customer)
    if not form.is_valid():
        context = table_context(request, query, scope) | page_context(request, scope, customer_limit=form)
        return render(request, "usage/dashboard.html", context, status=UNPROCESSABLE)
    set_alert_steps(customer=customer, before=before, by=_actor(request))
    messages.success(request, _("Thresholds saved"))
    return redirect(reverse("usage") + query.address() + "#limits")


@login_required
@require_POST
def reseller_limit_change(request: HttpRequest, reseller_id: int) -> HttpResponse:
    """Keeps at which parts of its customers' space a reseller is told."""
    query = TableQuery(reseller=reseller_id)
    scope = scope_of(request, query)
    reseller = scope.one_reseller
    assert reseller is not None
    before = reseller.alert_steps
    form = ResellerLimitForm(request.POST, instance=reseller)
    if not form.is_valid():
        context = table_context(request, query, scope) | page_context(request, scope, reseller_limit=form)
        return render(request, "usage/dashboard.html", context, status=UNPROCESSABLE)
    set_reseller_steps(reseller=reseller, before=before, by=_actor(request))
    messages.success(request, _("Thresholds saved"))
    return redirect(reverse("usage") + query.address() + "#limits")


@login_required
@require_POST
def summary_change(request: HttpRequest) -> HttpResponse:
    """Begins or ends the letter of the week (`wanted`: 1 or nothing)."""
    scope_of(request, TableQuery())
    wanted = request.POST.get("wanted") == "1"
    want_summary(cast(User, request.user), wanted=wanted)
    messages.success(request, _("The letter comes once a week.") if wanted else _("The letter comes no more."))
    return redirect(reverse("usage") + _table_of(request).address() + "#limits")


@login_required
@require_POST
def mode_propose(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Writes to the owner that the mail could be downloaded."""
    scope = scope_of(request, _table_of(request))
    mailbox = get_object_or_404(Mailbox.objects.filter(scope.within("domain")), pk=mailbox_id, deleted__isnull=True)
    if take(request, "propose", mailbox.pk) is None:
        messages.info(request, _("%(address)s was written to often enough for now.") % {"address": mailbox.address})
        return redirect(reverse("usage") + _table_of(request).address())
    try:
        taken = propose_mode(mailbox)
    except (OSError, SMTPException):
        messages.error(request, _("The mail server does not answer. Nothing was written."))
    else:
        told = _("Proposed to %(address)s") if taken else _("%(address)s takes no mail: it is full or shut.")
        messages.info(request, told % {"address": mailbox.address})
    return redirect(reverse("usage") + _table_of(request).address())


def _actor(request: HttpRequest) -> Actor:
    return Actor(cast(User, request.user), client_ip(request))


def _table_of(request: HttpRequest) -> TableQuery:
    """The table that the form stood in."""
    values = {name: request.POST.get(f"table_{name}", "") for name in TABLE_FIELDS}
    return TableQuery.read(values)
