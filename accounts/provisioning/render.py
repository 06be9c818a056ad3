"""Renders the templates under deploy/ into one folder: the configuration of Dovecot and of Postfix.

The same templates serve the demo, the tests and docker-compose. A value gets into a file only after it has passed a
check of its form, and a file appears whole or not at all. Nothing here needs Django, a network or a running server.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template

from accounts.provisioning.maps import MAPS

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "deploy"
RESERVE_DAYS_MAX = 365
MAIL_UID = 5000
"""Owner of the mail folders: a number of its own, which needs no account on the machine."""

_LONG_AGO = 1_000_000_000
_PATH = re.compile(r"/[A-Za-z0-9_./-]+")
_WORD = re.compile(r"[A-Za-z0-9_.:-]+")
_NETWORK = re.compile(r"[0-9a-fA-F.:/]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]+")

_OUTSIDE_OFF = """\
# Nothing leaves this machine.
default_transport = error:5.4.4 outside mail is off in this stack
smtp_dns_support_level = disabled"""
_NO_PENALTY = """\
# The wait after wrong passwords is kept per client address, and here everybody comes from one: without this socket
# there is none.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}"""

_DOVEADM = """\
# Casilla ends the sessions of a mailbox that was suspended, and removes the mail of one that is gone for good.
doveadm_api_key = {key}
service doveadm {{
  inet_listener http {{
    port = {port}
  }}
}}"""


@dataclass(frozen=True, slots=True)
class Sqlite:
    """Casilla's database as a file that the group `postfix` may write."""

    path: Path


@dataclass(frozen=True, slots=True)
class Postgres:
    """Casilla's database on a PostgreSQL server. User and password are words without blanks or quotes."""

    host: str
    port: int
    name: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class MailPorts:
    """TCP ports of the mail servers."""

    imap: int = 143
    imaps: int = 993
    pop3: int = 110
    pop3s: int = 995
    smtp: int = 25
    submission: int = 587
    submissions: int = 465
    lmtp: int = 24
    sieve: int = 4190
    quota: int = 12340
    doveadm: int = 8180
    filtered: int = 10025
    policy: int = 12341


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerValues:
    """Everything that differs between one installation of the mail servers and the next.

    `root` holds all their state; `master_hosts` are the addresses from which the master user is let in; `trusted_networks`
    may tell Dovecot the address of the person behind them; from `filter_hosts`, which are Dovecot's own, Postfix takes what
    filters send (answers and forwards). `require_tls` refuses passwords in clear. `doveadm_key` opens doveadm over HTTP, by
    which sessions are ended and mail is removed; without one it is shut. For `reserve_days` what POP3 programs
    remove is kept.
    """

    root: Path
    database: Sqlite | Postgres
    master_password: str
    doveadm_key: str = ""
    ports: MailPorts = MailPorts()
    master_user: str = "casilla"
    master_hosts: tuple[str, ...] = ("127.0.0.1",)
    trusted_networks: tuple[str, ...] = ("127.0.0.0/8",)
    listen: str = "127.0.0.1"
    hostname: str = "localhost"
    lmtp_host: str = "127.0.0.1"
    postfix_host: str = "127.0.0.1"
    policy_host: str = "127.0.0.1"
    filter_hosts: tuple[str, ...] = ("127.0.0.1",)
    mail_uid: int = MAIL_UID
    auth_penalty: bool = False
    outside_mail: bool = False
    require_tls: bool = False
    reserve_days: int = 30

    def __post_init__(self) -> None:
        _check(_PATH, str(self.root))
        _check(_WORD, self.hostname, self.lmtp_host, self.postfix_host, self.policy_host, self.listen)
        _check(_SECRET, self.master_user, self.master_password)
        if self.doveadm_key:
            _check(_SECRET, self.doveadm_key)
        _check(_NETWORK, *self.master_hosts, *self.trusted_networks, *self.filter_hosts)
        if not 1 <= self.reserve_days <= RESERVE_DAYS_MAX:
            raise ValueError(f"RESERVE_DAYS is from 1 to {RESERVE_DAYS_MAX}")
        if isinstance(self.database, Sqlite):
            _check(_PATH, str(self.database.path))
        else:
            _check(_WORD, self.database.host, self.database.name, self.database.user)
            _check(_SECRET, self.database.password)

    @property
    def etc(self) -> Path:
        return self.root / "etc"


