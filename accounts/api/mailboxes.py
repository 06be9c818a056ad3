"""Mailboxes: made, changed, suspended, renamed, deleted, had back and removed for good; passwords and forwards."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts.api.callers import TooManyRequests, caller_of, fails, needs
from accounts.api.loading import check_rank, domain_by, domain_named, mailbox_by, run_mailbox, run_there, use_there
from accounts.api.owners import confirm_own, is_own
from accounts.api.pages import Flag, Key, Limit, Text, page_of
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Pages
from accounts.api.schemas.mailboxes import (
    EntranceOut,
    Forwards,
    ForwardsChange,
    ForwardsIn,
    LinkIn,
    LinkOut,
    MailboxChange,
    MailboxIn,
    MailboxMade,
    MailboxOut,
    PasswordIn,
    PasswordOut,
    PurgeIn,
    RenameIn,
    SendingOut,
)
from accounts.api.tables import Format, file_of, tabular, wants_csv
from accounts.models import Mailbox
from accounts.rates import take_both
from accounts.services import forwards, mailboxes, purging, resets
from accounts.services.addresses import known_address
from accounts.services.batch_files import mailbox_lines
from accounts.services.entering import make_entrance
from accounts.services.limits import lock_customer
from accounts.services.passwords import generate_password
from accounts.services.permissions import Action, may
from accounts.services.references import set_reference
from accounts.services.sending_limit import allowance_of
from accounts.services.usage.standing import used_by

router = Router(tags=["Mailboxes"])
OWNERS = {"name", "recovery_address"}
"""What a mailbox's owner sets."""
STATES = {"imap", "pop3", "smtp", "sieve", "active", "receives", "sends"}


@router.get(
    "/mailboxes",
    response=Pages[MailboxOut],
    summary="The mailboxes, deleted ones too; those of one domain also as CSV",
)
@needs("mailboxes:read")
@tabular
def mailbox_list(
    request: HttpRequest,
    after: int = 0,
    limit: Limit = 50,
    domain: Key = None,
    customer: Key = None,
    address: Text = "",
    deleted: Flag | None = None,
    reference: Text = "",
    shape: Format = None,
) -> Any:
    """Narrowed to a `domain`, a `customer`, an `address`, the other panel's `reference`, or to deleted ones or the others."""
    caller = caller_of(request)
    if wants_csv(request, shape):
        if domain is None:
            raise ValidationError({"domain": _("Say of which domain: a file is of one.")})
        found = domain_by(caller, domain, Action.RUN_DOMAIN)
        return file_of(found.name, mailbox_lines(found))
    rows = caller.mailboxes().select_related("account")
    if domain is not None:
        rows = rows.filter(domain=domain)
    if customer is not None:
        rows = rows.filter(domain__customer=customer)
    if address:
        rows = rows.filter(address=known_address(address))
    if deleted is not None:
        rows = rows.filter(deleted__isnull=not deleted)
    if reference:
        rows = rows.filter(reference=reference.strip())
    part: Pages[Any] = page_of(rows, lambda one: one, after, limit)
    used = used_by(part.items)
    return Pages(items=[MailboxOut.of(one, used_bytes=used[one.address]) for one in part.items], next=part.next)


@router.post("/mailboxes", response={201: MailboxMade}, summary="Make a mailbox; `reference` by those who sell")
@needs("mailboxes:write")
@idempotent
def mailbox_new(request: HttpRequest, data: MailboxIn) -> Any:
    """By those who run the domain; 422 at the field that the plan, the disk or the rules for addresses and passwords refuse."""
    caller = caller_of(request)
    domain = domain_named(caller, data.domain)
    caller.allow(Action.RUN_DOMAIN, domain)
    check_rank(caller, domain, data.local)
    if data.reference:
        caller.allow(Action.CHANGE_DOMAIN, domain)
    mailbox, password = mailboxes.create_mailbox(
        domain=domain,
        local=data.local,
        by=caller.actor,
        name=data.name,
        password=data.password or "",
        quota_bytes=data.quota_bytes,
        recovery_address=data.recovery_address,
        reference=data.reference,
        **data.dict(include=STATES, exclude_unset=True),
    )
    return Status(201, MailboxMade.of(mailbox, used_bytes=0, password=None if data.password else password))


@router.get("/mailboxes/{mailbox_id}", response=MailboxOut, summary="A mailbox")
@needs("mailboxes:read")
def mailbox_get(request: HttpRequest, mailbox_id: int) -> Any:
    """By its owner and those who run it."""
    return _shown(mailbox_by(caller_of(request), mailbox_id, Action.SEE_MAILBOX))


