"""Logging in where it is the question whether that can be done: at sign-in, and when an account is set up."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from webmail.imap.connection import Connection
from webmail.imap.login import connect
from webmail.imap.pool import Key, pool
from webmail.values import Credentials, Endpoint

_SALT = os.urandom(16)


def check_login(endpoint: Endpoint, credentials: Credentials, *, ca_file: str = "") -> None:
    """Logs in and out again. Raises LoginRefused, Unreachable or CertificateRefused; Refused where LOGIN is no command."""
    connect(endpoint, credentials, ca_file=ca_file).close()


class Login:
    """A connection that has logged in, of an account that is not known yet."""

    def __init__(self, connection: Connection, endpoint: Endpoint, credentials: Credentials) -> None:
        self._connection, self._endpoint, self._credentials = connection, endpoint, credentials
        self.kept = False

    def keep_for(self, account_key: str) -> None:
        """The first page of the account finds it open."""
        pool.adopt(pool_key(self._endpoint, self._credentials, account_key), self._connection)
        self.kept = True


@contextmanager
def logged_in(endpoint: Endpoint, credentials: Credentials, *, ca_file: str = "") -> Iterator[Login]:
    """Logs in, and out again unless the connection is kept. Raises what `check_login` raises."""
    connection = connect(endpoint, credentials, ca_file=ca_file)
    login = Login(connection, endpoint, credentials)
    try:
        yield login
    finally:
        if not login.kept:
            connection.close()


def pool_key(endpoint: Endpoint, credentials: Credentials, account_key: str) -> Key:
    """Under what the pool keeps the connections of an account: who may use them knows the password."""
    secret = hashlib.sha256(_SALT + credentials.password.encode("utf-8", "surrogatepass")).digest()
    return Key(endpoint, (account_key, credentials.login, secret))
