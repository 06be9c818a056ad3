"""Files of real, valid types, made by hand: PDF, Word, Excel, zip, CSV, calendar, card. Fixed dates, so the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from io import BytesIO
from random import Random
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from webmail.samples import images
from webmail.samples.dates import calendar_stamp
from webmail.samples.draws import draw
from webmail.samples.values import Contact, File

TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "tif": "image/tiff",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "vcf": "text/vcard; charset=utf-8",
}
_OFFICE = "http://schemas.openxmlformats.org"
_WORD = f"{_OFFICE}/wordprocessingml/2006/main"
_SHEET = f"{_OFFICE}/spreadsheetml/2006/main"
_RELATION = f"{_OFFICE}/officeDocument/2006/relationships"
_PACKAGE = f"{_OFFICE}/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def make_file(name: str, *, seed: int, size_bytes: int, lines: Sequence[str], person: Contact) -> File:
    """A file whose type is the ending of its name. PDF, zip and TIFF come out near `size_bytes`; the others are as large
    as their content."""
    kind = name.rpartition(".")[2]
    return File(name, TYPES[kind], _content(kind, seed, size_bytes, tuple(lines), person))


def _content(kind: str, seed: int, size_bytes: int, lines: tuple[str, ...], person: Contact) -> bytes:
    variant = draw(seed, kind)
    if kind == "pdf":
        return make_pdf(lines, padding=noise(variant, size_bytes))
    if kind == "png":
        return images.draw_png(variant % 48)
    if kind == "jpg":
        return images.draw_jpeg(variant % 12)
    if kind == "gif":
        return images.draw_gif()
    if kind == "tif":
        return images.draw_tiff(1000, max(1, size_bytes // 3000), noise(variant, 3_000_000))
    if kind == "docx":
        return make_docx(lines)
    if kind == "xlsx":
        return make_xlsx(variant % 24)
    if kind == "zip":
        return make_zip(variant, size_bytes)
    if kind == "vcf":
        return make_card(person)
    if kind == "csv":
        return "\r\n".join(";".join(row) for row in price_rows(variant % 40)).encode() + b"\r\n"
    return "\r\n".join(lines).encode() + b"\r\n"


@lru_cache(maxsize=1)
def _noise_pool() -> bytes:
    return Random(2047).randbytes(4_000_000)


def noise(variant: int, size_bytes: int) -> bytes:
    """Bytes that do not compress, cut from one pool."""
    pool = _noise_pool()
    start = variant % (len(pool) // 2)
    if start + size_bytes <= len(pool):
        return pool[start : start + size_bytes]
    return (pool[start:] + pool * (size_bytes // len(pool) + 1))[:size_bytes]


# --- PDF -------------------------------------------------------------------------------------------------------------------
_GRAIN = bytes(224 + octet // 8 for octet in range(256))


def make_pdf(lines: Sequence[str], *, padding: bytes = b"") -> bytes:
    """A valid PDF of one page with these lines, the first one large, above a grey grained picture of len(padding) octets
    (PDF 1.4, sections 3.4 and 4.8)."""
    width = 200
    height = max(1, len(padding) // width)
    picture = padding.translate(_GRAIN)[: width * height].ljust(width * height, b"\xff")
    shown = [f"BT /F1 18 Tf 56 770 Td ({_pdf_text(lines[0])}) Tj ET"] if lines else []
    shown += [f"BT /F2 11 Tf 56 {742 - 17 * n} Td ({_pdf_text(line)}) Tj ET" for n, line in enumerate(lines[1:30])]
    content = "\n".join(["q 480 0 0 36 56 40 cm /Im1 Do Q", *shown]).encode("cp1252", "replace")
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    page = (
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R /Resources "
        "<< /Font << /F1 4 0 R /F2 5 0 R >> /XObject << /Im1 7 0 R >> >> >>"
    )
    image = (
        f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray "
        f"/BitsPerComponent 8 /Length {len(picture)} >>"
    )
    return _pdf_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            page.encode(),
            (font % "Helvetica-Bold").encode(),
            (font % "Helvetica").encode(),
            f"<< /Length {len(content)} >>".encode() + b"\nstream\n" + content + b"\nendstream",
            image.encode() + b"\nstream\n" + picture + b"\nendstream",
        ]
    )


def _pdf_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    """Objects with their cross-reference table."""
    done = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(done))
        done += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(done)
    done += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    done += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    done += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(done)


# --- Office and zip ------------------------------------------------------------------------------------------------------------
def pack_zip(members: Sequence[tuple[str, bytes]], *, compress: bool = True) -> bytes:
    """A zip file with a fixed date on every member."""
    target = BytesIO()
    with ZipFile(target, "w") as archive:
        for name, data in members:
            info = ZipInfo(name, date_time=(2025, 3, 3, 9, 0, 0))
            info.compress_type = ZIP_DEFLATED if compress else ZIP_STORED
            archive.writestr(info, data)
    return target.getvalue()


def make_zip(variant: int, size_bytes: int) -> bytes:
    """A zip with a page to print, a picture and a note."""
    lines = ("Arte final", "Sangrado 3 mm, cruces de corte, fuentes trazadas.")
    return pack_zip(
        [
            ("arte/interior.pdf", make_pdf(lines, padding=noise(variant, size_bytes))),
            ("arte/portada.png", images.draw_png(variant % 48)),
            ("LÉAME.txt", b"Perfil FOGRA39. Negro al 100 %, sin registro.\r\n"),
        ],
        compress=False,
    )


def _parts(main: str, kind: str, schema: str) -> list[tuple[str, bytes]]:
    """The two parts that every OOXML package opens with (ECMA-376 part 2)."""
    types = (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{TYPES[kind]}.main+xml"/>{schema}</Types>'
    )
    relations = (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATION}/officeDocument" Target="{main}"/></Relationships>'
    )
    return [("[Content_Types].xml", types.encode()), ("_rels/.rels", relations.encode())]


@lru_cache(maxsize=512)
def make_docx(lines: tuple[str, ...]) -> bytes:
    """A Word document of these paragraphs."""
    text = "".join(f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in lines)
    document = f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{text}</w:body></w:document>'
    return pack_zip([*_parts("word/document.xml", "docx", ""), ("word/document.xml", document.encode())])


@lru_cache(maxsize=64)
def make_xlsx(variant: int) -> bytes:
    """An Excel workbook of one sheet with a price list."""
    rows = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) + "</row>"
        for row in price_rows(variant)
    )
    sheet = f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'
    book = (
        f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_RELATION}">'
        '<sheets><sheet name="Precios" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    relations = (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
    schema = f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}"/>'
    members = [
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", sheet),
    ]
    return pack_zip([*_parts("xl/workbook.xml", "xlsx", schema), *((name, text.encode()) for name, text in members)])


def price_rows(variant: int) -> list[tuple[str, ...]]:
    """Code, paper, format, stock and price of a few hundred papers."""
    names = (
        "Bond ahuesado",
        "Bond blanco",
        "Couché mate",
        "Couché brillante",
        "Cartulina dúplex",
        "Autocopiativo",
        "Kraft",
    )
    rows: list[tuple[str, ...]] = [("Código", "Papel", "Gramaje", "Formato", "Resmas", "Precio neto")]
    for number in range(60 + variant * 9):
        chance = draw(variant, str(number))
        grams, stock, price = 60 + chance % 25 * 10, chance // 64 % 90, 21_400 + chance // 4096 % 600 * 100
        shape = ("77 × 110", "72 × 102", "65 × 95", "carta", "oficio")[chance // 7 % 5]
        rows.append((f"PA-{number + 100}", names[chance % 7], f"{grams} g", shape, str(stock), str(price)))
    return rows


# --- Calendar and card -------------------------------------------------------------------------------------------------------------
def make_invitation(
    *, uid: str, title: str, place: str, start: datetime, host: Contact, guest: Contact, text: str
) -> bytes:
    """An iCalendar request for one hour (RFC 5545, RFC 5546 section 3.2.2)."""
    note = text.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Casilla//Samples//ES",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{calendar_stamp(start - timedelta(days=3))}",
        f"DTSTART:{calendar_stamp(start)}",
        f"DTEND:{calendar_stamp(start + timedelta(hours=1))}",
        f"SUMMARY:{title}".replace(",", "\\,"),
        f"LOCATION:{place}".replace(",", "\\,"),
        f"DESCRIPTION:{note}",
        f'ORGANIZER;CN="{host.name}":mailto:{host.email}',
        f'ATTENDEE;CN="{guest.name}";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest.email}',
        "SEQUENCE:0",
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(_fold(line) for line in lines).encode()


def _fold(line: str) -> str:
    """A content line, folded by characters so that no line passes 75 octets (RFC 5545 section 3.1)."""
    done, run = "", ""
    for char in line:
        if len((run + char).encode()) > 74:
            done, run = f"{done}{run}\r\n ", ""
        run += char
    return f"{done}{run}\r\n"


def make_card(person: Contact) -> bytes:
    """A vCard (RFC 6350)."""
    first, _, last = person.name.partition(" ")
    lines = ["BEGIN:VCARD", "VERSION:4.0", f"FN:{person.name}", f"N:{last};{first};;;", f"ORG:{person.org}"]
    lines += [f"EMAIL:{person.email}", f"TEL:{person.phone or '+56 2 2555 0100'}", "END:VCARD"]
    return ("\r\n".join(lines) + "\r\n").encode()
