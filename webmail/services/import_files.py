"""Reading files of mail: mbox, a tar or zip of Maildirs, a zip of .eml or of mboxes. Names in the file are never paths on a
disk: they only tell which folder a message belongs to."""

from __future__ import annotations

import io
import json
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, BinaryIO, cast

from imapclient.imap_utf7 import decode as decode_utf7

from webmail.errors import Refused
from webmail.mime.headers import make_safe
from webmail.mime.mbox import MESSAGE_LIMIT_BYTES, Kept, TooLarge, read_mbox
from webmail.services.export import INDEX, MAILDIR_LETTERS

ENTRIES_LIMIT = 2_000_000
TOTAL_LIMIT_BYTES = 200 * 1024**3
RATIO_LIMIT = 300
"""Octets out for one octet in: more is no mail, but a bomb (RFC 1951 cannot do more than 1032)."""
INDEX_LIMIT_BYTES = 256 * 1024 * 1024
HEAD_BYTES = 512
"""So much of a file tells its kind."""
BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
)
"""What the readers of the formats raise for files that are not what they claim."""
_CUR = re.compile(r"(?:^|/)(?:cur|new)/[^/]+$")
_KEYWORD_LINE = re.compile(r"([0-9]{1,2}) (\S{1,100})")
Place = tuple[str, ...]


class BadFile(Refused):
    """The file is none of the kinds that can be read, or cannot be read to its end; `code` says why: kind, bomb, large or
    broken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_entries(file: BinaryIO) -> Iterator[tuple[Place, Kept]]:
    """Every message of a file that can be sought in, with the folders that its name tells. Raises BadFile."""
    try:
        yield from _entries(file)
    except TooLarge as error:
        raise BadFile("large") from error
    except BROKEN as error:
        raise BadFile("broken") from error
    except OSError as error:
        if error.errno is not None:
            raise  # of the disk; gzip and bz2 say so of their data, without a number
        raise BadFile("broken") from error


def check_kind(start: bytes) -> None:
    """Raises BadFile when a file that begins so is none of the kinds that can be read."""
    if not (_is_zip(start) or _is_tar(start) or start.startswith(b"From ")):
        raise BadFile("kind")


def _is_zip(start: bytes) -> bool:
    return start.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar" or start[:2] == b"\x1f\x8b"


def _entries(file: BinaryIO) -> Iterator[tuple[Place, Kept]]:
    start = file.read(HEAD_BYTES)
    file.seek(0)
    check_kind(start)
    if _is_zip(start):
        return _from_zip(file)
    if _is_tar(start):
        return _from_tar(file)
    return (((), kept) for kept in read_mbox(file))


# --- zip --------------------------------------------------------------------------------------------------------------


def _from_zip(file: BinaryIO) -> Iterator[tuple[Place, Kept]]:
    with zipfile.ZipFile(file) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > ENTRIES_LIMIT:
            raise BadFile("large")
        _check_sizes(members)
        index = _read_index(archive)
        for member in members:
            name = member.filename
            if member.flag_bits & 1:
                raise BadFile("broken")  # encrypted
            if name.lower().endswith(".eml"):
                kept = Kept(_member(archive, member))
                yield _place(name), _told(kept, index.get(name))
            elif name.lower().endswith(".mbox"):
                with archive.open(member) as inner:
                    place = _place(name[:-5] + "/x")
                    for kept in read_mbox(io.BufferedReader(cast(io.RawIOBase, inner))):
                        yield place, kept
            elif _CUR.search(name):
                yield _maildir_place(name), Kept(_member(archive, member), _maildir_flags(name, []), None)


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    """By what the directory claims: zipfile gives no more of a member than that."""
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > TOTAL_LIMIT_BYTES or any(_is_large(member) for member in members):
        raise BadFile("large")
    if total > 50 * 1024 * 1024 and total > packed * RATIO_LIMIT:
        raise BadFile("bomb")


def _is_large(member: zipfile.ZipInfo) -> bool:
    return member.filename.lower().endswith(".eml") and member.file_size > MESSAGE_LIMIT_BYTES


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as inner:
        return _limited(inner)


def _limited(inner: IO[bytes]) -> bytes:
    data = inner.read(MESSAGE_LIMIT_BYTES + 1)
    if len(data) > MESSAGE_LIMIT_BYTES:
        raise BadFile("large")
    return data


def _read_index(archive: zipfile.ZipFile) -> dict[str, dict[str, object]]:
    try:
        member = archive.getinfo(INDEX)
    except KeyError:
        return {}
    if member.file_size > INDEX_LIMIT_BYTES:
        raise BadFile("large")
    found = {}
    with archive.open(member) as inner:
        for line in inner:
            try:
                entry = json.loads(line)
                found[str(entry["file"])] = entry
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
    return found


def _told(kept: Kept, entry: dict[str, object] | None) -> Kept:
    """With what the index says of it, as far as that can be believed."""
    if entry is None:
        return kept
    flags = entry.get("flags")
    words = frozenset(word for word in flags if isinstance(word, str)) if isinstance(flags, list) else frozenset()
    try:
        received = datetime.fromisoformat(str(entry.get("received")))
    except ValueError:
        return replace(kept, flags=words)
    return replace(kept, flags=words, received=received if received.tzinfo else received.replace(tzinfo=UTC))


def _place(name: str) -> Place:
    """The folders in a member's name."""
    return tuple(part for part in name.replace("\\", "/").split("/")[:-1] if part not in {"", ".", ".."})


