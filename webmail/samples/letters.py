"""What people write to a printing house: kinds of letters with slots, in the correspondents' own languages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from webmail.samples.dates import said_date, said_day, workday
from webmail.samples.draws import draw, fraction, lognormal, pick
from webmail.samples.files import make_file, price_rows
from webmail.samples.images import draw_png
from webmail.samples.people import contact
from webmail.samples.values import Contact, File, Letter, Table

WORKS = (
    "etiquetas cosecha", "afiche del festival", "catálogo de primavera", "libreta cosida", "folleto tríptico", "memoria anual",
    "tarjetas de visita", "calendario de muro", "cuadernillo de partituras", "sobres membretados", "carpeta institucional",
    "diploma de licenciatura", "revista del gremio", "menú de temporada", "bolsas de papel", "caja plegable",
)  # fmt: skip
PAPERS = (
    "bond ahuesado 90 g",
    "couché mate 170 g",
    "kraft liner 125 g",
    "opalina 225 g",
    "papel reciclado 100 g",
    "cartulina 300 g",
)
TOPICS = (
    ("rodrigo", "Etiquetas cosecha {year}: prueba de color aprobada", "Marcela, el enólogo dio el visto bueno al burdeos de la "
     "contraetiqueta. Falta solo el código de barras, que te mando apenas lo libere la oficina.\n\n¿Alcanzamos a tener las primeras "
     "{n} mil para el {day}?", "aromo"),
    ("alvaro", "Cotización {n4}: {paper} y {paper2}", "Hola {first}:\n\nAdjunto la cotización corregida con el despacho incluido. "
     "Separé el flete como pediste y mantuve el precio de este mes, que sube recién el {date}.\n\nSi confirmas hoy antes de las 16:00, "
     "el camión pasa el {day} en la mañana.", "papeles"),
    ("sii", "Formulario 29 de {month} disponible", "Estimado contribuyente: ya puede revisar su propuesta de declaración en el sitio, con "
     "vencimiento el {date}. Si declara sin cambios no necesita adjuntar documentos.", "inbox"),
    ("despachos", "Su envío {n3}-{n2} salió de Santiago", "Entrega estimada {day}, entre 9:00 y 13:00. Recibe: portería. Puede seguir el "
     "recorrido con el número de envío.", "inbox"),
    ("javiera", "Fotos de la licenciatura", "Mamá, acá van las que sacó el fotógrafo. La del patio es la que más me gusta.\n\nDile a la abuela "
     "que le imprimo una grande.", "familia"),
    ("nirre", "Pruebas de imprenta, {ordinal} corrección", "Van marcadas en rojo las viudas del capítulo {n1}. Si alcanzas a mandarlas hoy, "
     "entran en la plancha del {day}.\n\nEl lomo queda en {n1} milímetros.", "nirre"),
    ("colegio", "Reunión de apoderados, {day} a las 19:00", "Les recordamos que se entregarán los informes de fin de semestre y la lista de "
     "útiles. Se ruega puntualidad.", "inbox"),
    ("nicolas", "¿Alcanza a salir el {work} el {day}?", "La municipalidad me pide confirmar el horario de la pegada. Son {n3} ejemplares y "
     "los retira el camión municipal.\n\nQuedo atento.", "muni"),
    ("banco", "Comprobante de transferencia por $ {amount}", "Destinatario: Papeles Andinos SpA. Fecha: {date}. Este comprobante es válido "
     "como respaldo de su operación.", "inbox"),
    ("lorena", "Turnos de {month} en el taller", "Yo puedo cubrir el {n1} hasta las 13:00, pero después viajo a Temuco y vuelvo recién la "
     "otra semana. Patricio dice que toma la máquina grande.", "taller"),
    ("gloria", "Despacho de tintas: pedido {n4}", "Estimada {first}:\n\nSu pedido sale el {day}. El magenta viene en tarros de 2,5 kg porque el "
     "formato de 1 kg está agotado.\n\nSaludos.", "tintas"),
    ("hernan", "Libro de compras de {month}", "Me faltan tres facturas de proveedores para cerrar el mes. Te adjunto el detalle. ¿Las puedes "
     "buscar antes del {date}?", "facturas"),
    ("andinos", "Factura electrónica {n4}", "Adjuntamos su factura por $ {amount}. Vence el {date}. Gracias por su compra.", "facturas"),
    ("luz", "Su boleta de {month} por $ {amount}", "Ya está disponible su boleta. Puede pagarla hasta el {date} sin recargo.", "facturas"),
    ("antonia", "Versión {n1} del {work}", "Hola! Cambié la tipografía del título y dejé sangrado de 3 mm por lado. Revisa la página {n2}, "
     "que el negro va en cuatricromía.\n\nAbrazo, Antonia", "inbox"),
    ("itata", "Repetir el {work}", "Buenas tardes. Necesitamos repetir el trabajo del año pasado: {n3} unidades en {paper}. ¿Mantiene el "
     "precio si lo pagamos al contado?", "inbox"),
    ("tecnico", "Visita de mantención: {day}", "Confirmamos la visita para el {day} entre 8:30 y 10:00. Por favor deje la máquina detenida "
     "desde la noche anterior.", "repuestos"),
    ("mama", "El almuerzo del domingo", "Hijita, los espero a la una. Traigan solo el pan. Tu hermano llega el sábado con los niños.", "familia"),
    ("hannah", "Quote {n4}: blankets and rollers", "Hi {first},\n\nPlease find the revised quote attached. Sea freight is now shown on its own "
     "line, and the price holds until {date}.\n\nBest wishes,\nHannah", "inbox"),
    ("emily", "Proofs of the poetry anthology", "The second proofs look wonderful. Two corrections on page {n2}, marked in red, and then we are "
     "ready to print {n3} copies.", "inbox"),
    ("owen", "Sewing and binding, week of {date}", "We can take the {n3} blocks that week if they reach us by {day}. Bring the endpapers cut to "
     "size, please.", "inbox"),
    ("sato", "和紙の見本について", "マルセラ様\n\n和紙の見本をお送りしました。{date}ごろ届く予定です。ご確認をお願いいたします。", "japan"),
    ("wang", "装订机报价 {n4}", "您好：\n\n附件是装订机的报价单，有效期三十天。如有问题请随时联系。", "inbox"),
    ("irina", "Образцы бумаги", "Здравствуйте!\n\nОбразцы бумаги отправлены, трек-номер {n4}. С уважением, Ирина", "inbox"),
    ("gremio", "Boletín {n3}: alza del papel y feria de {month}", "El precio internacional de la celulosa subió {n1} % y los talleres medianos "
     "ya lo notan. Además: feria de {month}, curso de encuadernación y avisos de compra y venta.", "inbox"),
    ("papelera", "Cuadernos nuevos y {paper} con descuento", "Llegaron los cuadernos cosidos a mano. Solo esta semana, {n2} % en toda la línea "
     "de {paper}.", "inbox"),
    ("weekly", "Type & Paper Weekly #{n3}", "This week: why {n2} point still wins, a visit to a mill in Fabriano, and the return of the "
     "risograph.", "inbox"),
    ("dental", "Confirme su hora: {day}", "Su hora con la doctora Ibáñez es el {day} a las 10:30. Acepte la invitación para confirmarla.", "inbox"),
    ("patricio", "Se cortó la mantilla de la offset", "Alcancé a terminar el pliego {n1}. Pedí repuesto a Gráficos Sur, dicen que llega el {day}. "
     "Mientras, sigo con la troqueladora.", "taller"),
    ("hermano", "El auto de papá", "Lo llevé al mecánico: son los frenos. Dice que el {day} está. Yo pongo la mitad.", "familia"),
)  # fmt: skip
"""(who, subject, text, folder key). Slots are filled from the seed."""

SPAM = (
    ("Gane un camión 0 km", "Felicitaciones, su dirección fue elegida. Haga clic para retirar su premio."),
    ("Su paquete está retenido", "Pague $ 1.990 de aduana para liberarlo hoy."),
    ("Última oportunidad: préstamo aprobado", "Sin aval y en 5 minutos. Responda con su RUT."),
    ("Your invoice is overdue", "Open the attached document to avoid suspension."),
    ("Réplicas de relojes", "Envío a todo Chile. Stock limitado."),
)
REPLIES = (
    "Gracias, {first}. Lo reviso y te confirmo mañana en la mañana.",
    "Perfecto, adelante. Que salga el {day}.",
    "¿Puedes incluir el despacho a Valparaíso y separar el flete en la factura? Así lo paso directo al cliente.",
    "Recibido. Te llamo en la tarde para ver lo del color.",
    "Me parece bien. Mándame la prueba en PDF antes de cerrar la plancha.",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter before it has an owner's side: the letter, and the folder key it is filed under."""

    letter: Letter
    place: str


