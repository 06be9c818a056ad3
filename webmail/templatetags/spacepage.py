"""What the page of space says."""

from __future__ import annotations

from itertools import pairwise

from django import template
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.usage.shares import Part, Shares
from webmail.services.space import SIZE_CLASSES, Share, Space, Tidy
from webmail.templatetags.casilla import filesize
from webmail.values import Role

register = template.Library()


@register.filter
def share_of(share: Share | Part, space: Space | Shares) -> int:
    """A share of all, in percent."""
    return share.size_bytes * 100 // space.total.size_bytes if space.total.size_bytes else 0


@register.filter
def size_classes(space: Space | Shares) -> list[tuple[str, Share | Part]]:
    """The classes of sizes by name, the largest first."""
    bounds = [filesize(bound) for bound in SIZE_CLASSES]
    names = [_("less than %(size)s") % {"size": bounds[0]}]
    names += [_("%(low)s to %(high)s") % {"low": low, "high": high} for low, high in pairwise(bounds)]
    names.append(_("more than %(size)s") % {"size": bounds[-1]})
    parts: list[Share | Part] = [*space.classes]
    return [pair for pair in reversed(list(zip(names, parts, strict=True))) if pair[1].messages]


@register.filter
def tidy_text(tidy: Tidy) -> str:
    """What could go, in words."""
    values = {"n": formats.number_format(tidy.share.messages), "days": tidy.days}
    n = tidy.share.messages
    if tidy.role == Role.TRASH:
        if not tidy.days:
            text = ngettext("%(n)s message in the Trash", "%(n)s messages in the Trash", n)
        else:
            text = ngettext(
                "%(n)s message in the Trash for more than %(days)s days",
                "%(n)s messages in the Trash for more than %(days)s days",
                n,
            )
    elif not tidy.days:
        text = ngettext("%(n)s message among the spam", "%(n)s messages among the spam", n)
    else:
        text = ngettext(
            "%(n)s message among the spam for more than %(days)s days",
            "%(n)s messages among the spam for more than %(days)s days",
            n,
        )
    return text % values
