"""Receipts that others ask for: whether one is asked for, and the answer, given by hand and once (RFC 8098, RFC 3503)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import MailAccount
from webmail.errors import Gone, Refused
from webmail.mime.addresses import parse_addresses
from webmail.mime.build import check_recipient, new_message_id
from webmail.mime.headers import decode_header, make_safe
from webmail.mime.recipients import ascii_email, compare_key
from webmail.mime.report import first_fields, first_id, mdn
from webmail.models import ReceiptAnswer
from webmail.services import sending
from webmail.services.identities import allowed_addresses, identity_for
from webmail.sources.base import MailSource
from webmail.values import Address, Flag, Folder, Ref, Role

ASKED = "Disposition-Notification-To"
ASKERS_LIMIT = 5
"""To more addresses than this no receipt is sent: one click must not become many messages."""
UNASKED = frozenset({Role.SENT, Role.DRAFTS, Role.TEMPLATES, Role.JUNK, Role.TRASH})
SUBJECT_LIMIT, ORIGINAL_LIMIT = 300, 800


@dataclass(frozen=True, slots=True)
class ReceiptRequest:
    """A receipt that is asked for: to whom it would go, for which of one's own addresses, and, when that is not where the
    message came from, from where it did ("" when it is the same)."""

    to: tuple[Address, ...]
    reader: str
    came_from: str
    original_recipient: str = ""

    @property
    def emails(self) -> str:
        """To which addresses it would go."""
        return ", ".join(person.email for person in self.to)


def find_request(raw_header: bytes, flags: frozenset[str], role: Role, own: Sequence[str]) -> ReceiptRequest | None:
    """The request for a receipt in a header (RFC 8098 section 2.1), None where there is none to answer: on what one wrote
    oneself, in folders of spam or of deleted mail, from mailing lists, on reports, once it was answered ($MDNSent, RFC 3503),
    or with an option that must be understood (section 2.2). `own` are one's addresses, the first the main one."""
    fields = first_fields(raw_header)
    to = tuple(dict.fromkeys(parse_addresses(fields.get(ASKED.lower(), b""))[0]))
    if not to or len(to) > ASKERS_LIMIT or any(check_recipient(person.email) for person in to):
        return None
    mine = {compare_key(address) for address in own}
    senders = [person.email for person in parse_addresses(fields.get("from", b""))[0]]
    if role in UNASKED or _is_answered(flags) or _is_automatic(fields) or mine & set(map(compare_key, senders)):
        return None
    people = parse_addresses(fields.get("to", b""))[0] + parse_addresses(fields.get("cc", b""))[0]
    reader = next((person.email for person in people if compare_key(person.email) in mine), own[0])
    if check_recipient(reader):
        return None  # an account without a whole address cannot say who it is
    original = decode_header(fields.get("original-recipient", b""))[:ORIGINAL_LIMIT]
    return ReceiptRequest(to, reader, _came_from(fields, senders, to), original)


def _is_answered(flags: frozenset[str]) -> bool:
    return any(flag.lower() in {"$mdnsent", "mdnsent"} for flag in flags)


def _is_automatic(fields: Mapping[str, bytes]) -> bool:
    """Whether a list or a program sent it, or it must not be answered by us."""
    listed = any(name.startswith("list-") or name in {"mailing-list", "x-mailing-list"} for name in fields)
    bulk = decode_header(fields.get("precedence", b"")).strip().lower() in {"bulk", "list", "junk"}
    required = b"required" in fields.get("disposition-notification-options", b"").lower()
    return listed or bulk or required or b"multipart/report" in fields.get("content-type", b"").lower()


def _came_from(fields: Mapping[str, bytes], senders: Sequence[str], to: Sequence[Address]) -> str:
    """Where the message came from, if the receipt would not go just there: the envelope's sender, which our server wrote
    down, and what is shown as From. Only the domain is compared without regard to case (RFC 8098 section 2.1)."""
    envelope = [person.email for person in parse_addresses(fields.get("return-path", b""))[0] if person.email]
    asked = {_exact(person.email) for person in to}
    for place in (envelope[:1], senders[:1]):
        if place and asked != {_exact(place[0])}:
            return place[0]
    return ""


def _exact(email: str) -> str:
    local, _at, domain = email.rpartition("@")
    return f"{local}@{domain.lower()}"


def answer_receipt(
    *, account: MailAccount, source: MailSource, folder: Folder, ref: Ref, send: bool, secret: str | None
) -> bool:
    """Sends the receipt, or decides that none is sent; False when nobody asks for one (any more). The mark comes first: a
    crash leaves a receipt unsent, but never one that is sent twice. Raises MailError, and then nothing was answered."""
    flags = source.flags([ref])
    if ref not in flags:
        raise Gone("the message is not there any more")
    header = source.header(ref)
    request = find_request(header, flags[ref], folder.role, allowed_addresses(account))
    if request is None:
        return False
    fields = first_fields(header)
    raw, message_id, subject = _build(account, request, fields)
    with suppress(Refused):  # a server without keywords, or a folder that cannot be changed: our own row is enough
        source.set_flags([ref], add=[Flag.MDN_SENT])
    key = _key(ref, decode_header(fields.get("message-id", b"")))
    with transaction.atomic():
        _row, new = ReceiptAnswer.objects.get_or_create(account=account, key=key, defaults={"sent": send})
        if new and send:
            sending.enqueue(
                account=account,
                raw=raw,
                sender="",
                recipients=[ascii_email(person.email) for person in request.to],
                subject=subject,
                message_id=message_id,
                send_at=timezone.now(),
                secret=secret,
                keep_copy=False,
            )
    return new


def _build(account: MailAccount, request: ReceiptRequest, fields: Mapping[str, bytes]) -> tuple[bytes, str, str]:
    """(octets, Message-ID, subject) of the receipt."""
    identity = identity_for(account, [Address("", request.reader)])
    about = make_safe(decode_header(fields.get("subject", b"")))[:SUBJECT_LIMIT]
    subject = _("Read: %(subject)s") % {"subject": about}
    text = _(
        "Your message “%(subject)s” to %(who)s was displayed. This does not say that its content was read or understood."
    )
    message_id = new_message_id(request.reader, secrets.token_hex(16))
    raw = mdn(
        reader=Address(make_safe(identity.name if identity else account.owner.name), request.reader),
        to=request.to,
        subject=subject,
        text=text % {"subject": about, "who": request.reader} + "\n",
        original_id=first_id(fields.get("message-id", b"")),
        original_recipient=request.original_recipient,
        date=timezone.now(),
        message_id=message_id,
    )
    return raw, message_id, subject


def is_answered(account: MailAccount, ref: Ref, message_id: str) -> bool:
    """Whether a message was answered here, whatever its server remembers."""
    return ReceiptAnswer.objects.filter(account=account, key=_key(ref, message_id)).exists()


def _key(ref: Ref, message_id: str) -> str:
    """What names a message wherever it is: its Message-ID, or its place when it has none."""
    name = first_id(message_id.encode("utf-8", "replace")) or f"{ref.validity}.{ref.id} {ref.folder}"
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
