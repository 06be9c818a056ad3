"""Real servers as plain processes: Redis, Dovecot and Postfix in one folder, on loopback, on ports of their own.

The demo and the tests both stand on this. No Django here: the processes that need it get `Stack.environment()`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from accounts.provisioning.render import Postgres, ServerValues, Sqlite, render_servers
from deploy import commands, probes
from deploy.layout import Secrets, make_folders
from deploy.ports import LOOPBACK, Ports
from deploy.tls import make_certificates

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
CHILDREN_S = 1.0
MASTER_USER = "casilla"
SERVERS = ("redis", "dovecot", "postfix")

# What must be installed for a server, and the Debian package that brings it.
_PROGRAMS = {
    "redis": {"redis-server": "redis-server"},
    "dovecot": {
        "/usr/sbin/dovecot": "dovecot-core",
        "/usr/lib/dovecot/imap": "dovecot-imapd",
        "/usr/lib/dovecot/pop3": "dovecot-pop3d",
        "/usr/lib/dovecot/lmtp": "dovecot-lmtpd",
        "/usr/lib/dovecot/managesieve": "dovecot-managesieved",
        "/usr/lib/dovecot/modules/auth/libdriver_sqlite.so": "dovecot-sqlite",
    },
    "postfix": {
        "/usr/lib/postfix/sbin/master": "postfix",
        "/usr/lib/postfix/postfix-sqlite.so": "postfix-sqlite",
    },
}


class StackError(Exception):
    """A server could not be started; the text says which one and why."""


@dataclass(slots=True)
class Stack:
    """One set of servers. `root` is a folder from `layout.settle`; `database` is Casilla's, which the mail servers
    read: a SQLite file, or a PostgreSQL server that runs already; `mail_database` is the same with the role that
    they have."""

    root: Path
    ports: Ports
    database: Path | Postgres
    mail_database: Postgres | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def secrets(self) -> Secrets:
        return Secrets.of(self.root)

    @property
    def ca_file(self) -> Path:
        return self.root / "tls" / "ca.pem"

    def prepare(self) -> None:
        """Makes the folders, certificates and configuration. Needs root: the servers have users of their own."""
        if os.geteuid() != 0:
            raise StackError("Dovecot and Postfix need root to start: run this as root or with sudo.")
        sqlite = self.database if isinstance(self.database, Path) else None
        make_folders(self.root, database=sqlite)
        make_certificates(self.root / "tls")
        render_servers(
            ServerValues(
                root=self.root,
                database=Sqlite(self.database)
                if isinstance(self.database, Path)
                else self.mail_database or self.database,
                master_user=MASTER_USER,
                master_password=self.secrets.master,
                doveadm_key=self.secrets.doveadm,
                ports=self.ports.mail,
                reserve_days=int(os.environ.get("RESERVE_DAYS", "30")),
            )
        )

    def start(self, names: Iterable[str] = SERVERS) -> None:
        """Starts servers, those that already run left alone. Raises StackError; then nothing of this call is left."""
        names = [name for name in names if name not in self.processes]
        try:
            for name in names:
                self._check(name)
            if {"dovecot", "postfix"} & set(names):
                self.prepare()
            for name in names:
                self._start_server(name)
        except BaseException:
            self.stop(names)
            raise

    def _start_server(self, name: str) -> None:
        if name == "redis":
            (self.root / "redis").mkdir(exist_ok=True)
            self.spawn(name, commands.redis(self.root, host=LOOPBACK, port=self.ports.redis))
        elif name == "dovecot":
            self.spawn(name, commands.dovecot(self.root))
        else:
            self.spawn(name, commands.postfix(self.root))

    def spawn(
        self, name: str, command: list[str], *, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Starts a process in a session of its own (a Ctrl-C does not reach it), its output in log/NAME.out."""
        log = self.root / "log" / f"{name}.out"
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as output:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=env,
                cwd=cwd or self.root,
            )

    def wait_ready(self, *, recipient: str = "", timeout_s: float = START_TIMEOUT_S) -> None:
        """Returns once every started server does its work. With the address of a mailbox: an IMAP login to it through
        the master user, and an SMTP dialogue up to its acceptance; these pass through maps, database and policy."""
        if "redis" in self.processes:
            self.wait_for("redis", lambda: probes.redis_answers(self.ports.redis), timeout_s)
        if "dovecot" in self.processes:
            login = f"{recipient}*{MASTER_USER}" if recipient else ""
            self.wait_for(
                "dovecot", lambda: probes.imap_answers(self.ports.imap, login, self.secrets.master), timeout_s
            )
        if "postfix" in self.processes:
            self.wait_for("postfix", lambda: probes.smtp_accepts(self.ports.smtp, recipient), timeout_s)

    def wait_for(self, name: str, ready: Callable[[], bool], timeout_s: float = START_TIMEOUT_S) -> None:
        """Waits for one process to become ready. Raises StackError with the end of its log when it ends or is late."""
        until, pause_s = time.monotonic() + timeout_s, 0.01
        why = "it did not answer"
        while time.monotonic() < until:
            if self.processes[name].poll() is not None:
                why = f"it ended at once (exit {self.processes[name].returncode})"
                break
            try:
                if ready():
                    return
            except probes.BrokenError as error:
                why = str(error)
                break
            except (OSError, probes.NotReadyError) as error:
                why = str(error) or why
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.5)
        raise StackError(f"{name} did not come up: {why}\n{self.log_tail(name)}".rstrip())

    def stop(self, names: Iterable[str] | None = None) -> None:
        """Ends processes in the reverse order of their start, by their ids, and waits for each and for its children: Dovecot's
        imap processes go on serving their clients for seconds after their master has gone."""
        chosen = [name for name in reversed(self.processes) if names is None or name in set(names)]
        for name in chosen:
            self._signal(name, signal.SIGTERM)
        until = time.monotonic() + STOP_TIMEOUT_S
        for name in chosen:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.processes[name].wait(max(0.1, until - time.monotonic()))
            if self.processes[name].poll() is None:
                self._signal(name, signal.SIGKILL)
                self.processes[name].wait()
            _end_group(self.processes[name].pid)
            del self.processes[name]

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items()}

    def log_tail(self, name: str, lines: int = 12) -> str:
        """The last lines that a server wrote, for a person to read."""
        found: list[str] = []
        for file in (self.root / "log" / f"{name}.out", self.root / "log" / f"{name}.log"):
            if file.exists():
                found += file.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"  {line}" for line in found)

    def environment(self) -> dict[str, str]:
        """Every setting that a Django process of this stack needs, by the names of config/settings.py."""
        ports, secrets = self.ports, self.secrets
        return {
            "SECRET_KEY": secrets.django,
            "VAULT_KEYS": secrets.vault,
            "SITE_URL": f"http://{LOOPBACK}:{ports.http}",
            "STATE_DIR": str(self.root / "web"),
            "STATIC_ROOT": str(self.root / "web" / "static"),
            **self._database_environment(),
            "REDIS_URL": f"redis://{LOOPBACK}:{ports.redis}/0",
            "MAIL_HOST": LOOPBACK,
            "MAIL_CA_FILE": str(self.ca_file),
            "MAIL_MASTER_USER": MASTER_USER,
            "MAIL_MASTER_PASSWORD": secrets.master,
            "DOVEADM_URL": f"http://{LOOPBACK}:{ports.doveadm}/doveadm/v1",
            "DOVEADM_API_KEY": secrets.doveadm,
            "EMAIL_PORT": str(ports.smtp),
            "EMAIL_FROM": "no-reply@casilla.test",
            "IMAP_PORT": str(ports.imap),
            "IMAP_TLS": "none",
            "POP3_PORT": str(ports.pop3),
            "POP3_TLS": "none",
            "SUBMISSION_PORT": str(ports.submission),
            "SUBMISSION_TLS": "none",
            "LMTP_PORT": str(ports.lmtp),
            "POLICY_PORT": str(ports.policy),
            "SIEVE_PORT": str(ports.sieve),
            # The name in the certificate; programs on this machine reach it.
            "SETUP_IMAP": f"localhost:{ports.imaps}:tls",
            "SETUP_POP3": f"localhost:{ports.pop3s}:tls",
            "SETUP_SMTP": f"localhost:{ports.submissions}:tls,localhost:{ports.submission}:starttls",
            "DNS_CHECK_HOURS": "0",  # nobody in the world is asked
            "DNS_MX": "mail.imprentaquillay.test",
            "PROFILE_CERT_FILE": str(self.root / "tls" / "cert.pem"),
            "PROFILE_KEY_FILE": str(self.root / "tls" / "key.pem"),
            "SIEVE_TLS": "none",
            "DOVECOT_LOG": str(self.root / "log" / "dovecot.log"),
            "POSTFIX_LOG": str(self.root / "log" / "postfix.log"),
            "MAIL_DISK_PATH": str(self.root / "mail"),
            "ALLOW_PRIVATE_SERVERS": "1",
            "POP3_ALLOW_CLEARTEXT": "1",
            "AUTHSERV_IDS": "mail.imprentaquillay.test",
            "TIME_ZONE": "America/Santiago",
        }

    def _database_environment(self) -> dict[str, str]:
        if isinstance(self.database, Path):
            return {"DATABASE": "sqlite", "SQLITE_PATH": str(self.database)}
        return {
            "DATABASE": "postgres",
            "POSTGRES_HOST": self.database.host,
            "POSTGRES_PORT": str(self.database.port),
            "POSTGRES_DB": self.database.name,
            "POSTGRES_USER": self.database.user,
            "POSTGRES_PASSWORD": self.database.password,
            "MAIL_DB_PASSWORD": self.mail_database.password if self.mail_database else "",
        }

    def _check(self, name: str) -> None:
        for program, package in _PROGRAMS[name].items():
            if not shutil.which(program) and not Path(program).exists():
                raise StackError(f"{name} cannot start: {program} is missing (Debian package {package}).")
        own = {"redis": {"redis"}, "postfix": {"smtp", "submission", "submissions", "filtered"}}
        others = {"http", "redis", "smtp", "submission", "submissions", "filtered"}
        for port_name, port in self.ports.taken().items():
            if port_name in own.get(name, set()) or (name == "dovecot" and port_name not in others):
                raise StackError(f"{name} cannot start: port {port} ({port_name}) is taken by another program.")

    def _signal(self, name: str, number: int) -> None:
        process = self.processes[name]
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)


def _end_group(leader: int) -> None:
    """Waits a moment for what is left in the process group of a process that has ended, then ends it."""
    until = time.monotonic() + CHILDREN_S
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < until:
            os.killpg(leader, 0)
            time.sleep(0.01)
        os.killpg(leader, signal.SIGKILL)
