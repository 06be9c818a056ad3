"""What the portal's pages write: domains in their own letters, bars of space, arrows of sorted columns."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from accounts.models import Plan
from accounts.services.addresses import unicode_domain
from accounts.services.listing import Figures

register = template.Library()


@register.filter
def domain_words(name: object) -> str:
    """A domain for people: its letters, where A-labels hide them."""
    return unicode_domain(str(name))


@register.filter
def thing_words(name: object) -> str:
    """An address, a domain or a name, the domain in its own letters."""
    local, at, domain = str(name).rpartition("@")
    return f"{local}{at}{unicode_domain(domain)}"


@register.filter
def record_words(purposes: list[str]) -> str:
    """Records that mail needs, as they are called: "MX, SPF and DKIM"."""
    return get_text_list([one.upper() for one in purposes], _("and"))


@register.simple_tag
def sort_arrow(column: dict[str, str]) -> SafeString | str:
    """The arrow beside the head of the column that the list is sorted by; for the others nothing."""
    if not column["aria"]:
        return ""
    name = "arrow-up" if column["aria"] == "ascending" else "arrow-down"
    return format_html(
        '<svg class="i i--sm" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons/sprite.svg"), name
    )


@register.simple_tag
def space_bar(figures: Figures, plan: Plan) -> SafeString:
    """The parts of a bar: used, given but not used, free in the plan; in hundredths of the largest."""
    whole = max(plan.total_bytes or 0, figures.allotted_bytes, figures.used_bytes, 1)
    used = min(100, round(100 * figures.used_bytes / whole))
    given = max(0, min(100 - used, round(100 * (figures.allotted_bytes - figures.used_bytes) / whole)))
    free = 100 - used - given if plan.total_bytes else 0
    parts = [("c-tinta", used), ("c-tinta-3", given), ("c-track", free)]
    return format_html_join("", '<i class="{} n-{}"></i>', [part for part in parts if part[1]])
