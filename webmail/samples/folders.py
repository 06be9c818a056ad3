"""The tree of folders, and how its names look to a server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

Path = tuple[str, ...]
INBOX: Path = ("INBOX",)
DRAFTS: Path = ("Drafts",)
SENT: Path = ("Sent",)
JUNK: Path = ("Junk",)
TRASH: Path = ("Trash",)
ARCHIVE = "Archive"
AROMO: Path = ("Clientes", "Viña Aromo")
NIRRE: Path = ("Clientes", "Editorial Ñirre")
MUNI: Path = ("Clientes", "Municipalidad")
PAPELES: Path = ("Proveedores", "Papeles Andinos")
TINTAS: Path = ("Proveedores", "Tintas y solventes")
REPUESTOS: Path = ("Proveedores", "Repuestos y máquinas")
FAMILIA: Path = ("Familia",)
FACTURAS = "Facturas"
TALLER: Path = ("Taller 🖨️",)
JAPAN: Path = ("日本の和紙",)
FACTURAS_YEARS = 3


def full_tree(until: datetime) -> list[Path]:
    """Every folder that a grown mailbox has, parents before children, but for Archive/YYYY, which come with their mail."""
    bills = [(FACTURAS, str(year)) for year in range(until.year - FACTURAS_YEARS + 1, until.year + 1)]
    return [
        INBOX,
        DRAFTS,
        SENT,
        (ARCHIVE,),
        JUNK,
        TRASH,
        ("Clientes",),
        NIRRE,
        MUNI,
        AROMO,
        (FACTURAS,),
        *bills,
        FAMILIA,
        ("Proveedores",),
        PAPELES,
        REPUESTOS,
        TINTAS,
        TALLER,
        JAPAN,
    ]


def server_name(path: Sequence[str], delimiter: str = "/") -> str:
    """A path as the server writes it: each name in modified UTF-7 (RFC 3501 section 5.1.3), joined by the delimiter."""
    return delimiter.join(encode_utf7(name) for name in path)


def encode_utf7(name: str) -> str:
    """One name in modified UTF-7."""
    done: list[str] = []
    wide = ""
    for char in [*name, ""]:
        if char and not " " <= char <= "~":
            wide += char
            continue
        if wide:
            code = b64encode(wide.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            done.append(f"&{code}-")
            wide = ""
        done.append("&-" if char == "&" else char)
    return "".join(done)
