"""Tokens of other people's panels, and the answers that are kept for requests that come twice."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.hosting import Customer


class ApiToken(models.Model):
    """Lets a program act as a person, within `scopes` ("mailboxes:write", ...) and, with a customer, within what is that
    customer's. Of the token only the SHA-256 (hex) is kept; `start` is what it begins with, to tell tokens apart."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    start = models.CharField(max_length=12)
    scopes = models.JSONField(default=list)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    last_origin = models.CharField(max_length=45, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="one_token_per_name")]

    def __str__(self) -> str:
        return self.name


class ApiReply(models.Model):
    """What was answered to a request with an Idempotency-Key, sealed, for a day; `status` 0 while it is being worked on."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    sealed = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="one_reply_per_key")]

    def __str__(self) -> str:
        return f"{self.token_id} {self.status}"
