"""Sessions: rows of the database. A request reads its own together with the person who signed in (accounts/standing.py)."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core import signing
from django.utils.crypto import get_random_string

from accounts.models import Session

KEPT = 2_048
"""Sessions whose signature a process remembers to be right."""


class SessionStore(DatabaseStore):
    """A session, written once when it is new."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._is_new = False

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        user_id = str(data.get(SESSION_KEY, ""))
        row.user_id = int(user_id) if user_id.isdecimal() else None
        return row

    def create(self) -> None:
        """A new session, which is written when it is saved: Django writes it here as well, to see that nobody has its key, and
        asks for it before. A key of 32 characters is nobody else's; were it, saving would fail."""
        self._session_key = get_random_string(32, VALID_KEY_CHARS)
        self._is_new = self.modified = True

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
        is_new, self._is_new = self._is_new, False
        super().save(must_create or is_new)

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        """What a row holds; nothing where the signature is wrong."""
        try:
            return dict(json.loads(_verified(str(session_data), self.key_salt)))
        except (signing.BadSignature, ValueError):
            return {}

    def loaded(self, session_data: str | None) -> None:
        """Takes what its row holds from a question that was asked already; None: there is no such session any more."""
        if session_data is None:
            self._session_key = None
        self._session_cache = {} if session_data is None else self.decode(session_data)


class _Text:
    """In place of a serializer: the octets themselves."""

    @staticmethod
    def loads(data: bytes) -> bytes:
        return data


@lru_cache(KEPT)
def _verified(session_data: str, salt: str) -> bytes:
    """The JSON of a row. Raises BadSignature."""
    octets: bytes = signing.loads(session_data, salt=salt, serializer=_Text)  # type: ignore[arg-type]
    return octets
