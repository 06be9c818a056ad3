"""The newest days of the printing house, word for word; a screen full of mail that tells a story."""

from __future__ import annotations

from webmail.samples.letters import Scene, Turn, quote_table

_PAPERS = quote_table(
    ("Bond ahuesado 90 g, 77 × 110", "Couché mate 170 g, 77 × 110", "Flete a Valparaíso"),
    ("12", "6", ""),
    (742_800, 498_600, 42_900),
)

MARCELA: tuple[Scene, ...] = (
    Scene(
        "Etiquetas cosecha {anio}: prueba de color aprobada",
        (
            Turn("rodrigo", 4, "10:20", "Marcela, ¿puedes mandarme la prueba de color de la contraetiqueta? El enólogo viaja el viernes."),
            Turn("", 4, "12:05", "Va adjunta. El burdeos está calibrado con la muestra de papel que me dejaste.", files=(("prueba-color-{num}.png", 1),)),
            Turn("rodrigo", 3, "09:14", "En pantalla se ve un poco más rojo que la botella. ¿Es así o es mi monitor?"),
            Turn("", 3, "09:40", "Es el monitor. Mañana te dejo una hoja impresa en la oficina de Casablanca."),
            Turn("", 1, "17:02", "La hoja quedó en recepción, a nombre de Ignacio.", subject="Re: Etiquetas cosecha {anio}: prueba de color"),
            Turn(
                "rodrigo",
                0,
                "10:42",
                "Marcela, el enólogo dio el visto bueno al burdeos de la contraetiqueta. Falta solo el código de barras, que te mando apenas lo "
                "libere la oficina.\n\n¿Alcanzamos a tener las primeras 6.000 para el {dia}?",
                subject="Etiquetas cosecha {anio}: prueba de color aprobada",
                files=(("Aprobación contraetiqueta.pdf", 96_000),),
                unread=True,
                flags=("\\Flagged",),
            ),
        ),
    ),
    Scene(
        "Formulario 29 de {mes} disponible",
        (
            Turn(
                "sii",
                0,
                "10:15",
                "Estimado contribuyente: ya puede revisar su propuesta de declaración en el sitio, con vencimiento el {fecha}.\n\nSi declara sin "
                "cambios, no necesita adjuntar documentos.",
                unread=True,
            ),
        ),
    ),
    Scene(
        "Su envío 992-118 salió de Santiago",
        (
            Turn(
                "despachos",
                0,
                "09:58",
                "Entrega estimada {dia}, entre 9:00 y 13:00. Recibe: portería.\n\nPuede seguir el recorrido con el número de envío.",
            ),
        ),
    ),
    Scene(
        "Cotización {cot}: bond ahuesado 90 g y couché 170 g",
        (
            Turn(
                "", 3, "11:30", "Hola Álvaro, necesito 12 resmas de bond ahuesado 77 × 110 y 6 de couché mate 170 g, ojalá para el lunes."
            ),
            Turn(
                "alvaro",
                2,
                "10:12",
                "Te mando la cotización. El couché lo tengo en Quilicura, llega el jueves; el bond está acá mismo en bodega.",
                files=(("Cotizacion-{cot}.pdf", 118_000),),
            ),
            Turn(
                "",
                1,
                "17:44",
                "Gracias. ¿Puedes incluir el despacho a Valparaíso y separar el flete en la factura? Así lo paso directo al cliente.",
            ),
            Turn(
                "alvaro",
                0,
                "09:31",
                "Hola Marcela:\n\nAdjunto la cotización corregida con el despacho incluido. Separé el flete como pediste y mantuve el precio de "
                "{mes_ant} en el ahuesado, que sube recién el {fecha}.\n\nSi confirmas hoy antes de las 16:00, el camión pasa el lunes en la mañana.",
                subject="Cotización {cot}: bond ahuesado 90 g y couché 170 g",
                files=(("Cotizacion-{cot}-v2.pdf", 136_000), ("Lista precios {mes}.xlsx", 1)),
                table=_PAPERS,
                remote=True,
                unsubscribe=True,
                copy="taller",
            ),
        ),
    ),
    Scene(
        "Fotos de la licenciatura",
        (
            Turn(
                "javiera",
                0,
                "08:47",
                "Mamá, acá van las que sacó el fotógrafo. La del patio es la que más me gusta.\n\nDile a la abuela que le imprimo una grande.",
                style="mixed",
                files=(("patio.jpg", 1), ("curso.jpg", 1)),
                unread=True,
            ),
        ),
    ),
    Scene(
        "Pruebas de imprenta, segunda corrección",
        (
            Turn("catalina", 2, "16:31", "Van las páginas 40 a 96 con las correcciones de la autora. Prometió que son las últimas."),
            Turn("", 2, "17:15", "Recibidas. Con esto cierro el pliego 6 y mañana temprano te mando pruebas."),
            Turn(
                "catalina",
                1,
                "18:20",
                "Van marcadas en rojo las viudas del capítulo 3. Si alcanzas a mandarlas hoy, entran en la plancha del {dia}.\n\nLa portada queda igual.",
                subject="Pruebas de imprenta, segunda corrección",
                files=(("Viento puelche, capítulo 3.pdf", 310_000),),
            ),
        ),
    ),
    Scene(
        "Reunión de apoderados, {dia} a las 19:00",
        (
            Turn(
                "colegio",
                1,
                "16:05",
                "Les recordamos que se entregarán los informes de fin de año y la lista de útiles.\n\nSe ruega puntualidad. La reunión dura una hora.",
                style="invite",
            ),
        ),
    ),
    Scene(
        "¿Alcanza a salir el afiche el martes?",
        (
            Turn("nicolas", 2, "12:40", "¿Cómo va el afiche de la Feria del Libro? Son 500, igual que el año pasado."),
            Turn(
                "nicolas",
                1,
                "15:12",
                "La municipalidad me pide confirmar el horario de la pegada. Si sale el martes en la mañana, el camión pasa a las 12.",
                subject="¿Alcanza a salir el afiche el martes?",
                unread=True,
            ),
        ),
    ),
    Scene(
        "Boletín {edicion}: alza del papel y feria de abril",
        (
            Turn(
                "gremio",
                1,
                "12:00",
                "El precio internacional de la celulosa subió 4,1 % en {mes_ant} y los talleres medianos ya lo notan en la guillotina.",
                remote=True,
                unsubscribe=True,
                items=(
                    ("Celulosa: cuatro meses al alza", "La tonelada cerró el mes en su valor más alto desde 2022. Qué conviene comprar ahora."),
                    ("Feria de abril", "Cuarenta expositores, demostraciones en vivo y entrada liberada para socios al día."),
                    ("Aviso de venta", "Guillotina de 92 cm, año 2009, con cuchilla de repuesto. Se ve funcionando en Limache."),
                ),
            ),
        ),
    ),
    Scene(
        "Comprobante de transferencia por $ 1.284.300",
        (
            Turn(
                "banco",
                1,
                "11:38",
                "Destinatario: Papeles Andinos SpA. Fecha: {corta}, 11:37 h. Este comprobante es válido como respaldo de su operación.",
                files=(("Comprobante-{folio}.pdf", 41_000),),
                flags=("$Forwarded",),
            ),
        ),
    ),
    Scene(
        "Turnos de {mes} en el taller",
        (
            Turn("", 5, "09:30", "Equipo: adjunto los turnos. El 24 trabajamos hasta las 13:00. Díganme si algo no les calza.", files=(("Turnos {mes}.xlsx", 1),)),
            Turn("lorena", 5, "11:02", "Por mí está bien, pero falta alguien en la guillotina el 26."),
            Turn("", 4, "18:10", "¿Puedes tú, o le pregunto a Patricio?"),
            Turn("lorena", 1, "09:04", "Yo puedo cubrir el 24 hasta las 13:00, pero el 26 viajo a Temuco y vuelvo recién el 29."),
        ),
    ),
)  # fmt: skip

