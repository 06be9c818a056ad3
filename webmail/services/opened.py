"""What an opened message shows, kept for a while for its own account alone: drawn once, it is shown again without asking for it,
reading it or cleaning it anew. What may change (flags, its place in the list) is never part of it."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from functools import cache

from django.conf import settings
from redis import Redis, RedisError

from webmail.services.bodies import KEEP_S
from webmail.values import Ref

logger = logging.getLogger(__name__)

LIMIT_BYTES = 200_000
TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A message as it is shown: subject, who is answered and by which address, Message-ID, whether it came from a mailing list,
    the drawn head and text (`mark` stands in it where the address with images goes), and who is to be remembered as its
    sender: name by address, and when (seconds since 1970)."""

    subject: str
    who: str
    sender: str
    message_id: str
    is_list: bool
    part: str
    mark: str
    heard: dict[str, str]
    moment: float


def keep_opened(account_id: int, ref: Ref, variant: str, opened: Opened) -> None:
    """Keeps it under a variant: whatever it was drawn for (language, zone, theme, day)."""
    value = json.dumps(asdict(opened), separators=(",", ":"))
    if len(value) > LIMIT_BYTES:
        return
    try:
        _redis(settings.REDIS_URL).set(_key(account_id, ref, variant), value, ex=KEEP_S)
    except RedisError:
        logger.warning("Redis does not answer; nothing is kept of an opened message")


def kept_opened(account_id: int, ref: Ref, variant: str) -> Opened | None:
    """What was kept, None when there is nothing."""
    try:
        with _redis(settings.REDIS_URL).pipeline(transaction=False) as pipe:
            pipe.get(_key(account_id, ref, variant))
            value = pipe.execute()[0]
        return Opened(**json.loads(value)) if value else None
    except (RedisError, ValueError, TypeError):
        return None


def _key(account_id: int, ref: Ref, variant: str) -> str:
    name = f"{account_id}\0{ref.folder}\0{ref.validity}\0{ref.id}\0{variant}"
    return "opened:2:" + hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
