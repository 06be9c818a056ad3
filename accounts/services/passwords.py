"""Passwords of mailboxes: how strong a new one must be, one that is made, and the link that sets one."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn_rs_py import Feedback, zxcvbn

from accounts.models import Mailbox, User
from accounts.services.brand import look
from accounts.services.permissions import Action, may, may_take_over

SHORTEST = 8
LONGEST = 128
JUDGED = 72
"""So many characters are judged: zxcvbn's time grows with the square (the worst of this length takes 0.4 s of processor), and
more make no password weaker."""
LINK_AGE_S = 24 * 3600
SALT = "accounts.mailbox-password"
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is read wrongly: i, l, o, 0, 1."""
GROUPS, GROUP = 5, 4


def generate_password() -> str:
    """Twenty random characters in groups that can be read out: 99 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _at in range(GROUP)) for _group in range(GROUPS))


def check_password_strength(password: str, *, known: Iterable[str] = ()) -> None:
    """Raises ValidationError at `password` for one that is too short, too long, holds what no keyboard types, or is guessed
    too soon; `known` is what belongs to the person (address, name) and is guessed first."""
    if len(password) < SHORTEST:
        raise ValidationError({"password": _("At least 8 characters.")})
    if len(password) > LONGEST:
        raise ValidationError({"password": _("At most 128 characters.")})
    if password != password.strip() or any(unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"} for char in password):
        raise ValidationError({"password": _("No blanks at the ends and no control characters.")})
    words = [word.lower() for text in known for word in [text, *text.replace("@", ".").replace(" ", ".").split(".")]]
    judged = zxcvbn(password[:JUDGED], [word for word in words if word])
    if int(judged.score) < settings.PASSWORD_SCORE:
        raise ValidationError({"password": _reason(judged.feedback)})


def known_words(mailbox: Mailbox) -> list[str]:
    """What belongs to a mailbox and is guessed first: its address, its name, its customer, and who runs the service."""
    return [mailbox.address, mailbox.name, mailbox.domain.customer.name, look().name]


def _reason(feedback: Feedback | None) -> str:
    """Why a password is weak, in our own words; zxcvbn's are English."""
    text = str(feedback.warning).lower() if feedback else ""
    if "common" in text or "similar" in text:
        return _("Too easy to guess: it is like passwords that many use. Add words that do not belong together.")
    if "name" in text or "word by itself" in text:
        return _("Too easy to guess: it is a name or a single word. Add words that do not belong together.")
    if "keys" in text or "keyboard" in text or "sequence" in text or "repeat" in text:
        return _("Too easy to guess: it is a row of keys or a repetition. Add words that do not belong together.")
    if "date" in text or "year" in text:
        return _("Too easy to guess: it is a date. Add words that do not belong together.")
    return _("Too easy to guess. Make it longer: several words that do not belong together are good.")


Holder = Mailbox | User
"""Whose password it is: a mailbox's, or that of a person without one."""


def make_link_token(holder: Holder, *, by: int | None = None) -> str:
    """A token with which a new password can be set once, for a day: it dies with the password that it is about, and with the
    power over it of who made it (`by`, a person's key; None: its owner asked for it)."""
    kind = "m" if isinstance(holder, Mailbox) else "p"
    return signing.TimestampSigner(salt=SALT).sign(f"{kind}.{holder.pk}.{_mark(holder)}.{by or ''}")


def holder_of_token(token: str) -> Holder | None:
    """Whose password a token is about that is still good, else None."""
    try:
        kind, pk, mark, by = signing.TimestampSigner(salt=SALT).unsign(token, max_age=LINK_AGE_S).split(".")
    except (signing.BadSignature, ValueError):
        return None
    holder: Holder | None
    if kind == "m":
        rows = Mailbox.objects.select_related("domain__customer__plan").filter(deleted__isnull=True)
        holder = rows.filter(pk=int(pk)).first()
    else:
        holder = User.objects.filter(pk=int(pk), is_active=True).first()
    if holder is None or not secrets.compare_digest(mark, _mark(holder)):
        return None
    if by and isinstance(holder, Mailbox):
        maker = User.objects.filter(pk=int(by), is_active=True).first()
        if maker is None or not may(maker, Action.RUN_MAILBOX, holder) or not may_take_over(maker, holder):
            return None
    return holder


def holder_of_address(address: str) -> tuple[Holder, str] | None:
    """Whose password somebody has forgotten who signs in with this address, and where a link for a new one may go: to the
    other address of a mailbox, to the own of a person without one. None when there is no such way."""
    mailbox = Mailbox.objects.filter(address=address).first()
    if mailbox is not None:
        known = mailbox.recovery_address if mailbox.active and not mailbox.deleted else ""
        return (mailbox, known) if known else None
    person = User.objects.filter(email=address, is_active=True).first()
    return (person, person.email) if person and person.has_usable_password() else None


def _mark(holder: Holder) -> str:
    if isinstance(holder, Mailbox):
        bound = f"{holder.password}|{holder.recovery_address}|{holder.address}"
    else:
        bound = f"{holder.password}|{holder.email}"
    return hashlib.sha256(bound.encode()).hexdigest()[:24]
