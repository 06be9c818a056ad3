"""Addresses of hosted domains: how they may look, and that each leads to one thing."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from accounts.domain_names import a_labels, u_labels
from accounts.models import Alias, Domain, Group, Mailbox

LOCAL_LIMIT = 64
_LOCAL = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9_-])?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def parse_local(text: str, domain: Domain) -> str:
    """The whole address from what stands before the @ (or from a whole address of this domain), in lower case. Raises
    ValidationError at `address`. What Postfix, Dovecot and folders on a disk take without quoting is allowed."""
    local = text.strip().lower()
    if "@" in local:
        local, _at, host = known_address(local).rpartition("@")
        if host != domain.name:
            raise ValidationError({"address": _("The address must end in @%(domain)s.") % {"domain": domain.name}})
    if not local:
        raise ValidationError({"address": _("Write what stands before the @.")})
    if len(local) > LOCAL_LIMIT:
        raise ValidationError({"address": _("At most 64 characters may stand before the @.")})
    if not _LOCAL.fullmatch(local) or ".." in local:
        raise ValidationError(
            {
                "address": _(
                    "Before the @ only letters from a to z, digits, dots, hyphens and underscores may stand, "
                    "no dot at an end and no two together."
                )
            }
        )
    return f"{local}@{domain.name}"


def parse_domain(text: str, *, field: str = "name") -> str:
    """A domain in lower-case A-labels. Raises ValidationError at `field`, with a sentence of its own for letters and signs that
    no domain may have."""
    try:
        name = a_labels(text.strip().rstrip("."))
    except UnicodeError as error:
        wrong = _(
            "“%(text)s” has a label that no domain may have: letters of any script, digits and hyphens may stand in it."
        )
        raise ValidationError({field: wrong % {"text": text.strip()[:80]}}) from error
    if not _is_domain(name):
        raise ValidationError({field: _("This is not the name of a domain, such as example.org.")})
    return name


def _is_domain(name: str) -> bool:
    """Whether mail can be sent there by that name: two labels or more, the last of them no number (it would be an address)."""
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return not labels[-1].isdigit() and max(map(len, labels)) <= 63


def parse_address(text: str, *, field: str = "address") -> str:
    """An address anywhere, its domain as A-labels, in lower case. Raises ValidationError at `field`, also for a machine in place
    of a domain (localhost, 192.0.2.1, [192.0.2.1])."""
    wrong = ValidationError({field: _("“%(text)s” is not a mail address.") % {"text": text.strip()[:80]}})
    local, _at, host = text.strip().lower().rpartition("@")
    try:
        host = a_labels(host)
        address = f"{local}@{host}"
        if host == "localhost" or host.startswith("[") or host.replace(".", "").isdigit():
            told = _("“%(text)s” names a machine: write an address with a domain, such as ana@example.org.")
            raise ValidationError({field: told % {"text": text.strip()[:80]}})
        validate_email(address)
    except UnicodeError as error:
        raise wrong from error
    except ValidationError as error:
        raise (error if hasattr(error, "error_dict") else wrong) from error
    if len(address) > 254 or not _is_domain(host) or not address.isascii():
        raise wrong
    if '"' in address or "\\" in address or "+" in local[:1]:
        raise wrong
    return address


def unicode_domain(name: str) -> str:
    """A domain as people read it: its A-labels decoded; as it is where they cannot be."""
    return u_labels(name)


def known_address(text: str) -> str:
    """An address as it is kept, in lower case, its domain as A-labels; what is none in lower case alone."""
    local, at, host = text.strip().lower().rpartition("@")
    try:
        return f"{local}{at}{a_labels(host)}"
    except UnicodeError:
        return text.strip().lower()


def searched_domain(text: str) -> str:
    """What is typed to find an address or a domain, in lower case, its labels as they are kept: whole labels of another script
    are found, letters out of the midst of one are not."""
    text = text.lower()
    return text if text.isascii() else known_address(text)


def check_free(address: str, *, field: str = "address") -> None:
    """Raises ValidationError when a mailbox, alias or group has this address. The customer of its domain must be held
    (lock_customer): no single index holds over all three."""
    mailbox = Mailbox.objects.filter(address=address).values("deleted").first()
    if mailbox and mailbox["deleted"]:
        raise ValidationError(
            {field: _("A deleted mailbox has this address still: have it back, or remove it for good.")}
        )
    if mailbox:
        raise ValidationError({field: _("There is a mailbox with this address.")})
    if Alias.objects.filter(address=address).exists():
        raise ValidationError({field: _("There is an alias with this address.")})
    if Group.objects.filter(address=address).exists():
        raise ValidationError({field: _("There is a group with this address.")})
