"""What a search in the text of messages costs, part by part, against any IMAP server: SEARCH_SERVER=host:port, SEARCH_LOGIN,
SEARCH_PASSWORD, SEARCH_WORDS (several, each searched once: no answer is a repeated one), REDIS_URL. With SEARCH_TIMES=20 each
word is searched so often, in small and capital letters as no search before had it, and medians are told; SEARCH_DOVECOT is the
process id of a Dovecot on this machine whose CPU is told as well.

    DJANGO_SETTINGS_MODULE=config.settings python bench/search.py

Prints for each word: when the first hits could be shown and the whole was searched (ms), parts, round trips, octets from the
server, CPU of this process (ms), and the same list again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path

import django

django.setup()

from webmail.sources.imap import ImapSource, open_imap  # noqa: E402
from webmail.values import Credentials, Endpoint, FolderId, Query, Window  # noqa: E402

INBOX = FolderId("INBOX")
HOST, _colon, PORT = os.environ["SEARCH_SERVER"].partition(":")
WHO = Credentials(os.environ["SEARCH_LOGIN"], os.environ["SEARCH_PASSWORD"])
ACCOUNT = f"bench-{secrets.token_hex(4)}"


def open_source() -> ImapSource:
    """A source as a request has one, on a connection that is kept open."""
    endpoint = Endpoint(HOST, int(PORT), "none")
    return open_imap(endpoint, WHO, account_key=ACCOUNT, redis_url=os.environ["REDIS_URL"])


class Costs:
    """Time, CPU, round trips and octets since the last look."""

    def __init__(self) -> None:
        self.parts = self.trips = self.octets = 0
        self.began, self.cpu_began = time.perf_counter(), time.process_time()

    def look(self, source: ImapSource, before: tuple[int, int]) -> None:
        self.parts += 1
        self.trips += source.connection.round_trips - before[0]
        self.octets += source.connection.bytes_in - before[1]

    @property
    def ms(self) -> float:
        return (time.perf_counter() - self.began) * 1000

    @property
    def cpu_ms(self) -> float:
        return (time.process_time() - self.cpu_began) * 1000


def dovecot_ms() -> float:
    """CPU of Dovecot's living processes."""
    todo, used = [int(os.environ.get("SEARCH_DOVECOT", "0"))], 0
    while todo and todo[0]:
        task = Path(f"/proc/{todo.pop()}/task")
        with contextlib.suppress(OSError):
            for one in task.iterdir():
                used += int((one / "schedstat").read_text().split()[0])
                todo += map(int, (one / "children").read_text().split())
    return used / 1e6


def often(word: str, times: int) -> None:
    """One word in many forms, each searched once to its end: medians."""
    figures: list[tuple[float, float, float, int, int]] = []
    for turn in range(times):
        text = "".join(one.upper() if turn >> at & 1 else one.lower() for at, one in enumerate(word))
        dovecot, costs = dovecot_ms(), Costs()
        with open_source() as source:
            before = counted(source)
            page = source.page(INBOX, Query(text=text, in_body=True), Window())
            while page.searched is not None and not page.searched.problem:
                source.search_on(INBOX, Query(text=text, in_body=True))
                page = source.page(INBOX, Query(text=text, in_body=True), Window())
            costs.look(source, before)
        figures.append((costs.ms, costs.cpu_ms, dovecot_ms() - dovecot, costs.trips, page.total))
    ms, cpu, dovecot, trips, hits = (sorted(column)[len(column) // 2] for column in zip(*figures, strict=True))
    print(
        f"{word}, {times} times: {ms:.1f} ms, CPU {cpu:.1f} + Dovecot {dovecot:.1f} ms, {trips} round trips, {hits} hits"
    )


def counted(source: ImapSource) -> tuple[int, int]:
    return source.connection.round_trips, source.connection.bytes_in


def search(word: str) -> None:
    query, costs, first_ms, longest_ms = Query(text=word, in_body=True), Costs(), 0.0, 0.0
    with open_source() as source:
        before = counted(source)
        page = source.page(INBOX, query, Window())
        costs.look(source, before)
    first_ms = costs.ms
    going = page.searched
    hits_ms = first_ms if page.total else 0.0
    while going is not None and not going.problem:
        began = costs.ms
        with open_source() as source:
            before = counted(source)
            going = source.search_on(INBOX, query)
            costs.look(source, before)
        longest_ms = max(longest_ms, costs.ms - began)
        if not hits_ms and (going is None or going.found):
            hits_ms = costs.ms
    all_ms, again = costs.ms, Costs()
    with open_source() as source:
        before = counted(source)
        total = source.page(INBOX, query, Window()).total
        again.look(source, before)
    print(
        f"{word:14} {total:6} {first_ms:8.0f} {hits_ms:8.0f} {all_ms:8.0f} {longest_ms:8.0f} {costs.parts:5} {costs.trips:5}"
        f" {costs.octets:9} {costs.cpu_ms:8.0f} | {again.ms:6.1f} {again.trips:2}"
    )


with open_source() as source:
    source.page(INBOX, Query(), Window())
print("word             hits answer1  hits ms   all ms  longest parts trips    octets   cpu ms | again trips")
for word in os.environ["SEARCH_WORDS"].split():
    search(word)
    if times := int(os.environ.get("SEARCH_TIMES", "0")):
        often(word, times)
