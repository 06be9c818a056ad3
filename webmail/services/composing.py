"""Writing a message: a composer is begun, kept here and in the server's Drafts folder, and sent or thrown away."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import MailAccount
from accounts.services.sending_limit import allowance_of
from webmail.errors import Gone, OverQuota, Unreachable
from webmail.mime.build import build_message, check_recipient, new_message_id, parse_recipients
from webmail.mime.headers import header_value, make_safe, parse_headers
from webmail.mime.recipients import ascii_email
from webmail.models import Composing, Outgoing
from webmail.services import sending
from webmail.services.contacts import remember
from webmail.services.identities import change_identity, default_identity, usable
from webmail.services.organising import special_folder
from webmail.services.written import draft_of
from webmail.sources.base import MailSource
from webmail.values import Address, Flag, Ref, Role

FIELDS = ("to", "cc", "bcc", "subject", "text", "html")
RESCUE_AFTER = timedelta(minutes=1)
SLACK = timedelta(seconds=2)
KEEP, KEEP_UNTOUCHED = timedelta(days=30), timedelta(days=1)
LIMITS = {"to": 200_000, "cc": 200_000, "bcc": 200_000, "subject": 2_000, "text": 2_000_000, "html": 4_000_000}


@dataclass(frozen=True, slots=True)
class Problem:
    """What stands between a message and its sending: a code, and whom or what it is about. Codes: nobody, syntax, no-domain,
    too-long, control, uploading, past, far."""

    code: str
    about: str = ""


class AlreadySent(Exception):
    """Another request has sent it just now."""


def new_composing(account: MailAccount) -> Composing:
    """An empty composer, not yet in the database."""
    identity = default_identity(account)
    address = identity.address if identity else account.address
    message_id = new_message_id(address, secrets.token_hex(16))
    return Composing(account=account, identity=identity, plain=account.owner.write_plain, message_id=message_id)


def fill(composing: Composing, data: Mapping[str, str]) -> bool:
    """Takes over what stands in the fields; True when that changed something. It is not saved yet."""
    before = [getattr(composing, name) for name in (*FIELDS, "plain", "receipt", "quote", "identity_id")]
    if data.get("scriptless") == "1" and _lines(data.get("text", "")) != _lines(composing.text):
        data = {**data, "html": ""}  # without the editor only the text can have been changed
    for name in FIELDS:
        if name in data:
            setattr(composing, name, data[name].replace("\0", "")[: LIMITS[name]])
    composing.subject = make_safe(composing.subject.replace("\n", " "))
    composing.plain = data.get("plain") == "1" if "plain" in data else composing.plain
    composing.receipt = data.get("receipt") == "1"
    if data.get("drop_quote") == "1":
        composing.quote = composing.quote_intro = ""
    if "identity" in data:
        _choose_identity(composing, data["identity"], signed=data.get("signed"))
    return before != [getattr(composing, name) for name in (*FIELDS, "plain", "receipt", "quote", "identity_id")]


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


def _choose_identity(composing: Composing, wanted: str, *, signed: str | None) -> None:
    """Writes as another identity, "" being the account itself. `signed` is the one whose signature stands in the text: where
    a script has put it there, it stays as it is now."""
    identity = next((one for one in usable(composing.account) if str(one.pk) == wanted), None)
    if (wanted and identity is None) or identity == composing.identity:
        return
    if signed == wanted:
        composing.identity = identity
    else:
        change_identity(composing, identity)


def save_draft(composing: Composing, source: MailSource) -> bool:
    """Puts the text into the server's Drafts folder: the new copy first, then the old one goes, if it is still this draft.
    True when another program had changed it in the meantime: both are kept. Whatever the server says, the text is in the
    database; `failed` tells why it is not on the server. Raises nothing but LoginRefused, and Gone when the composer was
    thrown away in the meantime: then its draft is too."""
    try:
        raw = build_message(
            draft_of(composing), date=timezone.now(), message_id=composing.message_id, keep_bcc=True, draft_headers=True
        )
        old = composing.draft
        conflict = old is not None and not _is_ours(source, old, composing.message_id)
        folder = special_folder(source, Role.DRAFTS)
        new = source.append(folder.id, raw, flags=[Flag.DRAFT], received=timezone.now())
        if old is not None and not conflict:
            source.delete([old])
    except (OverQuota, Unreachable, Gone) as error:
        composing.failed = {OverQuota: "full", Gone: "gone"}.get(type(error), "down")
        _update(composing, ["failed", "changed"])
        return False
    composing.draft = new or _found(source, folder.id, composing.message_id)
    composing.failed, composing.saved = "", timezone.now()
    try:
        keep(composing)
    except Gone:
        if composing.draft is not None:
            source.delete([composing.draft])
        raise
    return conflict


def keep(composing: Composing) -> None:
    """Saves what stands in a composer, but not whether it is sent: two requests at once may not undo each other's word.
    Raises Gone when it was thrown away in the meantime."""
    _update(composing, {field.name for field in Composing._meta.concrete_fields} - {"id", "closed", "outgoing"})


def _update(composing: Composing, names: Collection[str]) -> None:
    try:
        composing.save(update_fields=names)
    except DatabaseError as error:
        if Composing.objects.filter(pk=composing.pk).exists():
            raise
        raise Gone("the composer was thrown away") from error


def composer_of(account: MailAccount, draft: Ref) -> Composing | None:
    """The composer that this draft comes from, one that is still written in before others."""
    found = Composing.objects.filter(account=account, draft_uid=draft.id, draft_validity=draft.validity)
    return next((one for one in found.order_by("closed", "-changed") if one.draft == draft), None)


def composer_named(account: MailAccount, message_id: str) -> Composing | None:
    """The composer of the message with this Message-ID: a page may still show a draft that was saved anew since."""
    found = Composing.objects.filter(account=account, message_id=message_id[:400]).order_by("closed", "-changed")
    return found.first() if message_id else None


def is_under_way(composing: Composing) -> bool:
    """Whether its message is waiting, being sent, or sent: then there is nothing to write or to send any more."""
    over = {Outgoing.State.FAILED, Outgoing.State.DOUBT, Outgoing.State.CANCELLED}
    return bool(composing.closed and composing.outgoing and composing.outgoing.state not in over)


def _is_ours(source: MailSource, ref: Ref, message_id: str) -> bool:
    """Whether a draft is still there and still the one that we wrote or took over; mutt's have no Message-ID, and then its UID
    alone vouches for it (RFC 3501 section 2.3.1.1)."""
    try:
        headers, _defects = parse_headers(source.header(ref))
    except Gone:
        return False
    return header_value(headers, "Message-ID").strip() in {"", message_id}


def _found(source: MailSource, folder: object, message_id: str) -> Ref | None:
    """The draft again, on a server that tells no UID of what it takes (no UIDPLUS)."""
    refs = source.find(folder, message_id)  # type: ignore[arg-type]
    return refs[-1] if refs else None


def everybody(composing: Composing) -> list[Address]:
    """All to whom it is to go."""
    return [person for name in ("to", "cc", "bcc") for person in parse_recipients(getattr(composing, name))]


def problems(composing: Composing) -> list[Problem]:
    """What has to be put right before it can be sent."""
    found = recipient_problems(everybody(composing))
    if any(not upload.whole for upload in composing.uploads.all()):
        found.append(Problem("uploading"))
    return found


def recipient_problems(everybody: Sequence[Address]) -> list[Problem]:
    """What is wrong with those to whom a message is to go."""
    found = [] if everybody else [Problem("nobody")]
    for person in everybody:
        code = check_recipient(person.email) if person.email else "syntax"
        if code:
            found.append(Problem(code, person.email or person.name))
    return found


def daily_problems(account: MailAccount, count: int, at: datetime) -> list[Problem]:
    """Whether so many recipients are more than the plan of a hosted mailbox leaves for today, if it goes out today; `about` is
    how many are left."""
    if account.mailbox is None or timezone.localdate(at) != timezone.localdate():
        return []
    allowed = allowance_of(account.mailbox)
    if allowed is None or count <= allowed.left:
        return []
    return [Problem("daily" if allowed.left else "daily-none", str(allowed.left))]


def send(composing: Composing, *, send_at: datetime, secret: str | None) -> Outgoing:
    """Puts the message on its way, once, however often it is asked. The draft stays on the server until it has gone out.
    Raises ValueError when `problems` has any, AlreadySent."""
    if problems(composing):
        raise ValueError("not ready to be sent")
    if not Composing.objects.filter(pk=composing.pk, closed=False).update(closed=True):
        raise AlreadySent
    try:
        return _enqueue(composing, send_at=send_at, secret=secret)
    except BaseException:
        Composing.objects.filter(pk=composing.pk).update(closed=False)
        raise


def _enqueue(composing: Composing, *, send_at: datetime, secret: str | None) -> Outgoing:
    if composing.outgoing:
        sending.dismiss(outgoing=composing.outgoing)  # what failed is taken up again by this
    draft = draft_of(composing)
    raw = build_message(draft, date=send_at, message_id=composing.message_id)
    people = [*draft.to, *draft.cc, *draft.bcc]
    kept = composing.draft
    parent = None if composing.kind == Composing.Kind.NEW else composing.parent
    outgoing = sending.enqueue(
        account=composing.account,
        raw=raw,
        sender=ascii_email(draft.sender.email),
        recipients=[ascii_email(person.email) for person in people],
        subject=composing.subject,
        message_id=composing.message_id,
        send_at=send_at,
        parent=sending.Parent(parent, "forward" if composing.kind == "forward" else "reply") if parent else None,
        draft=sending.Draft(kept, composing.message_id) if kept else None,
        secret=secret,
    )
    composing.outgoing, composing.closed = outgoing, True
    Composing.objects.filter(pk=composing.pk).update(outgoing=outgoing)
    remember(composing.account, people, written=True)
    return outgoing


def reopen(composing: Composing) -> bool:
    """Takes a message back that has not gone out yet; False when it is too late."""
    if composing.outgoing and not sending.cancel(outgoing=composing.outgoing):
        return False
    composing.outgoing, composing.closed = None, False
    Composing.objects.filter(pk=composing.pk).update(outgoing=None, closed=False)  # `changed` is as it was
    return True


def discard(composing: Composing, source: MailSource) -> None:
    """Throws a composer away, with its draft on the server if that is still ours. Raises MailError."""
    old = composing.draft
    if old is not None and _is_ours(source, old, composing.message_id):
        source.delete([old])
    for upload in composing.uploads.all():
        upload.file.delete(save=False)
    composing.delete()


def to_rescue(account: MailAccount) -> list[Composing]:
    """Composers whose text is nowhere but here: the server refused it, or the page was closed before it was asked. One in
    which nobody wrote anything is none of them."""
    left = Composing.objects.filter(account=account, closed=False, changed__lt=timezone.now() - RESCUE_AFTER)
    touched = left.filter(changed__gt=F("created") + SLACK).order_by("-changed")
    return [one for one in touched[:20] if one.failed or one.saved is None or one.saved < one.changed - SLACK]


def clear_composing(now: datetime) -> int:
    """Forgets composers that are of no more use, with their files: those that nobody wrote in after a day, those that were
    sent or are safe on the server after a month. The count of them."""
    safe = Q(closed=True) | Q(failed="", saved__gt=F("changed") - SLACK)
    untouched = Q(closed=False, changed__lte=F("created") + SLACK)
    old = Composing.objects.filter(
        (safe & Q(changed__lt=now - KEEP)) | (untouched & Q(changed__lt=now - KEEP_UNTOUCHED))
    )
    count = 0
    for composing in old[:1000]:
        for upload in composing.uploads.all():
            upload.file.delete(save=False)
        composing.delete()
        count += 1
    return count
