"""What the portal's forms are made of: fields of their own kind, and how a refused change is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models.hosting import REFERENCE_MAX
from accounts.services.limits import parse_size, size_typed
from accounts.services.names import clean_lines, clean_name
from accounts.services.usage.steps import parse_steps, steps_words

SIZE_HINT = _("For example 500 MB or 5 GB.")


def tried(form: forms.BaseForm, change: Callable[[], Any]) -> bool:
    """Makes a change; False, with the reason at the form's field, when it cannot be made."""
    try:
        change()
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for field, texts in found.items():
            for text in texts:
                form.add_error(field if field in form.fields else None, text)
        return False
    return True


def reference_field() -> forms.CharField:
    """What another panel calls a thing; whoever may not set it does not see it either."""
    return forms.CharField(
        label=_("Reference in another system"),
        max_length=REFERENCE_MAX,
        required=False,
        help_text=_("The number or name that another panel has for it. Empty: none."),
    )


def one_line(text: str, *, blank: bool = True) -> str:
    """A name as every name is kept, for the clean_… of a form's field. Raises ValidationError."""
    try:
        return clean_name(text, blank=blank)
    except ValidationError as error:
        raise ValidationError(error.messages) from error


def several_lines(text: str) -> str:
    """The same for a text that may have more lines than one."""
    try:
        return clean_lines(text)
    except ValidationError as error:
        raise ValidationError(error.messages) from error


class PortalForm(forms.Form):
    """Fields with the classes of the design."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            widget = field.widget
            if isinstance(widget, forms.Select):
                widget.attrs["class"] = "input select"
            elif not isinstance(widget, forms.CheckboxInput):
                widget.attrs.setdefault("class", "input")
                widget.attrs.setdefault("autocomplete", "off")


class SizeField(forms.CharField):
    """A size in octets, written with its unit."""

    def clean(self, value: Any) -> int | None:
        """Octets, None for nothing. Raises ValidationError for what is no size."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_size(text)
        except ValidationError as error:
            raise ValidationError(error.messages) from error

    def prepare_value(self, value: Any) -> Any:
        """Octets as people write them."""
        return size_typed(value) if isinstance(value, int) else value


class StepsField(forms.CharField):
    """Percentages at which somebody is told, with commas between; None for nothing, where that may be."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=60, **kwargs)

    def clean(self, value: Any) -> list[int] | None:
        """The percentages, rising; None for nothing."""
        text = super().clean(value)
        return parse_steps(text) if text else None

    def prepare_value(self, value: Any) -> Any:
        """Percentages with commas between."""
        return steps_words(value) if isinstance(value, list) else value


class LinesField(forms.CharField):
    """One address a line (or with commas between), as a list."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs |= {"rows": 4, "dir": "ltr", "spellcheck": "false"}

    def clean(self, value: Any) -> list[str]:
        """One entry for each line that is not empty."""
        text = super().clean(value) or ""
        return [one for one in text.replace(",", "\n").replace(";", "\n").split("\n") if one.strip()]
