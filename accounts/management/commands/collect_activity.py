"""`manage.py collect_activity`: counts from the mail servers' logs which programs use which mailbox, and what they do there."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from accounts.services.activity import Collector, Overtaken, sending

log = logging.getLogger(__name__)
PAUSE_S = 1.0
TROUBLE_PAUSE_S = 5.0


class Command(BaseCommand):
    help = (
        "Reads the logs of Dovecot (DOVECOT_LOG) and Postfix (POSTFIX_LOG) on from where they were read last, until it is "
        "ended. One of it runs."
    )
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end at the end of the log")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DOVECOT_LOG:
            raise CommandError("DOVECOT_LOG does not say where the log is.")
        if options["once"]:
            _read_on(until_end=True)
            return
        while True:
            try:
                _read_on(until_end=False)
            except (DatabaseError, OSError, Overtaken) as error:
                log.warning("activity: %s; goes on in %s s", type(error).__name__, TROUBLE_PAUSE_S)
                connection.close()
                time.sleep(TROUBLE_PAUSE_S)


def _read_on(*, until_end: bool) -> None:
    collectors = [Collector(Path(settings.DOVECOT_LOG))]
    if settings.POSTFIX_LOG:
        collectors.append(sending(Path(settings.POSTFIX_LOG)))
    try:
        while True:
            if sum(collector.step() for collector in collectors):
                continue
            if until_end:
                return
            time.sleep(PAUSE_S)
    finally:
        for collector in collectors:
            collector.close()
