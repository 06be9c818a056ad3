"""A lease on a connection with a folder selected in it: what every reading and changing stands on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from webmail.errors import FolderRenewed, Unreachable
from webmail.imap.connection import Connection
from webmail.imap.pool import Key, Open, pool
from webmail.imap.selected import Selected, Since, is_kept, select
from webmail.imap.wire import Flight, Piece, Untagged
from webmail.values import FolderId, Ref

T = TypeVar("T")


class Session:
    """Takes a connection from the pool when something is first asked of it, and gives it back at `close`."""

    def __init__(self, key: Key, open_: Open, folder: FolderId | None = None) -> None:
        """`folder` is the one that will be asked for, as far as is known."""
        self.key = key
        self._open = open_
        self._folder = folder
        self._leased: Connection | None = None
        self._kept = False
        self._state: Selected | None = None
        self._riders: list[list[Piece]] = []
        self._sender: Connection | None = None
        """The connection on which something was sent and not waited for."""
        self.along: Flight | None = None
        """What came back for commands that were taken along; whoever uses it takes it away."""

    def another(self) -> Session:
        """A session on the same account with a connection of its own."""
        return Session(self.key, self._open)

    @property
    def connection(self) -> Connection:
        """The leased connection. Raises Unreachable, CertificateRefused or LoginRefused when one has to be opened."""
        if self._leased is None:
            self._leased, self._kept = pool.take(self.key, self._open, prefer=self._wants_kept)
        return self._leased

    def _wants_kept(self, connection: Connection) -> bool:
        """A connection on which the folder stays selected is for it; for another folder one on which none does."""
        return (connection.kept is not None) if self._folder is None else is_kept(connection, self._folder)

    def read(self, action: Callable[[], T]) -> T:
        """Does something that changes nothing; once more on a new connection if a kept one turns out to be dead."""
        try:
            return action()
        except Unreachable:
            if not self._kept or self._leased is None or not self._leased.broken:
                raise
            self.reconnect()
            return action()

    def reconnect(self) -> None:
        """A new connection in the place of a broken one."""
        self.close()
        self._leased, self._kept = pool.take(self.key, self._open, fresh=True)

    def close(self) -> None:
        """Gives the connection back."""
        if self._leased is not None:
            with suppress(Unreachable):
                self._leased.settle()
            self._leased.meanwhile = None
            pool.give(self.key, self._leased)
        self._leased, self._state, self.along = None, None, None

    def known(self, folder: FolderId) -> Selected | None:
        """The folder's state if it is selected and nothing came or went since."""
        if self._state is None or self._state.folder != folder or self.connection.dirty:
            return None
        return self._state

    def selected(self, folder: FolderId, *commands: list[Piece], since: Since | None = None) -> tuple[Selected, Flight]:
        """The folder's state, and the answers to commands that are sent in the same flight as its SELECT where one is
        needed; that asks for what vanished `since` then. Their ends are not checked. Raises Gone when there is no such folder."""
        state = self.known(folder)
        if state is not None:
            return state, self.connection.run(*commands) if commands else Flight()
        self._spare(folder)
        riders, self._riders = self._riders, []
        try:
            self._state, flight = select(self.connection, folder, *commands, *riders, since=since)
        except Unreachable:
            self._riders = riders
            raise
        count = len(flight.ends) - len(riders)
        if riders:
            self.along = flight.from_command(count)
        return self._state, flight.up_to_command(count)

    def take_along(self, *commands: list[Piece]) -> None:
        """Commands that have nothing to do with a folder, to be sent in the same flight as the next SELECT."""
        self._riders = list(commands)

    def _spare(self, folder: FolderId) -> None:
        """Another folder is not opened on a connection on which the Inbox stays selected, if there is another one."""
        if self.connection.kept is None or is_kept(self.connection, folder):
            return
        other = pool.swap(self.key, self.connection, self._open)
        if other is not None:
            self._leased, self._kept = other

    def valid(self, ref: Ref, *commands: list[Piece]) -> tuple[Selected, Flight]:
        """The same for the folder of a ref. Raises Gone when its UIDVALIDITY is another now; the answers are then of other
        messages and are thrown away."""
        state, flight = self.selected(ref.folder, *commands)
        if state.validity != ref.validity:
            raise FolderRenewed("the folder was made anew")
        return state, flight

    def is_at(self, ref: Ref, newest: int) -> bool:
        """Whether the folder of a ref is selected for certain, with the UIDVALIDITY of the ref, on a connection that has heard of
        every UID up to `newest`: Dovecot 2.3 looks up UIDs before it hears of what came, and a change of a message that it does
        not know yet is an OK and nothing done."""
        connection = self.connection
        return (
            is_kept(connection, ref.folder)
            and connection.kept.validity == ref.validity
            and newest < connection.kept.next_uid
        )

    def send(self, commands: list[list[Piece]]) -> None:
        """Sends commands and waits for nothing: `settled` does, or whatever is asked next. Raises Unreachable."""
        self._sender = self.connection
        self._sender.send(commands)

    def settled(self) -> list[Untagged]:
        """What came back for the commands of the last `send`; nothing when the connection was lost, or given back since."""
        sender, self._sender = self._sender, None
        if sender is None or sender is not self._leased:
            return []
        with suppress(Unreachable):
            sender.settle()
            return sender.late_answers
        return []

    def ensure_alive(self) -> None:
        """Makes sure that a kept connection still answers, before a change that must not be sent twice."""
        connection = self.connection
        if self._kept and self._state is None:
            connection.run([b"NOOP"])

    def disturbed(self) -> None:
        """To be called after a change of which messages there are."""
        self.connection.dirty = True
