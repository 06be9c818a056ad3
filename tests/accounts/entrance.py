"""Signing in, as tests do it."""

from __future__ import annotations

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

FOREIGN = "eva@otraparte.test"
LOGIN = "/accounts/login/"


def sign_in(client: Client, address: str, password: str, **more: str) -> HttpResponse:
    return client.post(LOGIN, {"login": address, "password": password, **more})  # type: ignore[return-value]


def codes(response: HttpResponse) -> set[str]:
    return set(response.context["form"].codes)  # type: ignore[attr-defined]


def signed_in(client: Client) -> bool:
    return client.get(reverse("settings")).status_code == 200
