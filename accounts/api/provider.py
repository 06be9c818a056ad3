"""The provider's brand."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from ninja import Router

from accounts.api.callers import caller_of, needs
from accounts.api.schemas.provider import BrandChange, BrandOut
from accounts.brand_forms import BrandForm
from accounts.services.brand import TEXTS, change_brand, read_brand
from accounts.services.permissions import Action

router = Router(tags=["Brand"])


@router.get("/brand", response=BrandOut, summary="Name, colour, logo and words of the provider")
@needs("customers:read")
def brand_get(request: HttpRequest) -> Any:
    """By the provider's people."""
    caller_of(request).allow(Action.RUN_PROVIDER)
    return BrandOut.of(read_brand())


@router.patch("/brand", response=BrandOut, summary="Change what is given of the brand")
@needs("customers:write")
def brand_change(request: HttpRequest, data: BrandChange) -> Any:
    """By the provider's people; what is left out stays."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    given = data.dict(exclude_unset=True, exclude={"logo"})
    picture = data.logo_bytes()
    form = BrandForm(given, {"logo": SimpleUploadedFile("logo", picture)} if picture else None)
    if not form.is_valid():
        raise ValidationError({name: list(texts) for name, texts in form.errors.items()})
    texts = {name: form.cleaned_data[name] for name in TEXTS if name in given}
    logo = form.cleaned_data["logo"] if "logo" in data.model_fields_set else None
    return BrandOut.of(change_brand(by=caller.actor, logo=logo, **texts))
