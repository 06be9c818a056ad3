"""Messages as real programs send them, and what a reader must see. One file each in tests/data/mime."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from webmail.mime.addresses import format_address, parse_addresses
from webmail.mime.body import decode_part, text_of
from webmail.mime.choose import choose_bodies, has_attachment
from webmail.mime.dates import parse_date
from webmail.mime.headers import decode_header, split_header
from webmail.mime.snippet import snippet_from_html, snippet_from_text
from webmail.mime.structure import parse_message, part_bytes

FOLDER = Path(__file__).parent.parent / "data" / "mime"


@dataclass(frozen=True)
class Seen:
    sender: str
    subject: str
    sent: datetime | None
    bodies: tuple[str, ...]
    snippet: str
    files: tuple[str, ...] = ()
    clip: bool = False
    defects: tuple[str, ...] = ()


NOON = datetime(2026, 11, 2, 9, tzinfo=UTC)

EXPECTED = {
    "outlook-windows-1252": Seen(
        '"Pérez, Íñigo" <inigo@example.org>',
        "Reunión – “urgente”",
        NOON,
        ("Mañana a las 9 — coste: 30 €\n",),
        "Mañana a las 9 — coste: 30 €",
    ),
    "split-encoded-words": Seen(
        "María López <maria@example.org>",
        "Presupuesto de la reforma de la cocína — revisión",
        NOON,
        ("Adjunto el presupuesto revisado. El total es de 1.200€, IVA incluido.\n",),
        "Adjunto el presupuesto revisado. El total es de 1.200€, IVA incluido.",
    ),
    "apple-mail-inline-pdf": Seen(
        "Ana <ana@example.org>",
        "Factura",
        NOON,
        ("Te mando la factura:", "Un saludo,\nAna"),
        "Te mando la factura:",
        ("Factura nº 12.pdf",),
        True,
    ),
    "japanese-2006": Seen(
        "山田 <yamada@example.jp>",
        "会議",
        datetime(2006, 11, 2, 10, tzinfo=UTC),
        ("会議は明日です。\n",),
        "会議は明日です。",
    ),
    "bounce-report": Seen(
        "Mail Delivery System <MAILER-DAEMON@mx.example.org>",
        "Undelivered Mail Returned to Sender",
        NOON,
        ("<nobody@example.net>: user unknown",),
        "<nobody@example.net>: user unknown",
        ("", ""),
    ),
    "list-footer-after-base64": Seen(
        "Ana <ana@example.org>", "[lista] Acta", NOON, ("Las actas están listas.\n",), "Las actas están listas."
    ),
    "flowed-reply": Seen(
        "Luis <luis@example.org>",
        "Re: Cena",
        NOON,
        (
            "El 1/11/26 a las 20:15, Ana escribió:\n> ¿Vienes a cenar \nel sábado?\n"
            "Sí, claro, llevo yo el postre.\n\n-- \nLuis\n",
        ),
        "el sábado? Sí, claro, llevo yo el postre.",
    ),
    "missing-end-boundary": Seen(
        "scanner@example.org",
        "Scan",
        datetime(2026, 11, 2, 10, tzinfo=UTC),
        ("Scanned document attached.",),
        "Scanned document attached.",
        ("scan 0001.pdf",),
        True,
        ("structure",),
    ),
    "gb2312-is-more": Seen(
        "朱镕基 <zhu@example.cn>", "朱镕基", datetime(2026, 11, 2, 2, tzinfo=UTC), ("<p>朱镕基</p>\n",), "朱镕基"
    ),
    "mailsploit-sender": Seen(
        '"boss@bank.example" <mallory@example.com>',
        "Transferencia  Bcc: todos@example.org",
        NOON,
        ("Pague hoy.\n",),
        "Pague hoy.",
    ),
    "no-header-at-all": Seen(
        "",
        "",
        None,
        ("Se ha producido un error en la copia de esta noche\ny nadie ha escrito una cabecera.\n",),
        "Se ha producido un error en la copia de esta noche y nadie ha escrito una cabecera.",
        defects=("header",),
    ),
}


def see(raw: bytes) -> Seen:
    fields = {name.lower(): value for name, value in reversed(split_header(raw)[0])}
    tree, defects = parse_message(raw)
    shown, files = choose_bodies(tree)
    texts = tuple(text_of(part, decode_part(part, part_bytes(raw, part.number)))[0] for part in shown)
    first = snippet_from_html if shown[0].subtype == "html" else snippet_from_text
    return Seen(
        ", ".join(format_address(person) for person in parse_addresses(fields.get("from", b""))[0]),
        decode_header(fields.get("subject", b"")),
        parse_date(fields.get("date", b"")),
        texts,
        first(texts[0]),
        tuple(part.filename for part in files),
        has_attachment(tree),
        tuple(defect.code for defect in defects),
    )


def test_every_file_has_its_expectation():
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_reader_sees_what_was_meant(name):
    assert see((FOLDER / f"{name}.eml").read_bytes()) == EXPECTED[name]
