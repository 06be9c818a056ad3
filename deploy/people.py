"""Who lives in the demo: a small printing house, its mailboxes and its administrator."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from accounts.provisioning.render import write_file

CUSTOMER = "Imprenta Quillay"
DOMAIN = "imprentaquillay.test"
PLAN = "Taller 50 GB"
ADMIN = f"admin@{DOMAIN}"
MANAGER = f"marcela@{DOMAIN}"
ALIASES = {f"ventas@{DOMAIN}": f"marcela@{DOMAIN}", f"pedidos@{DOMAIN}": f"taller@{DOMAIN}"}


@dataclass(frozen=True, slots=True)
class Person:
    """One mailbox of the demo, filled with `messages` and then topped up to the part `fill_to` of its quota; with `downloads`
    it is in download mode, all of its mail having arrived in the Inbox."""

    local: str
    name: str
    number: int
    messages: int
    quota_bytes: int = 5_000_000_000
    fill_to: float = 0.0
    downloads: bool = False

    @property
    def address(self) -> str:
        return f"{self.local}@{DOMAIN}"

    @property
    def role(self) -> str:
        return {ADMIN: "admin", MANAGER: "domain"}.get(self.address, "user")


PEOPLE = (
    Person("marcela", "Marcela Fuentealba", 2047, 1300),
    Person("taller", "Taller Quillay", 2051, 260, downloads=True),
    Person("bodega", "Bodega", 2049, 60, quota_bytes=60_000_000, fill_to=0.95),
    Person("josefa", "Josefa Rojas", 2056, 3),
    Person("admin", "Administración", 2040, 10),
)


def passwords_of(root: Path) -> dict[str, str]:
    """Address to password, made at random on first use and kept in the demo's folder."""
    file = root / "people.json"
    if not file.exists():
        made = {person.address: f"{person.local}-{secrets.token_hex(4)}" for person in PEOPLE}
        write_file(file, json.dumps(made), mode=0o600)
    return dict(json.loads(file.read_text()))
