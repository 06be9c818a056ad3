"""The provider's brand, as the page and the API take it."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.brand.colours import HEX
from accounts.brand.logos import NoLogo, draw_logo
from accounts.form_parts import PortalForm, one_line, several_lines


class BrandForm(PortalForm):
    """Name, colour, support, words and picture of the provider."""

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

    def clean_name(self) -> str:
        return one_line(self.cleaned_data["name"])

    def clean_sign_in_text(self) -> str:
        return several_lines(self.cleaned_data["sign_in_text"])

    def clean_letter_text(self) -> str:
        return several_lines(self.cleaned_data["letter_text"])

    def clean_accent(self) -> str:
        """#rrggbb in small letters, or nothing."""
        accent = str(self.cleaned_data["accent"]).strip().lower()
        if accent and not HEX.fullmatch(accent):
            raise ValidationError(_("A colour has the form #7a1f3d."))
        return accent

    def clean_support_url(self) -> str:
        """A page or a mail address, or nothing."""
        text = one_line(self.cleaned_data["support_url"])
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
        """The picture drawn anew."""
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
