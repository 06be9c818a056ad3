"""Passwords of hosted mailboxes: one hash, made by Django, read by Dovecot through the view mail_users."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher


class PasswordHasher(Argon2PasswordHasher):
    """Django's, at the cost of settings.ARGON2_TIME_COST and ARGON2_MEMORY_KIB; it checks hashes of any other cost too."""

    @property
    def time_cost(self) -> int:  # type: ignore[override]
        return int(settings.ARGON2_TIME_COST)

    @property
    def memory_cost(self) -> int:  # type: ignore[override]
        return int(settings.ARGON2_MEMORY_KIB)


def hash_mailbox_password(password: str) -> str:
    """The Argon2id hash of a password as Django writes it, "argon2$argon2id$v=19$m=...": Dovecot's {ARGON2ID} is the
    same text from the second dollar sign on."""
    hasher = PasswordHasher()
    return hasher.encode(password, hasher.salt())


def check_mailbox_password(password: str, encoded: str) -> bool:
    """Whether the password is the one that was hashed; False too for a hash of any other kind."""
    if not encoded.startswith("argon2$argon2id$"):
        return False
    return PasswordHasher().verify(password, encoded)
