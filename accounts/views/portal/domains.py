"""A domain: its mailboxes, what is done with a selection of them, and its settings."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.form_parts import tried
from accounts.mailbox_forms import MailboxNewForm
from accounts.models import Alias, Domain, Group, Mailbox
from accounts.numbers import read_number
from accounts.portal_forms import DomainForm, UsualForm
from accounts.services import customers, forwards, listing, mailboxes
from accounts.services.audit import Actor
from accounts.services.dns import check_domain
from accounts.services.permissions import Action, above, may
from accounts.services.references import set_reference
from accounts.views.dns_records import dns_context
from accounts.views.entrance import UNPROCESSABLE
from accounts.views.portal.doors import actor_of, domain_for, me, removed, show, status_of

SELECTION_LIMIT = 1000
COLUMNS = ("place", "usage", "imap", "pop3", "web", "notes")
"""Those of the list that can be left out."""
COLUMNS_COOKIE, COOKIE_S = "portal_columns", 365 * 24 * 3600


@login_required
@require_safe
def mailbox_list(request: HttpRequest, domain_id: int) -> HttpResponse:
    """The mailboxes of a domain: searched, filtered, sorted, in pages."""
    domain = domain_for(request, domain_id, Action.SEE_DOMAIN)
    return _list(request, domain)


def _list(request: HttpRequest, domain: Domain, *, error: str = "", status: int = 200) -> HttpResponse:
    data = request.GET
    show_ = data.get("show", "all") if data.get("show") in listing.FILTERS else "all"
    sort = data.get("sort", "number") if data.get("sort", "").lstrip("-") in listing.SORTS else "number"
    text = data.get("q", "").strip()[:100]
    figures = listing.figures_of(domain)
    rows = Mailbox.objects.filter(domain=domain)
    page = listing.mailbox_page(
        rows, text=text, show=show_, sort=sort, page=data.get("page"), total=figures.counts[show_]
    )
    usual = domain.usual_quota_bytes
    context = {
        "domain": domain,
        "figures": figures,
        "mx": settings.DNS_MX,
        "dns": getattr(domain, "dns_check", None),
        "page": page,
        "above": above(request.user, [row.mailbox for row in page.object_list]),
        "q": text,
        "chosen": show_,
        "sort": sort,
        "columns": _columns(sort),
        "shown": _shown_columns(request),
        "form": MailboxNewForm(usual=usual, prefix="new"),
        "addresses": _address_count(domain),
        "error": error,
        "tab": "mailboxes",
        "kept": urlencode({"show": show_, "sort": sort, "q": text}),
    }
    return show(request, "portal/domain.html", context, status=status)


@login_required
@require_POST
def selection(request: HttpRequest, domain_id: int) -> HttpResponse:
    """One action (`do`) on the selected mailboxes (`mailbox`), all or nothing."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    do = request.POST.get("do", "")
    wanted = [key for key in map(read_number, request.POST.getlist("mailbox")) if key is not None]
    if do not in mailboxes.SELECTION:
        return HttpResponseBadRequest()
    if not wanted or len(wanted) > SELECTION_LIMIT:
        return _list(request, domain, error=_("Select mailboxes in the list first."), status=UNPROCESSABLE)
    try:
        chosen = mailboxes.choose_many(domain=domain, keys=wanted, person=me(request))
        count = mailboxes.act_on_many(mailboxes=chosen, do=do, by=actor_of(request))
    except PermissionDenied as error:
        return _list(request, domain, error=str(error), status=403)
    except ValidationError as error:
        return _list(request, domain, error=" ".join(error.messages), status=UNPROCESSABLE)
    messages.info(request, ngettext("%(n)d mailbox changed", "%(n)d mailboxes changed", count) % {"n": count})
    return redirect(f"{request.path.replace('selection/', '')}?{request.GET.urlencode()}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def domain_settings(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Who catches what is addressed to nobody; what another panel calls the domain; whether it is open."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    sells = may(request.user, Action.CHANGE_DOMAIN, domain)
    form = DomainForm.of(domain, request.POST if request.method == "POST" else None, sells=sells)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["catch_all"].strip().lower()
        own = Mailbox.objects.select_related("domain").filter(domain__customer=domain.customer_id)
        mailbox = own.filter(address=address).first()  # whether somebody else has it is not told
        if address and mailbox is None:
            form.add_error("catch_all", _("There is no mailbox with this address."))
        elif tried(form, lambda: _set(domain, mailbox, form, actor_of(request))):
            messages.info(request, _("Saved"))
            return redirect("portal:domain_settings", domain.pk)
    context = {"domain": domain, "form": form, "tab": "settings", "addresses": _address_count(domain)}
    return show(request, "portal/domain_settings.html", context, status=status_of(form))


@transaction.atomic
def _set(domain: Domain, mailbox: Mailbox | None, form: DomainForm, by: Actor) -> None:
    forwards.set_catch_all(domain=domain, mailbox=mailbox, by=by)
    if "reference" in form.fields and "reference" in form.data:  # a form that did not show it leaves it as it is
        set_reference(thing=domain, reference=form.cleaned_data["reference"], by=by)


@login_required
@require_safe
def domain_dns(request: HttpRequest, domain_id: int) -> HttpResponse:
    """The DNS records of the domain as they should be, as they are, and what to change."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    context = {"domain": domain, "tab": "dns", "dns_domain": domain.name} | dns_context(check_domain(domain))
    return show(request, "portal/dns.html", context)


@login_required
@require_POST
def domain_open(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Opens a domain (`active` = 1) or shuts it."""
    domain = domain_for(request, domain_id, Action.CHANGE_DOMAIN)
    customers.open_domain(domain=domain, active=request.POST.get("active") == "1", by=actor_of(request))
    return redirect("portal:domain_settings", domain.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def domain_usual(request: HttpRequest, domain_id: int) -> HttpResponse:
    """With what a new mailbox of the domain begins."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    form = UsualForm.of(domain, request.POST if request.method == "POST" else None)
    if request.method == "POST" and "usual-quota" not in request.POST:
        return HttpResponseBadRequest()
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        quota = values.pop("quota")
        change = lambda: customers.set_usual(domain=domain, quota_bytes=quota, by=actor_of(request), **values)  # noqa: E731
        if tried(form, change):
            messages.info(request, _("Saved"))
            return redirect("portal:domain_usual", domain.pk)
    context = {"domain": domain, "form": form, "tab": "mailboxes", "addresses": _address_count(domain)}
    return show(request, "portal/domain_usual.html", context, status=status_of(form))


@login_required
@require_POST
def domain_delete(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Removes a domain in which there is nothing any more."""
    domain = domain_for(request, domain_id, Action.CHANGE_DOMAIN)
    stays = reverse("portal:domain_settings", args=[domain.pk])
    gone = reverse("portal:customer", args=[domain.customer_id])
    act = lambda: customers.delete_domain(domain=domain, by=actor_of(request))  # noqa: E731
    return removed(request, act, said=_("The domain was removed."), stays=stays, gone=gone)


@login_required
@require_POST
def columns_choose(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Which columns this browser shows (`column`, repeated), in every domain; then the list again as it was (its query)."""
    domain = domain_for(request, domain_id, Action.SEE_DOMAIN)
    shown = set(request.POST.getlist("column"))
    response = redirect(f"{reverse('portal:domain', args=[domain.pk])}?{request.GET.urlencode()}")
    hidden = "-".join(name for name in COLUMNS if name not in shown)
    response.set_cookie(COLUMNS_COOKIE, hidden, max_age=COOKIE_S, httponly=True, samesite="Lax", secure=settings.HTTPS)
    return response


def _shown_columns(request: HttpRequest) -> dict[str, bool]:
    hidden = request.COOKIES.get(COLUMNS_COOKIE, "").split("-")
    return {name: name not in hidden for name in COLUMNS}


def _columns(sort: str) -> dict[str, dict[str, str]]:
    """For each column that sorts: where its head leads, and how it is sorted now."""
    columns = {}
    for name in listing.SORTS:
        up, down = sort == name, sort == f"-{name}"
        first = f"-{name}" if name == "usage" else name
        target = f"-{name}" if up else name if down else first
        columns[name] = {"sort": target, "aria": "ascending" if up else "descending" if down else ""}
    return columns


def _address_count(domain: Domain) -> int:
    return domain_aliases(domain).count() + Group.objects.filter(domain=domain).count()


def domain_aliases(domain: Domain) -> QuerySet[Alias]:
    """The aliases that are addresses of this domain."""
    return Alias.objects.filter(target__domain__customer=domain.customer_id, address__endswith=f"@{domain.name}")
