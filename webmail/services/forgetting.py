"""What lies outside the database of accounts that are gone: removed by a daily sweep, whoever removed the account and whatever
was away at that moment. The octets of messages are `storage/blobs.py`'s."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from redis import Redis, RedisError

from accounts.models import MailAccount
from webmail.models import Composing

TIMEOUT_S = 5.0
AT_ONCE = 1_000
SPARE = timedelta(days=1)
"""A file without a row is left alone for so long: its row may be about to come."""
_KEY = re.compile(
    rb"^(?:mail:\w+:(?:store-)?|kept:\w+:|live:(?:marks|own|steps|wish|secret):|casilla:\d+:(?:space|switch-figures):"
    rb"|casilla:\d+:(?:undo|folder-undo):\d+:)(\d+)(?::|$)"
)
"""Keys that name an account. Those of single messages that were opened are digests, and are over in ten minutes."""

log = logging.getLogger(__name__)


def forget_gone() -> int:
    """Removes what Redis keeps of accounts that are gone; gives how many keys. They end by themselves within 30 days, too late
    for rows of lists."""
    here = set(MailAccount.objects.values_list("pk", flat=True))
    removed = 0
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as redis:
            doomed: list[bytes] = []
            for key in redis.scan_iter(count=AT_ONCE):
                match = _KEY.match(key)
                if match and int(match[1]) not in here:
                    doomed.append(key)
            for start in range(0, len(doomed), AT_ONCE):
                removed += int(redis.unlink(*doomed[start : start + AT_ONCE]))
    except RedisError as error:
        log.warning(
            "Redis does not answer; what it keeps of accounts that are gone stays for now: %s", type(error).__name__
        )
    return removed


def clear_uploads() -> int:
    """Removes files of composers that are gone; gives how many."""
    removed = 0
    if not default_storage.exists("uploads"):
        return removed
    here = {str(pk) for pk in Composing.objects.values_list("pk", flat=True)}
    before = timezone.now() - SPARE
    for folder in default_storage.listdir("uploads")[0]:
        if folder in here:
            continue
        for name in default_storage.listdir(f"uploads/{folder}")[1]:
            path = f"uploads/{folder}/{name}"
            if default_storage.get_modified_time(path) < before:
                default_storage.delete(path)
                removed += 1
    return removed
