"""`manage.py collect_activity`: counts from the mail server's log which programs use which mailbox."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from accounts.services.activity import Collector, Overtaken

log = logging.getLogger(__name__)
PAUSE_S = 1.0
TROUBLE_PAUSE_S = 5.0


class Command(BaseCommand):
    help = "Reads the log of Dovecot (DOVECOT_LOG) on from where it was read last, until it is ended. One of it runs."
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end at the end of the log")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DOVECOT_LOG:
            raise CommandError("DOVECOT_LOG does not say where the log is.")
        path = Path(settings.DOVECOT_LOG)
        if options["once"]:
            _read_on(path, until_end=True)
            return
        while True:
            try:
                _read_on(path, until_end=False)
            except (DatabaseError, OSError, Overtaken) as error:
                log.warning("activity: %s; goes on in %s s", type(error).__name__, TROUBLE_PAUSE_S)
                connection.close()
                time.sleep(TROUBLE_PAUSE_S)


def _read_on(path: Path, *, until_end: bool) -> None:
    collector = Collector(path)
    try:
        while True:
            if collector.step():
                continue
            if until_end:
                return
            time.sleep(PAUSE_S)
    finally:
        collector.close()
