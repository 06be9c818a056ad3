"""A message sent on as it is: to others, with its own sender and octets, and the fields that tell who did so.

Thunderbird marks such a message in its own files alone; here it gets $Forwarded, which every program shows.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts.models import MailAccount
from webmail.mime.build import new_message_id, parse_recipients
from webmail.mime.recipients import ascii_email
from webmail.mime.resend import resend_message
from webmail.models import Identity, Outgoing
from webmail.services import sending
from webmail.services.composing import Problem, recipient_problems
from webmail.services.contacts import remember
from webmail.sources.base import MailSource
from webmail.values import Address, PartNumber, Ref

RESEND_LIMIT_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Redirect:
    """To whom a message is sent on, as it was typed, and as whom (None: the account itself)."""

    to: str = ""
    cc: str = ""
    bcc: str = ""
    identity: Identity | None = None

    @property
    def everybody(self) -> list[Address]:
        return [person for text in (self.to, self.cc, self.bcc) for person in parse_recipients(text)]


def problems(wish: Redirect) -> list[Problem]:
    """What has to be put right before it can be sent on."""
    return recipient_problems(wish.everybody)


def redirect_message(
    account: MailAccount, source: MailSource, ref: Ref, wish: Redirect, *, send_at: datetime, secret: str | None
) -> Outgoing | None:
    """Puts the message on its way; None when it is larger than RESEND_LIMIT_BYTES. Raises ValueError when `problems` has any,
    MailError."""
    message = source.message(ref)
    if message.summary.size_bytes > RESEND_LIMIT_BYTES:
        return None
    sender = _sender(account, wish.identity)
    raw = resend_message(
        b"".join(source.part(ref, PartNumber(""))),
        sender=sender,
        to=parse_recipients(wish.to),
        cc=parse_recipients(wish.cc),
        date=timezone.now(),
        message_id=new_message_id(sender.email, secrets.token_hex(16)),
    )
    outgoing = sending.enqueue(
        account=account,
        raw=raw,
        sender=ascii_email(sender.email),
        recipients=_bare(wish.everybody),
        subject=message.summary.subject,
        message_id=message.summary.message_id,
        send_at=send_at,
        parent=sending.Parent(ref, "forward"),
        secret=secret,
    )
    remember(account, wish.everybody, written=True)
    return outgoing


def _sender(account: MailAccount, identity: Identity | None) -> Address:
    return Address(identity.name, identity.address) if identity else Address(account.owner.name, account.address)


def _bare(people: Sequence[Address]) -> list[str]:
    return [ascii_email(person.email) for person in people]
