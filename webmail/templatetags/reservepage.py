"""What was put back of the reserve, in words."""

from __future__ import annotations

from django import template
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webmail.services.put_back import Back
from webmail.templatetags.casilla import filesize

register = template.Library()


@register.filter
def left_words(back: Back) -> str:
    """What happened, and where the rest is; "" where all are back."""
    if not back.left:
        return ""
    values = {
        "n": formats.number_format(back.left),
        "size": filesize(back.left_bytes),
        "room": filesize(back.room_bytes or 0),
    }
    if back.room_bytes is None:
        text = ngettext(
            "The mailbox is full: %(n)s message stays in the reserve. It takes %(size)s.",
            "The mailbox is full: %(n)s messages stay in the reserve. They take %(size)s.",
            back.left,
        )
    else:
        text = ngettext(
            "The mailbox is full: %(n)s message stays in the reserve. It takes %(size)s, and there is room for %(room)s.",
            "The mailbox is full: %(n)s messages stay in the reserve. They take %(size)s, and there is room for %(room)s.",
            back.left,
        )
    safe = _("Nothing is lost.")
    return f"{text % values} {safe}"
