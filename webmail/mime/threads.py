"""Which messages belong together: by the ids that they carry and name (RFC 5322 section 3.6.4), never by their subjects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

from webmail.mime.headers import split_header

IDS_LIMIT = 60
_ID = re.compile(rb"<[^<>\s]{1,1000}>")
_FIELDS = ("message-id", "in-reply-to", "references")


def read_ids(header: bytes) -> list[bytes]:
    """The ids in Message-ID, In-Reply-To and References of a header, its own first, with angle brackets; of very many the
    first and the last."""
    return ids_among(split_header(header)[0])


def ids_among(fields: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """The same from fields that are split already."""
    found: dict[str, list[bytes]] = {name: [] for name in _FIELDS}
    for name, value in fields:
        if name.lower() in found:
            found[name.lower()] += _ID.findall(value)
    ids = list(dict.fromkeys(one for name in _FIELDS for one in found[name]))
    return ids if len(ids) <= IDS_LIMIT else ids[: IDS_LIMIT // 2] + ids[-IDS_LIMIT // 2 :]


def short_id(message_id: bytes) -> int:
    """An id as a number of 64 bits that nobody can make collide with another's by chance."""
    return int.from_bytes(blake2b(message_id, digest_size=8).digest(), "big")


def thread_keys(message_id: bytes, in_reply_to: bytes, references: bytes) -> tuple[int, int]:
    """(a message's own id, that of the first message of its conversation as far as it tells), as positive numbers of 63 bits
    from the three fields' values; 0 for what is not there."""
    own, parent, root = (_ID.search(value) for value in (message_id, in_reply_to, references))
    first = root or parent or own
    return _key(own), _key(first)


def thread_key(message_id: str) -> int:
    """An id, with its angle brackets, as `thread_keys` gives it."""
    return _key(_ID.search(message_id.encode("utf-8", "replace")))


def _key(found: re.Match[bytes] | None) -> int:
    return short_id(found[0]) >> 1 if found else 0


def group_threads(messages: Iterable[tuple[int, Iterable[int]]]) -> list[list[int]]:
    """Messages, each with the (short) ids that it carries and names, put together: two that share an id are in one group,
    and so are those that are joined over others. Groups and their messages keep the order in which they came."""
    above: dict[int, int] = {}
    first_id: list[tuple[int, int]] = []
    for message, ids in messages:
        roots = [_root(above, one) for one in ids]
        for root in roots[1:]:
            above[_root(above, root)] = _root(above, roots[0])
        first_id.append((message, roots[0] if roots else -message))
    groups: dict[int, list[int]] = {}
    for message, one in first_id:
        groups.setdefault(_root(above, one), []).append(message)
    return list(groups.values())


def _root(above: dict[int, int], one: int) -> int:
    """The id that stands for the group of another; the way there is made shorter."""
    while (up := above.get(one, one)) != one:
        above[one] = up = above.get(up, up)
        one = up
    return one
