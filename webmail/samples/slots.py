"""What fills the gaps in a phrase: papers, books, sums, days. One conversation has one answer for each, whoever asks first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from webmail.samples.dates import MONTHS_EN, MONTHS_ES, said_date, said_day, workday
from webmail.samples.draws import draw
from webmail.samples.values import Contact

WORDS: dict[str, tuple[str, ...]] = {
    "papel": (
        "bond ahuesado 90 g",
        "couché mate 170 g",
        "bond blanco 75 g",
        "opalina 225 g",
        "kraft 125 g",
        "autocopiativo",
    ),
    "papel2": (
        "couché brillante 130 g",
        "cartulina dúplex 300 g",
        "bond verjurado",
        "reciclado 100 g",
        "opalina 180 g",
    ),
    "formato": ("77 × 110", "72 × 102", "65 × 95", "carta", "oficio"),
    "producto": (
        "trípticos",
        "talonarios de guías",
        "tarjetas de visita",
        "calendarios de muro",
        "carpetas institucionales",
        "sobres con ventana",
        "etiquetas de miel",
        "agendas cosidas",
        "bolsas de papel",
        "cartas de menú",
        "adhesivos troquelados",
        "libretas de comunicaciones",
    ),
    "cepa": ("carmenère", "cabernet", "sauvignon blanc", "pinot noir", "syrah", "país"),
    "cepa2": ("chardonnay", "cinsault", "late harvest", "malbec"),
    "libro": (
        "La casa de adobe",
        "Cuentos del estero",
        "Aves de la costa",
        "El tren de Limache",
        "Cartas a Elvira",
        "Poesía reunida",
        "Manual de la huerta",
        "Viento puelche",
        "Los nietos del salitre",
        "Recetario de la bahía",
    ),
    "ebook": (
        "Field Notes from Chiloé",
        "Harbour Songs",
        "A Winter in Aysén",
        "Letters from the Strait",
        "The Cartographer",
    ),
    "fiesta": (
        "Fiesta de la Primavera",
        "Feria del Libro",
        "Semana del Patrimonio",
        "Fiesta de la Vendimia",
        "Muestra Costumbrista",
    ),
    "comuna": ("Quilpué", "Limache", "Casablanca", "Olmué", "Viña del Mar", "La Calera", "Quillota", "Pichidegua"),
    "persona": ("Patricio Oyarzún", "Lorena Huenchuñir", "portería", "Sergio Tapia", "Josefa Rojas"),
    "pantone": ("Pantone 202", "Pantone 871", "Pantone 300", "Pantone 7421", "Pantone 485", "Pantone 3435"),
    "ordinal": ("primera", "segunda", "tercera"),
    "lugar": (
        "Museo de Historia Natural",
        "Parque La Campana",
        "Teatro Municipal",
        "Palacio Baburizza",
        "Jardín Botánico",
    ),
    "hora": ("9:40", "11:37", "12:15", "15:20", "16:05", "17:30", "18:45"),
    "org": (
        "Papeles Andinos SpA",
        "Viña Aromo Ltda.",
        "Editorial Ñirre",
        "Tintas Pacífico",
        "Maderas Maihue",
        "Clínica Loncoche",
    ),
    "cientos": ("200", "300", "500", "800", "1.000", "1.500", "2.500", "5.000"),
    "miles": ("4", "6", "8"),
    "miles2": ("10", "12", "15"),
    "pct": ("3,2", "4,1", "5,8", "2,7", "6,4"),
    "pct2": ("8", "10", "12", "15"),
}
RANGES = {
    "resmas": (4, 40),
    "cap": (2, 14),
    "pag": (11, 190),
    "paginas": (96, 384),
    "bultos": (1, 9),
    "num": (118, 980),
}


class Slots(dict[str, str]):
    """The slots of one conversation, filled when a phrase asks for them (str.format_map)."""

    def __init__(self, *, seed: int, when: datetime, owner: Contact, other: Contact) -> None:
        super().__init__(nombre=greeted(owner), de=other.first_name)
        self.seed, self.when, self.lang = seed, when, other.lang

    def __missing__(self, key: str) -> str:
        self[key] = value = self._make(key)
        return value

    def _make(self, key: str) -> str:
        chance = draw(self.seed, f"slot {key}")
        if key in WORDS:
            return WORDS[key][chance % len(WORDS[key])]
        if key in RANGES:
            low, high = RANGES[key]
            return str(low + chance % (high - low))
        return MADE[key](self, chance)

    def _month(self, shift: int) -> str:
        names = MONTHS_EN if self.lang == "en" else MONTHS_ES
        return names[(self.when.month - 1 + shift) % 12]


def greeted(person: Contact) -> str:
    """How one calls a person; a mailbox that several read is a team."""
    return person.first_name if " " in person.name and not person.name.endswith("Quillay") else "equipo"


def _days(when: datetime) -> int:
    """Days since 2015: the numbers of quotations and invoices grow with it."""
    return when.toordinal() - 735_599


def money(pesos: int) -> str:
    """1284300 -> "1.284.300"."""
    return f"{pesos:,}".replace(",", ".")


MADE: dict[str, Callable[[Slots, int], str]] = {
    "colega": lambda slots, chance: "Lorena" if slots["de"] == "Patricio" else "Patricio",
    "dia": lambda slots, chance: said_day(workday(slots.when, 1 + chance % 4), slots.lang),
    "dia_b": lambda slots, chance: said_day(workday(slots.when, 6 + chance % 3), slots.lang),
    "fecha": lambda slots, chance: said_date(workday(slots.when, 8 + chance % 14), slots.lang),
    "corta": lambda slots, chance: slots.when.strftime("%d/%m/%Y"),
    "mes": lambda slots, chance: slots._month(0),
    "mes_ant": lambda slots, chance: slots._month(-1),
    "anio": lambda slots, chance: str(slots.when.year),
    "anio_sig": lambda slots, chance: str(slots.when.year + 1),
    "cot": lambda slots, chance: str(1_000 + _days(slots.when) * 2 + chance % 7),
    "ot": lambda slots, chance: str(400 + _days(slots.when) * 13 // 10 + chance % 5),
    "fac": lambda slots, chance: money(80_000 + _days(slots.when) * 10 + chance % 90),
    "guia": lambda slots, chance: str(30_000 + _days(slots.when) * 4 + chance % 30),
    "folio": lambda slots, chance: str(7_000_000 + _days(slots.when) * 211 + chance % 1000),
    "envio": lambda slots, chance: f"{900 + chance % 99}-{100 + chance // 128 % 899}",
    "edicion": lambda slots, chance: str(slots.when.year * 12 + slots.when.month - 24_111),
    "oc": lambda slots, chance: f"{3000 + chance % 900}-{slots.when.year % 100}",
    "monto": lambda slots, chance: money(180_000 + chance % 16_000 * 100),
    "monto_b": lambda slots, chance: money(18_000 + chance % 3_000 * 70),
    "producto_m": lambda slots, chance: slots["producto"].capitalize(),
}
