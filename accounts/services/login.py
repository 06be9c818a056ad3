"""Who a mailbox belongs to once its password was right."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import MailAccount, Mailbox, User


@transaction.atomic
def account_of_mailbox(mailbox: Mailbox) -> MailAccount:
    """The account of a hosted mailbox, made with its person at the first sign-in."""
    account = MailAccount.objects.select_related("owner").filter(mailbox=mailbox).first()
    if account:
        return account
    owner = _person(mailbox.address, mailbox.name)
    account, _made = MailAccount.objects.update_or_create(
        owner=owner, address=mailbox.address, defaults={"mailbox": mailbox, "login": mailbox.address}
    )
    return account


@transaction.atomic
def account_of_server(
    *, address: str, login: str, imap: tuple[str, int, str], smtp: tuple[str, int, str]
) -> MailAccount:
    """The account of a mailbox on another server that has just accepted the password; each server is host, port, tls."""
    defaults: dict[str, Any] = {"login": login, "mailbox": None}
    defaults |= dict(zip(("imap_host", "imap_port", "imap_tls"), imap, strict=True))
    defaults |= dict(zip(("smtp_host", "smtp_port", "smtp_tls"), smtp, strict=True))
    account, _made = MailAccount.objects.update_or_create(
        owner=_person(address, ""), address=address, defaults=defaults
    )
    return account


def _person(address: str, name: str) -> User:
    user = User.objects.filter(email=address).first()
    return user or User.objects.create_user(address, None, name=name)
