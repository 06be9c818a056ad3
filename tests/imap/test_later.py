"""What is kept for the next time is written when a source is closed, and earlier when it is much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from accounts.redis_line import ask
from webmail.sources.later import MOST_BYTES, Later

pytestmark = pytest.mark.server


@pytest.fixture
def server(redis: Any) -> Iterator[Redis]:
    client = Redis.from_url(redis.environment()["REDIS_URL"])
    yield client
    client.close()


def test_what_waits_is_bounded_and_all_of_it_arrives(server: Redis) -> None:
    later, name = Later(server), uuid4().hex
    keys = [f"{name}:{number}".encode() for number in range(40)]
    for key in keys:
        later.keep(key, key * (MOST_BYTES // 10 // len(key)), 60)
        assert sum(len(later.waiting(one) or b"") for one in keys) <= MOST_BYTES
    later.flush()
    assert [value and len(value) > MOST_BYTES // 11 for value in ask(server, ("MGET", *keys))[0]] == [True] * 40
    server.delete(*keys)


def test_a_page_is_written_once(server: Redis) -> None:
    later, key = Later(server), uuid4().bytes
    later.keep(key, b"x" * (MOST_BYTES // 2), 60)
    assert server.get(key) is None
    later.flush()
    assert ask(server, ("GETDEL", key)) != [None]  # on the connection that wrote it, so after it
