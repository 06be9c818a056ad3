"""Alerts in the app: the bell of every page, and dismissing one of them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.models import MailAccount, User
from accounts.services.usage.notices import Notice, dismiss, notices_for


def notices_of(request: HttpRequest) -> list[Notice]:
    """What the person who asks is shown; nothing for strangers."""
    user: Any = getattr(request, "user", None)
    return notices_for(user, accounts_of(request)) if user is not None and user.is_authenticated else []


@login_required
@require_POST
def notice_dismiss(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Shows it no more; 404 for what does not concern the person. Gives the bell again, or goes back to the page."""
    if not dismiss(cast(User, request.user), accounts_of(request), alert_id):
        raise Http404
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "parts/bell.html")
    back = request.META.get("HTTP_REFERER", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "home")


def accounts_of(request: HttpRequest) -> list[MailAccount]:
    """Those that came with the person (accounts/standing.py), else asked for."""
    standing = getattr(request, "standing", None)
    if standing is not None and standing.user.pk == request.user.pk:
        return list(standing.accounts)
    return list(MailAccount.objects.filter(owner=request.user.pk))
