"""One folder or one message as Casilla shows it, held against what a witness saw: values in, differences out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from accounts.domain_names import a_labels
from webmail.values import Address, Folder, FolderId, Summary
from webmail.witness.seen import Seen, SeenFolder, Untold

PEOPLE = 20
"""So many senders a row keeps."""
VALUE_LIMIT = 300
PRIVATE = frozenset({"subject", "sender"})
"""Fields whose values are the owner's alone."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is shown otherwise than it is; `uid` is 0 for what is a folder's own. `field` is a code.

    Of a folder: `absent` (we do not show it), `invented` (only we show it), `name`, `selectable`, `subscribed`, `hidden`,
    `order`, `total`, `unread`, `renewed`, `counts` (of its list: shown, marked as deleted, unread among those). Of a message:
    `missing`, `extra`, `flags`, `size`, `received`, `sent`, `subject`, `sender`, `octets`."""

    folder: FolderId
    path: str
    field: str
    uid: int = 0
    ours: str = ""
    theirs: str = ""


def compare_folder(ours: Folder | None, theirs: SeenFolder | None, *, shown: bool) -> list[Difference]:
    """What differs of a folder. The server counts messages that are marked as deleted; `ours` says how many it left out."""
    if ours is None or theirs is None:
        one = theirs or ours
        return [Difference(one.id, "/".join(one.path), "absent" if theirs else "invented")] if one else []
    values: list[tuple[str, object, object]] = [
        ("name", loose("/".join(ours.path)), loose("/".join(theirs.path))),
        ("selectable", ours.selectable, theirs.selectable),
        ("subscribed", ours.subscribed, theirs.subscribed),
        ("hidden", shown, shown or theirs.subscribed),
    ]
    if ours.total is not None and theirs.total is not None:
        values.append(("total", ours.total + ours.marked.total, theirs.total))
        values.append(("unread", (ours.unread or 0) + ours.marked.unread, theirs.unread))
    if ours.validity and theirs.validity:
        values.append(("renewed", ours.validity, theirs.validity))
    path = "/".join(ours.path)
    return [Difference(ours.id, path, field, 0, str(a), str(b)) for field, a, b in values if a != b]


def compare_order(folders: list[Folder]) -> dict[FolderId, Difference]:
    """Folders that stand before one that should come first among its siblings: special ones in Thunderbird's order, then by
    name without regard to case."""
    last: dict[FolderId | None, Folder] = {}
    found: dict[FolderId, Difference] = {}
    for folder in folders:
        before = last.get(folder.parent)
        if before and _rank(before) > _rank(folder):
            found[folder.id] = Difference(
                folder.id, "/".join(folder.path), "order", 0, "/".join(before.path), "/".join(folder.path)
            )
        last[folder.parent] = folder
    return found


def _rank(folder: Folder) -> tuple[int, str]:
    special = ["inbox", "drafts", "templates", "sent", "archive", "junk", "trash", "all"]
    place = special.index(folder.role.value) if folder.role.value else len(special)
    return place, folder.name.casefold()


def compare_message(
    folder: Folder, uid: int, ours: Summary | None, theirs: Seen | None
) -> tuple[list[Difference], int]:
    """What differs of a message, and how many of its values nobody can be sure of."""
    path = "/".join(folder.path)
    if ours is None or theirs is None:
        if ours is None and theirs is None:
            return [], 0
        return [Difference(folder.id, path, "extra" if theirs is None else "missing", uid)], 0
    if not theirs.whole:
        return [Difference(folder.id, path, "octets", uid)], 0
    subject, sender = theirs.subject, theirs.sender
    values: list[tuple[str, object, object]] = [
        ("flags", _flags(ours.flags), _flags(theirs.flags)),
        ("size", ours.size_bytes, theirs.size_bytes),
        ("received", _second(ours.received), _second(theirs.received)),
        ("sent", _second(ours.sent), _second(theirs.sent)),
        ("subject", loose(ours.subject), subject if isinstance(subject, Untold) else loose(subject)),
        ("sender", *_senders(ours.sender, sender)),
    ]
    told = [(field, a, b) for field, a, b in values if not isinstance(b, Untold)]
    different = [Difference(folder.id, path, field, uid, _text(a), _text(b)) for field, a, b in told if a != b]
    return different, len(values) - len(told)


def loose(text: str) -> str:
    """Text as a person reads it: white space once, characters that are not seen left out."""
    seen = (" " if char.isspace() else char for char in text)
    kept = (char for char in seen if char == " " or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Cn", "Co"})
    return " ".join("".join(kept).split())


def _flags(flags: frozenset[str]) -> tuple[str, ...]:
    """In one order, without regard to case (RFC 3501 section 2.3.2), without what belongs to a session."""
    return tuple(sorted({flag.lower() for flag in flags} - {"\\recent"}))


def _second(moment: datetime | Untold | None) -> object:
    return moment.replace(microsecond=0) if isinstance(moment, datetime) else moment


def _senders(ours: tuple[Address, ...], theirs: tuple[tuple[str, str], ...] | Untold) -> tuple[object, object]:
    if isinstance(theirs, Untold):
        return "", theirs
    mine = [(loose(one.name), _address(one.email)) for one in ours[:PEOPLE]]
    others = [(loose(name), _address(address)) for name, address in theirs[:PEOPLE]]
    return _people(mine), _people(others)


def _people(people: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} <{address}>" if name else address for name, address in people)


def _address(address: str) -> str:
    """An address with its domain in ASCII, as mail carries it (RFC 5890)."""
    local, at, domain = address.rpartition("@")
    try:
        return local + at + a_labels(domain) if at else address
    except UnicodeError:
        return local + at + domain.lower()


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return (value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value))[:VALUE_LIMIT]