def writer_of(seed: int, owner: Contact) -> Contact:
    """Who writes the letter of this seed."""
    return contact(pick(seed, "topic", TOPICS)[0], owner)


def write_letter(seed: int, owner: Contact, when: datetime) -> Draft:
    """One incoming letter."""
    key, subject, text, place = pick(seed, "topic", TOPICS)
    sender = contact(key, owner)
    slots = _slots(seed, owner, when, sender.lang)
    files = _files(seed, sender, subject.format(**slots), owner)
    letter = Letter(
        sender=sender,
        to=(owner,),
        cc=(contact("taller", owner),) if fraction(seed, "cc") < 0.12 else (),
        subject=subject.format(**slots),
        text=text.format(**slots),
        when=when,
        style=sender.style,
        table=_table(seed) if key in {"alvaro", "hannah"} else None,
        files=files,
        items=tuple((f"{pick(seed, f'w{n}', WORKS).capitalize()}", pick(seed, f"p{n}", PAPERS)) for n in range(3)),
        remote=sender.style == "newsletter",
        unsubscribe=sender.style == "newsletter",
        auth="fail" if fraction(seed, "auth") < 0.015 else "pass",
    )
    return Draft(letter, place)


def write_spam(seed: int, owner: Contact, when: datetime) -> Letter:
    """One that belongs in Junk."""
    subject, text = pick(seed, "spam", SPAM)
    sender = Contact(
        "Premios y Sorteos" if fraction(seed, "who") < 0.5 else "Soporte",
        f"no-reply{draw(seed, 'd') % 900}@ofertas.test",
    )
    return Letter(sender, (owner,), subject, text, when, "html", auth="fail", signed=False, remote=True)


