"""Who a mailbox belongs to once its password was right, and the password of a foreign server while a session lasts."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest

from accounts.models import Domain, MailAccount, Mailbox, User
from accounts.services.addresses import known_address
from accounts.standing import find_standing
from accounts.vault import SealBroken, new_half, seal_with_half, unseal_with_half

Server = tuple[str, int, str]
"""Host, port, and "tls", "starttls" or "none"."""

SEALS = "seals"
SEAL_TAG = "seal_tag"
PENDING = "casilla_pending"


class OtherServer(Exception):
    """Somebody typed a server for an address that is known here with another one."""


def clean_address(text: str) -> str:
    """An address as it is stored: lower case, its domain as A-labels. What is no address comes back as it is, but for zero
    octets, which no database can be asked about."""
    text = text.replace("\0", "")
    return known_address(text)


@dataclass(frozen=True, slots=True)
class Known:
    """What an address is here: a mailbox that Casilla hosts, a person who may sign in with a password of their own, somebody of
    one of our domains."""

    mailbox: bool
    person: bool
    domain: bool


def look_up(address: str) -> Known:
    """One question to the database, put together once: every sign-in asks it, mostly for people of other servers."""
    with connection.cursor() as cursor:
        cursor.execute(
            _question(connection.vendor), [address, address, f"{UNUSABLE_PASSWORD_PREFIX}%", address.rpartition("@")[2]]
        )
        return Known(*map(bool, cursor.fetchone()))


@cache
def _question(_vendor: str) -> str:
    mailbox, user, domain = (connection.ops.quote_name(model._meta.db_table) for model in (Mailbox, User, Domain))
    return (
        f"SELECT EXISTS (SELECT 1 FROM {mailbox} WHERE address = %s),"  # noqa: S608 - names of our own tables
        f" EXISTS (SELECT 1 FROM {user} WHERE email = %s AND password NOT LIKE %s),"
        f" EXISTS (SELECT 1 FROM {domain} WHERE name = %s)"
    )


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


def account_of_server(*, address: str, login: str, imap: Server, smtp: Server, typed: bool = False) -> MailAccount:
    """The account of a mailbox on another server that has just accepted the password.

    A server that the person typed vouches only for who came from it before: raises OtherServer when the address is known
    with another one. (Anybody can run a server that says yes to every password.)
    """
    known = _known_by(address)
    if known and _values(known) == (None, login, *imap, *smtp):
        return known  # as at most sign-ins: nothing is written
    return _account_of_server(known, address=address, login=login, imap=imap, smtp=smtp, typed=typed)


def _known_by(address: str) -> MailAccount | None:
    """The account of this address that belongs to the person of the same address."""
    with connection.cursor() as cursor:
        cursor.execute(_person_question(connection.vendor), [address])
        found = cursor.fetchone()
    standing = find_standing(found[0]) if found else None
    return next((one for one in standing.accounts if one.address == address), None) if standing else None


@cache
def _person_question(_vendor: str) -> str:
    quote = connection.ops.quote_name
    return f"SELECT id FROM {quote(User._meta.db_table)} WHERE email = %s"  # noqa: S608 - a name of ours


def _values(account: MailAccount) -> tuple[Any, ...]:
    imap = (account.imap_host, account.imap_port, account.imap_tls)
    return account.mailbox_id, account.login, *imap, account.smtp_host, account.smtp_port, account.smtp_tls


@transaction.atomic
def _account_of_server(
    known: MailAccount | None, *, address: str, login: str, imap: Server, smtp: Server, typed: bool
) -> MailAccount:
    if typed and known and (known.hosted or known.imap_host != imap[0]):
        raise OtherServer(address)
    defaults: dict[str, Any] = {"login": login, "mailbox": None}
    defaults |= dict(zip(("imap_host", "imap_port", "imap_tls"), imap, strict=True))
    defaults |= dict(zip(("smtp_host", "smtp_port", "smtp_tls"), smtp, strict=True))
    same = known is not None and known.imap_host == imap[0]
    owner = known.owner if known and same else _person(address, "")
    account, _made = MailAccount.objects.update_or_create(owner=owner, address=address, defaults=defaults)
    return account


def end_sessions(*, person: User) -> None:
    """Signs a person without a password of their own out everywhere: the hash that every session carries changes."""
    if not person.has_usable_password():
        person.set_unusable_password()
        person.save(update_fields=["password"])


def _person(address: str, name: str) -> User:
    """The person of an address. Whoever was known by it before may be somebody else (a mailbox deleted and made anew, a
    server that was only claimed), so all sessions end."""
    user = User.objects.filter(email=address).first()
    if user is None:
        with suppress(IntegrityError), transaction.atomic():
            return User.objects.create_user(address, None, name=name)
        user = User.objects.get(email=address)  # who signed in for the first time twice at once
    end_sessions(person=user)
    return user


def seal_cookie() -> str:
    """The name of the cookie that holds the browser's half."""
    return "__Host-casilla_seal" if settings.HTTPS else "casilla_seal"


def note_password(request: HttpRequest, *, account_id: int, password: str) -> None:
    """Keeps a password that a foreign server has just accepted until this request seals it."""
    setattr(request, PENDING, (account_id, password))


def seal_noted_password(request: HttpRequest) -> str | None:
    """Puts the noted password into the session, sealed with a new key, and gives that key: it is for the browser's cookie
    alone. None when nothing was noted. The seal also holds the account and this session's own tag, so that it opens
    nowhere else; the tag outlives the change of the session's key at sign-in."""
    noted = getattr(request, PENDING, None)
    if noted is None:
        return None
    delattr(request, PENDING)
    account_id, password = noted
    half = new_half()
    request.session[SEAL_TAG] = secrets.token_urlsafe(16)
    request.session[SEALS] = {str(account_id): seal_with_half(password, half, context=_context(request, account_id))}
    return half


def sealed_password(request: HttpRequest, *, account_id: int) -> str:
    """The password that this session and this browser hold together. Raises SealBroken when one half is missing."""
    sealed = request.session.get(SEALS, {}).get(str(account_id))
    half = request.COOKIES.get(seal_cookie())
    if not sealed or not half:
        raise SealBroken("a half is missing")
    return unseal_with_half(sealed, half, context=_context(request, account_id))


def _context(request: HttpRequest, account_id: int) -> str:
    return f"account:{account_id}:session:{request.session.get(SEAL_TAG, '')}"
