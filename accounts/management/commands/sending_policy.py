"""`manage.py sending_policy`: answers Postfix's question whether a mailbox may send to so many recipients more today."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from accounts.provisioning.policy import serve
from accounts.services.sending_limit import answer_policy

THREADS = 4


class Command(BaseCommand):
    help = "Counts what each mailbox sends in a day, for Postfix, until it is ended. One of it runs."
    requires_system_checks = []  # it needs the rows and no page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--port", type=int, default=settings.POLICY_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(_run(options["host"], options["port"]))


async def _run(host: str, port: int) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with ThreadPoolExecutor(THREADS) as pool:
        server = await serve(_decide, host=host, port=port, pool=pool)
        await ended.wait()
        server.close()


def _decide(asked: dict[str, str]) -> str:
    close_old_connections()
    try:
        return answer_policy(asked)
    finally:
        close_old_connections()
