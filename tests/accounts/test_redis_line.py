"""A thread's own connection to Redis: answers in order, a connection that ended is opened again, threads never mix."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import ConnectionError, ResponseError

from accounts.redis_line import OWED, ask, tell

pytestmark = pytest.mark.server


@pytest.fixture
def server(redis: Any) -> Iterator[Redis]:
    client = Redis.from_url(redis.environment()["REDIS_URL"], socket_timeout=20)
    yield client
    client.close()


def test_answers_come_in_order_and_a_refused_one_stands_among_them(server: Redis) -> None:
    key = uuid4().hex
    set_, refused, got = ask(server, ("SET", key, b"\0\xff", "EX", 60), ("INCR", key), ("GET", key))
    assert (set_, got) == (b"OK", b"\0\xff")
    assert isinstance(refused, ResponseError)
    assert ask(server, ("MGET", key, key + "none")) == [[b"\0\xff", None]]


def test_a_kept_connection_that_ended_is_opened_again(server: Redis) -> None:
    number = ask(server, ("CLIENT", "ID"))[0]
    assert ask(server, ("CLIENT", "ID")) == [number]
    server.client_kill_filter(_id=number)
    key = uuid4().hex
    assert ask(server, ("SET", key, b"there", "EX", 60), ("GET", key)) == [b"OK", b"there"]
    assert ask(server, ("CLIENT", "ID")) != [number]


def test_redis_that_is_away_is_told_and_no_answer_is_left_for_the_next(server: Redis) -> None:
    with pytest.raises(ConnectionError):
        ask(Redis(host="127.0.0.1", port=1, socket_connect_timeout=2), ("PING",))
    assert ask(server, ("ECHO", "one")) == [b"one"]


def test_threads_have_connections_of_their_own(server: Redis) -> None:
    def echo(word: str) -> tuple[int, set[bytes]]:
        return ask(server, ("CLIENT", "ID"))[0], {ask(server, ("ECHO", word))[0] for _ in range(50)}

    words = [uuid4().hex for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(echo, words))
    assert [answers for _number, answers in found] == [{word.encode()} for word in words]


def test_what_is_told_leaves_no_answer_to_the_next_question(server: Redis) -> None:
    key = uuid4().hex
    tell(server, ("SET", key, b"told", "EX", 60), ("INCR", key))
    assert ask(server, ("GET", key), ("ECHO", "one")) == [b"told", b"one"]
    for number in range(OWED + 2):  # nobody asks for long
        tell(server, ("SET", key, number, "EX", 60))
    assert ask(server, ("GET", key)) == [b"%d" % (OWED + 1)]


def test_a_connection_that_ended_owes_nothing(server: Redis) -> None:
    number, key = ask(server, ("CLIENT", "ID"))[0], uuid4().hex
    tell(server, ("SET", key, b"told", "EX", 60))
    server.client_kill_filter(_id=number)
    assert ask(server, ("ECHO", "one"), ("ECHO", "two")) == [b"one", b"two"]
    tell(server, ("SET", key, b"again", "EX", 60))
    assert ask(server, ("GET", key)) == [b"again"]
