"""Aliases and groups of a domain."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.form_parts import tried
from accounts.models import Domain, Forward, Group, GroupMember, Mailbox
from accounts.portal_forms import AliasForm, GroupForm
from accounts.services import forwards
from accounts.services.addresses import parse_local
from accounts.services.permissions import Action, outranks
from accounts.views.portal.domains import domain_aliases
from accounts.views.portal.doors import actor_of, alias_for, domain_for, group_for, show, status_of

PAGE_SIZE = 50


@login_required
@require_safe
def addresses(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Every address of the domain that is no mailbox, and the mailboxes that forward."""
    return _page(request, domain_for(request, domain_id, Action.RUN_DOMAIN))


@login_required
@require_POST
def alias_new(request: HttpRequest, domain_id: int) -> HttpResponse:
    """An alias of a mailbox of the same customer; 422 with the page of addresses where it cannot be."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    form = AliasForm(request.POST, prefix="alias")
    if form.is_valid():
        data = form.cleaned_data

        def make() -> None:
            _check_rank(request, domain, data["address"])
            target = data["target"].strip().lower()
            target = target if "@" in target else f"{target}@{domain.name}"
            own = Mailbox.objects.select_related("domain__customer").filter(domain__customer=domain.customer_id)
            mailbox = own.filter(address=target).first()  # whether somebody else has it is not told
            if mailbox is None:
                raise ValidationError({"target": _("There is no mailbox with this address.")})
            forwards.create_alias(domain=domain, local=data["address"], target=mailbox, by=actor_of(request))

        if tried(form, make):
            messages.info(request, _("The alias is there."))
            return redirect("portal:addresses", domain.pk)
    return _page(request, domain, alias_form=form)


@login_required
@require_POST
def alias_delete(request: HttpRequest, alias_id: int) -> HttpResponse:
    """Takes an alias away: mail to it is refused, or goes to who catches the rest."""
    alias = alias_for(request, alias_id)
    domain_id = alias.target.domain_id
    forwards.delete_alias(alias=alias, by=actor_of(request))
    messages.info(request, _("The alias %(address)s is gone.") % {"address": alias.address})
    return redirect("portal:addresses", domain_id)


@login_required
@require_POST
def group_new(request: HttpRequest, domain_id: int) -> HttpResponse:
    """A group; 403 for the address of somebody above the person."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    form = GroupForm(request.POST, prefix="group")
    if form.is_valid():
        data = form.cleaned_data

        def make() -> None:
            _check_rank(request, domain, data["address"])
            values = {"name": data["name"], "members": data["members"]}
            forwards.save_group(domain=domain, local=data["address"], by=actor_of(request), **values)

        if tried(form, make):
            messages.info(request, _("The group is there."))
            return redirect("portal:addresses", domain.pk)
    return _page(request, domain, group_form=form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def group_edit(request: HttpRequest, group_id: int) -> HttpResponse:
    """Name and members of a group; its address stays."""
    group = group_for(request, group_id)
    members = "\n".join(group.members.order_by("address").values_list("address", flat=True))
    initial = {"address": group.address, "name": group.name, "members": members}
    form = GroupForm(request.POST if request.method == "POST" else None, initial=initial)
    form.fields["address"].disabled = True
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        values = {"local": group.address, "name": data["name"], "members": data["members"]}
        if tried(form, lambda: forwards.save_group(domain=group.domain, group=group, by=actor_of(request), **values)):
            messages.info(request, _("Saved"))
            return redirect("portal:addresses", group.domain_id)
    context = {"domain": group.domain, "group": group, "form": form, "tab": "addresses"}
    return show(request, "portal/group.html", context, status=status_of(form))


@login_required
@require_POST
def group_delete(request: HttpRequest, group_id: int) -> HttpResponse:
    """Takes a group away, as an alias."""
    group = group_for(request, group_id)
    domain_id, address = group.domain_id, group.address
    forwards.delete_group(group=group, by=actor_of(request))
    messages.info(request, _("The group %(address)s is gone.") % {"address": address})
    return redirect("portal:addresses", domain_id)


def _check_rank(request: HttpRequest, domain: Domain, text: str) -> None:
    """Nobody catches the mail of somebody who runs more than they do."""
    if not outranks(request.user, parse_local(text, domain)):
        raise PermissionDenied


def _page(request: HttpRequest, domain: Domain, **context: Any) -> HttpResponse:
    text = request.GET.get("q", "").strip().lower()[:100]
    aliases = domain_aliases(domain).select_related("target").order_by("address")
    groups = Group.objects.filter(domain=domain).order_by("address")
    sent_on = Forward.objects.filter(mailbox__domain=domain, mailbox__deleted__isnull=True)
    sent_on = sent_on.select_related("mailbox").order_by("mailbox__address", "address")
    if text:
        aliases = aliases.filter(Q(address__contains=text) | Q(target__address__contains=text))
        having = GroupMember.objects.filter(group__domain=domain, address__contains=text).values("group")
        groups = groups.filter(Q(address__contains=text) | Q(pk__in=having))
        sent_on = sent_on.filter(Q(address__contains=text) | Q(mailbox__address__contains=text))
    lists = {"aliases": aliases, "groups": groups.annotate(size=_members()), "forwards": sent_on}
    pages = {name: Paginator(rows, PAGE_SIZE).get_page(request.GET.get(name)) for name, rows in lists.items()}
    kept = {
        name: urlencode({"q": text} | {other: pages[other].number for other in pages if other != name})
        for name in pages
    }
    alias_form = context.setdefault("alias_form", AliasForm(prefix="alias"))
    group_form = context.setdefault("group_form", GroupForm(prefix="group"))
    context |= {
        "domain": domain,
        **pages,
        "kept": kept,
        "q": text,
        "tab": "addresses",
        "count": pages["aliases"].paginator.count + pages["groups"].paginator.count,
    }
    return show(request, "portal/addresses.html", context, status=max(status_of(alias_form), status_of(group_form)))


def _members() -> Subquery:
    """How many members a group has, whatever was searched for."""
    return Subquery(
        GroupMember.objects.filter(group=OuterRef("pk")).values("group").annotate(n=Count("pk")).values("n")
    )
