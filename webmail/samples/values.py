"""What moves inside the sample room: people, letters, files, and the finished sample."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Style = Literal["plain", "flowed", "alternative", "html", "notice", "newsletter", "invite", "mixed"]
"""How a letter is dressed: plain text, format=flowed (RFC 3676), text + HTML, HTML alone, an automatic notice, a newsletter,
an invitation (RFC 6047), or text, picture, text."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A correspondent, and the habits of their mail program."""

    name: str
    email: str
    org: str = ""
    lang: str = "es"
    style: Style = "alternative"
    charset: str = "utf-8"
    words: Literal["Q", "B"] = "Q"
    phone: str = ""

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a letter; with a `cid` it belongs to the HTML."""

    name: str
    media_type: str
    data: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A small table in a letter; the last row is the total when `total`."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody wrote, before it becomes a message. Paragraphs of `text` are separated by an empty line."""

    sender: Contact
    to: tuple[Contact, ...]
    subject: str
    text: str
    when: datetime
    style: Style
    cc: tuple[Contact, ...] = ()
    table: Table | None = None
    files: tuple[File, ...] = ()
    items: tuple[tuple[str, str], ...] = ()
    remote: bool = False
    unsubscribe: bool = False
    auth: Literal["pass", "softfail", "fail", "none"] = "pass"
    signed: bool = True
    previous: Letter | None = None
    event: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished message: the folder it belongs in (names from the top, decoded), its octets with CRLF line ends, its
    flags and keywords, and when it arrived."""

    folder: tuple[str, ...]
    raw: bytes
    flags: tuple[str, ...]
    received: datetime
