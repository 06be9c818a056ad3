"""The filters and the vacation reply of a mailbox, kept as a script on its server; scripts of other programs stay as they are."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest

from accounts.models import MailAccount
from webmail.errors import LoginRefused, MailError, Unreachable
from webmail.services.access import credentials_for, sieve_for
from webmail.sieve.client import NotOffered, Problem, ScriptGone, SieveSession, open_session
from webmail.sieve.rules import FORWARDS_LIMIT, RULES_LIMIT, Filters, Rule, Vacation
from webmail.sieve.script import JOINED, OWN, read_join, read_script, words_of, write_join, write_script

OURS = frozenset({OWN, JOINED})


class State(StrEnum):
    """Which script runs: none and there never was one of ours; ours; ours is there but off; ours together with others; another
    program's alone."""

    NONE = "none"
    OWN = "own"
    OFF = "off"
    JOINED = "joined"
    FOREIGN = "foreign"


class FiltersRefused(MailError):
    """What was asked was not done, and nothing was changed. `args[0]` is the code of why: changed (another program was quicker),
    foreign (another program's script runs alone), by-hand (ours was changed as text), answers (another script answers already),
    too-many-forwards, too-many (rows)."""


@dataclass(frozen=True, slots=True)
class Can:
    """What the server's Sieve can do."""

    extensions: frozenset[str]
    forwards_limit: int

    @property
    def tags(self) -> bool:
        return "imap4flags" in self.extensions

    @property
    def vacation(self) -> bool:
        return "vacation" in self.extensions

    @property
    def dates(self) -> bool:
        return {"date", "relational"} <= self.extensions

    @property
    def folders(self) -> bool:
        return "fileinto" in self.extensions

    @property
    def copies(self) -> bool:
        return "copy" in self.extensions

    @property
    def joins(self) -> bool:
        return "include" in self.extensions


@dataclass(frozen=True, slots=True)
class Setup:
    """How the filters of a mailbox stand. `names` are all scripts, `running` those of other programs that run, `intact` whether
    our script is as Casilla wrote it; `seen` is a hash of all this, by which a change in the meantime is found."""

    state: State
    filters: Filters
    intact: bool
    names: tuple[str, ...]
    running: tuple[str, ...]
    active: str
    seen: str
    can: Can

    @property
    def others(self) -> tuple[str, ...]:
        """The scripts of other programs."""
        return tuple(name for name in self.names if name not in OURS)

    @property
    def shown(self) -> tuple[tuple[str, bool], ...]:
        """The scripts as they are offered as text, ours among them, and whether each of them runs. The one that only calls
        others is not shown while it does that."""
        joined = self.state is State.JOINED
        hidden = set() if self.active == JOINED and not joined else {JOINED}
        runs = {OWN, *self.running} if joined else {self.active}
        return tuple((name, name in runs) for name in sorted({OWN, *self.names} - hidden))

    @property
    def editable(self) -> bool:
        """Whether rows may be changed."""
        return self.intact and self.state is not State.FOREIGN

    @property
    def joinable(self) -> bool:
        """Whether another program's script runs alone, and ours could run with it."""
        return self.can.joins and self.state is State.FOREIGN and self.active not in OURS


@contextlib.contextmanager
def open_filters(request: HttpRequest, account: MailAccount) -> Iterator[SieveSession]:
    """The account's filters on its server. Raises NotOffered where the server has none for this mailbox; an own server that
    does not answer is Unreachable."""
    endpoint = sieve_for(account)
    if not endpoint.host:
        raise NotOffered("no server known")
    credentials = credentials_for(request, account)
    with contextlib.ExitStack() as stack:
        try:
            session = stack.enter_context(open_session(endpoint, credentials, ca_file=settings.MAIL_CA_FILE))
        except NotOffered as error:
            if account.hosted:
                raise Unreachable(error.detail) from error
            raise
        except LoginRefused as error:
            raise NotOffered(error.detail) from error
        yield session


def read_setup(session: SieveSession) -> Setup:
    """How the filters stand now."""
    listed = session.scripts()
    names = tuple(one.name for one in listed)
    active = next((one.name for one in listed if one.active), "")
    own = _text(session, OWN) if OWN in names else None
    joined = read_join(_text(session, JOINED) or "") if active == JOINED else None
    read = read_script(own) if own is not None else None
    return Setup(
        state=_state(active, own, joined),
        filters=read.filters if read else Filters(),
        intact=read.intact if read else True,
        names=names,
        running=joined or ((active,) if active and active not in OURS else ()),
        active=active,
        seen=text_mark(f"{active}\n{own or ''}"),
        can=_can(session),
    )


def may_forward(text: str) -> bool:
    """Whether a script forwards mail, or lets another one do so."""
    return any(word in text.lower() for word in ("redirect", "include"))


