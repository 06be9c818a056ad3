"""A zip made while it is sent, in bounded memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator

from webmail.mime.parameters import clean_filename

NAMELESS = "file"


class _Sink:
    """A file that only grows, and whose new bytes can be taken away."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.at = 0

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        self.at += len(data)
        return len(data)

    def tell(self) -> int:
        return self.at

    def flush(self) -> None: ...

    def take(self) -> bytes:
        data, self.pieces = b"".join(self.pieces), []
        return data


def zip_stream(entries: Iterable[tuple[str, Iterable[bytes]]], *, paths: bool = False) -> Iterator[bytes]:
    """The bytes of a zip of (name, pieces), entries stored as they are (most attachments are compressed already). Names
    are cleaned, and those that stand twice get a number; with `paths` the caller vouches for them, slashes and all. At most
    one piece is held at a time."""
    sink = _Sink()
    used: dict[str, int] = {}
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, chunks in entries:
            with archive.open(zipfile.ZipInfo(name if paths else _unique(name, used)), "w", force_zip64=True) as member:
                for chunk in chunks:
                    member.write(chunk)
                    if data := sink.take():
                        yield data
            yield sink.take()
    yield sink.take()


def _unique(name: str, used: dict[str, int]) -> str:
    name = clean_filename(name) or NAMELESS
    stem, dot, extension = name.rpartition(".")
    candidate = name
    while candidate.casefold() in used:
        used[name.casefold()] += 1
        number = used[name.casefold()]
        candidate = f"{stem} ({number}).{extension}" if dot and stem else f"{name} ({number})"
    used[candidate.casefold()] = 1
    return candidate
