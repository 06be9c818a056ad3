"""Sessions of the web pages."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from accounts.models.people import User


class Session(AbstractBaseSession):
    """A session, with the person who signed in (None before), so that a request finds both in one question. It ends with the
    person. Without a constraint of the database: a request that saves its session while its person is removed is no error."""

    user = models.ForeignKey(User, models.CASCADE, null=True, db_constraint=False, related_name="+")

    @classmethod
    def get_session_store_class(cls) -> Any:
        from accounts.sessions import SessionStore

        return SessionStore
