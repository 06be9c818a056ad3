"""Mailboxes: made, changed, shut, renamed, removed; by lists too; and the passwords of their devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from accounts.management.portal.words import (
    REFERENCE,
    Group,
    Told,
    domain_of,
    mailbox_of,
    named,
    option,
    person_of,
    read_password,
    read_size,
    read_switches,
    switches,
    the_one,
)
from accounts.models import AppPassword, Mailbox, MailboxUsage
from accounts.services import batches, forwards, mailboxes, purging
from accounts.services.app_passwords import revoke_app_password
from accounts.services.audit import SYSTEM, Actor
from accounts.services.batch_changes import words_of
from accounts.services.batch_files import BadFile
from accounts.services.limits import parse_size
from accounts.services.permissions import Action, may
from accounts.services.references import set_reference

FIELDS = ("address", "number", "name", "quota_bytes", "active", "receives", "sends", "imap", "pop3", "smtp", "sieve")
STATES = {
    "suspend": {"active": False, "receives": False, "sends": False},
    "suspend-sign-in": {"active": False},
    "suspend-receiving": {"receives": False},
    "suspend-sending": {"sends": False},
    "resume": {"active": True, "receives": True, "sends": True},
}


def add_mailboxes(one: Group) -> None:
    address = named("address", "the whole address")
    one.verb("list", mailbox_list, "The mailboxes of a domain.", named("domain"))
    one.verb("show", mailbox_show, "One mailbox, and what it uses.", address)
    text = "Makes a mailbox, and tells the password that was made, unless one is read (--password)."
    quota = ("--quota", {"default": "", "help": "such as 5 GB; without it that of new mailboxes of the domain"})
    recovery = ("--recovery", {"default": "", "help": "the address to which a link for a new password goes"})
    read = ("--password", {"action": "store_true", "help": "ask for the password, or read it from standard input"})
    called = ("--name", {"default": ""})
    one.verb("create", mailbox_create, text, address, called, quota, recovery, read, REFERENCE)
    change = (option("name"), option("quota", "such as 5 GB"), option("recovery", "the address for a new password"))
    one.verb("change", mailbox_change, "Changes what is given.", address, *change, *switches(), REFERENCE)
    text = "Sets the password that is asked for, or read from standard input, and revokes those of single devices."
    keep = ("--keep-devices", {"action": "store_true", "help": "passwords of single devices go on counting"})
    one.verb("password", mailbox_password, text, address, keep)
    for verb, values in STATES.items():
        text = "Opens the mailbox again." if verb == "resume" else "Shuts the mailbox."
        one.verb(verb, lambda values=values, **more: mailbox_state(values=values, **more), text, address)
    no_alias = ("--no-alias", {"action": "store_true", "help": "the old address does not go on to deliver"})
    one.verb("rename", mailbox_rename, "Another address; its mail stays.", address, named("new"), no_alias)
    one.verb("delete", mailbox_delete, "Deletes it; it can be had back for as long as its plan says.", address)
    one.verb("restore", mailbox_restore, "Has a deleted mailbox back.", address)
    sure = ("--yes", {"action": "store_true", "required": True, "help": "it cannot be undone"})
    one.verb("purge", mailbox_purge, "Removes a deleted mailbox and its mail for good.", address, sure)
    to, no_copy = ("to", {"nargs": "*"}), ("--no-copy", {"action": "store_true", "help": "keep no copy in the mailbox"})
    one.verb("forward", mailbox_forward, "Sends its mail on to these addresses; none: no longer.", address, to, no_copy)
    one.verb("devices", device_list, "The passwords of its devices, and when each was used last.", address)
    one.verb("revoke-device", device_revoke, "Makes the password of a device worth nothing.", address, named("name"))
    by = ("--by", {"required": True, "metavar": "PERSON", "help": "who brings it, and must run the domain"})
    apply = ("--apply", {"action": "store_true", "help": "have the workers do it, all of it or nothing"})
    text = "Reads a CSV list and tells what it would do, row by row; nothing is done without --apply."
    ignore = ("--ignore-columns", {"action": "store_true", "help": "go on without the columns that mean nothing here"})
    one.verb("import", mailbox_import, text, named("domain"), named("file"), by, apply, ignore)


def mailbox_list(domain: str) -> list[Told]:
    return [_mailbox(one) for one in Mailbox.objects.filter(domain=domain_of(domain)).order_by("address")]


def mailbox_show(address: str) -> Told:
    mailbox = mailbox_of(address)
    usage = MailboxUsage.objects.filter(username=mailbox.address).first()
    used = {"used_bytes": usage.bytes if usage else 0, "messages": usage.messages if usage else 0}
    return _mailbox(mailbox) | {"recovery_address": mailbox.recovery_address} | used


def mailbox_create(address: str, name: str, quota: str, recovery: str, password: bool, reference: str | None) -> Told:
    local, _at, host = address.rpartition("@")
    given = read_password() if password else ""
    mailbox, secret = mailboxes.create_mailbox(
        domain=domain_of(host),
        local=local,
        by=SYSTEM,
        name=name,
        password=given,
        quota_bytes=parse_size(quota) if quota else None,
        recovery_address=recovery,
        reference=reference,
    )
    return _mailbox(mailbox) | ({} if given else {"password": secret})


@transaction.atomic
def mailbox_change(
    address: str, name: str | None, quota: str | None, recovery: str | None, reference: str | None, **values: Any
) -> Told:
    mailbox = mailbox_of(address)
    if reference is not None:
        set_reference(thing=mailbox, reference=reference, by=SYSTEM)
    given: dict[str, Any] = read_switches(values)
    if name is not None:
        given["name"] = name.strip()[:120]
    if quota is not None:
        size = read_size(quota)
        if size is None:
            raise ValidationError({"quota": "A mailbox has a quota."})
        given["quota_bytes"] = size
    if recovery is not None:
        given["recovery_address"] = recovery
    if given:
        mailboxes.change_mailbox(mailbox=mailbox, by=SYSTEM, **given)
    return mailbox_show(mailbox.address)


def mailbox_password(address: str, keep_devices: bool) -> Told:
    mailbox = mailbox_of(address)
    mailboxes.set_password(mailbox=mailbox, password=read_password(), by=SYSTEM, everywhere=not keep_devices)
    return _mailbox(mailbox)


def mailbox_state(address: str, *, values: dict[str, bool]) -> Told:
    mailbox = mailbox_of(address)
    now = {name: getattr(mailbox, name) for name in mailboxes.SUSPENDED}
    mailboxes.suspend(mailbox=mailbox, by=SYSTEM, **(now | values))
    return _mailbox(mailbox)


def mailbox_rename(address: str, new: str, no_alias: bool) -> Told:
    mailbox = mailbox_of(address)
    mailboxes.rename(mailbox=mailbox, local=new, keep_alias=not no_alias, by=SYSTEM)
    return _mailbox(mailbox)


def mailbox_delete(address: str) -> Told:
    mailbox = mailbox_of(address)
    mailboxes.delete(mailbox=mailbox, by=SYSTEM)
    return _mailbox(mailbox)


def mailbox_restore(address: str) -> Told:
    mailbox = mailbox_of(address)
    mailboxes.restore(mailbox=mailbox, by=SYSTEM)
    return _mailbox(mailbox)


def mailbox_purge(address: str, yes: bool) -> Told:
    mailbox = mailbox_of(address)
    told = _mailbox(mailbox)
    if mailbox.deleted is None or not yes:
        raise CommandError("Only a deleted mailbox can be removed for good: delete it first.")
    if not purging.purge(mailbox=mailbox, by=SYSTEM):
        raise CommandError("The mail server did not remove the mail. Nothing was changed; try again later.")
    return told


def mailbox_forward(address: str, to: list[str], no_copy: bool) -> Told:
    mailbox = mailbox_of(address)
    forwards.set_forwards(mailbox=mailbox, addresses=to, keeps_copy=not no_copy, by=SYSTEM)
    addresses = sorted(mailbox.forwards.values_list("address", flat=True))
    return {"address": mailbox.address, "forwards": addresses, "keeps_copy": mailbox.keeps_copy}


def device_list(address: str) -> list[Told]:
    return [_device(one) for one in AppPassword.objects.filter(mailbox=mailbox_of(address)).order_by("name")]


def device_revoke(address: str, name: str) -> Told:
    rows = AppPassword.objects.select_related("mailbox__domain__customer").filter(mailbox=mailbox_of(address))
    row = the_one(rows.filter(name=name), "password of a device", name)
    told = _device(row)
    revoke_app_password(row, by=SYSTEM)
    return told


def mailbox_import(domain: str, file: str, by: str, apply: bool, ignore_columns: bool = False) -> list[Told]:
    place, person = domain_of(domain), person_of(by)
    if not may(person, Action.RUN_DOMAIN, place):
        raise CommandError(f"{person.email} does not run {place.name}.")
    try:
        data = Path(file).read_bytes()
        batch = batches.read_batch(domain=place, data=data, name=file, by=Actor(person))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except BadFile as error:
        raise CommandError(str(error)) from error
    rows = [
        {"line": row["line"], "address": row["address"], "what": words_of(row), "errors": row["errors"]}
        for row in batch.rows
    ]
    applied = apply and batches.makes_only_below(batch, person) and batches.start_batch(batch, ignoring=ignore_columns)
    if apply and not applied:
        raise CommandError(_why_not(batch, rows))
    batch.refresh_from_db()
    told = {"list": batch.pk, "state": batch.state, "rows": batch.total, "wrong": batch.wrong, "problem": batch.problem}
    return [*rows, told | ({"unknown_columns": batch.unknown} if batch.unknown else {})]


def _why_not(batch: Any, rows: list[Told]) -> str:
    wrong = [f"line {row['line']}: {' '.join(row['errors'])}" for row in rows if row["errors"]]
    if batch.unknown and not wrong:
        names = ", ".join(one["name"] for one in batch.unknown)
        return f"Nothing is done. Columns that mean nothing here: {names}. Correct them, or give --ignore-columns."
    return "Nothing is done. " + (batch.problem or "; ".join(wrong[:20]) or f"Its state is {batch.state}.")


def _device(one: AppPassword) -> Told:
    return {name: getattr(one, name) for name in ("name", "created", "last_at", "last_protocol", "sent_at")}


def _mailbox(one: Mailbox) -> Told:
    return {name: getattr(one, name) for name in FIELDS} | {"deleted": one.deleted, "reference": one.reference or ""}
