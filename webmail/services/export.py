"""Taking one's mail away: a folder or a whole account as mbox, Maildir or a zip of .eml, made while it is sent."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from typing import Literal

from imapclient.imap_utf7 import encode as encode_utf7

from webmail.errors import Gone
from webmail.mime.archive import zip_stream
from webmail.mime.mbox import write_mbox
from webmail.sources.base import MailSource
from webmail.values import Flag, Folder, PartNumber, Query, Ref, Role, Summary

Format = Literal["mbox", "maildir", "zip"]
FORMATS: tuple[Format, ...] = ("mbox", "maildir", "zip")
BATCH = 50
WHOLE = PartNumber("")
INDEX = "index.jsonl"
"""In a zip, what a mailbox knows of each message beside its octets: one JSON object a line."""
MAILDIR_LETTERS = {Flag.DRAFT: "D", Flag.FLAGGED: "F", Flag.FORWARDED: "P", Flag.ANSWERED: "R", Flag.SEEN: "S"}
"""In the order in which they stand in a file name."""
ROLE_NAMES = {
    Role.INBOX: "INBOX",
    Role.DRAFTS: "Drafts",
    Role.TEMPLATES: "Templates",
    Role.SENT: "Sent",
    Role.ARCHIVE: "Archive",
    Role.JUNK: "Junk",
    Role.TRASH: "Trash",
}
Progress = Callable[[str, int], None]
"""Called with a folder's name and how many messages are done in all."""


def export_stream(
    source: MailSource, folders: Iterable[Folder], format_: Format, *, progress: Progress | None = None
) -> Iterator[bytes]:
    """The bytes of the file. One folder as mbox is a plain mbox, several are a zip of them; Maildir is a tar. A message is read
    when its turn comes; one that is gone by then is left out."""
    chosen = [folder for folder in folders if folder.selectable]
    told = _Told(progress)
    if format_ == "maildir":
        return _maildir(source, chosen, told)
    if format_ == "zip":
        return zip_stream(_eml_entries(source, chosen, told), paths=True)
    if len(chosen) == 1:
        return _mbox(source, chosen[0], told)
    return zip_stream(
        (("/".join(names_of(folder)) + ".mbox", _mbox(source, folder, told)) for folder in chosen), paths=True
    )


def zip_of(source: MailSource, folder: Folder, refs: Sequence[Ref]) -> Iterator[bytes]:
    """The bytes of a zip with these messages of a folder."""
    return zip_stream(_eml_entries(source, [folder], _Told(None), refs), paths=True)


def suffix(format_: Format, folders: int) -> str:
    """How the name of the file ends."""
    return {"mbox": ".mbox" if folders == 1 else ".mbox.zip", "maildir": ".maildir.tar", "zip": ".zip"}[format_]


def names_of(folder: Folder) -> tuple[str, ...]:
    """The folder's names from the top, special folders by the names that every program knows."""
    own = ROLE_NAMES.get(folder.role)
    return (own,) if own else folder.path


class _Told:
    """Progress, counted over all folders."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._done = progress, 0

    def one(self, folder: Folder) -> None:
        self._done += 1
        if self._progress:
            self._progress("/".join(names_of(folder)), self._done)


def _messages(
    source: MailSource, folder: Folder, told: _Told, chosen: Sequence[Ref] | None = None
) -> Iterator[tuple[Summary, Iterator[bytes]]]:
    refs = source.refs(folder.id, Query(descending=False)) if chosen is None else chosen
    for at in range(0, len(refs), BATCH):
        rows = {row.ref: row for row in source.summaries(refs[at : at + BATCH])}
        for ref in refs[at : at + BATCH]:
            if ref in rows:
                yield rows[ref], _octets(source, rows[ref])
                told.one(folder)


def _octets(source: MailSource, row: Summary) -> Iterator[bytes]:
    try:
        yield from source.part(row.ref, WHOLE)
    except Gone:
        return


def _mbox(source: MailSource, folder: Folder, told: _Told) -> Iterator[bytes]:
    for row, pieces in _messages(source, folder, told):
        yield from write_mbox(pieces, flags=_lasting(row), received=row.received)


def _lasting(row: Summary) -> frozenset[str]:
    """The flags that belong to the message and not to a session."""
    own = {r"\Recent", r"\Deleted", "$HasAttachment", "$HasNoAttachment"}
    return frozenset(flag for flag in row.flags if flag not in own)


def _eml_entries(
    source: MailSource, folders: list[Folder], told: _Told, chosen: Sequence[Ref] | None = None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    index: list[bytes] = []
    for folder in folders:
        path = "/".join(_safe(name) for name in names_of(folder))
        for number, (row, pieces) in enumerate(_messages(source, folder, told, chosen), 1):
            name = f"{path}/{number:06} {_safe(row.subject)[:60].strip() or 'message'}.eml"
            told_of = {"file": name, "flags": sorted(_lasting(row)), "received": row.received.isoformat()}
            index.append(json.dumps(told_of, ensure_ascii=False).encode() + b"\n")
            yield name, pieces
    yield INDEX, index


def _safe(name: str) -> str:
    """A name that every file system takes."""
    kept = "".join(char if char.isprintable() and char not in '/\\:*?"<>|' else "_" for char in name)
    return kept.strip(" .") or "_"


def _maildir(source: MailSource, folders: list[Folder], told: _Told) -> Iterator[bytes]:
    """A tar of a Maildir++: the Inbox at its top, each other folder beside it with a dot before its name."""
    for folder in folders:
        place = _maildir_place(folder)
        keywords: list[str] = []
        for part in ("cur", "new", "tmp"):
            yield _tar_header(f"{place}/{part}/", 0, 0, folder=True)
        for number, (row, pieces) in enumerate(_messages(source, folder, told), 1):
            data = b"".join(pieces)
            letters = "".join(letter for flag, letter in MAILDIR_LETTERS.items() if flag in row.flags)
            letters += _keyword_letters(row, keywords)
            when = int(row.received.astimezone(UTC).timestamp())
            name = f"{place}/cur/{when}.M{number}.casilla,S={len(data)}:2,{letters}"
            yield _tar_header(name, len(data), when)
            yield data
            yield b"\0" * (-len(data) % tarfile.BLOCKSIZE)
        if keywords:
            data = "".join(f"{number} {word}\n" for number, word in enumerate(keywords)).encode()
            yield _tar_header(f"{place}/dovecot-keywords", len(data), 0)
            yield data + b"\0" * (-len(data) % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _keyword_letters(row: Summary, keywords: list[str]) -> str:
    """Dovecot's letters a to z for keywords, numbered in the order in which they came up; beyond 26 they are lost."""
    words = [flag for flag in sorted(_lasting(row)) if not flag.startswith("\\") and flag != Flag.FORWARDED]
    for word in words:
        if word not in keywords and len(keywords) < 26:
            keywords.append(word)
    return "".join(sorted(chr(ord("a") + keywords.index(word)) for word in words if word in keywords))


def _maildir_place(folder: Folder) -> str:
    if folder.role is Role.INBOX:
        return "Maildir"
    names = (encode_utf7(name).decode("ascii").replace(".", "&AC4-").replace("/", "&AC8-") for name in names_of(folder))
    return "Maildir/." + ".".join(names)


def _tar_header(name: str, size: int, when: int, *, folder: bool = False) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, when, 0o700 if folder else 0o600
    info.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    return info.tobuf(tarfile.PAX_FORMAT)
