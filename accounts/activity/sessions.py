"""From the lines of a log to "this program used this mailbox": a session's sign-in and its program's name, brought together.

A program says its name before its sign-in or soon after it, on a line of its own, and the two lines may change places. So an
IMAP sign-in waits a little for its name; POP3 has no names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, TypeVar

from accounts.activity.deeds import Deed
from accounts.activity.lines import Event, Named, PopEnded, Reserved, SignedIn
from accounts.activity.submission import Sent

Fact = TypeVar("Fact")
NAME_WAIT = timedelta(seconds=15)
"""So long a sign-in waits for a name and a name for its sign-in, by the log's own clock."""
WAITING_MAX = 20_000
"""So many of each wait at most; beyond them the oldest wait no longer."""
PROTOCOLS = frozenset({"imap", "pop3"})
"""Those whose programs are told; who changes filters only is not."""
RESERVE = ".reserve/INBOX"
"""Where what POP3 programs removed lies (deploy/dovecot/dovecot.conf)."""
KNOWN_MAX, KNOWN_SAVED = 20_000, 2_000
"""Of so many sessions the program's name and the device's password are known for what they do later, and of so many they are
saved."""
IPV4_PREFIX, IPV6_PREFIX = 24, 48


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a program did with a mailbox. `program` is "" where it did not say its name; `app` the id of the device's
    password by which it came, 0 for the mailbox's own."""

    user: str
    protocol: str
    program: str
    version: str
    network: str
    at: datetime
    sign_ins: int = 0
    retrieved: int = 0
    deleted: int = 0
    app: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What a program did, with its name ("" where it did not say one), its network and the device's password by which it came.
    `protocol` is "web" for Casilla itself."""

    deed: Deed
    protocol: str
    program: str
    network: str
    app: int = 0
    reserve: str = ""
    """Of what a POP3 session removed, its numbers in the reserve."""


def of_reserve(done: Done) -> Done | None:
    """What was done in the reserve: Casilla's own putting back it tells itself, for it knows who asked (None); and what leaves it
    when its days are over the server removes, at the end of whatever session comes next."""
    deed = done.deed
    if deed.folder != RESERVE:
        return done
    if deed.kind == "removed" and not deed.target:
        return replace(done, protocol="lmtp", program="", network="", app=0)
    return None if done.protocol == "web" else done


def use_of_sending(sent: Sent) -> Use:
    """A message that was sent, as a use of the mailbox: Postfix tells of messages, not of sign-ins, so each counts as one. No
    program says its name."""
    return Use(sent.user, "smtp", "", "", network_of(sent.address), sent.at, sign_ins=1, app=sent.app)


def deed_of_sending(sent: Sent) -> Done:
    """The same as something that was done; what Casilla sends is told as its own."""
    deed = Deed(sent.at, sent.user, "smtp", "", "", "", "sent", size_bytes=sent.size_bytes)
    return Done(deed, "web", "", "") if sent.own else Done(deed, "smtp", "", network_of(sent.address), sent.app)


class Sessions:
    """The sessions of which only one half is known yet. Those of `own_user`, the master user, are Casilla's and count for
    nothing."""

    def __init__(self, *, own_user: str) -> None:
        self._own_user = own_user
        self._signed_in: dict[str, Use] = {}
        self._names: dict[str, Named] = {}
        self._known: dict[str, str] = {}
        self._apps: dict[str, int] = {}
        self._reserved: dict[str, list[list[int]]] = {}

    def take(self, event: Event) -> list[Use]:
        """What is known for good with this event."""
        if isinstance(event, Named):
            return self._take_name(event)
        if isinstance(event, Reserved):
            self._take_reserved(event)
            return []
        if event.asked_by == self._own_user:
            if isinstance(event, SignedIn):
                self._names.pop(event.session, None)
            return []
        if isinstance(event, SignedIn) and event.protocol not in PROTOCOLS:
            return []
        network = network_of(event.address)
        if isinstance(event, SignedIn) and event.app:
            _keep(self._apps, event.session, event.app)
        if isinstance(event, PopEnded):
            counts = {"retrieved": event.retrieved, "deleted": event.deleted, "app": self._apps.get(event.session, 0)}
            return [Use(event.user, "pop3", "", "", network, event.at, **counts)]
        use = Use(event.user, event.protocol, "", "", network, event.at, sign_ins=1, app=event.app)
        return [use] if event.protocol == "pop3" else self._take_sign_in(event.session, use)

    def name(self, deed: Deed) -> Done:
        """What was done, with who did it."""
        if deed.protocol == "imap" and deed.asked_by == self._own_user:
            return Done(deed, "web", "", "")
        program = self._known.get(deed.session, "") if deed.protocol == "imap" else ""
        network = network_of(deed.address) if deed.address else ""
        return Done(deed, deed.protocol, program, network, self._apps.get(deed.session, 0))

    def name_pop3(self, event: PopEnded) -> list[Done]:
        """What a POP3 session that has ended did, taking, reading by TOP and removing apart; Casilla's own downloads are told as
        such, without what they look at."""
        web = event.asked_by == self._own_user
        found = []
        reserve = _written(self._reserved.pop(event.session, []))
        counts = [("fetched", event.retrieved, event.size_bytes), ("taken", event.deleted, 0)]
        if not web:
            counts.append(("read", event.top, event.top_bytes))
        for kind, count, size_bytes in counts:
            if count:
                deed = Deed(
                    event.at,
                    event.user,
                    "pop3",
                    event.session,
                    event.asked_by,
                    event.address,
                    kind,
                    "INBOX",
                    count=count,
                    size_bytes=size_bytes,
                )
                where = "" if web else network_of(event.address)
                who = "web" if web else "pop3", "", where, self._apps.get(event.session, 0)
                found.append(Done(deed, *who, reserve if kind == "taken" else ""))
        return found

    def settle(self, now: datetime) -> list[Use]:
        """The sign-ins that have waited long enough: programs without a name."""
        limit = now - NAME_WAIT
        for session in _ripe(self._names, limit):
            del self._names[session]
        return [self._signed_in.pop(session) for session in _ripe(self._signed_in, limit)]

    def dump(self) -> dict[str, Any]:
        """What waits, for JSON."""
        signed_in = {key: [use.user, use.network, use.at.isoformat(), use.app] for key, use in self._signed_in.items()}
        names = {key: [name.program, name.version, name.at.isoformat()] for key, name in self._names.items()}
        known = list(self._known.items())[-KNOWN_SAVED:]
        apps = list(self._apps.items())[-KNOWN_SAVED:]
        reserved = dict(list(self._reserved.items())[-KNOWN_SAVED:])
        return {"signed_in": signed_in, "names": names, "known": known, "apps": apps, "reserved": reserved}

    def load(self, dumped: dict[str, Any]) -> None:
        """Takes up what `dump` gave."""
        for key, (user, network, at, *app) in dumped.get("signed_in", {}).items():
            moment = datetime.fromisoformat(at)
            self._signed_in[key] = Use(user, "imap", "", "", network, moment, sign_ins=1, app=app[0] if app else 0)
        for key, (program, version, at) in dumped.get("names", {}).items():
            self._names[key] = Named(datetime.fromisoformat(at), key, program, version)
        self._known = dict(dumped.get("known", ()))
        self._apps = dict(dumped.get("apps", ()))
        self._reserved = dict(dumped.get("reserved", {}))

    def _take_name(self, name: Named) -> list[Use]:
        _keep(self._known, name.session, name.program)
        use = self._signed_in.pop(name.session, None)
        if use:
            return [_with_name(use, name)]
        self._names.setdefault(name.session, name)
        if len(self._names) > WAITING_MAX:
            del self._names[next(iter(self._names))]
        return []

    def _take_reserved(self, event: Reserved) -> None:
        """Adds to the numbers of a session that has not ended; they come in order."""
        ranges = self._reserved.get(event.session, [])
        if ranges and ranges[-1][1] == event.uid - 1:
            ranges[-1][1] = event.uid
        else:
            ranges.append([event.uid, event.uid])
        _keep(self._reserved, event.session, ranges)

    def _take_sign_in(self, session: str, use: Use) -> list[Use]:
        name = self._names.pop(session, None)
        if name:
            return [_with_name(use, name)]
        self._signed_in[session] = use
        if len(self._signed_in) > WAITING_MAX:
            return [self._signed_in.pop(next(iter(self._signed_in)))]
        return []


def _with_name(use: Use, name: Named) -> Use:
    return replace(use, program=name.program, version=name.version)


def _written(ranges: list[list[int]]) -> str:
    """Numbers as IMAP writes them: "1:3,7"."""
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)


def _keep(known: dict[str, Fact], session: str, fact: Fact) -> None:
    """Knows something of one session more, and of KNOWN_MAX at most."""
    known[session] = fact
    if len(known) > KNOWN_MAX:
        del known[next(iter(known))]


def _ripe(waiting: dict[str, Any], limit: datetime) -> list[str]:
    return [session for session, entry in waiting.items() if entry.at <= limit]


@lru_cache(maxsize=65536)
def network_of(address: str) -> str:
    """The network of an address, as much of it as is kept: "192.0.2.0/24", "2001:db8:1::/48"; "" for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ip_network((found, IPV4_PREFIX if found.version == 4 else IPV6_PREFIX), strict=False))
