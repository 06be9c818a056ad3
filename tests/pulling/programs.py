"""Debian's mpop, getmail6 and fetchmail, each set to fetch a mailbox over POP3 into a Maildir, leaving copies or not."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import PASSWORD


def empty_maildir(folder: Path) -> Path:
    """`folder`/Maildir, for a program to deliver to."""
    for part in ("cur", "new", "tmp"):
        (folder / "Maildir" / part).mkdir(parents=True)
    return folder


def mpop(folder: Path, user: str, port: int, *, keep: bool = True) -> None:
    lines = [
        "account a",
        "host 127.0.0.1",
        f"port {port}",
        "auth user",
        f"user {user}",
        f"password {PASSWORD}",
        "tls off",
    ]
    lines += [
        f"keep {'on' if keep else 'off'}",
        f"delivery maildir {folder}/Maildir",
        f"uidls_file {folder}/uidls",
        "received_header off",
    ]
    run(["mpop", "-q", "-C", str(secret(folder / "mpoprc", lines)), "a"])


def getmail(folder: Path, user: str, port: int, *, keep: bool = True) -> None:
    lines = ["[retriever]", "type = SimplePOP3Retriever", "server = 127.0.0.1", f"port = {port}", f"username = {user}"]
    lines += [f"password = {PASSWORD}", "[destination]", "type = Maildir", f"path = {folder}/Maildir/", "[options]"]
    lines += [
        "read_all = false",
        f"delete = {str(not keep).lower()}",
        "verbose = 0",
        "received = false",
        "delivered_to = false",
    ]
    secret(folder / "getmailrc", lines)
    for parent in [folder, *folder.parents]:  # it delivers nothing as root
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)
    run(["chown", "-R", "mail:mail", str(folder)])
    run(
        ["getmail", f"--getmaildir={folder}", "--rcfile=getmailrc"],
        user="mail",
        group="mail",
        extra_groups=[],
        cwd=folder,
    )


def fetchmail(folder: Path, user: str, port: int, *, keep: bool = True) -> None:
    deliver, kept = folder / "deliver.sh", "keep" if keep else "no keep"
    deliver.write_text(f"#!/bin/sh\ncd {folder}/Maildir; f=$(date +%s).$$.bench; cat > tmp/$f && mv tmp/$f new/$f\n")
    deliver.chmod(0o755)
    lines = ["set no bouncemail", f'set idfile "{folder}/ids"', f'set pidfile "{folder}/fetchmail.pid"']
    lines += [f"poll 127.0.0.1 service {port} protocol pop3 auth password uidl:"]
    lines += [f'  user "{user}" password "{PASSWORD}" is root here, {kept}, no rewrite, sslproto "", mda "{deliver}"']
    rc = secret(folder / "fetchmailrc", lines)
    environment = os.environ | {"FETCHMAILHOME": str(folder), "HOME": str(folder)}
    run(["fetchmail", "-f", str(rc), "--silent"], env=environment, fine=(0, 1))  # 1: no new mail


def secret(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def run(command: list[str], *, fine: tuple[int, ...] = (0,), **more: Any) -> None:
    done = subprocess.run(command, capture_output=True, timeout=1800, check=False, **more)
    assert done.returncode in fine, (command[0], done.stderr[-500:])
