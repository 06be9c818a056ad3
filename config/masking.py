"""Masks of CSRF tokens in a fraction of the work: Django asks the system for each of the 32 letters, and looks for each of 128 in
the alphabet from its beginning, at every page with a form."""

from __future__ import annotations

import secrets

from django.middleware import csrf

LETTERS = csrf.CSRF_ALLOWED_CHARS
LENGTH = csrf.CSRF_SECRET_LENGTH
_EVEN = 256 - 256 % len(LETTERS)
"""Octets below this stand for each letter equally often."""
_TABLE = bytes(ord(LETTERS[octet % len(LETTERS)]) for octet in range(256))
_UNEVEN = bytes(range(_EVEN, 256))
_TWICE = LETTERS * 2
_PLACES = {letter: place for place, letter in enumerate(LETTERS)}


def mask_quickly() -> None:
    """For a process that serves pages. To be called before the first of them."""
    made = {
        "_get_new_csrf_string": new_string,
        "_mask_cipher_secret": mask_secret,
        "_unmask_cipher_token": unmask_token,
    }
    for name, function in made.items():
        getattr(csrf, name)  # AttributeError: this Django has it elsewhere
        setattr(csrf, name, function)


def new_string() -> str:
    """Random letters, a mask or a secret."""
    found = b""
    while len(found) < LENGTH:
        found += secrets.token_bytes(2 * LENGTH).translate(_TABLE, _UNEVEN)
    return found[:LENGTH].decode("ascii")


def mask_secret(secret: str) -> str:
    """A token that holds this secret, masked anew."""
    mask = new_string()
    return mask + "".join([_TWICE[_PLACES[one] + _PLACES[other]] for one, other in zip(secret, mask, strict=False)])


def unmask_token(token: str) -> str:
    """The secret of a token."""
    pairs = zip(token[LENGTH:], token[:LENGTH], strict=False)
    return "".join([LETTERS[_PLACES[one] - _PLACES[other]] for one, other in pairs])