TALLER: tuple[Scene, ...] = (
    Scene("OT {ot}: 800 trípticos, papel ya cortado", (Turn("patricio", 0, "10:31", "Jefa, dejé la primera pasada en el secador. El negro quedó un poco cargado, mañana temprano lo reviso con luz de día.", unread=True, files=(("pliego 2.jpg", 1),)),)),
    Scene("Rodillo mojador GTO 52: llegó a bodega", (Turn("repuestos", 3, "15:20", "Pedimos el rodillo a fábrica. Llega esta semana."), Turn("repuestos", 0, "10:20", "Confirmamos recepción del rodillo. Puede retirar desde las 15:00 en nuestra bodega de Quilicura.", subject="Rodillo mojador GTO 52: llegó a bodega", unread=True))),
    Scene("Barniz selectivo en etiqueta reserva", (Turn("rodrigo", 0, "09:12", "Hola equipo:\n\nAdjunto la guía de posición. El barniz va solo en el escudo y en la palabra “Reserva”, con reserva de 0,3 mm para que no se monte sobre el burdeos. El enólogo pidió ver una hoja impresa antes de tirar las 6.000.\n\n¿Pueden dejarme una muestra el lunes en la oficina de Casablanca? Paso a buscarla después de las 15:00.", files=(("Guia barniz reserva.pdf", 168_000), ("prueba-color-{num}.png", 1))),)),
    Scene("Inventario de tintas al {fecha}", (Turn("lorena", 1, "17:05", "Quedan 3 kilos de Pantone 202 y nada de dorado 871. Hay que pedir antes del viernes.", unread=True, files=(("inventario-{num}.csv", 1),)),)),
    Scene("Visita técnica confirmada: {dia}", (Turn("tecnico", 1, "12:44", "El técnico llegará a las 8:30. Por favor deje la máquina fría y con los rodillos limpios.", style="invite"),)),
)  # fmt: skip

JOSEFA: tuple[Scene, ...] = (
    Scene("Bienvenida a Imprenta Quillay", (Turn("marcela", 1, "09:10", "Hola Josefa:\n\nEsta es tu casilla. Llega al celular y al computador del mesón, y es la misma en los dos.\n\nCualquier duda me preguntas a mí o a Lorena. Qué bueno que llegaste."),)),
    Scene("Tus turnos de la primera semana", (Turn("lorena", 1, "16:22", "Hola Jose, quedaste de 9:00 a 17:30 toda la semana. El {dia} te enseño la guillotina.", files=(("Turnos {mes}.xlsx", 1),), unread=True),)),
    Scene("Zapatos de seguridad", (Turn("patricio", 0, "08:35", "¿Qué talla usas? Tengo 37 y 38 en bodega. Sin zapatos no se puede entrar a la prensa.", unread=True),)),
)  # fmt: skip

SCENES = {"marcela": MARCELA, "taller": TALLER, "josefa": JOSEFA}