@router.patch("/mailboxes/{mailbox_id}", response=MailboxOut, summary="Change what is given, all of it or nothing")
@needs("mailboxes:write")
@fails(409)
def mailbox_change(request: HttpRequest, mailbox_id: int, data: MailboxChange) -> Any:
    """By its owner, as far as it is theirs, and those who run it; what is left out stays."""
    caller = caller_of(request)
    mailbox = use_there(caller, mailbox_id)
    given = data.dict(exclude_unset=True, exclude={"current_password"})
    if not may(caller.person, Action.RUN_MAILBOX, mailbox) and given.keys() - OWNERS:
        raise PermissionDenied(_("its owner changes the name and the address for a new password alone"))
    if "reference" in given:
        caller.allow(Action.CHANGE_DOMAIN, mailbox.domain)
    if mailbox.address == caller.person.email and not given.get("imap", True):
        raise ValidationError({"imap": _("You would shut yourself out: ask somebody else who runs this mailbox.")})
    if given.get("recovery_address", mailbox.recovery_address) != mailbox.recovery_address:
        confirm_own(request, mailbox, data.current_password)
    states = {name: given.pop(name, getattr(mailbox, name)) for name in mailboxes.SUSPENDED}
    with transaction.atomic():
        if "reference" in given:
            set_reference(thing=mailbox, reference=given.pop("reference"), by=caller.actor)
        if given:
            mailboxes.change_mailbox(mailbox=mailbox, by=caller.actor, **given)
        mailboxes.suspend(mailbox=mailbox, by=caller.actor, **states)
    return _now(mailbox)


@router.delete("/mailboxes/{mailbox_id}", response=MailboxOut, summary="Delete it; it can be had back for a while")
@needs("mailboxes:write")
def mailbox_delete(request: HttpRequest, mailbox_id: int) -> Any:
    """By those who run it; its sessions end, its mail stays for the days of the plan."""
    caller = caller_of(request)
    mailbox = run_mailbox(caller, mailbox_id)
    mailboxes.delete(mailbox=mailbox, by=caller.actor)
    return _now(mailbox)


@router.post("/mailboxes/{mailbox_id}/restore", response=MailboxOut, summary="Have a deleted mailbox back")
@needs("mailboxes:write")
@idempotent
def mailbox_restore(request: HttpRequest, mailbox_id: int) -> Any:
    """By those who run it; 422 where the plan has no room for it."""
    caller = caller_of(request)
    mailbox = run_mailbox(caller, mailbox_id)
    mailboxes.restore(mailbox=mailbox, by=caller.actor)
    return _now(mailbox)


@router.post(
    "/mailboxes/{mailbox_id}/purge", response={204: None}, summary="Remove a deleted mailbox and its mail for good"
)
@needs("mailboxes:write")
@fails(409, 503)
def mailbox_purge(request: HttpRequest, mailbox_id: int, data: PurgeIn) -> Any:
    """By those who run it, once it is deleted."""
    caller = caller_of(request)
    mailbox = run_mailbox(caller, mailbox_id)
    if known_address(data.address) != mailbox.address:
        raise ValidationError({"address": _("This is not the mailbox's address.")})
    if mailbox.deleted is None:
        raise Problem(409, _("Only a deleted mailbox can be removed for good."))
    if not purging.purge(mailbox=mailbox, by=caller.actor):
        raise Problem(503, _("The mail server did not remove the mail. Nothing was changed; try again later."))
    return Status(204, None)


@router.post("/mailboxes/{mailbox_id}/rename", response=MailboxOut, summary="Another address; its mail stays")
@needs("mailboxes:write")
@idempotent
def mailbox_rename(request: HttpRequest, mailbox_id: int, data: RenameIn) -> Any:
    """By those who run it; 422 for an address that is taken."""
    caller = caller_of(request)
    mailbox = run_there(caller, mailbox_id)
    check_rank(caller, mailbox.domain, data.local)
    mailboxes.rename(mailbox=mailbox, local=data.local, keep_alias=data.keep_alias, by=caller.actor)
    return _now(mailbox)


@router.post("/mailboxes/{mailbox_id}/password", response=PasswordOut, summary="A new password; open sessions end")
@needs("mailboxes:write")
@idempotent
def mailbox_password(request: HttpRequest, mailbox_id: int, data: PasswordIn) -> Any:
    """By its owner, with the one until now, and those who run it."""
    caller = caller_of(request)
    mailbox = use_there(caller, mailbox_id)
    if is_own(caller, mailbox) and not data.password:
        raise ValidationError({"password": _("Choose the new password: none is made for one's own mailbox.")})
    confirm_own(request, mailbox, data.current_password)
    password = data.password or generate_password()
    mailboxes.set_password(mailbox=mailbox, password=password, by=caller.actor, everywhere=data.everywhere)
    return PasswordOut(password=None if data.password else password)


