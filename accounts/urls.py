"""Addresses of people's own pages; signing in and out are django-allauth's."""

from __future__ import annotations

from django.urls import path

from accounts.views import preferences

urlpatterns = [
    path("settings/", preferences.settings_page, name="settings"),
    path("language/", preferences.language_choose, name="language"),
]
