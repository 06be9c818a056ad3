"""A person's settings, and the language of somebody who has not signed in yet."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import SettingsForm
from accounts.models import User

COOKIE_AGE_S = 365 * 24 * 3600


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Language, theme, density, shortcuts, folders shown, how one writes and archives; the way to the identities."""
    person = get_object_or_404(User, email=request.user.get_username())  # a copy: the form writes into it
    initial = {"language": request.LANGUAGE_CODE}
    form = SettingsForm(request.POST if request.method == "POST" else None, instance=person, initial=initial)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("settings")
    accounts = person.mail_accounts.order_by("pk")
    context = {"form": form, "accounts": accounts}
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


@require_POST
def language_choose(request: HttpRequest) -> HttpResponse:
    """Keeps the language on this computer, and for a person who is signed in everywhere; goes back to where one was."""
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(target if safe and target.startswith("/") else "/")
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(language=code)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=COOKIE_AGE_S,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response
