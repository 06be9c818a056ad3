"""Starts Cyrus IMAP, unpacked from Debian's packages, beside the installed Dovecot."""

from __future__ import annotations

import imaplib
import itertools
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.imap.unpacked import Unpacked
from webmail.values import Credentials

PASSWORD, DOMAIN = "clave", "cyrus.test"
ADMIN = "jefe"
_numbers = itertools.count(1)


class Cyrus(Unpacked):
    """A running Cyrus. Mailboxes are cheap: each test takes a new one."""

    name, package = "cyrus", "cyrus-imapd"

    def new_mailbox(self, local: str = "") -> Credentials:
        """A mailbox that nobody has used: Cyrus makes it, with the usual folders, at its first login."""
        local = local or f"ana{next(_numbers)}"
        self.set_password(local, DOMAIN)
        return Credentials(f"{local}@{DOMAIN}", PASSWORD)

    def set_password(self, local: str, realm: str) -> None:
        """PASSWORD for a name in a realm, from its next login on."""
        program = self.folder / "root" / "usr" / "sbin" / "saslpasswd2"
        database = self.folder / "sasldb2"
        command = [str(word) for word in (program, "-p", "-c", "-f", database, "-u", realm, local)]
        subprocess.run(command, input=PASSWORD.encode(), check=True, capture_output=True)

    def set_quota(self, login: str, kibibytes: int) -> None:
        """The limit of a mailbox that somebody has logged in to."""
        with self._admin() as admin:
            status, told = admin.setquota(f"user/{login}", f"(STORAGE {kibibytes})")
        assert status == "OK", told

    def free_special_use(self, login: str, folder: str) -> None:
        """Takes the role of a folder away; while it has one, Cyrus deletes it for nobody."""
        with imaplib.IMAP4(self.endpoint.host, self.port) as client:
            client.login(login, PASSWORD)
            status, told = client.xatom("SETMETADATA", folder, "(/private/specialuse NIL)")
        assert status == "OK", told

    @contextmanager
    def _admin(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4(self.endpoint.host, self.port) as client:
            client.login(ADMIN, PASSWORD)
            yield client


def start_cyrus(folder: Path, *, munges: bool = False) -> Cyrus:
    """Starts one, or skips the test where that cannot work. With `munges` it changes headers, as it does as it comes."""
    (folder / "sasldb2").touch()
    cyrus = Cyrus(folder, "yes" if munges else "no")
    cyrus.set_password(ADMIN, socket.gethostname())
    return cyrus
