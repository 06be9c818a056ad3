"""The words of a letter as text and as HTML: tables, signatures, what is quoted, and the dress of bulk mail."""

from __future__ import annotations

from html import escape

from webmail.samples.dates import DAYS_ES, MONTHS_EN, MONTHS_ES
from webmail.samples.values import Contact, Letter, Table
from webmail.samples.wire import wrap

QUOTE_DEPTH = 3
PLAIN_WIDTH = 74
_CELL = "padding:5px 14px 5px 0;border-bottom:1px solid #d9d9d9;text-align:{}"
BULK_STYLE = """<style type="text/css">
body { margin: 0; padding: 0; background: #f4f1ea; }
table { border-collapse: collapse; }
.wrap { width: 600px; margin: 0 auto; background: #ffffff; }
.cell { padding: 18px 24px; font: 15px/22px Arial, Helvetica, sans-serif; color: #333333; }
h1 { font: 26px/32px Georgia, serif; color: %s; margin: 0 0 10px; }
a { color: %s; }
@media only screen and (max-width: 600px) { .wrap { width: 100%% !important; } .side { display: block; width: auto; } }
</style>"""
ACCENTS = ("#7a2e1d", "#1f4e79", "#2f5d46", "#5b3a75", "#8a5a00")


def plain_text(letter: Letter, *, flowed: bool = False) -> str:
    """The whole letter as text, with what it answers below."""
    blocks = [letter.text, *([plain_table(letter.table)] if letter.table else [])]
    blocks += [f"{title}\n{blurb}" for title, blurb in letter.items]
    own = "\n\n".join(blocks)
    if letter.signed:
        own += f"\n\n-- \n{signature(letter.sender)}"
    text = _flow(own) if flowed else own
    quoted = quoted_text(letter.previous, QUOTE_DEPTH)
    return f"{text}\n\n{quoted}\n" if quoted else f"{text}\n"


def signature(writer: Contact) -> str:
    """Name, and below it where they work and how to call them."""
    below = " · ".join(part for part in (writer.org, writer.phone) if part)
    return f"{writer.name}\n{below}" if below and below != writer.name else writer.name


def quoted_text(letter: Letter | None, depth: int) -> str:
    """A letter as it stands below its answer, older ones inside it."""
    if letter is None or not depth:
        return ""
    lines = [line for part in letter.text.split("\n") for line in (wrap(part, PLAIN_WIDTH) if part else [""])]
    older = quoted_text(letter.previous, depth - 1)
    if older:
        lines += ["", *older.split("\n")]
    return "\n".join(
        [introduction(letter), *(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines)]
    )


def introduction(letter: Letter) -> str:
    """The line above a quotation, in the language of the correspondent."""
    when, who = letter.when, f"{letter.sender.name} <{letter.sender.email}>"
    if letter.sender.lang == "en" or any(reader.lang == "en" for reader in letter.to):
        return f"On {when.day} {MONTHS_EN[when.month - 1]} {when:%Y at %H:%M}, {who} wrote:"
    day = f"{DAYS_ES[when.weekday()]} {when.day} de {MONTHS_ES[when.month - 1]} de {when.year}"
    return f"El {day} a las {when:%H:%M}, {who} escribió:"


