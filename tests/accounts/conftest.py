"""A second Dovecot that Casilla does not host: any user, one password, with and without TLS."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest

from deploy.ports import LOOPBACK
from deploy.stack import Stack

FOREIGN_PASSWORD = "clave-de-otra-parte"
CONFIGURATION = Template("""
base_dir = $root/run
state_dir = $root/state
log_path = $root/log
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
auth_failure_delay = 0
# The tests of a run leave connections of one person behind, until the process ends.
mail_max_userip_connections = 200
mail_uid = 5000
mail_gid = 5000
first_valid_uid = 5000
first_valid_gid = 5000
mail_home = $root/mail/%Ln
mail_location = sdbox:~/box
ssl = yes
ssl_cert = <$tls/cert.pem
ssl_key = <$tls/key.pem
passdb {
  driver = static
  args = password=$password
}
userdb {
  driver = static
  args = uid=5000 gid=5000
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = $imaps
  }
}
""")


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """Where it listens, and the password of everybody on it."""

    imap: int
    imaps: int
    password: str = FOREIGN_PASSWORD


@pytest.fixture(scope="session")
def foreign(stack: Stack) -> Iterator[ForeignServer]:
    """Another provider's IMAP server; its certificate is the test authority's (stack.ca_file)."""
    root = Path(tempfile.mkdtemp(prefix="otra-"))
    server = ForeignServer(free_port(), free_port())
    (root / "mail").mkdir()
    root.chmod(0o755)
    shutil.chown(root / "mail", 5000, 5000)
    configuration = root / "dovecot.conf"
    tls = stack.ca_file.parent
    ports = {"imap": server.imap, "imaps": server.imaps}
    configuration.write_text(CONFIGURATION.substitute(root=root, tls=tls, password=server.password, **ports))
    process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(configuration)])
    try:
        wait_for(server.imaps)
        yield server
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(root, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _try in range(100):
        try:
            socket.create_connection((LOOPBACK, port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


@pytest.fixture
def servers(settings: Any, foreign: ForeignServer, transactional_db: None) -> ForeignServer:
    """One foreign domain is known, with TLS."""
    settings.MAIL_SERVERS = json.dumps({"otraparte.test": {"imap": f"localhost:{foreign.imaps}:tls"}})
    return foreign
