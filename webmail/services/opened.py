"""What an opened message shows, kept for a while for its own account alone: drawn once, it is shown again without asking for it,
reading it or cleaning it anew. What may change (flags, its place in the list) is never part of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

from webmail.services.shortly import KEEP_S, decoded, encoded, keep, kept, key_of
from webmail.sources.base import MailSource
from webmail.sources.kept import Beside
from webmail.values import Query, Ref

LIMIT_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A message as it is shown: subject, who is answered and by which address, Message-ID, whether it came from a mailing list,
    the drawn head and text (`mark` stands in it where the address with images goes), and who is to be remembered as its
    sender: name by address, and when (seconds since 1970)."""

    subject: str
    who: str
    sender: str
    message_id: str
    is_list: bool
    part: str
    mark: str
    heard: dict[str, str]
    moment: float


FIELDS = tuple(field.name for field in fields(Opened))


def keep_opened(
    source: MailSource, account_id: int, ref: Ref, variant: str, opened: Opened, frames: Mapping[str, str]
) -> None:
    """Keeps it under a variant: whatever it was drawn for (language, zone, theme, day). `frames` are kept with it, see
    `bodies.framed_values`."""
    value = json.dumps({name: getattr(opened, name) for name in FIELDS}, separators=(",", ":"))
    drawn = {_key(account_id, ref, variant): value} if len(value) <= LIMIT_BYTES else {}
    values = {**frames, **drawn}
    if not source.keep_along({key.encode(): encoded(text) for key, text in values.items()}, KEEP_S):
        keep(values)


def kept_opened(account_id: int, ref: Ref, variant: str) -> Opened | None:
    """What was kept, None when there is nothing."""
    return _read(kept(_key(account_id, ref, variant)))


def look_at_opened(source: MailSource, account_id: int, ref: Ref, variant: str, query: Query) -> Opened | None:
    """The same in one look into Redis with what the source will be asked for: flags, and the place in this list."""
    key = _key(account_id, ref, variant).encode()
    found: dict[bytes, bytes | None] = {}
    source.look_at(ref, query, Beside([key], found.update))
    return _read(decoded(found[key])) if key in found else kept_opened(account_id, ref, variant)


def _read(value: str | None) -> Opened | None:
    try:
        return Opened(**json.loads(value)) if value else None
    except (ValueError, TypeError):
        return None


def _key(account_id: int, ref: Ref, variant: str) -> str:
    return key_of("opened:2", account_id, ref.folder, ref.validity, ref.id, variant)
