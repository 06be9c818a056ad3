"""Ports of one stack: a run of neighbouring TCP ports on loopback."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass, fields

from accounts.provisioning.render import MailPorts

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part of a stack listens, in the order of a range that starts at `http`."""

    http: int
    imap: int
    pop3: int
    submission: int
    smtp: int
    lmtp: int
    sieve: int
    redis: int
    quota: int
    imaps: int
    pop3s: int
    submissions: int
    doveadm: int
    filtered: int
    policy: int

    @classmethod
    def range_from(cls, first: int) -> Ports:
        """The ports first, first + 1, ... Raises ValueError when the range leaves 1024 to 65535."""
        count = len(fields(cls))
        if not 1024 <= first <= 65535 - count:
            raise ValueError(f"the first port must be between 1024 and {65535 - count}, not {first}")
        return cls(*range(first, first + count))

    @property
    def mail(self) -> MailPorts:
        return MailPorts(**{field.name: getattr(self, field.name) for field in fields(MailPorts)})

    def taken(self) -> dict[str, int]:
        """Those on which somebody listens already, by name."""
        named = {field.name: int(getattr(self, field.name)) for field in fields(self)}
        return {name: port for name, port in named.items() if is_taken(port)}


def is_taken(port: int) -> bool:
    """Whether the port can not be bound on loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def reserve_range(*, low: int = 20000, high: int = 32000) -> tuple[Ports, socket.socket]:
    """A free range below the kernel's own ephemeral ports, and the socket that keeps others who ask here away from it.

    The socket holds one port past the range; keep it open for as long as the ports are in use.
    """
    count = len(fields(Ports)) + 1
    for _ in range(200):
        first = random.randrange(low, high, count)  # noqa: S311
        guard = socket.socket()
        try:
            guard.bind((LOOPBACK, first + count - 1))
        except OSError:
            guard.close()
            continue
        ports = Ports.range_from(first)
        if not ports.taken():
            return ports, guard
        guard.close()
    raise RuntimeError(f"no {count} free ports in a row between {low} and {high}")
