"""Postfix's policy delegation protocol (SMTPD_POLICY_README): `name=value` lines up to an empty one, answered by `action=...`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

QUESTION_LIMIT_BYTES = 16_384
IDLE_S = 600.0
"""Postfix lets a connection go after five minutes (smtpd_policy_service_max_idle)."""
Decide = Callable[[dict[str, str]], str]
AWAY = "DUNNO"

log = logging.getLogger(__name__)


async def serve(decide: Decide, *, host: str, port: int, pool: Executor) -> asyncio.Server:
    """A server that answers every question with what `decide` makes of it, in a thread of the pool. When that fails the
    answer is AWAY: mail goes on while the database is not there."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while asked := await asyncio.wait_for(_question(reader), IDLE_S):
                try:
                    action = await loop.run_in_executor(pool, decide, asked)
                except Exception:
                    log.exception("a policy question was not answered")
                    action = AWAY
                writer.write(f"action={action}\n\n".encode())
                await writer.drain()
        except (ValueError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            log.info("a policy connection ended: %s", type(error).__name__)
        finally:
            writer.close()

    return await asyncio.start_server(meet, host, port, limit=QUESTION_LIMIT_BYTES)


async def _question(reader: asyncio.StreamReader) -> dict[str, str]:
    """One question; empty when the connection has ended. Raises ValueError for one that is too long."""
    asked: dict[str, str] = {}
    size = 0
    while line := await reader.readline():
        size += len(line)
        if size > QUESTION_LIMIT_BYTES:
            raise ValueError("a question too long")
        name, equals, value = line.decode("utf-8", "replace").rstrip("\r\n").partition("=")
        if not name and not equals:
            return asked
        asked[name] = value
    return {}
