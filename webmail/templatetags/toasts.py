"""What a message to the person carries beside its words: where its undo is, and for how many seconds it can be had."""

from __future__ import annotations

from django import template

register = template.Library()


def lasting(url: str, seconds: int) -> str:
    """The extra tags of a message whose undo is at `url`, and can be had for longer or shorter than a toast usually stays."""
    return f"{url}#{seconds}"


@register.filter
def undo_of(tags: str | None) -> str:
    return (tags or "").partition("#")[0]


@register.filter
def seconds_of(tags: str | None) -> str:
    return (tags or "").partition("#")[2]