def text_mark(text: str) -> str:
    """A hash by which it is found that a script has changed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def change_filters(
    session: SieveSession, change: Callable[[Filters], Filters], *, seen: str
) -> tuple[Setup, tuple[Problem, ...]]:
    """Reads what is there, and stores what `change` makes of it; gives how it stood before, and the server's warnings. The first
    script of a mailbox runs from then on. Raises FiltersRefused or ScriptRefused; then nothing was changed.

    ManageSieve has no way to compare and store in one step: between the two there is one round trip.
    """
    setup = read_setup(session)
    if setup.seen != seen:
        raise FiltersRefused("changed")
    if setup.state is State.FOREIGN:
        raise FiltersRefused("foreign")
    if not setup.intact:
        raise FiltersRefused("by-hand")
    filters = change(setup.filters)
    _check(session, setup, filters)
    warnings = session.put(OWN, write_script(filters, create="mailbox" in setup.can.extensions))
    if setup.state is State.NONE:
        session.activate(OWN)
    return setup, warnings


def choose(session: SieveSession, do: str, *, seen: str) -> None:
    """What is to run: "join" ours after what runs now and that too, "only" ours (the other stays, but does not run), "off"
    nothing, "rows" ours as its rows say, without what was changed by hand. Raises FiltersRefused; ScriptRefused."""
    setup = read_setup(session)
    if setup.seen != seen:
        raise FiltersRefused("changed")
    if do == "off":
        session.activate("")
        return
    if do == "rows":
        session.put(OWN, write_script(setup.filters, create="mailbox" in setup.can.extensions))
        return
    if OWN not in setup.names:
        session.put(OWN, write_script(setup.filters))
    if do == "join" and setup.joinable:
        if JOINED in setup.names and read_join(_text(session, JOINED) or "") is None:
            raise FiltersRefused("by-hand")
        joined = replace(setup, running=(setup.active,))
        _check_answers(session, joined, setup.filters)
        session.put(JOINED, write_join(joined.running))
        session.activate(JOINED)
    else:
        session.activate(OWN)


def put_text(session: SieveSession, name: str, text: str, *, seen: str) -> tuple[Problem, ...]:
    """Stores a script that a person wrote, in the place of the one that they saw; the first of a mailbox runs from then on.
    Raises FiltersRefused when that has changed; ScriptRefused."""
    listed = session.scripts()
    now = _text(session, name) if any(one.name == name for one in listed) else None
    if text_mark(now or "") != seen:
        raise FiltersRefused("changed")
    warnings = session.put(name, text)
    if not listed:
        session.activate(name)
    return warnings


def set_vacation(filters: Filters, vacation: Vacation) -> Filters:
    return replace(filters, vacation=vacation)


def put_rule(filters: Filters, rule: Rule, index: int | None) -> Filters:
    """The same with this row in the place of that one, or after all others for None."""
    rules = list(filters.rules)
    if index is None:
        rules.append(rule)
    else:
        rules[index] = rule
    return replace(filters, rules=tuple(rules))


def insert_rule(filters: Filters, rule: Rule, index: int) -> Filters:
    """The same with one row more, at this place."""
    rules = list(filters.rules)
    rules.insert(max(0, min(index, len(rules))), rule)
    return replace(filters, rules=tuple(rules))


def drop_rule(filters: Filters, index: int) -> Filters:
    return replace(filters, rules=tuple(one for at, one in enumerate(filters.rules) if at != index))


def move_rule(filters: Filters, index: int, to: int) -> Filters:
    """The same with a row at another place; the others keep their order."""
    rules = list(filters.rules)
    rules.insert(max(0, min(to, len(rules) - 1)), rules.pop(index))
    return replace(filters, rules=tuple(rules))


def _check(session: SieveSession, setup: Setup, filters: Filters) -> None:
    if len(filters.rules) > RULES_LIMIT:
        raise FiltersRefused("too-many")
    if len(filters.forwards) > max(setup.can.forwards_limit, len(setup.filters.forwards)):
        raise FiltersRefused("too-many-forwards")
    if filters.vacation.on and not setup.filters.vacation.on:
        _check_answers(session, setup, filters)


def _check_answers(session: SieveSession, setup: Setup, filters: Filters) -> None:
    """Two vacation replies in what runs would end it with an error (RFC 5230 section 4.7)."""
    if filters.vacation.on and any("vacation" in words_of(_text(session, name) or "") for name in setup.running):
        raise FiltersRefused("answers")


def _state(active: str, own: str | None, joined: tuple[str, ...] | None) -> State:
    if not active:
        return State.NONE if own is None else State.OFF
    if active == OWN:
        return State.OWN
    return State.JOINED if joined is not None else State.FOREIGN


def _can(session: SieveSession) -> Can:
    told = session.redirects_limit
    return Can(session.extensions, min(FORWARDS_LIMIT, told) if told else FORWARDS_LIMIT)


def _text(session: SieveSession, name: str) -> str | None:
    try:
        return session.get(name)
    except ScriptGone:
        return None
