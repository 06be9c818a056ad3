"""Customers, resellers and plans."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.form_parts import tried
from accounts.models import Customer, Plan, Reseller
from accounts.portal_forms import CustomerForm, CustomerNewForm, DomainNewForm, NameForm, PlanForm, ResellerForm
from accounts.services import customers, listing, permissions
from accounts.services.audit import Actor
from accounts.services.limits import taken_by
from accounts.services.permissions import Action, may
from accounts.services.references import set_reference
from accounts.services.suspending import resume_customer, suspend_customer
from accounts.views.portal.doors import actor_of, allow, customer_for, plan_for, removed, reseller_for, show, status_of


@login_required
@require_safe
def customer_list(request: HttpRequest) -> HttpResponse:
    """The customers that the person may see, searched by `q`, in pages. 403 for who has none."""
    held = permissions.held_by(request.user)
    if not (held.provider or held.resellers or held.customers):
        raise PermissionDenied
    text = request.GET.get("q", "").strip()[:100]
    page = listing.customer_page(permissions.customers_of(request.user), text=text, page=request.GET.get("page"))
    return show(request, "portal/customers.html", {"page": page, "q": text, "tab": "customers"})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def customer_new(request: HttpRequest) -> HttpResponse:
    """A customer: the provider's own or any reseller's, or of the reseller whose person makes it."""
    allow(request, Action.ADD_CUSTOMER)
    held = permissions.held_by(request.user)
    sellers = Reseller.objects.all() if held.provider else Reseller.objects.filter(pk__in=held.resellers)
    posted = request.POST if request.method == "POST" else None
    form = CustomerNewForm(posted, resellers=sellers, own=held.provider)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made: list[Customer] = []
        values = {"name": data["name"], "plan": data["plan"], "reference": data["reference"]}
        values |= {"reseller": form.seller, "by": actor_of(request)}
        if tried(form, lambda: made.append(customers.create_customer(**values))):
            return redirect("portal:customer", made[0].pk)
    context = {"form": form, "title": _("New customer"), "act": _("Create customer"), "tab": "customers"}
    context |= {"back": reverse("portal:customers"), "back_words": _("Customers")}
    return show(request, "portal/form.html", context, status=status_of(form))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def customer_page(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer: plan, what is taken of it, domains."""
    action = Action.CHANGE_CUSTOMER if request.method == "POST" else Action.SEE_CUSTOMER
    customer = customer_for(request, customer_id, action)
    form = CustomerForm.of(customer, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and tried(form, lambda: _change(customer, form, actor_of(request))):
        messages.info(request, _("Saved"))
        return redirect("portal:customer", customer.pk)
    domains = permissions.domains_of(request.user).filter(customer=customer)
    context = {
        "customer": customer,
        "form": form,
        "page": listing.domain_page(domains, page=request.GET.get("page")),
        "taken": taken_by(customer),
        "changes": may(request.user, Action.CHANGE_CUSTOMER, customer),
        "mover": ResellerForm(initial={"reseller": customer.reseller_id})
        if may(request.user, Action.RUN_PROVIDER)
        else None,
        "tab": "customers",
    }
    return show(request, "portal/customer.html", context, status=status_of(form))


@transaction.atomic
def _change(customer: Customer, form: CustomerForm, by: Actor) -> None:
    data = form.cleaned_data
    customers.change_customer(customer=customer, name=data["name"], plan=data["plan"], by=by)
    if "reference" in form.data:  # a form that did not show it leaves it as it is
        set_reference(thing=customer, reference=data["reference"], by=by)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def domain_new(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A domain for a customer. Not for customers themselves: nobody takes in mail for a domain that is not theirs."""
    customer = customer_for(request, customer_id, Action.CHANGE_CUSTOMER)
    provider = may(request.user, Action.RUN_PROVIDER)
    form = DomainNewForm(request.POST if request.method == "POST" else None, provider=provider)
    if request.method == "POST" and form.is_valid():
        made = []
        values: dict[str, Any] = {name: form.cleaned_data.get(name) for name in ("name", "server", "reference")}
        act = lambda: made.append(customers.create_domain(customer=customer, by=actor_of(request), **values))  # noqa: E731
        if tried(form, act):
            return redirect("portal:domain", made[0].pk)
    title = _("New domain of %(customer)s") % {"customer": customer.name}
    context = {"form": form, "title": title, "act": _("Add domain"), "tab": "customers"}
    context |= {"back": reverse("portal:customer", args=[customer.pk]), "back_words": customer.name}
    return show(request, "portal/form.html", context, status=status_of(form))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reseller_list(request: HttpRequest) -> HttpResponse:
    """The resellers, searched by `q`, in pages; POST makes one."""
    allow(request, Action.RUN_PROVIDER)
    form = NameForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made: list[Reseller] = []
        name = form.cleaned_data["name"]
        if tried(form, lambda: made.append(customers.create_reseller(name=name, by=actor_of(request)))):
            return redirect("portal:reseller_people", made[0].pk)
    text = request.GET.get("q", "").strip()[:100]
    rows = Reseller.objects.filter(name__icontains=text) if text else Reseller.objects.all()
    pages = Paginator(rows.annotate(n=Count("customers")).order_by("name", "pk"), listing.PAGE_SIZE)
    context = {"page": pages.get_page(request.GET.get("page")), "q": text, "form": form, "tab": "resellers"}
    return show(request, "portal/resellers.html", context, status=status_of(form))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def reseller_page(request: HttpRequest, reseller_id: int) -> HttpResponse:
    """A reseller: its name, its customers."""
    allow(request, Action.RUN_PROVIDER)
    reseller = reseller_for(request, reseller_id)
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": reseller.name})
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        if tried(form, lambda: customers.rename_reseller(reseller=reseller, name=name, by=actor_of(request))):
            messages.info(request, _("Saved"))
            return redirect("portal:reseller", reseller.pk)
    page = listing.customer_page(reseller.customers.all(), text="", page=request.GET.get("page"))
    context = {"reseller": reseller, "form": form, "page": page, "tab": "resellers"}
    return show(request, "portal/reseller.html", context, status=status_of(form))


@login_required
@require_POST
def reseller_delete(request: HttpRequest, reseller_id: int) -> HttpResponse:
    """Removes a reseller that has no customers."""
    allow(request, Action.RUN_PROVIDER)
    reseller = reseller_for(request, reseller_id)
    stays, gone = reverse("portal:reseller", args=[reseller.pk]), reverse("portal:resellers")
    act = lambda: customers.delete_reseller(reseller=reseller, by=actor_of(request))  # noqa: E731
    return removed(request, act, said=_("The reseller was removed."), stays=stays, gone=gone)


@login_required
@require_POST
def customer_move(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Gives a customer to another reseller, or takes it over: the provider alone."""
    allow(request, Action.RUN_PROVIDER)
    customer = customer_for(request, customer_id, Action.CHANGE_CUSTOMER)
    form = ResellerForm(request.POST)
    if not form.is_valid() or "reseller" not in request.POST:
        return HttpResponseBadRequest()
    customers.move_customer(customer=customer, reseller=form.cleaned_data["reseller"], by=actor_of(request))
    messages.info(request, _("Saved"))
    return redirect("portal:customer", customer.pk)


@login_required
@require_POST
def customer_open(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Opens a customer (`active` = 1) or suspends it as a whole: whoever holds it, the reseller or the provider."""
    customer = customer_for(request, customer_id, Action.CHANGE_CUSTOMER)
    by, page = actor_of(request), reverse("portal:customer", args=[customer.pk])
    if request.POST.get("active") == "1":
        act, said = lambda: resume_customer(customer=customer, by=by), _("The customer is open again.")
    else:
        act, said = lambda: suspend_customer(customer=customer, by=by), _("The customer is suspended.")
    return removed(request, act, said=said, stays=page, gone=page)


@login_required
@require_POST
def customer_delete(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Removes a customer that has no domains."""
    customer = customer_for(request, customer_id, Action.CHANGE_CUSTOMER)
    stays, gone = reverse("portal:customer", args=[customer.pk]), reverse("portal:customers")
    act = lambda: customers.delete_customer(customer=customer, by=actor_of(request))  # noqa: E731
    return removed(request, act, said=_("The customer was removed."), stays=stays, gone=gone)


@login_required
@require_safe
def plan_list(request: HttpRequest) -> HttpResponse:
    """The plans, each with how many customers have it."""
    allow(request, Action.RUN_PROVIDER)
    plans = Plan.objects.annotate(n=Count("customers")).order_by("name")
    return show(request, "portal/plans.html", {"plans": plans, "tab": "plans"})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_new(request: HttpRequest) -> HttpResponse:
    """A plan that no customer has yet."""
    allow(request, Action.RUN_PROVIDER)
    return _plan(request, Plan(), new=True)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan_edit(request: HttpRequest, plan_id: int) -> HttpResponse:
    """A plan, for all who have it; 422 where somebody has more than it would give, until that is said to be meant."""
    return _plan(request, plan_for(request, plan_id), new=False)


@login_required
@require_POST
def plan_delete(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Removes a plan that no customer has."""
    plan = plan_for(request, plan_id)
    stays, gone = reverse("portal:plan", args=[plan.pk]), reverse("portal:plans")
    act = lambda: customers.delete_plan(plan=plan, by=actor_of(request))  # noqa: E731
    return removed(request, act, said=_("The plan was removed."), stays=stays, gone=gone)


def _plan(request: HttpRequest, plan: Plan, *, new: bool) -> HttpResponse:
    form = PlanForm(request.POST if request.method == "POST" else None, plan=plan)
    if request.method == "POST" and form.is_valid():
        filled, above = form.filled(), form.cleaned_data["above"]
        if tried(form, lambda: customers.save_plan(plan=filled, by=actor_of(request), new=new, above=above)):
            messages.info(request, _("Saved"))
            return redirect("portal:plans")
    if not form.asks():
        del form.fields["above"]
    title = _("New plan") if new else Plan.objects.values_list("name", flat=True).get(pk=plan.pk)
    context = {"form": form, "title": title, "act": _("Save plan"), "tab": "plans"}
    context |= {"back": reverse("portal:plans"), "back_words": _("Plans")}
    context |= {} if new else {"plan": plan, "customers": plan.customers.count()}
    return show(request, "portal/plan.html", context, status=status_of(form))
