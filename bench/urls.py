"""Casilla's addresses, and one that does nothing but what every page does first: what a request costs before it does anything."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from webmail.services.access import account_for


@login_required
def empty(request: HttpRequest, account_id: int) -> HttpResponse:
    account_for(request, account_id)
    return HttpResponse(status=204)


urlpatterns = [path("mail/<int:account_id>/empty/", empty), path("", include("config.urls"))]
