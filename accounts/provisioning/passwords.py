"""Passwords of hosted mailboxes: one hash, made by Django, read by Dovecot through the view mail_users."""

from __future__ import annotations

import base64
import re
import secrets

from argon2 import Type
from argon2.low_level import hash_secret_raw
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from nacl.pwhash import argon2id


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


def even_out(password: str, encoded: str) -> None:
    """Does what a hash at today's cost takes beyond that of `encoded`. Refusing a password takes as long for a cheaper hash, or
    for none, as for an address that nobody has (for which one is computed): so the time does not tell which is there."""
    hasher = PasswordHasher()
    work_kib = hasher.time_cost * hasher.memory_cost - _work_kib(encoded)
    if work_kib <= 0:
        return
    cost = {"time_cost": hasher.time_cost, "memory_cost": max(work_kib // hasher.time_cost, 8 * hasher.parallelism)}
    secret, salt = password.encode(), secrets.token_bytes(argon2id.SALTBYTES)
    hash_secret_raw(secret, salt, **cost, parallelism=hasher.parallelism, hash_len=32, type=Type.ID)


def _work_kib(encoded: str) -> int:
    """Rounds times KiB of an Argon2id hash; 0 for any other."""
    found = _COST.match(encoded)
    return int(found["memory"]) * int(found["rounds"]) if found else 0


_COST = re.compile(r"argon2\$argon2id\$v=19\$m=(?P<memory>\d+),t=(?P<rounds>\d+),p=")

BATCH_COST = (5, 7_168)
"""Rounds and KiB, in one lane: of the five costs that OWASP holds to be equal, and the least for Argon2id, the one that takes the
least time here; for passwords that people chose and thousands of which come at once. In tests no more than any other."""
RANDOM_COST = (1, 512)
"""For passwords of 99 random bits, which need no costly hash."""


def hash_batch_password(password: str) -> str:
    """The hash of a password out of a list of many."""
    rounds, memory = BATCH_COST
    return _argon2(password, (rounds, min(memory, settings.ARGON2_MEMORY_KIB)))


def hash_random_password(password: str) -> str:
    """The hash of a password that was made here at random; never of one that somebody chose."""
    return _argon2(password, RANDOM_COST)


def _argon2(password: str, cost: tuple[int, int]) -> str:
    """By libsodium, which takes two thirds of the processor time of argon2-cffi (it uses AVX2 and AVX-512 where they are) and
    lets other threads work meanwhile. The hash is the same, written as RFC 9106's reference code writes it."""
    rounds, memory_kib = cost
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    digest = argon2id.kdf(32, password.encode(), salt, opslimit=rounds, memlimit=memory_kib * 1024)
    return f"argon2$argon2id$v=19$m={memory_kib},t={rounds},p=1${_plain64(salt)}${_plain64(digest)}"


def _plain64(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()