# --- tar --------------------------------------------------------------------------------------------------------------


def _from_tar(file: BinaryIO) -> Iterator[tuple[Place, Kept]]:
    """Maildirs. Keywords stand in a file of each, which may come after its messages: the names are read first."""
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        keywords: dict[Place, list[str]] = {}
        count = total = 0
        for member in archive:
            count, total = count + 1, total + member.size
            if count > ENTRIES_LIMIT or total > TOTAL_LIMIT_BYTES:
                raise BadFile("large")
            if member.isfile() and member.name.endswith("/dovecot-keywords") and member.size < 100_000:
                inner = archive.extractfile(member)
                keywords[_maildir_place(member.name)] = _read_keywords(inner.read() if inner else b"")
        for member in archive.getmembers():
            if member.isfile() and _CUR.search(member.name):
                if member.size > MESSAGE_LIMIT_BYTES:
                    raise BadFile("large")
                inner = archive.extractfile(member)
                place = _maildir_place(member.name)
                when = datetime.fromtimestamp(max(0, min(member.mtime, 4_102_444_800)), UTC)
                flags = _maildir_flags(member.name, keywords.get(place, []))
                yield place, Kept(inner.read() if inner else b"", flags, when)


def _maildir_place(name: str) -> Place:
    """The folder of a Maildir++ name: what follows the last dot folder; the Maildir itself is the Inbox."""
    folders = [part for part in name.split("/")[:-1] if part not in {"cur", "new", "tmp", "", ".", ".."}]
    if not folders or not folders[-1].startswith("."):
        return ("INBOX",)
    return tuple(_decoded(part) for part in folders[-1][1:].split("."))


def _decoded(name: str) -> str:
    try:
        return make_safe(decode_utf7(name.encode("ascii")))
    except (UnicodeError, ValueError, LookupError):
        return make_safe(name)


def _read_keywords(data: bytes) -> list[str]:
    words = [""] * 26
    for line in data.decode("utf-8", "replace").splitlines():
        match = _KEYWORD_LINE.fullmatch(line)
        if match and int(match[1]) < len(words):
            words[int(match[1])] = match[2]
    return words


def _maildir_flags(name: str, keywords: list[str]) -> frozenset[str]:
    letters = name.rpartition(":2,")[2] if ":2," in name else ""
    flags = {str(flag) for flag, letter in MAILDIR_LETTERS.items() if letter in letters}
    for letter in letters:
        at = ord(letter) - ord("a")
        if 0 <= at < len(keywords) and keywords[at]:
            flags.add(keywords[at])
    return frozenset(flags)
