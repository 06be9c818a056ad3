"""As whom one writes from an account: identities listed, added, changed, put in order and deleted."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import MailAccount
from webmail.forms import IdentityForm
from webmail.models import Identity
from webmail.services import identities as service
from webmail.services.access import account_for

DELETED = "identity_deleted"
"""In the session: what was deleted just now, and from which place, until the page has offered to put it back."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def identities(request: HttpRequest, account_id: int) -> HttpResponse:
    """The identities of an account in their order, and the form for another. POST adds it: at the end, or at the place
    `index` where it was before it was deleted."""
    account = account_for(request, account_id)
    identity = Identity(account=account)
    if request.method != "POST":
        first = {} if Identity.objects.filter(account=account).exists() else {"name": account.owner.name}
        form = IdentityForm(instance=identity, initial={"address": account.address, **first})
        return _list_page(request, account, form)
    form = IdentityForm(request.POST, instance=identity)
    if form.is_valid() and not service.add(form.save(commit=False)):
        form.add_error(None, _("An account may have %(limit)d identities.") % {"limit": service.IDENTITIES_LIMIT})
    if form.errors:
        return _list_page(request, account, form)
    if request.POST.get("index", "").isdecimal():
        service.place(identity, int(request.POST["index"][:4]))
    return _back(account, f"edit-{identity.pk}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def identity(request: HttpRequest, account_id: int, identity_id: int) -> HttpResponse:
    """The form of an identity. POST with `do`: save, up, down or delete."""
    account = account_for(request, account_id)
    one = get_object_or_404(Identity, account=account, pk=identity_id)
    do = request.POST.get("do", "save")
    if request.method != "POST":
        return _form_page(request, account, one, IdentityForm(instance=one))
    if do == "save":
        form = IdentityForm(request.POST, instance=one)
        if not form.is_valid():
            return _form_page(request, account, one, form)
        form.save()
        return _back(account, f"edit-{one.pk}")
    if do in {"up", "down"}:
        service.shift(one, by=-1 if do == "up" else 1)
        return _back(account, f"{do}-{one.pk}")
    if do == "delete":
        request.session[DELETED] = _remembered(one)
        service.remove(one)
        return _back(account, "")
    return HttpResponseBadRequest()


def _remembered(one: Identity) -> dict[str, str | int]:
    order = [other.pk for other in Identity.objects.filter(account=one.account)]
    fields = model_to_dict(one, ["name", "address", "reply_to", "signature"])
    return {**fields, "account": one.account_id, "index": order.index(one.pk)}


def _list_page(request: HttpRequest, account: MailAccount, form: IdentityForm) -> HttpResponse:
    deleted = request.session.pop(DELETED, None)
    focus, _dash, pk = request.GET.get("focus", "").partition("-")
    context = {
        "account": account,
        "form": form,
        "identities": Identity.objects.filter(account=account),
        "allowed": service.allowed_addresses(account),
        "deleted": deleted if deleted and deleted["account"] == account.pk else None,
        "focus_do": focus,
        "focus_id": int(pk) if pk.isdecimal() else 0,
    }
    return render(request, "webmail/identities.html", context, status=422 if form.errors else 200)


def _form_page(request: HttpRequest, account: MailAccount, one: Identity, form: IdentityForm) -> HttpResponse:
    allowed = service.allowed_addresses(account)
    context = {"account": account, "form": form, "editing": one.pk, "allowed": allowed}
    return render(request, "webmail/identities.html", context, status=422 if form.errors else 200)


def _back(account: MailAccount, focus: str) -> HttpResponse:
    """The list again, with what was pressed in focus."""
    return redirect(reverse("identities", args=[account.pk]) + (f"?focus={focus}" if focus else ""))