@router.post(
    "/mailboxes/{mailbox_id}/password-link",
    response=LinkOut,
    summary="A link with which a new password can be set once, for a day",
)
@needs("mailboxes:write")
@idempotent
@fails(503)
def mailbox_password_link(request: HttpRequest, mailbox_id: int, data: LinkIn) -> Any:
    """By those who run it, not for their own; five an hour at most."""
    caller = caller_of(request)
    mailbox = run_there(caller, mailbox_id)
    if is_own(caller, mailbox):
        raise PermissionDenied(_("for one's own mailbox the password until now is needed"))
    if data.send and not mailbox.recovery_address:
        raise ValidationError({"send": _("The mailbox has no address for a new password.")})
    if not take_both(request, "link", caller.person.pk, mailbox.pk):
        raise TooManyRequests(3600)
    sent, link = resets.offer_link(mailbox=mailbox, by=caller.actor, send=data.send)
    if data.send and not sent:
        raise Problem(503, _("No mail server took the letter. Try again later."))
    return LinkOut(sent=sent, link=link or None)


@router.post(
    "/mailboxes/{mailbox_id}/sign-in-link",
    response=EntranceOut,
    summary="A link that signs its owner into the web, once and within a minute",
)
@needs("sign-in:write")
@fails(409)
def mailbox_sign_in_link(request: HttpRequest, mailbox_id: int) -> Any:
    """By those who run it; 403 where its owner runs something here, or has other mailboxes too."""
    caller = caller_of(request)
    mailbox = run_there(caller, mailbox_id)
    if not (mailbox.is_open and mailbox.imap):
        raise Problem(409, _("The mailbox is suspended or deleted."))
    return EntranceOut(link=make_entrance(mailbox=mailbox, by=caller.actor))


# --- Forwards, sending ------------------------------------------------------------------------------------------------------
@router.get("/mailboxes/{mailbox_id}/forwards", response=Forwards, summary="Where its mail is sent on to")
@needs("mailboxes:read")
def forwards_get(request: HttpRequest, mailbox_id: int) -> Any:
    """By its owner and those who run it."""
    return _forwards(mailbox_by(caller_of(request), mailbox_id, Action.SEE_MAILBOX))


@router.put(
    "/mailboxes/{mailbox_id}/forwards", response=Forwards, summary="Send its mail on, with or without keeping it"
)
@needs("mailboxes:write")
@fails(409)
def forwards_set(request: HttpRequest, mailbox_id: int, data: ForwardsIn) -> Any:
    """Replaces all of them; the owner sends the mailbox's password."""
    caller = caller_of(request)
    mailbox = use_there(caller, mailbox_id)
    confirm_own(request, mailbox, data.current_password)
    change: dict[str, Any] = data.dict(exclude={"current_password"})
    forwards.set_forwards(mailbox=mailbox, by=caller.actor, **change)
    return _forwards(Mailbox.objects.get(pk=mailbox.pk))


@router.patch(
    "/mailboxes/{mailbox_id}/forwards", response=Forwards, summary="Change where its mail is sent on to, or copies"
)
@needs("mailboxes:write")
@fails(409)
def forwards_change(request: HttpRequest, mailbox_id: int, data: ForwardsChange) -> Any:
    """What is left out stays; the owner sends the mailbox's password."""
    caller = caller_of(request)
    mailbox = use_there(caller, mailbox_id)
    confirm_own(request, mailbox, data.current_password)
    with transaction.atomic():
        lock_customer(mailbox.domain.customer_id)
        there = _forwards(Mailbox.objects.get(pk=mailbox.pk))
        change: dict[str, Any] = there.dict() | data.dict(exclude={"current_password"}, exclude_unset=True)
        forwards.set_forwards(mailbox=mailbox, by=caller.actor, **change)
    return _forwards(Mailbox.objects.get(pk=mailbox.pk))


@router.get("/mailboxes/{mailbox_id}/sending", response=SendingOut, summary="To how many it may send today, and has")
@needs("mailboxes:read")
def mailbox_sending(request: HttpRequest, mailbox_id: int) -> Any:
    """By its owner and those who run it; null where the plan has no limit."""
    allowance = allowance_of(mailbox_by(caller_of(request), mailbox_id, Action.SEE_MAILBOX))
    if allowance is None:
        return SendingOut(limit=None, sent=0, left=None)
    return SendingOut(limit=allowance.limit, sent=allowance.sent, left=allowance.left)


def _now(mailbox: Mailbox) -> MailboxOut:
    return _shown(Mailbox.objects.select_related("account").get(pk=mailbox.pk))


def _shown(mailbox: Mailbox) -> MailboxOut:
    return MailboxOut.of(mailbox, used_bytes=used_by([mailbox])[mailbox.address])


def _forwards(mailbox: Mailbox) -> Forwards:
    addresses = list(mailbox.forwards.order_by("address").values_list("address", flat=True))
    return Forwards(addresses=addresses, keeps_copy=mailbox.keeps_copy)
