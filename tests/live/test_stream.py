"""The stream of a page: its owner's alone, told within a second, and honest about how closely the account is watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract.test_source import letter
from tests.live.conftest import AT_ONCE_S, SOON_S, Live, Owner, Page, in_loop
from webmail.live.events import Event, Kind, publish
from webmail.live.hub import PAGES_OF_PERSON, Hub, HubFull, Listener
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

Start = Callable[[], Any]
Make = Callable[..., Owner]
Open = Callable[..., Page]


def test_the_owner_hears_of_new_mail_within_a_second(watcher: Start, owner: Make, page: Open, deliver: Any) -> None:
    one = owner()
    watcher()
    shown = page(one.client, one.account.pk)
    assert shown.response.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    assert shown.response.getheader("Cache-Control") == "no-store, private"
    shown.wait("state", "live")
    shown.change("all")
    deliver(one.made.address, letter("nueva"))
    assert shown.change("new", AT_ONCE_S)["folder"] == encode_folder(FolderId("INBOX"))


def test_strangers_hear_nothing(live: Live, owner: Make, page: Open) -> None:
    one, colleague = owner(), owner("beto")
    assert page(Client(), one.account.pk).response.status == 403
    assert page(colleague.client, one.account.pk).response.status == 404
    assert page(one.client, 999_999).response.status == 404
    assert live.holders() == {}


def test_a_page_of_another_site_hears_nothing(web: str, owner: Make) -> None:
    import http.client

    one = owner()
    connection = http.client.HTTPConnection(web.removeprefix("http://"))
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in one.client.cookies.items())
    path = reverse("live", args=[one.account.pk])
    for method, extra, status in (
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Host": "elsewhere.test"}, 400),
        ("POST", {}, 405),
    ):
        connection.request(method, path, headers={"Cookie": cookies, **extra})
        response = connection.getresponse()
        response.read()
        assert response.status == status


def test_events_of_others_are_not_passed_on(live: Live, owner: Make, page: Open) -> None:
    one, other = owner(), owner("beto")
    shown = page(one.client, one.account.pk)
    shown.wait("state")
    time.sleep(0.5)
    publish(live.url, Event(other.account.pk, Kind.NEW), Event(one.account.pk, Kind.GONE))
    assert shown.change("gone")["folder"] == ""
    assert not any("new" in data for _name, data in shown.seen)


def test_without_a_watcher_the_page_is_told_that_nobody_watches(owner: Make, page: Open) -> None:
    one = owner()
    assert page(one.client, one.account.pk).wait("state") == "none"


def test_a_dead_watcher_is_not_called_live(watcher: Start, owner: Make, page: Open) -> None:
    one = owner()
    process = watcher()
    shown = page(one.client, one.account.pk)
    shown.wait("state", "live")
    process.kill()
    assert shown.wait("state") == "none"
    watcher()
    shown.live_again()


def test_redis_lost_and_back_is_told_and_everything_read_again(
    live: Live, watcher: Start, owner: Make, page: Open, deliver: Any
) -> None:
    one = owner()
    watcher()
    shown = page(one.client, one.account.pk)
    shown.wait("state", "live")
    live.stack.stop(["redis"])
    shown.wait("state", "away")
    live.stack.start(["redis"])
    live.stack.wait_ready()
    shown.live_again()
    deliver(one.made.address, letter("después"))
    shown.change("new", AT_ONCE_S)


def test_the_server_away_is_told(live: Live, watcher: Start, owner: Make, page: Open) -> None:
    one = owner()
    watcher()
    shown = page(one.client, one.account.pk)
    shown.wait("state", "live")
    live.stack.stop(["dovecot"])
    shown.wait("state", "away")
    live.stack.start(["dovecot"])
    live.stack.wait_ready()
    shown.wait("state", "live")


def test_open_pages_hold_no_threads(live: Live, web: str, owner: Make, page: Open) -> None:
    one = owner()
    pid = _web_pid(web)
    for _number in range(3):
        page(one.client, one.account.pk).wait("state")
    before = _threads(pid)
    for _number in range(25):
        page(one.client, one.account.pk).wait("state")
    assert _threads(pid) <= before + 3


def test_a_person_may_have_so_many_pages_open_and_no_more(owner: Make, page: Open) -> None:
    one, other = owner(), owner("beto")
    pages = [page(one.client, one.account.pk) for _number in range(PAGES_OF_PERSON)]
    for shown in pages:
        shown.wait("state")
    refused = page(one.client, one.account.pk).response
    assert (refused.status, refused.getheader("Retry-After")) == (429, "60")
    assert page(other.client, other.account.pk).response.status == 200
    pages[0].close()
    until = time.monotonic() + SOON_S
    while page(one.client, one.account.pk).response.status != 200:
        assert time.monotonic() < until, "the place of a page that went is not given to another"
        time.sleep(0.2)


def test_a_process_has_so_many_pages_open_and_no_more(live: Live) -> None:
    async def open_three() -> list[str]:
        hub, told = Hub(live.url, pages=2), []
        with hub.listening(Listener(1, (), person=1)), hub.listening(Listener(2, (), person=2)):
            try:
                with hub.listening(Listener(3, (), person=3)):
                    told.append("open")
            except HubFull as error:
                told.append(f"full {error.of_person}")
        with hub.listening(Listener(3, (), person=3)):
            told.append("open")
        await hub.close()
        return told

    assert in_loop(open_three) == ["full False", "open"]


def test_a_signed_out_session_does_not_begin_a_stream(owner: Make, page: Open) -> None:
    one = owner()
    cookies = dict(one.client.cookies)
    one.client.post(reverse("account_logout"))
    for name, morsel in cookies.items():
        one.client.cookies[name] = morsel.value
    assert page(one.client, one.account.pk).response.status == 403


def test_the_wish_goes_on_as_long_as_the_page_is_open(
    live: Live, watcher: Start, owner: Make, page: Open, deliver: Any
) -> None:
    one = owner()
    watcher()
    shown = page(one.client, one.account.pk, f"?f={encode_folder(FolderId('Obras'))}&f=!!")
    shown.wait("state", "live")
    assert live.on_board(lambda board: board.folders(one.account.pk)) == ["Obras"]


def _web_pid(web: str) -> int:
    port = web.rpartition(":")[2]
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"uvicorn" in words and port.encode() in words:
            return int(entry.parent.name)
    raise AssertionError("the web server does not run")


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