def plain_table(table: Table) -> str:
    """A table in columns of text, the numbers at their end side."""
    rows = (table.head, *table.rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _flow(text: str) -> str:
    """format=flowed (RFC 3676): lines that go on end with a space; lines that begin with one get another."""
    done: list[str] = []
    for line in text.split("\n"):
        parts = wrap(line, 70) if line != "-- " else [line]
        done += [f"{part} " for part in parts[:-1]] + parts[-1:]
    return "\n".join(f" {line}" if line.startswith((" ", ">", "From ")) else line for line in done)


# --- HTML ------------------------------------------------------------------------------------------------------------------
def html_page(letter: Letter, *, logo: str = "", remote: str = "") -> str:
    """A personal letter as HTML. `logo` is the cid of a picture that signs it, `remote` the address of two that don't."""
    inner = paragraphs(letter.text)
    if letter.table:
        inner += html_table(letter.table)
    if letter.signed:
        inner += f'<p style="color:#5a6475;font-size:13px">{_lines(signature(letter.sender))}</p>'
    if logo:
        inner += f'<p><img src="cid:{logo}" width="96" height="32" alt="{escape(letter.sender.org)}"></p>'
    if remote:
        inner += f'<p><img src="{remote}/firma.png" width="180" height="48" alt=""><img src="{remote}/v.gif?m=1" width="1" height="1"></p>'
    inner += quoted_html(letter.previous, QUOTE_DEPTH)
    font = "font-family:Calibri,Arial,sans-serif;font-size:15px;color:#222222"
    return f'<html>\n<head><meta http-equiv="Content-Type" content="text/html"></head>\n<body><div style="{font}">{inner}</div></body>\n</html>\n'


def paragraphs(text: str) -> str:
    return "".join(f"<p>{_lines(part)}</p>\n" for part in text.split("\n\n"))


def _lines(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")


def html_table(table: Table) -> str:
    """A table whose numbers stand at the right, the total in bold."""
    rows = [_row(table.head, "th")]
    for number, cells in enumerate(table.rows, 1):
        rows.append(_row(cells, "td", bold=table.total and number == len(table.rows)))
    return f'<table cellspacing="0" style="margin:12px 0">{"".join(rows)}</table>\n'


def _row(cells: tuple[str, ...], tag: str, *, bold: bool = False) -> str:
    weight = ";font-weight:bold" if bold else ""
    done = ""
    for number, cell in enumerate(cells):
        side = "right" if number else "left"
        done += f'<{tag} style="{_CELL.format(side)}{weight}">{escape(cell, quote=False)}</{tag}>'
    return f"<tr>{done}</tr>"


def quoted_html(letter: Letter | None, depth: int) -> str:
    if letter is None or not depth:
        return ""
    inner = paragraphs(letter.text) + quoted_html(letter.previous, depth - 1)
    style = "margin:0 0 0 8px;padding-left:10px;border-left:2px solid #c3c9d3"
    return f'<p>{escape(introduction(letter))}</p>\n<blockquote type="cite" style="{style}">{inner}</blockquote>\n'


def notice_page(letter: Letter, number: int) -> str:
    """An automatic notice: letterhead with a remote picture, words, facts in a table, small print."""
    domain, accent = letter.sender.domain, ACCENTS[number % len(ACCENTS)]
    facts = html_table(letter.table) if letter.table else ""
    return (
        f'<html><body bgcolor="#eeeeee"><table width="560" align="center" cellpadding="0" cellspacing="0" bgcolor="#ffffff">\n'
        f'<tr><td style="padding:16px 24px;border-bottom:3px solid {accent}"><img src="https://img.{domain}/logo.png" width="140" height="36" '
        f'alt="{escape(letter.sender.name)}"></td></tr>\n<tr><td style="padding:18px 24px;font-family:Verdana,Arial,sans-serif;font-size:14px">'
        f'<h2 style="color:{accent};font-size:18px">{escape(letter.subject)}</h2>{paragraphs(letter.text)}{facts}</td></tr>\n'
        f'<tr><td style="padding:12px 24px;font-size:11px;color:#777777">{escape(letter.sender.name)} · Av. Errázuriz 1178, Valparaíso</td></tr>'
        f"</table></body></html>\n"
    )


def newsletter_page(letter: Letter, number: int) -> str:
    """Bulk mail as it is: layout tables, a style block, remote pictures, links that count, a picture that tells."""
    domain, accent = letter.sender.domain, ACCENTS[sum(letter.sender.email.encode()) % len(ACCENTS)]
    english = letter.sender.lang == "en"
    more, leave = ("Read on", "Unsubscribe") if english else ("Leer más", "Cancelar suscripción")
    rows = "".join(
        f'<tr><td class="cell side" width="170" valign="top"><img src="https://img.{domain}/{number}/{n}.jpg" width="160" height="110" '
        f'alt="{escape(title)}" style="border-radius:4px"></td><td class="cell side" valign="top"><b>{escape(title)}</b><br>{escape(text)}<br>'
        f'<a href="https://clic.{domain}/n/{number}/{n}">{more}</a></td></tr>\n'
        for n, (title, text) in enumerate(letter.items, 1)
    )
    return (
        f"<!DOCTYPE html>\n<html><head>\n{BULK_STYLE % (accent, accent)}</head>\n<body>"
        f'<div style="display:none;max-height:0;overflow:hidden">{escape(letter.text)}</div>\n'
        f'<table class="wrap" align="center" width="600" cellpadding="0" cellspacing="0" bgcolor="#ffffff">\n'
        f'<tr><td colspan="2" class="cell" bgcolor="{accent}" style="color:#ffffff;font-size:18px"><b>{escape(letter.sender.name)}</b></td></tr>\n'
        f'<tr><td colspan="2" class="cell"><h1>{escape(letter.subject)}</h1>{paragraphs(letter.text)}</td></tr>\n{rows}'
        f'<tr><td colspan="2" class="cell" style="font-size:12px;color:#777777;background:#faf8f3">{escape(letter.sender.email)} · '
        f'<a href="https://{domain}/baja?u={number}">{leave}</a><img src="https://t.{domain}/o.gif?u={number}" width="1" height="1" alt=""></td></tr>'
        f"</table></body></html>\n"
    )
