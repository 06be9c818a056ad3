"""The questions that Dovecot and Postfix ask Casilla's database, taken from their own configuration: a new one is tested as it is
written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from accounts.provisioning.maps import MAPS
from accounts.provisioning.render import TEMPLATES

ADDRESS = "a77@indices.test"
_ASKED = re.compile(r"^(password_query|user_query) = (.*)$", re.MULTILINE)
_SERVICES = ("imap", "smtp", "lmtp", "quota-status", "doveadm")
"""Who asks Dovecot: the questions differ in what is compared with it."""


def lookups() -> dict[str, str]:
    """Every question about one address, by the name of its file; of Dovecot's once for each service. Not `iterate_query`, which
    lists all, and not the master user's, which looks into no table."""
    return dict(_postfix()) | dict(_dovecot())


def asked(query: str, about: str) -> str:
    """A question of Postfix's maps about an address or a login, as Postfix asks it."""
    return query.replace("%s", about).replace("%%", "%")


def _postfix() -> Iterator[tuple[str, str]]:
    for name, query in MAPS.items():
        yield f"postfix {name}", asked(query, "indices.test" if name == "domains" else ADDRESS)
    yield "postfix aliases, the rest of a domain", asked(MAPS["aliases"], "@indices.test")
    yield "postfix silenced, a device's password", asked(MAPS["silenced"], f"{ADDRESS}#7")


def _dovecot() -> Iterator[tuple[str, str]]:
    for name in ("sql.conf", "sql-app.conf"):
        text = (TEMPLATES / "dovecot" / name).read_text().replace("\\\n", " ")
        for kind, query in _ASKED.findall(text):
            for service in _SERVICES:
                yield f"{name} {kind} {service}", _filled(query, service)


def _filled(query: str, service: str) -> str:
    values = {"%Lu": ADDRESS, "%Ls": service, "%{master_user}": "", "%{sha256:password}": "0" * 64}
    for variable, value in values.items():
        query = query.replace(variable, value)
    return re.sub(r"\$\{\w+\}", "x", query)
