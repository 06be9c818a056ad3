"""Deleted mailboxes, removed for good: nothing of them stays but the lines of the log. What webmail keeps outside the database is
removed by its daily sweep (webmail/services/forgetting.py)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import MailAccount, Mailbox, MailboxUsage, User
from accounts.provisioning import doveadm
from accounts.services.audit import SYSTEM, Actor, record


def purge(*, mailbox: Mailbox, by: Actor = SYSTEM) -> bool:
    """Removes a deleted mailbox and its mail for good. False when the mail server did not remove the mail: the row stays then,
    for another try."""
    if mailbox.deleted is None:
        raise ValueError("only a deleted mailbox can be removed for good")
    local, _at, domain = mailbox.address.rpartition("@")
    try:
        doveadm.remove_mail(mailbox.address)
        doveadm.remove_home(mailbox.address, mailbox.home or f"{domain}/{local}")
    except doveadm.DoveadmFailed:
        return False
    with transaction.atomic():
        record(by=by, verb="mailbox.purge", thing=mailbox)
        account = MailAccount.objects.filter(mailbox=mailbox).select_related("owner").first()
        address = mailbox.address
        mailbox.delete()  # with its account: what Casilla kept of it
        MailboxUsage.objects.filter(username=address).delete()
        if account:
            _let_go(account.owner, address)
    return True


def purge_old() -> int:
    """Removes for good what was deleted longer ago than its plan keeps it; gives how many mailboxes."""
    rows = Mailbox.objects.filter(deleted__isnull=False).select_related("domain__customer__plan")
    now = timezone.now()
    old = [
        one
        for one in rows
        if one.deleted and one.deleted + timedelta(days=one.domain.customer.plan.retention_days) <= now
    ]
    return sum(purge(mailbox=one) for one in old)


def _let_go(owner: User, address: str) -> None:
    """Removes the person whose mailbox it was, with mailboxes of other servers that they had added, which nobody could open any
    more: who gets the address anew signs in as somebody new. Who has another mailbox here goes on under that address, who
    has a password of their own or a role stays. Sessions go with the person."""
    if owner.has_usable_password() or owner.is_superuser or owner.roles.exists():
        return
    other = owner.mail_accounts.filter(mailbox__isnull=False).order_by("pk").first()
    if other is None:
        owner.delete()
        return
    if owner.email == address and not User.objects.filter(email=other.address).exists():
        owner.email = other.address
        owner.save(update_fields=["email"])
