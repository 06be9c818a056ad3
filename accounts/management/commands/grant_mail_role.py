"""`manage.py grant_mail_role`: the role of PostgreSQL with which the mail servers read (accounts/provisioning/grants.py)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.provisioning.grants import grant_mail_role


class Command(BaseCommand):
    help = "Makes the database role MAIL_DB_USER with the password MAIL_DB_PASSWORD; does nothing on SQLite."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", default=settings.MAIL_DB_USER)

    def handle(self, *args: Any, **options: Any) -> None:
        grant_mail_role(options["role"], settings.MAIL_DB_PASSWORD)
