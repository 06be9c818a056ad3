"""Changes that can still be taken back: kept for a quarter of an hour, for one person and one account."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django.core.cache import cache

from webmail.services.organising import Undo
from webmail.values import FolderId, Ref

KEEP_S = 900


def keep(user_id: int, account_id: int, undo: Undo) -> str:
    """Keeps an undo; gives the token that takes it out once."""
    token = secrets.token_urlsafe(16)
    packed = (_pack(undo.before), _pack(undo.now), undo.gained, undo.lost)
    cache.set(_key(user_id, account_id, token), packed, KEEP_S)
    return token


def take(user_id: int, account_id: int, token: str) -> Undo | None:
    """The undo of a token, once; None when it has run out or was taken."""
    key = _key(user_id, account_id, token)
    packed: Any = cache.get(key)
    if packed is None or not cache.delete(key):
        return None
    before, now, gained, lost = packed
    return Undo(_unpack(before), _unpack(now), gained, lost)


def _pack(refs: Sequence[Ref]) -> list[tuple[str, int, str]]:
    """Refs in short: (folder, validity, ids) for each run of one folder."""
    runs = groupby(refs, key=lambda ref: (str(ref.folder), ref.validity))
    return [(folder, validity, " ".join(ref.id for ref in run)) for (folder, validity), run in runs]


def _unpack(runs: list[tuple[str, int, str]]) -> tuple[Ref, ...]:
    return tuple(Ref(FolderId(folder), validity, id_) for folder, validity, ids in runs for id_ in ids.split())


def _key(user_id: int, account_id: int, token: str) -> str:
    return f"undo:{user_id}:{account_id}:{token[:40]}"
