"""Tokens with which other people's panels act for somebody: made, found, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApiReply, ApiToken, Customer, Mailbox, User
from accounts.services.audit import Actor, record_person
from accounts.services.names import clean_name
from accounts.vault import digest_of

AREAS = ("customers", "domains", "mailboxes", "people", "usage", "changes", "sign-in")
"""What a token may be good for: reading (`mailboxes:read`), or reading and changing (`mailboxes:write`). Usage and the log of
changes are read only; who signs owners in has nothing to read by that."""
SCOPES = (
    *(f"{area}:{how}" for area in AREAS[:4] for how in ("read", "write")),
    *(f"{area}:read" for area in AREAS[4:6]),
    "sign-in:write",
)
PREFIX = "casilla_"
MOST = 50
NAME_MAX = 60
SEEN_S = 60
"""So often at most it is written down that a token was used."""
REPLY_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Made:
    """A new token: its row, and the text that is shown this one time."""

    row: ApiToken
    token: str


@transaction.atomic
def make_token(
    *,
    person: User,
    name: str,
    scopes: Collection[str],
    by: Actor,
    customer: Customer | None = None,
    expires: datetime | None = None,
) -> Made:
    """A token of 256 random bits. Raises ValidationError at `name` or `scopes`."""
    name = clean_name(name, blank=False, most=NAME_MAX)
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValidationError({"scopes": _("Choose what the token may do.")})
    User.objects.select_for_update().get(pk=person.pk)  # two requests at once do not pass the limit
    if ApiToken.objects.filter(person=person).count() >= MOST:
        raise ValidationError({"name": _("There are too many tokens already: revoke one first.")})
    token = PREFIX + secrets.token_urlsafe(32)
    values = {"digest": digest_of(token), "start": token[:12], "scopes": sorted(scopes)}
    try:
        with transaction.atomic():
            row = ApiToken.objects.create(person=person, name=name, customer=customer, expires=expires, **values)
    except IntegrityError as error:
        raise ValidationError({"name": _("There is a token of this name already.")}) from error
    record_person(by=by, verb="token.make", person=person, after={"token": name, "scopes": ", ".join(sorted(scopes))})
    return Made(row, token)


@transaction.atomic
def revoke_token(row: ApiToken, *, by: Actor) -> None:
    """Makes a token worth nothing from the next request on."""
    record_person(by=by, verb="token.revoke", person=row.person, before={"token": row.name})
    row.delete()


def forget_tokens(mailbox: Mailbox, *, by: Actor) -> None:
    """Revokes the tokens of the person whose mailbox it is."""
    for row in ApiToken.objects.select_related("person").filter(person__email=mailbox.address):
        revoke_token(row, by=by)


def find_token(token: str, *, origin: str) -> ApiToken | None:
    """The token, if it is good now and its person active; notes that it was used."""
    if not token.startswith(PREFIX) or len(token) > 100:
        return None
    now = timezone.now()
    row = ApiToken.objects.select_related("person", "customer").filter(digest=digest_of(token)).first()
    if row is None or not row.person.is_active or (row.expires and row.expires <= now):
        return None
    own = Mailbox.objects.select_related("domain__customer").filter(address=row.person.email).first()
    if own is not None and not own.is_open:
        return None  # who may not sign in does not act through a panel either
    if row.last_at is None or row.last_at < now - timedelta(seconds=SEEN_S) or row.last_origin != origin:
        ApiToken.objects.filter(pk=row.pk).update(last_at=now, last_origin=origin)
    return row


def forget_replies() -> int:
    """Removes answers that are older than a day; gives how many."""
    return ApiReply.objects.filter(created__lt=timezone.now() - REPLY_AGE).delete()[0]
