"""The folder in which one stack keeps everything, with the owners and modes that the servers insist on."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from accounts.provisioning.render import MAIL_UID, write_file

ELSEWHERE = Path("/var/lib/casilla")
LONGEST = 60
"""A Unix socket's path has 107 bytes; Dovecot's longest name below the folder takes some 40."""

_PLAIN = re.compile(r"/[A-Za-z0-9_./-]+")
# Postfix's queue folders: mode, and the group where it is not root.
_QUEUES = {
    **dict.fromkeys(("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"), 0o700),
    **dict.fromkeys(("private", "saved", "trace"), 0o700),
    "maildrop": 0o730,
    "public": 0o710,
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one stack keeps to itself, made once and kept in its folder."""

    django: str
    vault: str
    master: str
    doveadm: str

    @classmethod
    def of(cls, root: Path) -> Secrets:
        """Those of this folder, made on first use."""
        file = root / "secrets.json"
        if file.exists():
            known = json.loads(file.read_text())
            if "doveadm" in known:
                return cls(**known)
        else:
            known = {}
        from cryptography.fernet import Fernet

        fresh = {name: secrets.token_urlsafe(32) for name in ("master", "doveadm")}
        fresh |= {"django": secrets.token_urlsafe(50), "vault": Fernet.generate_key().decode()}
        made = cls(**(fresh | known))
        write_file(file, json.dumps(asdict(made)), mode=0o600)
        return made


def settle(wanted: Path) -> Path:
    """The real folder for a stack that is wanted at a path; afterwards the wanted path leads there.

    The mail servers run as users of their own, so every folder above must let them through, and the path must be
    short and plain. Where it is not so (a private home, say), the state lies under /var/lib/casilla and the wanted path
    is a symbolic link to it.
    """
    wanted = Path(os.path.abspath(wanted))
    if wanted.is_symlink():
        wanted.resolve().mkdir(parents=True, exist_ok=True)
        return wanted.resolve()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    real = wanted.parent.resolve() / wanted.name
    if _suits(real):
        real.mkdir(exist_ok=True)
        real.chmod(0o755)
        return real
    other = ELSEWHERE / hashlib.sha256(str(real).encode()).hexdigest()[:10]
    if wanted.exists():
        wanted.rmdir()  # only when empty: what somebody keeps there stays
    other.mkdir(parents=True, exist_ok=True)
    wanted.symlink_to(other)
    return other


def make_folders(root: Path, *, database: Path | None) -> None:
    """Every folder of a stack. The database's belongs to the group postfix: SQLite in WAL mode writes even to read."""
    shutil.rmtree(root / "run", ignore_errors=True)  # a socket left from an earlier run costs the first login 5 s
    for name in ("etc", "log", "web", "redis", "run/dovecot", "state/dovecot"):
        (root / name).mkdir(parents=True, exist_ok=True)
    _folder(root / "state" / "postfix", 0o700, "postfix", "root")
    _folder(root / "mail", 0o700, MAIL_UID, MAIL_UID)
    if database:
        _folder(database.parent, 0o2770, "root", "postfix")
        share_database(database)
    _make_queue(root / "spool")


def share_database(database: Path) -> None:
    """Lets the group postfix write the SQLite file and what lies beside it; SQLite copies the mode to new ones."""
    if not database.exists():
        database.touch(mode=0o660)
    for file in database.parent.glob(f"{database.name}*"):
        shutil.chown(file, "root", "postfix")
        file.chmod(0o660)


def _make_queue(spool: Path) -> None:
    spool.mkdir(exist_ok=True)
    (spool / "pid").mkdir(exist_ok=True)
    for name, mode in _QUEUES.items():
        _folder(spool / name, mode, "postfix", "postdrop" if mode != 0o700 else "root")


def _folder(path: Path, mode: int, user: str | int, group: str | int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    shutil.chown(path, user, group)
    path.chmod(mode)


def _suits(path: Path) -> bool:
    open_to_all = all(parent.stat().st_mode & 0o001 for parent in path.parents)
    return open_to_all and len(str(path)) <= LONGEST and _PLAIN.fullmatch(str(path)) is not None
