"""Who runs what: roles given by invitation and taken away; and the page that the letter leads to."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.adapter import client_ip
from accounts.form_parts import tried
from accounts.models import Invitation, Kind, Letter, Role, User
from accounts.portal_forms import InviteForm, JoinForm
from accounts.rates import take_both
from accounts.services import invitations, permissions
from accounts.services.invitations import Target, target_fields
from accounts.services.permissions import Action
from accounts.views.portal.doors import (
    actor_of,
    allow,
    customer_for,
    domain_for,
    me,
    reseller_for,
    role_for,
    show,
    status_of,
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def provider_people(request: HttpRequest) -> HttpResponse:
    """The provider's own people: roles over everything."""
    allow(request, Action.RUN_PROVIDER)
    return _people(request, None, Kind.PROVIDER)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reseller_people(request: HttpRequest, reseller_id: int) -> HttpResponse:
    """Who runs the customers of a reseller."""
    return _people(request, reseller_for(request, reseller_id), Kind.RESELLER)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def customer_people(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Who runs the domains of a customer."""
    return _people(request, customer_for(request, customer_id, Action.SEE_CUSTOMER), Kind.CUSTOMER)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def domain_people(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Who runs one domain."""
    return _people(request, domain_for(request, domain_id, Action.RUN_DOMAIN), Kind.DOMAIN)


def _people(request: HttpRequest, target: Target, kind: Kind) -> HttpResponse:
    """Who has a role over the target, who is invited; POST invites."""
    form = InviteForm(request.POST if request.method == "POST" else None, kinds=[kind], initial={"kind": kind})
    if request.method == "POST" and form.is_valid():
        made: list[tuple[Invitation, str]] = []
        address = form.cleaned_data["address"]
        if not take_both(request, "invite", request.user.pk, address.lower()):
            form.add_error("address", _("There were many invitations already. Wait an hour and try again."))
        elif tried(
            form,
            lambda: made.append(invitations.invite(address=address, kind=kind, target=target, by=actor_of(request))),
        ):
            _send(request, *made[0])
            return redirect(request.path)
    where = target_fields(target) | {"kind": kind}
    context = {
        "form": form,
        "kind": kind,
        "target": target,
        "roles": Role.objects.filter(**_exactly(where)).select_related("person").order_by("person__email"),
        "invited": _invited(where),
        "now": timezone.now(),
        "supers": User.objects.filter(is_superuser=True, is_active=True) if kind == Kind.PROVIDER else [],
        "tab": {Kind.RESELLER: "resellers", Kind.CUSTOMER: "customers"}.get(kind, "people"),
        "domain": target if kind == Kind.DOMAIN else None,
    }
    return show(request, "portal/people.html", context, status=status_of(form))


def _invited(where: dict[str, object]) -> list[tuple[Invitation, bool]]:
    """Who is invited, and whether who invited them may still give the role."""
    rows = Invitation.objects.filter(**_exactly(where)).order_by("address")
    offers = rows.select_related("reseller", "customer__reseller", "domain__customer__reseller")
    return [(one, invitations.is_given(one)) for one in offers.prefetch_related("inviter")]


@login_required
@require_POST
def role_withdraw(request: HttpRequest, role_id: int) -> HttpResponse:
    """Takes a role away; it counts no more at that person's next request."""
    return _withdraw(request, role_for(request, Role.objects.select_related("person"), role_id))


@login_required
@require_POST
def invitation_send(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Sends an invitation's letter once more, with another link."""
    offer = role_for(request, Invitation.objects.all(), invitation_id)
    if take_both(request, "invite", request.user.pk, offer.address):
        _send(request, offer, invitations.renew(offer, by=actor_of(request)))
    else:
        messages.info(request, _("There were many invitations already. Wait an hour and try again."))
    return redirect(_page_of(offer))


def _send(request: HttpRequest, offer: Invitation, token: str) -> None:
    if invitations.send_invitation(offer, token) == Letter.SENT:
        said = _("The invitation is on its way to %(address)s.")
    else:
        said = _("The letter to %(address)s has not gone out: below it says why.")
    messages.info(request, said % {"address": offer.address})


@login_required
@require_POST
def invitation_withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Takes an invitation back: its link opens nothing from then on."""
    return _withdraw(request, role_for(request, Invitation.objects.all(), invitation_id))


def _withdraw(request: HttpRequest, role: Role | Invitation) -> HttpResponse:
    back = _page_of(role)
    try:
        invitations.withdraw(role=role, by=actor_of(request))
    except ValidationError as error:
        messages.info(request, " ".join(error.messages))
    return redirect(back if permissions.held_by(me(request)) else "portal:home")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the letter leads to: the role is taken up by who is signed in with that address, or by a new person."""
    offer = invitations.invitation_of_token(token)
    if offer is None:
        why = invitations.why_over(token)
        return show(request, "portal/link_over.html", {"invitation": True, "why": why}, status=404)
    new = not invitations.needs_sign_in(offer)
    own = request.user.is_authenticated and request.user.get_username() == offer.address
    form = JoinForm(request.POST if request.method == "POST" and new else None)
    if request.method == "POST" and new and form.is_valid():
        made: list[User] = []
        data = form.cleaned_data | {"origin": client_ip(request)}
        values = {name: data[name] for name in ("name", "password", "origin")}
        if tried(form, lambda: made.append(invitations.accept_as_new(invitation=offer, **values))):
            login(request, made[0], backend="accounts.backends.HostedMailboxBackend")
            return redirect("portal:home")
    elif request.method == "POST" and own:
        person = me(request)
        if tried(form, lambda: invitations.accept(invitation=offer, person=person, origin=client_ip(request))):
            return redirect("portal:home")
    sign_in = f"{reverse('account_login')}?next={request.path}"
    context = {"offer": offer, "form": form, "new": new, "own": own, "sign_in": sign_in}
    return show(request, "portal/invitation.html", context, status=status_of(form))


def _exactly(where: dict[str, object]) -> dict[str, object]:
    """Filters for just this target: what is None is asked for as empty."""
    given = {name: value for name, value in where.items() if value is not None}
    return given | {f"{name}__isnull": True for name, value in where.items() if value is None}


def _page_of(role: Role | Invitation) -> str:
    names = {"reseller": role.reseller_id, "customer": role.customer_id, "domain": role.domain_id}
    for name, pk in names.items():
        if pk:
            return reverse(f"portal:{name}_people", args=[pk])
    return reverse("portal:people")
