"""Debian's mutt, driven by the keys that a person would press."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def mutt(
    folder: Path, address: str, password: str, keys: str, *, imap_port: int, editor: str = "true", more: str = ""
) -> None:
    """Starts mutt on the mailbox, presses the keys (mutt's names in <>), and waits for its end. `more` are settings."""
    folder.mkdir(exist_ok=True)
    lines = [
        f'set folder="imap://127.0.0.1:{imap_port}/" spoolfile="+INBOX" record="+Sent" postponed="+Drafts" trash="+Trash"',
        f'set imap_user="{address}" imap_pass="{password}" ssl_starttls=no ssl_force_tls=no header_cache=""',
        f'set confirmappend=no delete=yes quit=yes editor="{editor}" from="{address}" postpone=yes',
        "set abort_nosubject=no abort_unmodified=no recall=yes sort=mailbox-order edit_headers=no askcc=yes askbcc=yes",
        'set smtp_url="" sendmail="/bin/true" signature="" realname="Ana"',
        more,
    ]
    (folder / "rc").write_text("\n".join(lines) + "\n")
    inner = f"mutt -n -F {folder}/rc -e 'push \"{keys}\"'"
    environment = os.environ | {"TERM": "xterm", "HOME": str(folder), "LANG": "C.UTF-8"}
    subprocess.run(
        ["timeout", "30", "script", "-qec", inner, "/dev/null"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        check=True,
    )
