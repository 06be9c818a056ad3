"""Language, time zone and script prefix are the thread's own, and no lock is shared for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.urls import get_script_prefix, reverse, set_script_prefix
from django.utils import timezone, translation
from django.utils.translation import gettext

from config.in_thread import HELD, hold_in_thread


@pytest.fixture
def held() -> Iterator[None]:
    before = [getattr(module, name) for module, name in HELD]
    hold_in_thread()
    yield
    for (module, name), value in zip(HELD, before, strict=True):
        setattr(module, name, value)


def test_another_threads_language_zone_and_prefix_are_not_seen(held: None) -> None:
    begun, done = threading.Event(), threading.Event()
    seen: list[str] = []

    def other() -> None:
        begun.wait(2)
        seen.extend([str(translation.get_language()), timezone.get_current_timezone_name(), get_script_prefix()])
        translation.activate("es")
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with translation.override("en"), timezone.override("America/Lima"):
        set_script_prefix("/correo/")
        begun.set()
        done.wait(2)
        assert reverse("home") == "/correo/"
        assert gettext("Inbox") == "Inbox"
        assert timezone.get_current_timezone_name() == "America/Lima"
        set_script_prefix("/")
    thread.join()
    assert seen == ["es", timezone.get_default_timezone_name(), "/"]


def test_a_language_that_is_active_stays_so() -> None:
    before = [getattr(module, name) for module, name in HELD]
    try:
        with translation.override("en"):
            hold_in_thread()
            assert translation.get_language() == "en"
    finally:
        for (module, name), value in zip(HELD, before, strict=True):
            setattr(module, name, value)


def test_a_thread_has_connections_of_its_own_and_finds_them_again(held: None) -> None:
    assert not connections.all(initialized_only=True)
    mine = connections["default"]
    assert connections["default"] is mine
    others: list[Any] = []
    thread = threading.Thread(target=lambda: others.append(connections["default"]))
    thread.start()
    thread.join()
    assert others[0] is not mine
    assert connections.all(initialized_only=True) == [mine]
