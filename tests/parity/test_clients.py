"""What Casilla shows, beside what two other mail programs show of the same mailbox: mbsync and mutt."""

from __future__ import annotations

import email
import email.policy
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imapclient import imap_utf7

from tests.clients.mutt import mutt
from tests.parity.conftest import Mailbox
from webmail.services.parity_compare import loose
from webmail.values import FolderId, Query, Summary, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
LETTERS = {r"\Seen": "S", r"\Flagged": "F", r"\Answered": "R", r"\Draft": "D", r"\Deleted": "T", "$Forwarded": "P"}
HEAVY = int(os.environ.get("PARITY_MESSAGES", "0"))
"""So many messages more in the Inbox; the long version's (`make test-clients`)."""


def shown(mailbox: Mailbox) -> dict[str, dict[str, Summary]]:
    """What Casilla's lists have: rows by UID, by the folder's raw name."""
    with mailbox.source() as source:
        found: dict[str, dict[str, Summary]] = {}
        for folder in source.folders():
            rows: list[Summary] = []
            while page := source.page(folder.id, Query(), Window(len(rows), 250)).rows:
                rows += page
            found[folder.id] = {row.ref.id: row for row in rows}
        return found


def add_many(mailbox: Mailbox) -> None:
    for number in range(HEAVY):
        raw = f"From: Beto <beto@afuera.test>\r\nSubject: Muchas {number}\r\n\r\nHola\r\n"
        mailbox.imap.append("INBOX", raw.encode(), [r"\Seen"] if number % 2 else [])


def synchronised(folder: Path, mailbox: Mailbox, port: int) -> dict[str, list[Path]]:
    """Every message as mbsync writes it, by folder."""
    (folder / "mail").mkdir()
    (folder / "rc").write_text(
        f"""
IMAPAccount one
Host 127.0.0.1
Port {port}
User {mailbox.made.address}
Pass {mailbox.made.password}
SSLType None
AuthMechs LOGIN

IMAPStore remote
Account one

MaildirStore local
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Near
Expunge Near
Sync Pull
SyncState *
"""
    )
    run = subprocess.run(["mbsync", "-c", str(folder / "rc"), "-a"], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    found: dict[str, list[Path]] = {}
    for place in sorted((folder / "mail").rglob("cur")):
        name = str(place.parent.relative_to(folder / "mail"))
        found[name] = [*place.iterdir(), *(place.parent / "new").iterdir()]
    return found


def test_mbsync_has_the_same_folders_messages_and_marks(mailbox: Mailbox, stack: Any, tmp_path: Path) -> None:
    add_many(mailbox)
    here, there = shown(mailbox), synchronised(tmp_path, mailbox, stack.ports.imap)
    assert {imap_utf7.decode(name.encode()) for name in here} == {_name(name) for name in there}
    by_name = {imap_utf7.decode(name.encode()): rows for name, rows in here.items()}
    for name, files in there.items():
        theirs = sorted(_told_by_maildir(file) for file in files if "T" not in _marks(file))
        ours = sorted(_told_by_row(row) for row in by_name[_name(name)].values())
        assert ours == theirs, name


def _name(name: str) -> str:
    return str(imap_utf7.decode(name.encode())) if name.isascii() else name


def _marks(file: Path) -> str:
    return "".join(sorted(file.name.partition(":2,")[2]))


def _told_by_maildir(file: Path) -> tuple[str, str, str, str]:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    date = message["Date"]
    moment = f"{date.datetime.timestamp():.0f}" if date is not None else ""
    return loose(str(message["Subject"])), str(message["From"].addresses[0].addr_spec), moment, _marks(file)


def _told_by_row(row: Summary) -> tuple[str, str, str, str]:
    marks = "".join(sorted(letter for flag, letter in LETTERS.items() if flag in row.flags))
    return loose(row.subject), row.sender[0].email, f"{row.sent.timestamp():.0f}" if row.sent else "", marks


def test_mutt_shows_the_same_subjects_senders_and_marks(mailbox: Mailbox, stack: Any, tmp_path: Path) -> None:
    add_many(mailbox)
    here = shown(mailbox)
    for number, name in enumerate(("INBOX", "Obras", "Año nuevo")):
        rows = list(here[FolderId(imap_utf7.encode(name).decode())].values())
        look = _mutt_look(mailbox, stack.ports.imap, tmp_path / str(number), name)
        assert look("~A ! ~D") == sorted(_line(row) for row in rows), name
        assert look("~U ! ~D") == sorted(_line(row) for row in rows if row.unread), name
        assert look("~F ! ~D") == sorted(_line(row) for row in rows if row.flagged), name
        assert look("~Q ! ~D") == sorted(_line(row) for row in rows if row.answered), name


def _line(row: Summary) -> str:
    return f"{row.sender[0].email}|{loose(row.subject)}"


def _mutt_look(mailbox: Mailbox, port: int, folder: Path, name: str) -> Callable[[str], list[str]]:
    """What mutt shows of a folder for one of its patterns: sender and decoded subject of each message."""

    def look(pattern: str) -> list[str]:
        folder.mkdir(exist_ok=True)
        out = folder / "out"
        out.unlink(missing_ok=True)
        script = folder / "take"
        script.write_text(f'#!/bin/sh\ngrep -aE "^(From|Subject): " >> {out}; echo >> {out}\n')
        script.chmod(0o755)
        keys = f"<tag-pattern>{pattern}<enter><tag-prefix-cond><pipe-message>{script}<enter><end-cond><exit>"
        more = f'set pipe_decode=yes pipe_split=no read_only=yes spoolfile="+{name}"'
        mutt(folder / "m", mailbox.made.address, mailbox.made.password, keys, imap_port=port, more=more)
        return sorted(_lines(out.read_text() if out.exists() else ""))

    return look


def _lines(text: str) -> list[str]:
    senders = [line[6:] for line in text.splitlines() if line.startswith("From: ")]
    subjects = [line[9:] for line in text.splitlines() if line.startswith("Subject: ")]
    return [
        f"{sender.rpartition('<')[2].rstrip('>')}|{loose(subject)}"
        for sender, subject in zip(senders, subjects, strict=True)
    ]
