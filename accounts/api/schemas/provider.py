"""What is the whole provider's: its brand; and what networks are called."""

from __future__ import annotations

import base64
import binascii

from django.conf import settings
from django.urls import reverse
from ninja import Schema
from pydantic import Field, field_validator

from accounts.api.schemas.common import Given, example
from accounts.brand.logos import UPLOAD_LIMIT_BYTES
from accounts.models import Brand, NamedNetwork
from accounts.models.networks import NAME_MAX
from accounts.services.brand import TEXTS, digest_of

LOGO = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGPQivz/X+oJAwAQRAQ9HSlCQQAAAABJRU5ErkJggg=="
"""A PNG of four pixels, for the example."""


class BrandOut(Schema):
    """`name` "": Casilla's own; `accent` #rrggbb or ""; `support_url` a page or mailto:; `logo` the address of the picture, null
    without one."""

    name: str
    accent: str
    support_url: str
    sign_in_text: str
    letter_text: str
    logo: str | None

    @classmethod
    def of(cls, row: Brand) -> BrandOut:
        """The brand as it is shown."""
        logo = settings.SITE_URL + reverse("brand_logo", args=[digest_of(row)]) if row.logo else None
        return cls(logo=logo, **{name: getattr(row, name) for name in TEXTS})


class BrandChange(Given):
    """What is left out stays, "" takes it away. `logo` is a PNG, JPEG or WebP in base64, at most 2 MB; null takes it away.
    `support_url` is a page (https://…) or a mail address."""

    model_config = example(name="Quillay Correo", accent="#7a1f3d", support_url="ayuda@quillay.example", logo=LOGO)

    name: str = Field(default_factory=str, max_length=40)
    accent: str = Field(default_factory=str, max_length=7)
    support_url: str = Field(default_factory=str, max_length=300)
    sign_in_text: str = Field(default_factory=str, max_length=400)
    letter_text: str = Field(default_factory=str, max_length=400)
    logo: str | None = Field(None, max_length=UPLOAD_LIMIT_BYTES * 4 // 3 + 1000)

    @field_validator("logo", mode="after")
    @classmethod
    def is_base64(cls, value: str | None) -> str | None:
        """Raises ValueError for what is no base64."""
        try:
            base64.b64decode((value or "").encode(), validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise ValueError("the logo is no base64") from error
        return value

    def logo_bytes(self) -> bytes:
        """The picture as it was sent; empty for none."""
        return base64.b64decode(self.logo or "")


class NetworkOut(Schema):
    """`customer` and `domain` null: for the mailboxes of everybody here."""

    id: int
    network: str
    name: str
    customer: int | None
    domain: int | None

    @classmethod
    def of(cls, row: NamedNetwork) -> NetworkOut:
        """The row as it is shown."""
        return cls(id=row.pk, network=row.network, name=row.name, customer=row.customer_id, domain=row.domain_id)


class OwnNetworkOut(Schema):
    """What an owner calls a network."""

    id: int
    network: str
    name: str

    @classmethod
    def of(cls, row: NamedNetwork) -> OwnNetworkOut:
        """The row as it is shown."""
        return cls(id=row.pk, network=row.network, name=row.name)


class NetworkIn(Given):
    """`network`: all of it, or an address in it; no less than a /24, or a /48 of IPv6, is recorded. One that has a name gets this
    one."""

    model_config = example(network="192.0.2.0/24", name="Oficina")

    network: str = Field(max_length=64, min_length=1)
    name: str = Field(max_length=NAME_MAX, min_length=1)
