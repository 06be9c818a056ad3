"""Seals: what goes in comes out, and only with the right key, context and half."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from accounts.vault import SealBroken, new_half, seal, seal_with_half, unseal, unseal_with_half

KEYS = [Fernet.generate_key().decode() for _ in range(3)]
secrets = st.text(st.characters(codec="utf-8"), max_size=200)
contexts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)


@given(secrets, contexts)
def test_a_sealed_secret_comes_out_as_it_went_in(plain: str, context: str) -> None:
    with override_settings(VAULT_KEYS=KEYS):
        sealed = seal(plain, context=context)
        assert unseal(sealed, context=context) == plain
        assert len(plain) < 4 or plain not in sealed


@given(secrets, contexts, contexts)
def test_another_context_does_not_open_it(plain: str, context: str, other: str) -> None:
    with override_settings(VAULT_KEYS=KEYS):
        sealed = seal(plain, context=context)
        if context != other:
            with pytest.raises(SealBroken):
                unseal(sealed, context=other)


@given(secrets, st.data())
def test_a_changed_seal_does_not_open(plain: str, data: Any) -> None:
    with override_settings(VAULT_KEYS=KEYS):
        raw = bytearray(base64.urlsafe_b64decode(seal(plain, context="account:1")))
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] ^= data.draw(st.integers(1, 255))
        with pytest.raises(SealBroken):
            unseal(base64.urlsafe_b64encode(raw).decode(), context="account:1")


@given(st.text(max_size=200))
def test_what_was_never_sealed_is_refused_not_crashed_on(text: str) -> None:
    with override_settings(VAULT_KEYS=KEYS), pytest.raises(SealBroken):
        unseal(text, context="account:1")


def test_old_keys_open_what_they_sealed_and_new_ones_seal(settings: Any) -> None:
    settings.VAULT_KEYS = KEYS[:1]
    old = seal("clave", context="account:1")
    settings.VAULT_KEYS = [KEYS[1], KEYS[0]]
    assert unseal(old, context="account:1") == "clave"
    new = seal("clave", context="account:1")
    settings.VAULT_KEYS = KEYS[1:2]
    assert unseal(new, context="account:1") == "clave"
    with pytest.raises(SealBroken):
        unseal(old, context="account:1")


@pytest.mark.parametrize("keys", [[], ["not-a-key"], ["YQ=="]])
def test_a_vault_without_good_keys_says_so(settings: Any, keys: list[str]) -> None:
    settings.VAULT_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="VAULT_KEYS"):
        seal("clave", context="account:1")


@pytest.mark.parametrize("context", ["", "a\0b"])
def test_a_context_that_could_be_confused_is_refused(settings: Any, context: str) -> None:
    settings.VAULT_KEYS = KEYS
    with pytest.raises(ValueError, match="context"):
        seal("clave", context=context)


@given(secrets, contexts)
def test_both_halves_open_it(plain: str, context: str) -> None:
    half = new_half()
    assert unseal_with_half(seal_with_half(plain, half, context=context), half, context=context) == plain


@given(secrets, contexts, contexts)
def test_neither_another_half_nor_another_context_opens_it(plain: str, context: str, other: str) -> None:
    half = new_half()
    sealed = seal_with_half(plain, half, context=context)
    with pytest.raises(SealBroken):
        unseal_with_half(sealed, new_half(), context=context)
    if context != other:
        with pytest.raises(SealBroken):
            unseal_with_half(sealed, half, context=other)


@given(st.text(max_size=80), st.text(max_size=80))
def test_forged_halves_are_refused_not_crashed_on(sealed: str, half: str) -> None:
    with pytest.raises(SealBroken):
        unseal_with_half(sealed, half, context="account:1")


def test_the_same_secret_is_never_sealed_twice_alike(settings: Any) -> None:
    half = new_half()
    assert seal_with_half("x", half, context="c") != seal_with_half("x", half, context="c")
    assert new_half() != half
