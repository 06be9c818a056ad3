"""Starts Courier IMAP, unpacked from Debian's packages, beside the installed Dovecot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.imap.unpacked import Unpacked

LOGIN, PASSWORD = "ana@courier.test", "clave"
FOLDERS = ("Drafts", "Sent", "Archive", "Junk", "Trash")
OWNER = 5100


class Courier(Unpacked):
    """A running Courier with one mailbox."""

    name, package = "courier", "courier-imap"

    def reset(self, *folders: str) -> None:
        """Empties the mailbox: these folders, or the usual ones, subscribed, and nothing in them."""
        folders = folders or FOLDERS
        maildir = self.folder / "home" / "Maildir"
        shutil.rmtree(maildir, ignore_errors=True)
        for name in ("", *folders):
            for part in ("cur", "new", "tmp"):
                (maildir / (f".{name}" if name else "") / part).mkdir(parents=True)
            if name:
                (maildir / f".{name}" / "maildirfolder").touch()
        (maildir / "courierimapsubscribed").write_text("".join(f"INBOX.{name}\n" for name in folders))
        for path in [maildir, *maildir.rglob("*")]:
            os.chown(path, OWNER, OWNER)


def start_courier(folder: Path) -> Courier:
    """Starts one, or skips the test where that cannot work."""
    courier = Courier(folder, LOGIN, PASSWORD)
    courier.reset()
    return courier
