"""Every address of Casilla."""

from __future__ import annotations

from django.urls import include, path

from accounts.api.missing import missing
from config.api import api

# Django tries them in this order, at every request: mail, which is asked for most, comes first.
urlpatterns = [
    path("", include("webmail.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("mail/<int:account_id>/", include("accounts.mailbox_urls")),
    path("api/v1/", api.urls),
    path("api/", missing),
    path("api/<path:_rest>", missing),
    path("portal/usage/", include("accounts.views.usage.urls")),
    path("portal/", include("accounts.portal_urls")),
]
