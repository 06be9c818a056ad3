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
from zxcvbn import zxcvbn

from accounts.models import Mailbox

SHORTEST = 8
LONGEST = 128
JUDGED = 72
"""So many characters are judged: zxcvbn's time grows with the square, and more make no password weaker."""
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
    judged = zxcvbn(password[:JUDGED], user_inputs=[word for word in words if word])
    if judged["score"] < settings.PASSWORD_SCORE:
        raise ValidationError({"password": _reason(judged["feedback"]["warning"])})


def known_words(mailbox: Mailbox) -> list[str]:
    return [mailbox.address, mailbox.name, mailbox.domain.customer.name, settings.SITE_NAME]


def _reason(warning: str) -> str:
    """Why a password is weak, in our own words; zxcvbn's are English."""
    text = warning.lower()
    if "common" in text or "similar" in text:
        return _("Too easy to guess: it is like passwords that many use. Add words that do not belong together.")
    if "name" in text or "word by itself" in text:
        return _("Too easy to guess: it is a name or a single word. Add words that do not belong together.")
    if "keys" in text or "keyboard" in text or "sequence" in text or "repeat" in text:
        return _("Too easy to guess: it is a row of keys or a repetition. Add words that do not belong together.")
    if "date" in text or "year" in text:
        return _("Too easy to guess: it is a date. Add words that do not belong together.")
    return _("Too easy to guess. Make it longer: several words that do not belong together are good.")


def make_link_token(mailbox: Mailbox) -> str:
    """A token with which a new password can be set once, for a day: it dies with the password that it is about."""
    return signing.TimestampSigner(salt=SALT).sign(f"{mailbox.pk}.{_mark(mailbox)}")


def mailbox_of_token(token: str) -> Mailbox | None:
    """The mailbox of a token that is still good, else None."""
    try:
        pk, _dot, mark = signing.TimestampSigner(salt=SALT).unsign(token, max_age=LINK_AGE_S).partition(".")
    except signing.BadSignature:
        return None
    mailbox = Mailbox.objects.select_related("domain__customer__plan").filter(pk=int(pk), deleted__isnull=True).first()
    return mailbox if mailbox and secrets.compare_digest(mark, _mark(mailbox)) else None


def _mark(mailbox: Mailbox) -> str:
    return hashlib.sha256(f"{mailbox.password}|{mailbox.recovery_address}|{mailbox.address}".encode()).hexdigest()[:24]
