"""Passwords of hosted mailboxes: one hash, made by Django, read by Dovecot through the view mail_users."""

from __future__ import annotations

import secrets

from argon2.low_level import Type, hash_secret
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


BATCH_COST = (2, 19_456, 1)
"""Rounds, KiB and lanes: the least that OWASP asks of Argon2id, for passwords that people chose and thousands of which come at
once. In tests no more than any other."""
RANDOM_COST = (1, 512, 1)
"""For passwords of 99 random bits, which need no costly hash."""


def hash_batch_password(password: str) -> str:
    """The hash of a password out of a list of many."""
    rounds, memory, lanes = BATCH_COST
    return _argon2(password, (rounds, min(memory, settings.ARGON2_MEMORY_KIB), lanes))


def hash_random_password(password: str) -> str:
    """The hash of a password that was made here at random; never of one that somebody chose."""
    return _argon2(password, RANDOM_COST)


def _argon2(password: str, cost: tuple[int, int, int]) -> str:
    salt = secrets.token_urlsafe(16).encode()
    return "argon2" + hash_secret(password.encode(), salt, *cost, 32, Type.ID).decode()
