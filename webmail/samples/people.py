"""Who writes to a small printing house in Chile, and who lives in it."""

from __future__ import annotations

from webmail.samples.values import Contact

HOUSE = "Imprenta Quillay"
OWNERS = {
    "marcela": "Marcela Fuentealba",
    "taller": "Taller Quillay",
    "bodega": "Bodega Quillay",
    "josefa": "Josefa Rojas",
    "admin": "Administración Quillay",
}

CONTACTS: dict[str, Contact] = {
    # Clients
    "rodrigo": Contact("Rodrigo Sepúlveda", "rsepulveda@vinaaromo.test", "Viña Aromo", phone="+56 32 255 0171"),
    "enologo": Contact("Ignacio Larraín", "ilarrain@vinaaromo.test", "Viña Aromo", style="html"),
    "catalina": Contact(
        "Catalina Vergara", "produccion@editorialnirre.test", "Editorial Ñirre", style="plain", words="B"
    ),
    "nirre": Contact("Editorial Ñirre", "contacto@editorialnirre.test", "Editorial Ñirre", style="flowed"),
    "nicolas": Contact("Nicolás Barrientos", "nbarrientos@muniquilpue.test", "Municipalidad de Quilpué", style="plain"),
    "partes": Contact(
        "Oficina de Partes", "partes@muniquilpue.test", "Municipalidad de Quilpué", style="plain", charset="iso-8859-1"
    ),
    "itata": Contact("Gerardo Muñoz", "gerencia@transportesitata.test", "Transportes Itata", phone="+56 42 255 0119"),
    "maihue": Contact("Operaciones Maihue", "operaciones@maderasmaihue.test", "Maderas Maihue", style="plain"),
    "clinica": Contact("Verónica Salas", "partes@clinicaloncoche.test", "Clínica Loncoche", style="html"),
    "liceo": Contact(
        "Secretaría Liceo Pichidegua", "secretaria@liceopichidegua.test", "Liceo Pichidegua", style="plain"
    ),
    "diario": Contact("Tomás Echeverría", "fotos@diariolaguna.test", "Diario Laguna", style="flowed"),
    "hostal": Contact("Paz Inostroza", "contacto@hostalquintero.test", "Hostal Quintero"),
    "notaria": Contact(
        "Notaría Olmué", "oficio@notariaolmue.test", "Notaría Olmué", charset="windows-1252", style="plain"
    ),
    # Suppliers
    "alvaro": Contact("Álvaro Cid", "ventas@papelesandinos.test", "Papeles Andinos", phone="+56 2 2555 0148"),
    "claudia": Contact("Claudia Arriagada", "carriagada@papelesandinos.test", "Papeles Andinos", style="html"),
    "andinos": Contact("Papeles Andinos", "facturas@papelesandinos.test", "Papeles Andinos", style="notice"),
    "gloria": Contact("Gloria Paredes", "gparedes@tintaspacifico.test", "Tintas Pacífico", words="B", style="flowed"),
    "repuestos": Contact(
        "Repuestos Gráficos Sur", "mesa@repuestosgraficos.test", "Repuestos Gráficos Sur", charset="windows-1252"
    ),
    "tecnico": Contact("Mantención Offset", "agenda@mantencionoffset.test", "Mantención Offset", style="plain"),
    "despachos": Contact(
        "Despachos Cordillera", "avisos@despachoscordillera.test", "Despachos Cordillera", style="notice"
    ),
    "antonia": Contact("Antonia Lagos", "antonia@lagosdiseno.test", "Lagos Diseño", style="html"),
    "hernan": Contact("Hernán Pizarro", "hpizarro@pizarrocontadores.test", "Pizarro Contadores", charset="iso-8859-1"),
    # Offices and services
    "sii": Contact("Servicio de Impuestos Internos", "avisos@impuestos.test", "SII", style="notice"),
    "banco": Contact("Banco del Maipo", "comprobantes@bancodelmaipo.test", "Banco del Maipo", style="notice"),
    "luz": Contact("Luz del Aconcagua", "boleta@luzaconcagua.test", "Luz del Aconcagua", style="notice"),
    "aguas": Contact("Aguas del Marga Marga", "cuenta@aguasmargamarga.test", "Aguas del Marga Marga", style="notice"),
    "colegio": Contact("Colegio Puerto Claro", "apoderados@colegiopuertoclaro.test", "Colegio Puerto Claro"),
    "dental": Contact("Centro Dental Limache", "horas@dentallimache.test", "Centro Dental Limache", style="invite"),
    "gremio": Contact("Gremio Gráfico", "boletin@gremiografico.test", "Gremio Gráfico", style="newsletter"),
    "papelera": Contact(
        "La Papelera de Barrio", "hola@papeleradebarrio.test", "La Papelera de Barrio", style="newsletter"
    ),
    "teatro": Contact(
        "Teatro Municipal de Quilpué", "cartelera@teatroquilpue.test", "Teatro Municipal", style="newsletter"
    ),
    # Family
    "javiera": Contact("Javiera Mella", "javi.mella@correoazul.test", style="plain"),
    "mama": Contact("Rosa Contreras", "rosa.contreras@correoazul.test", style="plain", charset="iso-8859-1"),
    "hermano": Contact("Claudio Fuentealba", "claudio.f@correoazul.test", style="flowed"),
    "tia": Contact("Tía Nena", "nena1951@correoazul.test", style="html"),
    # English and farther away
    "hannah": Contact("Hannah Whitlock", "hannah@northgateprint.test", "Northgate Print Supplies", lang="en"),
    "emily": Contact("Emily Carter", "ecarter@southernlights.test", "Southern Lights Press", lang="en", style="flowed"),
    "owen": Contact("Owen Price", "owen.price@bindery.test", "Price & Daughters Bindery", lang="en", style="plain"),
    "weekly": Contact("Type & Paper Weekly", "editor@typeandpaper.test", "Type & Paper", lang="en", style="newsletter"),
    "fonts": Contact("Letterfolk Fonts", "receipts@letterfolk.test", "Letterfolk", lang="en", style="notice"),
    "cloud": Contact("Harbour Hosting", "support@harbourhosting.test", "Harbour Hosting", lang="en", style="notice"),
    "sato": Contact(
        "佐藤 美咲", "sato@washi-kobo.test", "和紙工房", lang="ja", charset="iso-2022-jp", words="B", style="plain"
    ),
    "wang": Contact(
        "王伟", "wang@suzhoubinding.test", "苏州装订机械", lang="zh", charset="gb2312", words="B", style="plain"
    ),
    "irina": Contact(
        "Ирина Волкова", "volkova@lesprint.test", "Лес Принт", lang="ru", charset="koi8-r", words="B", style="plain"
    ),
}
COLLEAGUES = {
    "lorena": ("Lorena Huenchuñir", "lorena", "flowed"),
    "patricio": ("Patricio Oyarzún", "patricio", "plain"),
    "marcela": ("Marcela Fuentealba", "marcela", "alternative"),
    "taller": ("Taller Quillay", "taller", "plain"),
    "bodega": ("Bodega Quillay", "bodega", "plain"),
}


def owner_of(address: str) -> Contact:
    """The person behind a mailbox address; for names that we don't know, one made from the address."""
    local, _, domain = address.lower().partition("@")
    name = OWNERS.get(local) or " ".join(word.capitalize() for word in local.replace("_", ".").split(".") if word)
    house = HOUSE if domain.startswith("imprentaquillay.") else domain.partition(".")[0].capitalize()
    return Contact(name or "Casilla", address.lower(), house, style="alternative", phone="+56 32 255 0147")


def contact(key: str, owner: Contact) -> Contact:
    """A correspondent by key. Colleagues live in the owner's own domain."""
    if key in CONTACTS:
        return CONTACTS[key]
    name, local, style = COLLEAGUES[key]
    found = Contact(name, f"{local}@{owner.domain}", owner.org, style="plain" if style == "plain" else "flowed")
    return found if found.email != owner.email else CONTACTS["nicolas"]
