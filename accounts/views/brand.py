"""The brand's page for the provider, and what it adds to every page: a logo and a style sheet, open to everybody."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.brand.colours import stylesheet
from accounts.brand_forms import BrandForm
from accounts.services.brand import TEXTS, change_brand, digest_of, read_brand
from accounts.services.permissions import Action
from accounts.views.portal.doors import actor_of, allow, show, status_of

FOREVER = "public, max-age=31536000, immutable"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def brand(request: HttpRequest) -> HttpResponse:
    """The provider's name, colour, logo and words."""
    allow(request, Action.RUN_PROVIDER)
    row = read_brand()
    shown = {name: getattr(row, name) for name in TEXTS} | {"support_url": row.support_url.removeprefix("mailto:")}
    posted = request.method == "POST"
    form = BrandForm(request.POST if posted else None, request.FILES if posted else None, initial=shown)
    if posted and form.is_valid():
        data = form.cleaned_data
        logo = b"" if data["no_logo"] else data["logo"] or None
        change_brand(by=actor_of(request), logo=logo, **{name: data[name] for name in TEXTS})
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
