"""Addresses of hosted domains: how they may look, and that each leads to one thing."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from accounts.models import Alias, Domain, Group, Mailbox

LOCAL_LIMIT = 64
_LOCAL = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9_-])?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def parse_local(text: str, domain: Domain) -> str:
    """The whole address from what stands before the @ (or from a whole address of this domain), in lower case. Raises
    ValidationError at `address`. What Postfix, Dovecot and folders on a disk take without quoting is allowed."""
    local = text.strip().lower()
    if "@" in local:
        local, _at, host = local.rpartition("@")
        if host not in {domain.name, unicode_domain(domain.name)}:
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


def parse_domain(text: str) -> str:
    """A domain in lower-case A-labels. Raises ValidationError at `name`."""
    wrong = ValidationError({"name": _("This is not the name of a domain, such as example.org.")})
    try:
        name = text.strip().rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError as error:
        raise wrong from error
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise wrong
    if labels[-1].isdigit():
        raise wrong
    return name


def parse_address(text: str, *, field: str = "address") -> str:
    """An address anywhere, its domain as A-labels, in lower case. Raises ValidationError at `field`."""
    wrong = ValidationError({field: _("“%(text)s” is not a mail address.") % {"text": text.strip()[:80]}})
    local, _at, host = text.strip().lower().rpartition("@")
    try:
        address = f"{local}@{host.encode('idna').decode('ascii')}"
        validate_email(address)
    except (UnicodeError, ValidationError) as error:
        raise wrong from error
    if len(address) > 254 or not address.isascii() or '"' in address or "\\" in address or "+" in local[:1]:
        raise wrong
    return address


def unicode_domain(name: str) -> str:
    """A domain as people read it: its A-labels decoded; as it is where they cannot be."""
    try:
        return name.encode("ascii").decode("idna")
    except UnicodeError:
        return name


def searched_domain(text: str) -> str:
    """What is typed to find an address or a domain, in lower case, its labels as they are kept: whole labels of another script
    are found, letters out of the midst of one are not."""
    text = text.lower()
    if text.isascii():
        return text
    local, at, host = text.rpartition("@")
    try:
        return f"{local}{at}{host.encode('idna').decode('ascii')}"
    except UnicodeError:
        return text


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
