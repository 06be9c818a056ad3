"""Passwords of single devices and programs: made, shown once, and revoked with everything that is open at that moment."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import AppPassword, Mailbox
from accounts.provisioning.doveadm import end_sessions
from accounts.services.audit import SYSTEM, Actor, record
from accounts.services.names import clean_name
from accounts.vault import digest_of

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks like something else."""
GROUPS, GROUP_LENGTH = 4, 4
NAME_LIMIT = 60
MOST = 50
"""So many a mailbox may have."""
PROTOCOLS = ("imap", "pop3", "smtp", "sieve")


class NameTaken(Exception):
    """The mailbox has a password of this name."""


class TooMany(Exception):
    """The mailbox has as many as it may have."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new password: its row, and the text that is shown this one time."""

    row: AppPassword
    password: str


@transaction.atomic
def make_app_password(
    *,
    mailbox: Mailbox,
    name: str,
    protocols: Collection[str],
    instead_of: AppPassword | None = None,
    by: Actor = SYSTEM,
) -> Made:
    """A new password for these protocols (of PROTOCOLS), good from the next sign-in on; `instead_of` is one of the mailbox's that
    is worth nothing from then on, with everything that is open in the mailbox closed. Raises NameTaken and TooMany, and
    ValidationError at `name`, ValueError without a protocol; then the earlier one still counts."""
    name = clean_name(name, blank=False, most=NAME_LIMIT)
    if not protocols or not set(protocols) <= set(PROTOCOLS):
        raise ValueError("an app password needs a protocol")
    Mailbox.objects.select_for_update().get(pk=mailbox.pk)  # two requests at once do not pass the limit
    if instead_of:
        _revoke(instead_of, by=by)
        transaction.on_commit(lambda: end_sessions(mailbox.address))
    if AppPassword.objects.filter(mailbox=mailbox).count() >= MOST:
        raise TooMany
    password = new_password()
    doors = {protocol: protocol in protocols for protocol in PROTOCOLS}
    try:
        with transaction.atomic():
            row = AppPassword.objects.create(mailbox=mailbox, name=name, digest=digest_of(password), **doors)
    except IntegrityError as error:
        raise NameTaken(name) from error
    record(by=by, verb="device.make", thing=mailbox, after={"name": name} | _open_doors(row))
    return Made(row, password)


def make_for_device(*, mailbox: Mailbox, device: str, protocols: Collection[str], by: Actor = SYSTEM) -> Made:
    """The same for a device that may have had one before: the name gets a number when it is taken. Raises TooMany."""
    for number in range(1, MOST + 2):
        suffix = "" if number == 1 else f" {number}"
        try:
            return make_app_password(
                mailbox=mailbox, name=f"{device[: NAME_LIMIT - len(suffix)]}{suffix}", protocols=protocols, by=by
            )
        except NameTaken:
            continue
    raise TooMany


def revoke_app_password(row: AppPassword, *, by: Actor = SYSTEM) -> bool:
    """Makes a password worth nothing from now on and closes what is open in the mailbox. The mail server cannot tell by which
    password a session began, so all end; programs whose password still counts come back by themselves. False when the server
    could not be asked to: the password is revoked all the same."""
    with transaction.atomic():
        _revoke(row, by=by)
    return end_sessions(row.mailbox.address)


def forget_app_passwords(mailbox: Mailbox, *, by: Actor) -> None:
    """Makes every one of a mailbox worth nothing from now on; whoever calls this ends the sessions."""
    for row in AppPassword.objects.filter(mailbox=mailbox).select_related("mailbox__domain__customer").order_by("pk"):
        _revoke(row, by=by)


def _revoke(row: AppPassword, *, by: Actor) -> None:
    record(by=by, verb="device.revoke", thing=row.mailbox, before={"name": row.name} | _open_doors(row))
    row.delete()


def _open_doors(row: AppPassword) -> dict[str, bool]:
    return {protocol: True for protocol in PROTOCOLS if getattr(row, protocol)}


def new_password() -> str:
    """Four groups of four characters, 79 bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)
