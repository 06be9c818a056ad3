"""Names that lead where a test says, and connections that are noted instead of made: the system's part, none of ours."""

from __future__ import annotations

import socket
from typing import Any

import pytest

PUBLIC, LOOPBACK = "8.8.8.8", "127.0.0.1"


def answers(monkeypatch: pytest.MonkeyPatch, *lists: list[str]) -> list[str]:
    """The resolver gives these lists of addresses for names in .test, one a call; the last one again. Gives the names that
    were asked for."""
    calls: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if not str(host).endswith(".test"):
            return real(host, port, *args, **more)
        calls.append(host)
        addresses = lists[min(len(calls), len(lists)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return calls


def dials(monkeypatch: pytest.MonkeyPatch, port: int) -> list[str]:
    """Gives the addresses that were to be connected to at this port; nobody answers there."""
    dialled: list[str] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if not isinstance(address, tuple) or address[1] != port:
            return real(self, address)
        dialled.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return dialled
