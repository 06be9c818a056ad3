"""Mailboxes: making, changing, suspending, renaming, deleting them and having them back.

Every change is one transaction with its line in the log. The mail servers see it at the next login or delivery; sessions
that are open are ended as soon as it is committed. What is wrong is a ValidationError at its field.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Alias, Domain, Forward, GroupMember, MailAccount, Mailbox, MailboxUsage, User
from accounts.provisioning import doveadm
from accounts.provisioning.passwords import hash_mailbox_password
from accounts.services.addresses import check_free, parse_address, parse_local
from accounts.services.app_passwords import forget_app_passwords
from accounts.services.audit import Actor, record
from accounts.services.checks import check_all
from accounts.services.limits import check_quota, check_room, lock_customer
from accounts.services.names import clean_name
from accounts.services.passwords import check_password_strength, generate_password, known_words
from accounts.services.permissions import may_take_over
from accounts.services.promise import check_promise
from accounts.services.references import free_reference
from accounts.services.tokens import forget_tokens
from accounts.services.usage.requota import follow_quota

FIRST_NUMBER = 1001
"""Mailboxes are numbered from here."""
NUMBERS_LOCK = 0x6E756D62
"""The key of PostgreSQL's advisory lock for numbers (chosen by us; "numb")."""
SUSPENDED = ("active", "receives", "sends")
"""What is suspended each on its own."""
SESSIONS = ("imap", "pop3", "sieve")


def create_mailbox(
    *,
    domain: Domain,
    local: str,
    by: Actor,
    name: str = "",
    password: str = "",
    quota_bytes: int | None = None,
    recovery_address: str = "",
    reference: str | None = None,
    **states: bool,
) -> tuple[Mailbox, str]:
    """A mailbox of the domain, and its password: the one given, else one that was made. Its quota is the domain's usual one
    unless given, and so are its switches (imap, pop3, smtp, sieve); `active`, `receives` and `sends` are on unless given."""
    recovery = recovery_address.strip()
    checks: list[Callable[[], object]] = [lambda: parse_local(local, domain)]
    if quota_bytes is not None:
        checks.append(lambda: check_quota(domain.customer, quota_bytes))
    if password:
        known = [local, domain.name, name, domain.customer.name]
        checks.append(lambda: check_password_strength(password, known=known))
    if recovery:
        checks.append(lambda: parse_address(recovery, field="recovery_address"))
    check_all(*checks)
    secret = password or generate_password()
    encoded = hash_mailbox_password(secret)  # before the customer is held: it takes a tenth of a second

    with transaction.atomic():
        customer = lock_customer(domain.customer_id)
        address = parse_local(local, domain)
        check_free(address)
        domain.customer = customer
        quota = domain.usual_quota_bytes if quota_bytes is None else quota_bytes
        check_quota(customer, quota)
        check_room(customer, mailboxes=1, more_bytes=quota)
        check_promise(domain.server, quota)
        mailbox = Mailbox.objects.create(
            address=address,
            number=next_number(),
            domain=domain,
            name=clean_name(name),
            password=encoded,
            quota_bytes=quota,
            home=new_home(address),
            recovery_address=parse_address(recovery) if recovery else "",
            reference=free_reference(Mailbox, reference, reseller=customer.reseller_id),
            **(domain.usual_switches | states),
        )
        record(by=by, verb="mailbox.create", thing=mailbox, after={"quota": quota, "name": mailbox.name} | states)
    return mailbox, secret


