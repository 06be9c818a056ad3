"""Addresses of people's own pages. They stand before django-allauth's, and shut those that Casilla does not offer."""

from __future__ import annotations

from django.urls import path, re_path

from accounts.views import brand, entrance, preferences

CLOSED = "signup|email|confirm-email|password|login/code|reauthenticate|2fa"
"""Of django-allauth: registering, other addresses, own passwords; second factors until their pages are drawn."""

urlpatterns = [
    path("login/", entrance.sign_in, name="account_login"),
    path("password/reset/", entrance.password_help, name="account_reset_password"),
    path("settings/", preferences.settings_page, name="settings"),
    path("brand/logo-<slug:digest>.png", brand.brand_logo, name="brand_logo"),
    path("brand/<slug:colour>.css", brand.brand_sheet, name="brand_sheet"),
    path("language/", preferences.language_choose, name="language"),
    re_path(rf"^(?:{CLOSED})/", entrance.closed),
]
