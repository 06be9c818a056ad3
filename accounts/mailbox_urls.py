"""Addresses of what belongs to one mailbox and needs no look into it: devices' passwords, set-up guides, DNS."""

from __future__ import annotations

from django.urls import path

from accounts.views import app_passwords, dns_records, guides

urlpatterns = [
    path("passwords/", app_passwords.app_passwords, name="app_passwords"),
    path("passwords/<int:password_id>/revoke/", app_passwords.app_password_revoke, name="app_password_revoke"),
    path("dns/", dns_records.dns_records, name="dns_records"),
    path("setup/", guides.guide_home, name="guide_home"),
    path("setup/profile/<str:ticket>/", guides.profile, name="profile"),
    path("setup/<slug:program>/", guides.guide, name="guide"),
    path("setup/<slug:program>/print/", guides.guide_print, name="guide_print"),
    path("setup/<slug:program>/send/", guides.guide_send, name="guide_send"),
    path("setup/<slug:program>/profile/", guides.profile_make, name="profile_make"),
]
