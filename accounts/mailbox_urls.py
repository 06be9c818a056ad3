"""Addresses of what belongs to one mailbox and needs no look into it: devices' passwords, set-up guides, DNS."""

from __future__ import annotations

from django.urls import path

from accounts.views import app_passwords

urlpatterns = [
    path("passwords/", app_passwords.app_passwords, name="app_passwords"),
    path("passwords/<int:password_id>/revoke/", app_passwords.app_password_revoke, name="app_password_revoke"),
]
