"""Whose Casilla it is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Brand(models.Model):
    """The provider's name, colour, logo and words; one row, and without it Casilla's own. `accent` is #rrggbb, of which hue and
    strength count (accounts/brand/colours.py); `logo` a PNG that was drawn anew from what was uploaded."""

    name = models.CharField(_("name"), max_length=40, blank=True)
    accent = models.CharField(_("colour"), max_length=7, blank=True)
    logo = models.BinaryField(default=b"")
    support_url = models.CharField(_("support"), max_length=300, blank=True)
    sign_in_text = models.CharField(_("beside the sign-in"), max_length=400, blank=True)
    letter_text = models.CharField(_("below letters"), max_length=400, blank=True)

    def __str__(self) -> str:
        return self.name