def render_servers(values: ServerValues) -> None:
    """Writes root/etc/dovecot and root/etc/postfix. Files that hold a secret are readable by their server alone."""
    names = _names(values)
    for name in ("dovecot.conf", "sql.conf", "sql-app.conf", "sql-master.conf"):
        write_file(values.etc / "dovecot" / name, _fill(TEMPLATES / "dovecot" / name, names), mode=0o600)
    # The dict process reads it as itself: dovecot, of the group that owns the database.
    text = _fill(TEMPLATES / "dovecot" / "usage.conf", names)
    write_file(values.etc / "dovecot" / "usage.conf", text, mode=0o640, group="postfix")
    for name in ("main.cf", "master.cf"):
        write_file(values.etc / "postfix" / name, _fill(TEMPLATES / "postfix" / name, names), mode=0o644)
        # Postfix 3.7 reads a file again and again, 0.3 s apart, while it is less than some seconds old.
        os.utime(values.etc / "postfix" / name, (_LONG_AGO, _LONG_AGO))
    for name, query in MAPS.items():
        text = _fill(TEMPLATES / "postfix" / "map.cf", names | {"query": query})
        write_file(values.etc / "postfix" / f"{name}.cf", text, mode=0o640, group="postfix")


def write_file(path: Path, text: str, *, mode: int, group: str | None = None) -> None:
    """Writes a file in one step: a reader sees the old text or the new, never a part. `group` becomes its group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    if group:
        shutil.chown(new, group=group)
    new.chmod(mode)
    new.replace(path)


def hash_master_password(password: str) -> str:
    """The {SSHA512} form of a password, which costs Dovecot next to nothing: the password is long and random."""
    salt = secrets.token_bytes(16)
    return "{SSHA512}" + base64.b64encode(hashlib.sha512(password.encode() + salt).digest() + salt).decode()


def _names(values: ServerValues) -> dict[str, str]:
    ports = values.ports
    names = {f"{port}_port": str(getattr(ports, port)) for port in MailPorts.__slots__}
    everywhere = values.listen in {"0.0.0.0", "*"}  # noqa: S104
    return (
        names
        | _database_names(values.database)
        | {
            "root": str(values.root),
            "run_dir": f"{values.root}/run",
            "tls_dir": f"{values.root}/tls",
            "listen": values.listen,
            "postfix_interfaces": "all" if everywhere else values.listen,
            "hostname": values.hostname,
            "lmtp_host": values.lmtp_host,
            "postfix_host": values.postfix_host,
            "policy_host": values.policy_host,
            "filter_hosts": " ".join(values.filter_hosts),
            "mail_uid": str(values.mail_uid),
            "master_user": values.master_user,
            "master_hash": hash_master_password(values.master_password),
            "master_hosts": ", ".join(f"'{host}'" for host in values.master_hosts),
            "trusted_networks": " ".join(values.trusted_networks),
            "auth_failure_delay": "2 secs" if values.auth_penalty else "0",
            "anvil": "" if values.auth_penalty else _NO_PENALTY,
            "doveadm": _DOVEADM.format(port=ports.doveadm, key=values.doveadm_key) if values.doveadm_key else "",
            "reserve_days": str(values.reserve_days),
            "outside": "" if values.outside_mail else _OUTSIDE_OFF,
            "disable_plaintext_auth": "yes" if values.require_tls else "no",
            "ssl": "required" if values.require_tls else "yes",
            "submission_tls_level": "encrypt" if values.require_tls else "may",
            "tls_auth_only": "yes" if values.require_tls else "no",
        }
    )


def _database_names(database: Sqlite | Postgres) -> dict[str, str]:
    if isinstance(database, Sqlite):
        return {
            "sql_driver": "sqlite",
            "sql_connect": str(database.path),
            "map_type": "sqlite",
            "map_connect": f"dbpath = {database.path}",
        }
    where = f"host={database.host} port={database.port} dbname={database.name}"
    return {
        "sql_driver": "pgsql",
        "sql_connect": f"{where} user={database.user} password={database.password}",
        "map_type": "pgsql",
        "map_connect": f"hosts = {database.host}:{database.port}\ndbname = {database.name}\n"
        f"user = {database.user}\npassword = {database.password}",
    }


def _fill(template: Path, names: dict[str, str]) -> str:
    return Template(template.read_text(encoding="utf-8")).substitute(names)


def _check(form: re.Pattern[str], *values: str) -> None:
    for value in values:
        if not form.fullmatch(value):
            raise ValueError(f"{value!r} may not stand in a server's configuration")
