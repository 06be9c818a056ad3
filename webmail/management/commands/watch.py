"""`manage.py watch`: holds IDLE or NOTIFY for the mailboxes that are open in a browser."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from webmail.live.files import raise_file_limit
from webmail.live.watcher import ACCOUNTS, Watcher
from webmail.services.live import watch_target

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Watches the mailboxes that are open in a browser, until it is ended. Any number of it share them."
    requires_system_checks = []  # they load every page, which it needs none of: 33 MiB in every watcher

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--accounts", type=int, default=ACCOUNTS, help="how many it watches at most")

    def handle(self, *args: Any, **options: Any) -> None:
        raise_file_limit()
        asyncio.run(_run(options["accounts"]))


async def _run(limit: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watcher = Watcher(settings.REDIS_URL, watch_target, limit=limit)
    log.info("live: watcher %s is ready.", watcher.name)
    await watcher.run(stop)
