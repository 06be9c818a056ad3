"""A role of PostgreSQL for Dovecot and Postfix: it reads the views, writes how much each mailbox holds, and sees nothing else."""

from __future__ import annotations

import re

from django.db import connection

from accounts.provisioning.views import VIEWS

USAGE = "mail_usage"
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_SECRET = re.compile(r"[A-Za-z0-9_-]+")


def grant_mail_role(name: str, password: str) -> None:
    """Makes the role, or gives it this password, and grants just what it needs. On SQLite there are no roles: nothing is done.
    Raises ValueError for a name or a password that is no plain word."""
    if connection.vendor != "postgresql":
        return
    if not _NAME.fullmatch(name) or not _SECRET.fullmatch(password):
        raise ValueError("the role's name and password are words without blanks or quotes")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        cursor.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{password}' NOSUPERUSER NOCREATEDB NOCREATEROLE")
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}")
        cursor.execute(f"GRANT SELECT ON {', '.join(VIEWS)} TO {name}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE ON {USAGE} TO {name}")
