"""The advice of the activity page, followed: a page that asks, what it sets, and taking that back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.adapter import client_ip
from accounts.models import MailAccount, Mailbox, User
from accounts.services.advice import Before, NotOffered, leave_copies, offer_for, shut_pop3, take_back
from accounts.services.audit import Actor
from accounts.services.permissions import may_take_over
from accounts.services.usage.permissions import may_see_usage
from accounts.vault import digest_of
from accounts.views.usage.forms import AdviceForm

UNPROCESSABLE = 422
UNDO_SALT, UNDO_AGE_S = "usage.advice", 900


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def advice(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Leave copies for some days, or IMAP alone: for the owner, and for whoever runs the mailbox."""
    mailbox = _mailbox(request, mailbox_id)
    offer = offer_for(mailbox)
    if request.method != "POST":
        wanted = "imap" if (request.GET.get("do") == "imap" and offer.imap) or offer.days is None else "leave"
        form = AdviceForm(initial={"do": wanted, "days": offer.days or AdviceForm.USUAL_DAYS})
        return _page(request, mailbox, form)
    form = AdviceForm(request.POST)
    if form.is_valid():
        try:
            text, before = _follow(mailbox, form, Actor(cast(User, request.user), client_ip(request)))
        except NotOffered:
            form.add_error("do", _("This cannot be set for the mailbox now."))
        else:
            undo = signing.dumps([mailbox.pk, asdict(before)], salt=UNDO_SALT)
            messages.success(request, text, extra_tags=reverse("usage_advice_undo", args=[mailbox.pk, undo]))
            return redirect("mailbox_activity", mailbox.pk)
    return _page(request, mailbox, form, status=UNPROCESSABLE)


@login_required
@require_POST
def advice_undo(request: HttpRequest, mailbox_id: int, before: str) -> HttpResponse:
    """As it was; 404 for what this server did not sign, is of another mailbox, or too old."""
    mailbox = _mailbox(request, mailbox_id)
    try:
        signed, values = signing.loads(before, salt=UNDO_SALT, max_age=UNDO_AGE_S)
    except signing.BadSignature as error:
        raise Http404 from error
    if signed != mailbox.pk or not cache.add(f"advice-undone:{digest_of(before)}", 1, UNDO_AGE_S):
        raise Http404
    try:
        take_back(mailbox=mailbox, before=Before(**values), by=Actor(cast(User, request.user), client_ip(request)))
    except NotOffered:
        messages.error(request, _("This can no longer be undone."))
    else:
        messages.info(request, _("Undone"))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(reverse("mailbox_activity", args=[mailbox.pk]))
    return redirect("mailbox_activity", mailbox.pk)


def _mailbox(request: HttpRequest, mailbox_id: int) -> Mailbox:
    rows = Mailbox.objects.select_related("domain__customer__plan").filter(deleted__isnull=True)
    mailbox = get_object_or_404(rows, pk=mailbox_id)
    if not may_take_over(request.user, mailbox):
        raise Http404
    return mailbox


def _follow(mailbox: Mailbox, form: AdviceForm, by: Actor) -> tuple[str, Before]:
    """Sets it; gives what to say, and how it was. Raises NotOffered."""
    if form.cleaned_data["do"] == "imap":
        return _("POP3 is shut for this mailbox: programs read it over IMAP."), shut_pop3(mailbox=mailbox, by=by)
    days = form.cleaned_data["days"]
    text = ngettext(
        "Programs that are set up from now on leave copies for %(n)s day.",
        "Programs that are set up from now on leave copies for %(n)s days.",
        days,
    )
    return text % {"n": days}, leave_copies(mailbox=mailbox, days=days, by=by)


def _page(request: HttpRequest, mailbox: Mailbox, form: AdviceForm, *, status: int = 200) -> HttpResponse:
    account = MailAccount.objects.filter(mailbox=mailbox, owner=request.user.pk).first()
    context: dict[str, Any] = {
        "base": "webmail/framed.html" if account else "usage/framed.html",
        "account": account,
        "provider": may_see_usage(request.user),
        "mailbox": mailbox,
        "offer": offer_for(mailbox),
        "form": form,
    }
    return render(request, "usage/advice.html", context, status=status)