def write_reply(seed: int, owner: Contact, to: Letter, when: datetime) -> Letter:
    """The owner's answer to a letter, with what is answered quoted below."""
    slots = _slots(seed, to.sender, when, to.sender.lang)
    quoted = "\n".join(f"> {line}" for line in to.text.split("\n"))
    text = f"{pick(seed, 'reply', REPLIES).format(**slots)}\n\nEl {said_date(to.when)}, {to.sender.name} escribió:\n{quoted}"
    subject = to.subject if to.subject.startswith("Re: ") else f"Re: {to.subject}"
    return Letter(owner, (to.sender,), subject, text, when, "plain", cc=to.cc)


def write_answer(seed: int, letter: Letter, reply: Letter, when: datetime) -> Letter:
    """What comes back to the owner's answer."""
    text = pick(
        seed,
        "again",
        ("Listo, quedó así. Gracias.", "Perfecto, entonces lo cierro hoy.", "Va adjunta la versión final."),
    )
    return replace(letter, subject=reply.subject, text=text, when=when, files=(), table=None, style="plain", cc=())


def _slots(seed: int, person: Contact, when: datetime, lang: str) -> dict[str, str]:
    later = workday(when, 2 + draw(seed, "later") % 9)
    amount = 48_000 + draw(seed, "amount") % 1_900_000
    return {
        "first": person.first_name,
        "year": str(when.year),
        "month": said_date(when, lang).split()[-1],
        "date": said_date(later, lang),
        "day": said_day(later, lang),
        "work": pick(seed, "work", WORKS),
        "paper": pick(seed, "paper", PAPERS),
        "paper2": pick(seed, "paper2", PAPERS),
        "ordinal": pick(seed, "ordinal", ("primera", "segunda", "tercera")),
        "amount": f"{amount:,}".replace(",", "."),
        "n": str(2 + draw(seed, "n") % 18),
        "n1": str(2 + draw(seed, "n1") % 8),
        "n2": str(10 + draw(seed, "n2") % 80),
        "n3": str(120 + draw(seed, "n3") % 800),
        "n4": str(1200 + draw(seed, "n4") % 8000),
    }


def _table(seed: int) -> Table:
    rows = price_rows(draw(seed, "table") % 40)
    return Table(head=rows[0], rows=tuple(rows[1:5]))


def _files(seed: int, sender: Contact, subject: str, owner: Contact) -> tuple[File, ...]:
    kinds = {
        "alvaro": ("Cotizacion {n}.pdf", "Lista de precios.xlsx"),
        "hannah": ("Quote {n}.pdf",),
        "andinos": ("Factura {n}.pdf",),
        "hernan": ("Detalle compras.xlsx", "Faltantes.csv"),
        "antonia": ("Maqueta versión {n}.pdf", "Muestra ñandú.png"),
        "nirre": ("Pruebas capítulo {n}.pdf",),
        "javiera": ("patio {n}.jpg", "abuela {n}.jpg", "curso {n}.png"),
        "emily": ("proofs-{n}.pdf",),
        "wang": ("报价单 {n}.pdf",),
        "sato": ("見本 {n}.png",),
        "rodrigo": ("burdeos final {n}.tif",) if fraction(seed, "tif") < 0.3 else (),
        "itata": ("trabajo anterior.zip",) if fraction(seed, "zip") < 0.4 else (),
        "tecnico": ("tecnico.vcf",),
    }
    key = next((name for name in kinds if contact(name, owner) == sender), "")
    size = int(min(9e6, lognormal(seed, "size", median=45_000, sigma=1.6)))
    number = str(100 + draw(seed, "file") % 900)
    names = [name.format(n=number) for name in kinds.get(key, ())]
    return tuple(
        make_file(n, seed=seed, size_bytes=size, lines=(subject, sender.name, sender.org), person=sender) for n in names
    )


def inline_picture(seed: int, cid: str) -> File:
    """A picture that an HTML letter shows."""
    return File("imagen.png", "image/png", draw_png(draw(seed, "picture") % 48), cid=cid)


def make_big_file(letter: Letter, seed: int) -> Letter:
    """The same letter with a file of about 20 MB, once in a grown mailbox."""
    big = make_file("originales.zip", seed=seed, size_bytes=15_000_000, lines=(letter.subject,), person=letter.sender)
    return replace(letter, files=(*letter.files, big))
