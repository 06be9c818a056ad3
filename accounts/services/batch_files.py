"""CSV files as people save them: separators, encodings, the names of columns, and rows."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Domain, Mailbox, MailboxUsage
from accounts.services.csv_cells import plain_cell
from accounts.services.limits import MEGABYTE, size_typed

ROWS_LIMIT = 10_000
FILE_LIMIT_BYTES = 4 * MEGABYTE
CHUNK = 500
SEPARATORS = ",;\t|"
COLUMNS: dict[str, tuple[str, ...]] = {
    "address": (
        "address",
        "mailbox",
        "email",
        "e-mail",
        "mail",
        "user",
        "casilla",
        "direccion",
        "dirección",
        "correo",
        "buzon",
        "buzón",
    ),
    "name": ("name", "full name", "nombre", "persona"),
    "quota": ("quota", "quota_mb", "quota mb", "cuota", "cuota_mb", "cuota mb"),
    "password": ("password", "contraseña", "contrasena", "clave"),
    "recovery": ("recovery", "recovery_address", "recuperacion", "recuperación"),
    "do": ("do", "action", "hacer", "acción", "accion"),
    "sign_in": ("sign in", "sign_in", "entrar", "entra"),
    "receives": ("receives", "recibe"),
    "sends": ("sends", "envía", "envia"),
    "deleted": ("deleted", "eliminada"),
    "used": ("used", "usado", "ocupado"),
    "new": ("new", "new address", "new_address", "nueva", "nueva dirección", "nueva direccion"),
}
"""What a column may be called in the first row, in either language. `used` and `deleted` are what a written list tells: no row
changes them."""


class BadFile(Exception):
    """A file cannot be read as a list of mailboxes; the text says why."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`lines` are (line, column to text) of each row; `unknown` the columns that mean nothing here: {"name", "near"}, `near` the
    known column whose name is like it, or ""."""

    lines: list[tuple[int, dict[str, str]]]
    unknown: list[dict[str, str]]


def read_sheet(data: bytes) -> Sheet:
    """The rows of a file, and the columns of it that are not known. Raises BadFile."""
    if len(data) > FILE_LIMIT_BYTES:
        raise BadFile(_("The file is larger than 4 MB."))
    text = _decode(data)
    if "\0" in text:
        raise BadFile(_("This is no text file. Save the sheet as CSV and choose that file."))
    head = re.split("\r\n|\r|\n", text.lstrip("\r\n"), maxsplit=1)[0]
    for separator in SEPARATORS:
        titles = next(csv.reader([head], delimiter=separator), [])
        columns = [_column(cell) for cell in titles]
        if "address" in columns:
            break
    else:
        raise BadFile(
            _(
                "No column “address” was found in the first row. Its columns are named address, name, quota, password, "
                "recovery, with commas, semicolons or tabs between them."
            )
        )
    doubled = {name for name in columns if name and columns.count(name) > 1}
    if doubled:
        raise BadFile(_("The column “%(name)s” is there twice.") % {"name": sorted(doubled)[0]})
    reader = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator)
    rows: list[tuple[int, dict[str, str]]] = []
    filled: set[int] = set()
    try:
        next(reader)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == ROWS_LIMIT:
                raise BadFile(_("The file has more than 10,000 rows. Make several of it."))
            known = {name: _cell(cell) for name, cell in zip(columns, cells, strict=False) if name}
            filled |= {at for at in range(min(len(cells), len(columns))) if not columns[at] and cells[at].strip()}
            rows.append((reader.line_num, known | ({"extra": "1"} if len(cells) > len(columns) else {})))
    except csv.Error as error:
        raise BadFile(_("Line %(line)d is no row of a CSV file.") % {"line": reader.line_num}) from error
    if not rows:
        raise BadFile(_("There are no rows below the first one."))
    odd = [at for at, name in enumerate(columns) if not name and (titles[at].strip() or at in filled)]
    return Sheet(rows, [_unknown(titles[at], at, columns) for at in odd])


def columns_words() -> str:
    """The names of the columns that there are, by their first names."""
    return ", ".join(names[0] for names in COLUMNS.values())


def _unknown(title: str, at: int, there: list[str]) -> dict[str, str]:
    """What a column that is not known is called, and which known one that the file has not is called nearly so."""
    name = " ".join(title.split())[:60]
    names = {one: column for column, all_of_it in COLUMNS.items() if column not in there for one in all_of_it}
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.7)
    return {"name": name or f"#{at + 1}", "near": near[0] if near else ""}


def _decode(data: bytes) -> str:
    """The text of the file: by its byte order mark, else UTF-8, else what Windows programs write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _column(text: str) -> str:
    wanted = " ".join(text.strip().strip("\"'").lower().split())
    return next((name for name, names in COLUMNS.items() if wanted in names), "")


def _cell(text: str) -> str:
    text = text.strip()
    return plain_cell(text)


def mailbox_lines(domain: Domain) -> Iterator[list[str]]:
    """Every mailbox of a domain, below the names of the columns: it can be read in again."""
    yield ["address", "name", "quota", "recovery", "used", "sign in", "receives", "sends", "deleted"]
    usage = dict(MailboxUsage.objects.filter(username__endswith=f"@{domain.name}").values_list("username", "bytes"))
    for one in Mailbox.objects.filter(domain=domain).order_by("number").iterator(CHUNK):
        sizes = (one.quota_bytes, usage.get(one.address, 0))
        quota, used = (size_typed(size, point=".").replace("\u00a0", " ") for size in sizes)
        states = ["yes" if state else "no" for state in (one.active, one.receives, one.sends)]
        yield [one.address, one.name, quota, one.recovery_address, used, *states, str(one.deleted or "")]
