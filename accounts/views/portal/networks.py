"""What networks are called in the activity of mailboxes: for everybody here, for a customer's, for a domain's."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.form_parts import tried
from accounts.models import Customer, Domain, NamedNetwork
from accounts.network_forms import NetworkForm
from accounts.services.networks import name_network, names_for
from accounts.services.permissions import Action, may
from accounts.views.portal.doors import actor_of, customer_for, domain_for, show, status_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def provider_networks(request: HttpRequest) -> HttpResponse:
    """For the mailboxes of everybody here; 404 for all but the provider."""
    _require_provider(request)
    return _networks(request, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def customer_networks(request: HttpRequest, customer_id: int) -> HttpResponse:
    """For the mailboxes of a customer."""
    return _networks(request, customer_for(request, customer_id, Action.SEE_CUSTOMER))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def domain_networks(request: HttpRequest, domain_id: int) -> HttpResponse:
    """For the mailboxes of a domain."""
    return _networks(request, domain_for(request, domain_id, Action.RUN_DOMAIN))


@login_required
@require_POST
def network_forget(request: HttpRequest, network_id: int) -> HttpResponse:
    """Calls a network by no name any more."""
    row = get_object_or_404(NamedNetwork.objects.filter(mailbox__isnull=True), pk=network_id)
    if row.domain_id:
        domain_for(request, row.domain_id, Action.RUN_DOMAIN)
    elif row.customer_id:
        customer_for(request, row.customer_id, Action.SEE_CUSTOMER)
    else:
        _require_provider(request)
    target = row.target
    if not isinstance(target, Customer | Domain | None):
        raise Http404
    name_network(target=target, network=row.network, name="", by=actor_of(request))
    messages.info(request, _("Removed"))
    return redirect(_address(target))


def _require_provider(request: HttpRequest) -> None:
    if not may(request.user, Action.RUN_PROVIDER):
        raise Http404


def _networks(request: HttpRequest, target: Customer | Domain | None) -> HttpResponse:
    """Those that have a name; POST gives one, or another."""
    form = NetworkForm(
        request.POST if request.method == "POST" else None, initial={"network": request.GET.get("network")}
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data

        def name() -> None:
            name_network(target=target, network=data["network"], name=data["name"], by=actor_of(request))

        if tried(form, name):
            messages.info(request, _("Saved"))
            return redirect(_address(target))
    context: dict[str, Any] = {"form": form, "rows": names_for(target), "target": target, "tab": "networks"}
    if isinstance(target, Domain):
        context |= {"domain": target, "kind": "domain"}
    else:
        context["kind"] = "customer" if target else "provider"
    return show(request, "portal/networks.html", context, status=status_of(form))


def _address(target: Customer | Domain | None) -> str:
    if target is None:
        return reverse("portal:networks")
    kind = "domain" if isinstance(target, Domain) else "customer"
    return reverse(f"portal:{kind}_networks", args=[target.pk])
