"""Tasks that end together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 0.2


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels tasks until each has ended. Once is not always enough: `wait_for` of Python 3.11, through which redis-py sends,
    loses a cancellation that comes as its work is done (CPython issue 86296)."""
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _done, left = await asyncio.wait(left, timeout=AGAIN_S)