def next_number() -> int:
    """The number of the next mailbox, which nobody else is given until the transaction ends: on PostgreSQL by a lock of its own
    (taken after the customer's, never before), on SQLite because a writing transaction is alone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERS_LOCK])
    highest = Mailbox.objects.aggregate(highest=Max("number"))["highest"]
    return FIRST_NUMBER if highest is None else int(highest) + 1


def new_home(address: str) -> str:
    """A folder for the mail of a new mailbox, below the mail folder, that none had before: who gets an address anew does not
    find what an earlier owner left."""
    local, _at, domain = address.partition("@")
    return f"{domain}/{local}.{secrets.token_hex(4)}"


@transaction.atomic
def change_mailbox(*, mailbox: Mailbox, by: Actor, **values: Any) -> None:
    """Changes name, recovery_address, quota_bytes or the switches of protocols. Shutting IMAP, POP3 or ManageSieve ends all that
    is open, as Dovecot cannot be told which: programs come back by themselves where they still may. So does another quota, which
    an open session would not hear of: it was read at its login. Who sends is asked about at each message, so shutting that alone
    ends nothing."""
    row = _held(mailbox)
    if "quota_bytes" in values:
        quota = int(values["quota_bytes"])
        customer = row.domain.customer
        check_quota(customer, quota)
        check_room(customer, more_bytes=quota - row.quota_bytes)
        check_promise(row.domain.server, quota - row.quota_bytes)
    if "name" in values:
        values["name"] = clean_name(str(values["name"]))
    if "recovery_address" in values:
        recovery = str(values["recovery_address"]).strip()
        values["recovery_address"] = parse_address(recovery, field="recovery_address") if recovery else ""
        if values["recovery_address"] == row.address:
            text = _("This is the mailbox itself: who cannot sign in cannot read it there.")
            raise ValidationError({"recovery_address": text})
    before = {key: getattr(row, key) for key in values}
    for key, value in values.items():
        setattr(row, key, value)
        setattr(mailbox, key, value)
    row.save(update_fields=list(values))
    if before != values:
        record(by=by, verb="mailbox.change", thing=row, before=before, after=values)
    shut = any(before[key] and not values[key] for key in SESSIONS if key in values)
    requoted = before.get("quota_bytes") != values.get("quota_bytes")
    if requoted:
        transaction.on_commit(lambda: follow_quota(row))
    if shut or requoted:
        _end_sessions(row)


@transaction.atomic
def set_password(*, mailbox: Mailbox, password: str, by: Actor, everywhere: bool = False) -> None:
    """A new password, for the web and for every mail program. Every session that is open ends. `everywhere` makes the passwords
    of single devices worth nothing too, so that nobody comes back without the new one."""
    check_password_strength(password, known=known_words(mailbox))
    mailbox.password, mailbox.rounds = hash_mailbox_password(password), (mailbox.rounds or 0) + 1
    mailbox.save(update_fields=["password", "rounds"])
    record(by=by, verb="mailbox.password", thing=mailbox, after={"everywhere": True} if everywhere else {})
    if everywhere:
        forget_app_passwords(mailbox, by=by)
        forget_tokens(mailbox, by=by)
    _end_sessions(mailbox)


@transaction.atomic
def suspend(*, mailbox: Mailbox, by: Actor, active: bool, receives: bool, sends: bool) -> None:
    """Opens or shuts each of signing in, receiving and sending. Mail that is there stays."""
    row = _held(mailbox)
    values = {"active": active, "receives": receives, "sends": sends}
    before = {key: getattr(row, key) for key in values}
    if before == values:
        return
    if before["active"] and not active:
        _not_ones_own(row, by)
    for key, value in values.items():
        setattr(row, key, value)
        setattr(mailbox, key, value)
    row.save(update_fields=list(values))
    record(
        by=by,
        verb="mailbox.suspend" if not all(values.values()) else "mailbox.resume",
        thing=row,
        before=before,
        after=values,
    )
    if before["active"] and not active:
        _end_sessions(row)


@transaction.atomic
def rename(*, mailbox: Mailbox, local: str, by: Actor, keep_alias: bool = True) -> None:
    """Gives the mailbox another address in its domain. Its mail, password and settings stay; with `keep_alias` the old
    address goes on to deliver into it."""
    row = _held(mailbox)
    address, old = parse_local(local, row.domain), row.address
    if address == old:
        raise ValidationError({"address": _("This is its address already.")})
    own = Alias.objects.filter(address=address, target=row).first()
    if own:
        own.delete()
    check_free(address)
    if User.objects.filter(email=address).exists():
        raise ValidationError({"address": _("Somebody signs in with this address already.")})
    row.home = row.home or "/".join(reversed(old.rsplit("@", 1)))
    row.address = mailbox.address = address
    row.save(update_fields=["address", "home"])
    MailboxUsage.objects.filter(username=old).update(username=address)
    Forward.objects.filter(address=old).update(address=address)
    GroupMember.objects.filter(address=old).update(address=address)
    MailAccount.objects.filter(mailbox=row).update(address=address, login=address)
    User.objects.filter(email=old, mail_accounts__mailbox=row).update(email=address)
    if keep_alias:
        Alias.objects.create(address=old, target=row)
    record(by=by, verb="mailbox.rename", thing=row, before={"address": old}, after={"address": address})
    transaction.on_commit(lambda: _ended(old))


@transaction.atomic
def delete(*, mailbox: Mailbox, by: Actor) -> None:
    """Shuts the mailbox; its mail is kept for as many days as the plan says, and only then removed for good."""
    row = _held(mailbox)
    if row.deleted:
        return
    _not_ones_own(row, by)
    row.deleted = mailbox.deleted = timezone.now()
    row.save(update_fields=["deleted"])
    record(by=by, verb="mailbox.delete", thing=row)
    _end_sessions(row)


@transaction.atomic
def restore(*, mailbox: Mailbox, by: Actor) -> None:
    """Has a deleted mailbox back as it was; its customer's plan must have room for it."""
    row = _held(mailbox)
    if row.deleted is None:
        return
    check_room(row.domain.customer, mailboxes=1, more_bytes=row.quota_bytes)
    check_promise(row.domain.server, row.quota_bytes)
    row.deleted = mailbox.deleted = None
    row.save(update_fields=["deleted"])
    record(by=by, verb="mailbox.restore", thing=row)


