"""The brand's page for the provider, and what it adds to every page: a logo and a style sheet, open to everybody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.brand.colours import HEX, stylesheet
from accounts.brand.logos import NoLogo, draw_logo
from accounts.models import Brand
from accounts.portal_forms import PortalForm
from accounts.services.audit import record_provider
from accounts.services.brand import digest_of, read_brand, save_brand
from accounts.services.permissions import Action
from accounts.views.portal.doors import actor_of, allow, show, status_of

FOREVER = "public, max-age=31536000, immutable"
TEXTS = ("name", "accent", "support_url", "sign_in_text", "letter_text")


class BrandForm(PortalForm):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=40, required=False, help_text=gettext_lazy("Empty: Casilla.")
    )
    accent = forms.CharField(
        label=gettext_lazy("Colour"),
        max_length=7,
        required=False,
        help_text=gettext_lazy(
            "Such as #7a1f3d. Its hue and strength are taken; how light it is stays as it is readable."
        ),
    )
    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=gettext_lazy("PNG, JPEG or WebP, at most 2 MB. It is shown 48 pixels high at most."),
    )
    no_logo = forms.BooleanField(label=gettext_lazy("Without a logo"), required=False)
    support_url = forms.CharField(
        label=gettext_lazy("Support"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("A page (https://…) or a mail address."),
    )
    sign_in_text = forms.CharField(
        label=gettext_lazy("Below the sign-in"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    letter_text = forms.CharField(
        label=gettext_lazy("Below letters that Casilla writes"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_accent(self) -> str:
        accent = str(self.cleaned_data["accent"]).strip().lower()
        if accent and not HEX.fullmatch(accent):
            raise ValidationError(_("A colour has the form #7a1f3d."))
        return accent

    def clean_support_url(self) -> str:
        text = str(self.cleaned_data["support_url"]).strip()
        if not text:
            return ""
        try:
            if "@" in text and "://" not in text:
                EmailValidator()(text.removeprefix("mailto:"))
                return "mailto:" + text.removeprefix("mailto:")
            URLValidator(schemes=["https", "http"])(text)
        except ValidationError as error:
            raise ValidationError(_("A page (https://…) or a mail address.")) from error
        return text

    def clean_logo(self) -> bytes:
        given = self.cleaned_data["logo"]
        if not given:
            return b""
        try:
            return draw_logo(given.read())
        except NoLogo as error:
            text = (
                _("The picture is too large.") if error.code == "large" else _("This is no PNG, JPEG or WebP picture.")
            )
            raise ValidationError(text) from error


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def brand(request: HttpRequest) -> HttpResponse:
    """The provider's name, colour, logo and words."""
    allow(request, Action.RUN_PROVIDER)
    row = read_brand()
    before = {name: getattr(row, name) for name in TEXTS}
    old = before | {"logo": digest_of(row)}
    shown = before | {"support_url": row.support_url.removeprefix("mailto:")}
    posted = request.method == "POST"
    form = BrandForm(request.POST if posted else None, request.FILES if posted else None, initial=shown)
    if posted and form.is_valid():
        _fill(row, form.cleaned_data)
        save_brand(row)
        new = {name: getattr(row, name) for name in TEXTS} | {"logo": digest_of(row)}
        record_provider(by=actor_of(request), verb="brand.change", name=str(new.get("name", "")), before=old, after=new)
        messages.info(request, _("Saved"))
        return redirect("portal:brand")
    return show(request, "portal/brand.html", {"form": form, "tab": "brand"}, status=status_of(form))


@require_safe
def brand_logo(request: HttpRequest, digest: str) -> HttpResponse:
    """The logo of this digest."""
    row = read_brand()  # and not what is kept: the address says which logo it is, for ever
    if not row.logo or digest_of(row) != digest:
        raise Http404
    return _kept(bytes(row.logo), "image/png")


@require_safe
def brand_sheet(request: HttpRequest, colour: str) -> HttpResponse:
    """The accents of the brand's colour; any other colour is 404."""
    if not colour or read_brand().accent != f"#{colour}":
        raise Http404
    return _kept(stylesheet(f"#{colour}").encode(), "text/css; charset=utf-8")


def _kept(body: bytes, kind: str) -> HttpResponse:
    return HttpResponse(
        body, content_type=kind, headers={"Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff"}
    )


def _fill(row: Brand, data: dict[str, Any]) -> None:
    for name in TEXTS:
        setattr(row, name, data[name])
    if data["no_logo"]:
        row.logo = b""
    elif data["logo"]:
        row.logo = data["logo"]
