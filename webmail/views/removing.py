"""The page that takes an added mailbox out of Casilla."""

from __future__ import annotations

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from webmail.services.access import account_for
from webmail.services.removing import Working, is_added, loss_of, remove_mailbox


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_remove(request: HttpRequest, account_id: int) -> HttpResponse:
    """What would go, in numbers. POST removes it when `address` is the mailbox's own, typed again."""
    account = account_for(request, account_id)
    if not is_added(account):
        raise Http404
    error, typed = "", request.POST.get("address", "").strip()
    if request.method == "POST":
        error = _("This is not the address of the mailbox.") if typed.lower() != account.address.lower() else ""
        if not error:
            try:
                remove_mailbox(account)
            except Working:
                error = _("The mailbox is being worked on: mail is pulled, moved or sent. Stop that first, or wait.")
            else:
                notices.info(request, _("%(address)s was removed from Casilla.") % {"address": account.address})
                return redirect("home")
    context = {"account": account, "tab": "mode", "loss": loss_of(account), "error": error, "typed": typed}
    return render(request, "webmail/remove.html", context, status=422 if error else 200)
