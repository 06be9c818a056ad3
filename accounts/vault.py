"""Sealing secrets: what is stored is useless without a key that is not stored with it."""

from __future__ import annotations

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE_BYTES = 12
KEY_BITS = 256


class SealBroken(Exception):
    """The seal does not open: another key, another context, or it was changed."""


def seal(plain: str, *, context: str) -> str:
    """Seals a secret for one context ("account:12") with the newest of the vault's keys. Raises ValueError for a context
    that is empty or holds a NUL."""
    if not context or "\0" in context:
        raise ValueError("a context is some text without NUL")
    return _vault().encrypt(f"{context}\0{plain}".encode()).decode("ascii")


def unseal(sealed: str, *, context: str) -> str:
    """The secret again. Raises SealBroken when no key fits, the text was changed, or the context is another."""
    try:
        found, _mark, plain = _vault().decrypt(sealed.encode("ascii", "replace")).decode().partition("\0")
    except InvalidToken as error:
        raise SealBroken("no key of the vault opens this") from error
    if found != context:
        raise SealBroken("sealed for another context")
    return plain


def reseal(sealed: str) -> str:
    """The same secret for the same context, sealed with the newest of the vault's keys. Raises SealBroken when no key fits."""
    try:
        return _vault().rotate(sealed.encode("ascii", "replace")).decode("ascii")
    except InvalidToken as error:
        raise SealBroken("no key of the vault opens this") from error


def _vault() -> MultiFernet:
    if not settings.VAULT_KEYS:
        raise ImproperlyConfigured("VAULT_KEYS is empty: no secret can be sealed.")
    try:
        return MultiFernet([Fernet(key) for key in settings.VAULT_KEYS])
    except ValueError as error:
        raise ImproperlyConfigured("VAULT_KEYS holds something that is not a Fernet key.") from error


def new_half() -> str:
    """A fresh random key for the browser's half of a session seal, in URL-safe base64."""
    return base64.urlsafe_b64encode(AESGCM.generate_key(bit_length=KEY_BITS)).decode("ascii")


def seal_with_half(plain: str, half: str, *, context: str) -> str:
    """Seals a secret with a key that only the browser keeps (AES-256-GCM, the context as associated data); the result is for
    the session."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(base64.urlsafe_b64decode(half)).encrypt(nonce, plain.encode(), context.encode())
    return base64.b64encode(nonce + sealed).decode("ascii")


def unseal_with_half(sealed: str, half: str, *, context: str) -> str:
    """The secret, from both halves. Raises SealBroken when they do not belong together."""
    try:
        raw = base64.b64decode(sealed)
        key = base64.urlsafe_b64decode(half)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the halves do not belong together") from error


def digest_of(secret: str) -> str:
    """What is kept of a token or a device's password, and what is asked for: SHA-256 in hex. Only for what is random and long."""
    return hashlib.sha256(secret.encode()).hexdigest()
