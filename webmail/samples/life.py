"""Letters around the trade: offices, banks, school, family."""

from __future__ import annotations

from webmail.samples.theme import Theme, theme

LIFE: tuple[Theme, ...] = (
    theme(
        "sii",
        "facturas",
        4,
        """
s Formulario 29 de {mes} disponible
s Recordatorio: declaración de IVA de {mes}
s Nuevo documento recibido en su registro de compras
s Comprobante de declaración, folio {folio}
o12 Estimado contribuyente: ya puede revisar su propuesta de declaración en el sitio, con vencimiento el {fecha}.
o3 Se registró un documento electrónico a su nombre. Tiene ocho días para aceptarlo o reclamarlo.
o4 Su declaración fue recibida con el folio {folio}. Conserve este comprobante.
d12 Si declara sin cambios, no necesita adjuntar documentos.
d Este correo es automático; para consultas use la oficina virtual.
""",
        table="voucher",
        greet=False,
    ),
    theme(
        "banco",
        "facturas",
        6,
        """
s Comprobante de transferencia por $ {monto}
s Recibió una transferencia de {org}
s Cartola de {mes} disponible
s Aviso de vencimiento: línea de crédito
o1 Destinatario: {org}. Fecha: {corta}, {hora} h. Este comprobante es válido como respaldo de su operación.
o2 {org} le transfirió $ {monto}. El monto ya está disponible en su cuenta corriente.
o3 La cartola de {mes} de su cuenta corriente de empresa está disponible para descargar.
o4 El {fecha} vence la cuota de su línea de crédito por $ {monto_b}.
d El banco nunca le pedirá claves por correo.
d1 Si no reconoce esta operación, llame al número que está al dorso de su tarjeta.
f13 Comprobante-{folio}.pdf
""",
        table="voucher",
        greet=False,
    ),
    theme(
        "andinos",
        "facturas",
        4,
        """
s Factura electrónica {fac}
s Guía de despacho {guia}
s Nota de crédito {folio}
o1 Adjuntamos su factura electrónica {fac} por $ {monto}. Vence el {fecha}.
o1 Corresponde a cotización {cot}, {papel} {formato}. Vence el {fecha}.
o2 Ref.: cotización {cot}. {resmas} resmas de {papel}, {bultos} bultos. Recibe: {persona}.
o3 Por diferencia de gramaje en la cotización {cot} emitimos la nota de crédito {folio}.
d Conserve este documento para su contabilidad.
f1 Factura-{fac}.pdf
f2 Guia-{guia}.pdf
""",
        table="voucher",
        greet=False,
        file_chance=0.8,
    ),
    theme(
        "despachos",
        "",
        4,
        """
s Su envío {envio} salió de Santiago
s Su envío {envio} fue entregado
s Devolución de envío {envio}
o1 Entrega estimada {dia}, entre 9:00 y 13:00. Recibe: {persona}.
o2 Entregado a {persona} a las {hora} h, {bultos} bultos. Gracias por preferirnos.
o3 Destinatario ausente en dos visitas. Quedará en la sucursal de {comuna} hasta el {fecha}.
d Puede seguir el recorrido con el número de envío.
d Guarde este aviso hasta recibir su encomienda.
""",
        table="voucher",
        greet=False,
    ),
    theme(
        "luz aguas",
        "facturas",
        3,
        """
s Su boleta de {mes} por $ {monto_b}
s Corte programado el {dia}
s Su cuenta de {mes} está disponible
o1 Ya está disponible su boleta de {mes}. Puede pagarla hasta el {fecha} sin recargo.
o2 El {dia}, entre las 9:00 y las 17:00, habrá un corte programado en su sector por trabajos en la red.
o3 El total de su cuenta es $ {monto_b}. El consumo bajó {pct} % respecto de {mes_ant}.
d13 Inscriba el pago automático y olvídese de las filas.
d13 La lectura se hizo con normalidad.
f13 Boleta-{folio}.pdf
""",
        table="voucher",
        greet=False,
    ),
    theme(
        "hernan",
        "facturas",
        4,
        """
s Libro de compras de {mes}
s Liquidaciones de {mes} para firma
s Balance preliminar {anio}
o1 Me faltan tres facturas de proveedores para cerrar {mes}. Te adjunto el detalle, ¿las puedes buscar antes del {dia}?
o2 Van las liquidaciones de {mes}. Falta que me confirmes las horas extra de Patricio.
o3 Adjunto el balance preliminar. Hay que conversar la depreciación de la offset antes de declarar.
d12 El IVA de este mes queda en $ {monto_b}, un poco menos que en {mes_ant}.
d13 La de Papeles Andinos está duplicada, hay que pedir nota de crédito.
c Saludos, Hernán.
c Cualquier cosa me llamas.
u1 Encontré dos; la tercera la pedí de nuevo al proveedor.
u2 Patricio hizo {bultos} horas extra. Lorena, ninguna.
u3 ¿Podemos verlo el {dia} a las {hora}?
t12 Con eso cierro. Gracias.
t3 Perfecto, te espero en la oficina.
f12 Detalle {mes}.xlsx
f3 Balance {anio}.pdf
f1 faltantes-{num}.csv
""",
    ),
    theme(
        "colegio",
        "familia",
        4,
        """
s Reunión de apoderados, {dia} a las 19:00
s Lista de útiles {anio_sig}
s Salida pedagógica al {lugar}
s Licenciatura de cuarto medio
s Circular {num}: horario de invierno
o1 Les recordamos que se entregarán los informes de fin de semestre y la lista de útiles.
o3 El {dia} el curso visita el {lugar}. El bus sale a las 8:15 desde la puerta principal.
o5 Desde el lunes la jornada parte a las 8:30 y termina a las 15:45. Se adelanta media hora la salida de los viernes.
o2 Adjuntamos la lista de útiles. No es necesario comprar todo en marzo.
o4 La ceremonia es el {fecha} a las 11:00 en el gimnasio. Cada estudiante tiene cuatro invitaciones.
d1 Se ruega puntualidad. La reunión dura una hora.
d3 Por favor devolver firmada la autorización antes del {dia_b}.
c Atentamente, Dirección.
c Saludos cordiales, secretaría.
u14 Muchas gracias, ahí estaré.
u3 Autorizo la salida. Mando la hoja firmada con Javiera.
t Gracias, quedó registrado.
f125 Circular {num}.pdf
f3 Autorización {lugar}.docx
""",
        file_chance=0.5,
        greet=False,
    ),
    theme(
        "javiera",
        "familia",
        6,
        """
s Fotos de la licenciatura
s ¿Me firmas esto?
s Horario de la U
s El gato otra vez
s Pasajes a Valdivia
s Recetas de la abuela
o1 Mamá, acá van las que sacó el fotógrafo. La del patio es la que más me gusta.
o2 Mamá, ¿me puedes firmar la autorización? Es para el {dia} y la tengo que entregar mañana.
o3 Ya salió el horario. Los {dia} tengo clases hasta las {hora}, así que no llego a once.
o4 El gato se metió a la caja de los papeles buenos. Te mando prueba.
o5 Encontré pasajes para el {fecha}, pero suben mañana. ¿Los compro?
o6 La abuela me dictó la receta del pan de huevo. La escribí tal cual, con el “al ojo” incluido.
d1 Dile a la abuela que le imprimo una grande.
d Después te cuento bien, que estoy en clases.
d5 Me queda poca plata en la tarjeta, por si acaso.
c Besos.
c Te quiero. Compra pan.
u1 Me encantó la del patio. La imprimo en opalina y la enmarcamos.
u5 Cómpralos, hija. Te transfiero en la noche.
u2 Firmada. La dejo arriba de la mesa.
t Gracias mamá!
t346 Ya, listo. ¿A qué hora llegas?
t Te pasaste.
f1 patio {num}.jpg
f14 curso-{cap}.jpg
f6 receta.txt
""",
        file_chance=0.5,
        greet=False,
    ),
    theme(
        "mama hermano tia",
        "familia",
        5,
        """
s El almuerzo del domingo
s El auto de papá
s Cumpleaños de la tía
s Parcela de Olmué
s Fotos del paseo
o1 Los espero a la una. Traigan solo el pan. Tu hermano llega el sábado con los niños.
o2 Lo llevé al mecánico: son los frenos. Dice que el {dia} está. Yo pongo la mitad.
o3 Estamos juntando para el regalo de la tía. Somos seis, así que toca poco.
o4 Fui a ver la parcela. Se cayó un pedazo de cerco, pero los paltos están cargados.
o5 Busqué las fotos del paseo a Horcón y encontré estas tres. Mira el sombrero de papá.
d1 Avísame si vienes con la Javi para poner un puesto más.
d4 El maestro puede ir el {dia}, si no llueve.
d3 No le digas nada, que es sorpresa.
c Un beso grande.
c Abrazos.
c Nos vemos.
u1 Ahí estaremos. Llevo pan y el kuchen.
u2 Yo pongo la otra mitad, mándame el número de cuenta.
u5 Qué lindas. ¿Te acuerdas de quién manejaba?
t1 Te espero entonces.
t24 Ya, gracias. Te aviso cuando esté listo.
f5 horcon-{cap}.jpg
""",
        file_chance=0.3,
        greet=False,
    ),
    theme(
        "dental",
        "",
        1,
        """
s Confirme su hora: {dia}
o Lo esperamos el {dia} a las 10:30. Acepte la invitación para confirmar.
d Si no puede venir, responda este correo con al menos un día de anticipación.
d La dirección es la de siempre; hay estacionamiento atrás.
""",
        greet=False,
        style="invite",
    ),
    theme(
        "nirre antonia hernan",
        "",
        2,
        """
s Reunión de planificación, {dia}
s Revisión de {mes}, {dia} a las 16:00
o Les propongo juntarnos el {dia} para ver el calendario del próximo mes.
o Aparté una hora el {dia} para que revisemos lo pendiente. Puede ser en el taller.
d Si no les acomoda, propongan otra hora y la muevo.
d Llevo las muestras impresas.
""",
        greet=False,
        style="invite",
    ),
    theme(
        "gremio",
        "",
        4,
        """
s Boletín {edicion}: alza del papel y feria de {mes}
s Boletín {edicion}: curso de encuadernación
s Boletín {edicion}: ley de reciclaje y etiquetas
o1 El precio internacional de la celulosa subió {pct} % en {mes_ant} y los talleres medianos ya lo notan.
o2 Se abren las inscripciones para el curso de encuadernación en tapa dura. Quedan quince cupos.
o3 La ley de responsabilidad extendida llega a las etiquetas. Le contamos qué cambia y desde cuándo.
i Celulosa: cuatro meses al alza: La tonelada cerró el mes en su valor más alto desde 2022. Qué conviene comprar ahora y qué puede esperar.
i Feria de artes gráficas: Cuarenta expositores, demostraciones en vivo y entrada liberada para socios con la cuota al día.
i Aviso de venta: Guillotina de 92 cm, año 2009, con cuchilla de repuesto. Se puede ver funcionando en Limache.
i Encuadernación en tapa dura: Seis sábados, con la maestra Eliana Rivas. Materiales incluidos.
i Convenio de salud: Los trabajadores de talleres asociados tienen control gratuito de audición hasta fin de mes.
i Oficio: así se ajustaba a mano: Conversamos con don Humberto, prensista desde 1968, sobre el registro sin cámara.
""",
        greet=False,
    ),
    theme(
        "papelera",
        "",
        4,
        """
s Llegaron los cuadernos cosidos a mano
s {pct2} % en {papel}, solo esta semana
s Calendarios {anio_sig}: preventa abierta
o12 Novedades de {mes}, elegidas con calma. Retiro en tienda o despacho a toda la región.
o3 Doce grabados de aves de la costa, impresos a mano en {papel}. Preventa hasta el {fecha}.
o12 Pocas unidades y muchas ganas. Le mostramos lo que llegó desde el taller.
i Cuaderno ahuesado, 160 páginas: Costura a la vista y lomo de tela. Cinco colores, todos con nombre de cerro.
i Estuche de lápices de cedro: Doce colores, mina blanda, hechos en Villarrica.
i Taller de serigrafía: Para principiantes, con papel y tintas. Cupos para doce personas.
i Calendario {anio_sig}: Doce grabados de aves de la costa. Preventa hasta el {fecha}.
""",
        greet=False,
    ),
    theme(
        "teatro",
        "",
        3,
        """
s Cartelera de {mes}: música y teatro
s Esta semana en el teatro: {dia}, concierto gratuito
o Siete funciones, dos estrenos y un concierto gratuito en la plaza. Reserve desde hoy.
o La temporada de {mes} empieza con cámara y termina con títeres. Entradas desde $ 3.000.
i Concierto de cámara: Cuarteto de Valparaíso, obras de Soro y Leng. {dia}, 19:30.
i La pérgola de las flores: Compañía local, con orquesta en vivo. Dos funciones por día.
i Títeres para toda la familia: El zorro y la bandurria, basado en un cuento del sur. Entrada liberada.
i Visita guiada: Detrás del telón, los sábados a las 11:00. Inscripción en boletería.
""",
        greet=False,
    ),
)