def choose_many(*, domain: Domain, keys: Collection[int], person: User) -> list[Mailbox]:
    """The mailboxes of the domain with these keys. Raises ValidationError at `mailboxes` when some are not there,
    PermissionDenied when one among them is that of somebody who runs more."""
    rows = Mailbox.objects.select_related("domain__customer__plan").filter(domain=domain, pk__in=keys)
    chosen = list(rows.order_by("pk"))
    if len(chosen) != len(set(keys)):
        raise ValidationError({"mailboxes": _("Some of them are gone. Nothing was changed.")})
    if not all(may_take_over(person, one) for one in chosen):
        raise PermissionDenied(
            _("Among them is the mailbox of somebody who runs more than you do. Nothing was changed.")
        )
    return chosen


def act_on_many(*, mailboxes: Iterable[Mailbox], do: str, by: Actor) -> int:
    """One action on each of a selection, all or nothing; gives how many. Raises KeyError for an unknown action."""
    verb = SELECTION[do]
    with transaction.atomic():
        done = 0
        for mailbox in mailboxes:
            verb(mailbox, by)
            done += 1
    return done


SELECTION: dict[str, Callable[[Mailbox, Actor], None]] = {
    "suspend": lambda one, by: suspend(mailbox=one, by=by, active=False, receives=False, sends=False),
    "resume": lambda one, by: suspend(mailbox=one, by=by, active=True, receives=True, sends=True),
    "sign_in_off": lambda one, by: _turn(one, by, active=False),
    "sign_in_on": lambda one, by: _turn(one, by, active=True),
    "receive_off": lambda one, by: _turn(one, by, receives=False),
    "receive_on": lambda one, by: _turn(one, by, receives=True),
    "send_off": lambda one, by: _turn(one, by, sends=False),
    "send_on": lambda one, by: _turn(one, by, sends=True),
    "delete": lambda one, by: delete(mailbox=one, by=by),
    "restore": lambda one, by: restore(mailbox=one, by=by),
    "pop3_on": lambda one, by: change_mailbox(mailbox=one, by=by, pop3=True),
    "pop3_off": lambda one, by: change_mailbox(mailbox=one, by=by, pop3=False),
}
"""What can be done with a selection, and by a row of a list."""


def _turn(mailbox: Mailbox, by: Actor, **one: bool) -> None:
    """Opens or shuts one of signing in, receiving and sending; the others stay as they are."""
    row = _held(mailbox)
    suspend(mailbox=mailbox, by=by, **{name: getattr(row, name) for name in SUSPENDED} | one)


def _held(mailbox: Mailbox) -> Mailbox:
    """The mailbox's row as it is now, its customer held until the transaction ends."""
    lock_customer(mailbox.domain.customer_id)
    return Mailbox.objects.select_related("domain__customer__plan", "domain__server").get(pk=mailbox.pk)


def _not_ones_own(mailbox: Mailbox, by: Actor) -> None:
    """Raises ValidationError when somebody is about to shut themselves out."""
    if by.person and MailAccount.objects.filter(mailbox=mailbox, owner=by.person).exists():
        text = _("%(address)s is your own mailbox: you would shut yourself out.")
        raise ValidationError({"active": text % {"address": mailbox.address}})


def _end_sessions(mailbox: Mailbox) -> None:
    address = mailbox.address
    transaction.on_commit(lambda: _ended(address))


def _ended(address: str) -> None:
    doveadm.end_sessions(address)
