"""CSRF tokens are masked as Django masks them."""

from __future__ import annotations

from collections import Counter

from django.middleware import csrf
from hypothesis import given
from hypothesis import strategies as st

from config.masking import LENGTH, LETTERS, mask_secret, new_string, unmask_token

SECRETS = st.text(LETTERS, min_size=LENGTH, max_size=LENGTH)


@given(secret=SECRETS)
def test_django_reads_what_is_masked_here_and_the_other_way_round(secret: str) -> None:
    token = mask_secret(secret)
    assert len(token) == csrf.CSRF_TOKEN_LENGTH
    assert csrf._unmask_cipher_token(token) == unmask_token(token) == secret
    assert unmask_token(csrf._mask_cipher_secret(secret)) == secret
    assert mask_secret(secret) != token


def test_no_letter_of_a_mask_is_likelier_than_another() -> None:
    found = Counter("".join(new_string() for _turn in range(4_000)))
    assert set(found) == set(LETTERS)
    assert max(found.values()) < 1.2 * min(found.values())
