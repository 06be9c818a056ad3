"""Addresses of folders and messages, put together from pieces: a page has a dozen of them, and Django works each out anew."""

from __future__ import annotations

from functools import lru_cache

from django.urls import get_script_prefix, reverse

from webmail.values import FolderId, Ref

KEPT = 4_096
_VALIDITY, _UID = 9_876_543_210, "zq0uid0qz"


def account_address(name: str, account_id: int) -> str:
    """The address of something of an account."""
    return _account(get_script_prefix(), name, account_id)


def folder_address(name: str, account_id: int, folder: FolderId) -> str:
    """The address of something of a folder."""
    return _folder(get_script_prefix(), name, account_id, folder)


def message_address(name: str, account_id: int, ref: Ref) -> str:
    """The address of something of one message, as `reverse` gives it."""
    if not (ref.id.isascii() and ref.id.isalnum()):
        kwargs = {"account_id": account_id, "folder_id": ref.folder, "validity": ref.validity, "uid": ref.id}
        return reverse(name, kwargs=kwargs)
    before, between, after = _message(get_script_prefix(), name, account_id, ref.folder)
    return f"{before}{ref.validity}{between}{ref.id}{after}"


@lru_cache(KEPT)
def _account(prefix: str, name: str, account_id: int) -> str:
    return reverse(name, args=[account_id])


@lru_cache(KEPT)
def _folder(prefix: str, name: str, account_id: int, folder: FolderId) -> str:
    return reverse(name, args=[account_id, folder])


@lru_cache(KEPT)
def _message(prefix: str, name: str, account_id: int, folder: FolderId) -> tuple[str, str, str]:
    """What stands before the validity, between that and the UID, and after it. They stand in the address behind the folder, in
    which nothing can look like them: they are looked for from the end."""
    kwargs = {"account_id": account_id, "folder_id": folder, "validity": _VALIDITY, "uid": _UID}
    before, _validity, rest = reverse(name, kwargs=kwargs).rpartition(str(_VALIDITY))
    between, _uid, after = rest.partition(_UID)
    return before, between, after
