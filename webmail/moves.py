"""What became of messages that were moved, copied or deleted."""

from __future__ import annotations

from dataclasses import dataclass

from webmail.values import FolderId, Ref


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move or delete did, enough to undo it: the messages before and after, pairwise. `after` has None where
    the server did not say (no COPYUID, RFC 4315) or where the message is gone for good. `named` says that the server names
    what it moved: a message without a name was not moved."""

    before: tuple[Ref, ...]
    after: tuple[Ref | None, ...]
    named: bool = True


@dataclass(frozen=True, slots=True)
class MoveEnded:
    """A move that was cut in the middle and is over now: how many messages left `folder` for `target`, and how many stayed."""

    folder: FolderId
    target: FolderId
    moved: int
    stayed: int
