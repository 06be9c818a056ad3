"""Letters of the trade: suppliers, clients, the workshop."""

from __future__ import annotations

from webmail.samples.theme import Theme, theme

TRADE: tuple[Theme, ...] = (
    theme(
        "alvaro claudia",
        "papeles",
        10,
        """
s Cotización {cot}: {papel} y {papel2}
s Cotización {cot}, {papel}
s Cotización {cot}: cambio de gramaje
s Stock de {papel} para talonarios
s Nueva lista de precios, {mes}
s Muestras de {papel}
o12 Adjunto la cotización {cot}. El {papel} lo tengo en Quilicura y llega el {dia}; el {papel2} está acá mismo en bodega.
o12 Te mando la cotización corregida con el despacho incluido. Separé el flete como pediste y mantuve el precio de {mes_ant}.
o4 Quedan {resmas} resmas de {papel} al precio anterior. Si te sirven, las dejo reservadas hasta el {dia}.
o5 Va la lista de {mes}. El {papel} sube {pct} %; toda cotización emitida antes del {fecha} mantiene su valor.
o3 Si pasas de 90 a 106 g, el {papel} sube $ 4.100 por resma. Te dejo las dos alternativas en la planilla.
o6 Van tres tonos en el sobre. La cotización te la hago cuando elijas; el {papel2} es el que usan en la viña.
d123 El precio es neto y vale por quince días. El formato es {formato}; si lo quieres refilado, son dos días más.
d Ojo que la fábrica cierra la próxima semana por inventario, así que conviene pedir antes del {dia}.
d123 Apliqué el {pct2} % de descuento por compra sobre $ 900.000.
d12 Incluye el certificado FSC para la licitación municipal.
c124 Si confirmas hoy antes de las 16:00, el camión pasa el {dia} en la mañana.
c Quedo atento a tu orden de compra.
c Cualquier duda, me llamas al celular.
u1234 Gracias, {de}. ¿Puedes incluir el despacho a Valparaíso y separar el flete en la factura? Así lo paso directo al cliente.
u124 Perfecto, confirmo {resmas} resmas de {papel}. Te mando la orden de compra en la tarde.
u123 El {papel} está bien, pero el {papel2} me queda caro. ¿Hay algo parecido más económico?
u Recibido. Lo consulto con el cliente y te confirmo el {dia}.
u124 Necesito que llegue antes del {dia}, porque la máquina queda libre justo ese día.
t123 Listo, lo dejé corregido. El flete va en línea aparte.
t124 Anotado. Sale mañana en el primer camión y la guía te llega por correo.
t12 Te ofrezco el de la papelera del sur, mismo gramaje y un {pct} % más barato. La diferencia es el tono.
t124 Sin problema, queda reservado hasta el {dia}.
f12 Cotizacion-{cot}.pdf
f5 Lista precios {mes}.xlsx
""",
        table="quote",
    ),
    theme(
        "rodrigo",
        "aromo",
        8,
        """
s Etiquetas cosecha {anio}: prueba de color
s Contraetiqueta {cepa} {anio}
s Barniz selectivo en etiqueta {cepa}
s Estuche de tres botellas, {cepa} y {cepa2}
s Collarín para la partida de exportación
o12 El enólogo dio el visto bueno al burdeos de la contraetiqueta. Falta solo el código de barras.
o3 Adjunto la guía de posición. El barniz va solo en el escudo y en la palabra “Reserva”.
o1 Vimos la prueba a la luz del día y el dorado se va al verde. ¿Se puede cargar un poco de amarillo?
o25 Nos subieron el pedido: en vez de {miles} mil etiquetas de {cepa} serán {miles2} mil.
o45 La embotelladora adelantó la partida y necesita las bobinas el {dia}.
d3 La reserva es de 0,3 mm para que no se monte sobre el burdeos. Queremos ver una hoja impresa antes del tiraje.
d25 El texto legal cambió: ahora dice 13,5 % vol. y el nombre del importador va en dos líneas.
d125 El papel tiene que aguantar la cubeta de hielo, la partida pasada se levantó en las esquinas.
c Paso el {dia} después de las 15:00 a buscar la muestra.
c Si puedes, mándame una foto con la hoja al lado de la botella.
c Un abrazo desde Casablanca.
u Mañana imprimo una hoja con el ajuste y te mando la foto antes de las 12.
u Listo, {de}. Con ese cambio el tiraje parte el {dia} y entrego el {dia_b}.
u25 Me falta el código de barras en vectores; el que llegó viene en baja.
u Lo reviso con Patricio. El dorado 871 es metálico y en pantalla engaña.
t25 Va el código en vectores. Es el definitivo, ya está inscrito.
t Aprobado. Avísame cuando esté en máquina y voy a verlo.
t Perfecto, quedo esperando la hoja.
t El enólogo pregunta si alcanza a estar para la feria del {fecha}.
f2 Contraetiqueta {cepa} {anio}.pdf
f13 prueba-color-{num}.png
""",
    ),
    theme(
        "catalina nirre",
        "nirre",
        8,
        """
s {libro}: pruebas de imprenta, {ordinal} corrección
s {libro}: interior de {paginas} páginas
s PDF/X-1a del interior, {paginas} páginas
s Lomo de «{libro}»
s Reimpresión de «{libro}», {cientos} ejemplares
o1 Van marcadas en rojo las viudas del capítulo {cap}. Si alcanzas a mandarlas hoy, entran en la plancha del {dia}.
o23 Va el archivo final con sangrado de 3 mm. Cualquier cosa me llamas, estoy en la oficina hasta las siete.
o12 La autora encontró dos erratas en la página {pag}. Prometió que son las últimas.
o5 Se agotó «{libro}» y queremos reimprimir {cientos} ejemplares antes de la feria.
o4 ¿Me confirmas el ancho del lomo? Con {paginas} páginas en ahuesado de 80 g me da 11,4 mm.
d123 Cambiamos la página de créditos: nuevo ISBN y el nombre de la traductora.
d45 La portada va en opalina de 250 g con solapas de 8 cm y laminado mate.
d123 El pliego 4 salió con el folio corrido; en el archivo nuevo ya está bien.
c Gracias por la paciencia.
c ¿Cuándo tendrías las pruebas?
c Te debo un café.
u1235 Recibido. Con esto cierro el pliego {cap} y mando pruebas el {dia}.
u4 El lomo me da 11,8 por el ahuesado; conviene dejar 12 y que el título no quede justo.
u1235 Ojo con la página {pag}: la imagen viene en RGB. ¿La convierto yo?
u1235 El papel llega el {dia}. Si apruebas mañana, entrego el {dia_b}.
t1235 Conviértela tú, por favor, y muéstrame cómo queda.
t Aprobado el interior. La portada la vemos mañana.
t Van las páginas que faltaban. Ahora sí que sí.
t4 De acuerdo con los 12 mm, corrijo la portada y la mando en una hora.
f23 {libro} interior.pdf
f1 correcciones capítulo {cap}.docx
""",
        greet=False,
    ),
    theme(
        "nicolas partes",
        "muni",
        6,
        """
s Afiche {fiesta}, {cientos} copias
s ¿Alcanza a salir el afiche el {dia}?
s Orden de compra {oc}
s Trípticos de reciclaje para juntas de vecinos
s Volantes del operativo de salud
o34 Se adjunta orden de compra {oc}. La entrega es en Av. Freire 210, primer piso, de 9:00 a 13:30.
o12 La municipalidad me pide confirmar el horario de la pegada. Son {cientos} afiches y los retira el camión.
o14 El concejo aprobó la segunda tirada: {cientos} ejemplares más, mismo papel.
o12 Cambió la fecha de la {fiesta}: ahora es el {fecha}. ¿Alcanzamos a corregir la plancha?
o45 Necesitamos tres cotizaciones para la licitación; la suya puede venir por correo.
d El logo del municipio es el nuevo, va adjunto. El antiguo ya no se puede usar.
d El pago es a treinta días desde la recepción conforme.
d45 Deben venir en paquetes de cien, rotulados por sector.
c Quedo atento a su confirmación.
c Saludos cordiales.
c Si hay que pasar a firmar algo, estoy hasta las 14:00.
u12 Sí alcanza. Entrego el {dia} antes de las 11:00.
u12 La plancha ya está hecha, pero el cambio de fecha se puede sobreimprimir. Son $ {monto_b} más IVA.
u34 Recibida la orden. Facturo cuando firmen la guía.
t1245 Perfecto, dejo avisado en portería.
t Conforme con el valor. Proceda, por favor.
t El encargado de bodega es don Luis Tapia, anexo 214.
f3 OC-{oc}.pdf
f145 logo-municipal-{anio}.png
""",
    ),
    theme(
        "itata maihue clinica liceo diario hostal notaria",
        "",
        9,
        """
s Cotización de {producto}
s {producto_m}: ¿cuánto demora?
s Repetir el pedido de {producto}
s Consulta por {producto}, {cientos} unidades
s Reclamo por el pedido de {producto}
o14 Necesitamos {cientos} unidades de {producto} en {papel}. ¿Nos puede enviar un precio con IVA incluido?
o3 Queremos repetir el trabajo del año pasado: {producto}, {cientos} unidades. ¿Mantiene el precio?
o12 Nos recomendaron con ustedes de la Editorial Ñirre. Buscamos {producto} para el {fecha}.
o5 Llegaron los {producto}, pero en el primer paquete el corte está corrido unos dos milímetros.
o124 ¿Trabajan con {papel}? Lo queremos para {producto}, a dos tintas.
d124 El diseño lo tenemos en PDF; si hay que adaptarlo, díganos el costo.
d1234 El despacho es a {comuna}. Pagamos por transferencia contra entrega.
d1234 No es urgente, aunque nos gustaría tenerlo antes de fin de mes.
d14 Si conviene más en otra cantidad, díganos cuál es el salto de precio.
c Quedamos atentos.
c Muchas gracias de antemano.
c Saludos desde {comuna}.
u1234 Gracias por escribir. En {papel} y {cientos} unidades queda en $ {monto} más IVA, con entrega el {dia}.
u5 Qué pena lo del corte. Reponemos el paquete completo el {dia}, sin costo.
u1234 ¿Me puede mandar el archivo? Con eso le confirmo hoy mismo.
u134 Si sube a mil unidades, el valor por unidad baja un {pct2} %.
t134 De acuerdo, procedan. Mando la orden de compra en la tarde.
t124 Va el archivo. Lo hizo mi sobrino, cualquier cosa avísenos.
t5 Muchas gracias, así da gusto.
t1234 Lo veo con la gerencia y le respondo el {dia}.
f124 Logo {num}.zip
f3 modelo anterior.pdf
f12 texto {producto}.docx
""",
        file_chance=0.45,
    ),
    theme(
        "gloria",
        "tintas",
        4,
        """
s Despacho de tintas, pedido {cot}
s {pantone}: disponibilidad
s Solvente y lavador de mantillas, alza desde {mes}
o1 Su pedido {cot} sale el {dia}. El magenta viene en tarros de 2,5 kg porque el de 1 kg está agotado.
o2 El {pantone} lo formulamos a pedido: tres días hábiles y mínimo dos kilos.
o3 Desde el {fecha} el lavador de mantillas sube {pct} %. Los pedidos ya ingresados no cambian.
d23 Incluí la hoja de seguridad nueva, que ahora la piden en las inspecciones.
d2 Si necesita menos cantidad, tengo medio kilo de una mezcla anterior que da casi igual.
c Saludos, Gloria.
c Quedo a su disposición.
u12 Gracias, Gloria. Que sean dos kilos del {pantone} y cuatro de negro.
u2 Sirve el medio kilo. ¿Lo puedes mandar con el pedido del {dia}?
t Listo, va todo junto.
t Agregado al pedido. El total queda en $ {monto_b} neto.
f13 Hoja de seguridad {num}.pdf
""",
        file_chance=0.5,
    ),
    theme(
        "repuestos tecnico",
        "repuestos",
        4,
        """
s Rodillo mojador: llegó a bodega
s Visita técnica confirmada: {dia}
s Mantillas y barras, pedido {num}
s Informe de mantención de {mes}
o1 Confirmamos recepción del rodillo. Puede retirarlo desde las 10:00 o se lo enviamos con el próximo despacho.
o2 El técnico llegará el {dia} a las 8:30. Por favor deje la máquina fría y con los rodillos limpios.
o3 Las mantillas vienen en camino. La barra corta la fabricamos acá y demora hasta el {dia}.
o4 Adjuntamos el informe: cojinetes en buen estado, cambiar pinzas del cilindro dentro de seis meses.
d13 El repuesto original está discontinuado; el alternativo tiene la misma garantía.
d2 La visita considera dos horas. Si hay que desmontar el tren de tintas, se cotiza aparte.
c Atentamente, mesa de servicio.
c Saludos.
u13 Mándelo con el despacho, por favor. A nombre de Patricio Oyarzún.
u2 Confirmado para el {dia}. Estará Patricio en el taller.
t Anotado.
t2 Quedó agendado, orden de servicio {num}.
f4 Informe {num}.pdf
f Mesa de servicio.vcf
""",
        file_chance=0.5,
    ),
    theme(
        "lorena patricio",
        "taller",
        9,
        """
s Turnos de {mes} en el taller
s OT {ot}: {cientos} {producto}, papel ya cortado
s Inventario de tintas al {fecha}
s OT {ot}: la máquina marca en el pliego {cap}
s Vacaciones de {mes}
s Se acabó el {papel}
o15 Yo puedo cubrir el {dia} hasta las 13:00, pero después viajo a Temuco y vuelvo recién la otra semana.
o2 Dejé la primera pasada en el secador. El negro quedó un poco cargado, mañana temprano lo reviso con luz de día.
o3 Quedan 3 kilos de {pantone} y nada de dorado 871. Hay que pedir antes del {dia}.
o4 El pliego {cap} sale con una marca a la altura de las pinzas. Paré la máquina para no botar papel.
o15 Anoté los turnos en la planilla. El {dia} falta uno en la guillotina.
o6 El {papel} alcanza justo para la OT {ot}. Para la siguiente no hay.
d15 {colega} dice que toma la máquina grande si alguien lo cubre en el empaque.
d2 Ya avisé al cliente que puede atrasarse un día.
d24 La cuchilla también está pidiendo afilado, corta con rebaba.
c ¿Le parece?
c Me avisa y lo dejo listo.
c Hablamos mañana en el taller.
u15 Está bien, gracias por avisar. El {dia} lo cubro yo.
u3 Pide el {pantone} hoy mismo, que Gloria despacha hasta las 15:00.
u24 Déjalo así por hoy. Mañana lo vemos con el técnico.
u15 Aprobado. Actualiza la planilla y mándala a todos.
t36 Ya quedó pedido.
t15 Listo, jefa. Quedó en la planilla.
t15 Cambié con {colega}, así no falta nadie.
t4 Era la mantilla. La di vuelta y salió limpio.
f15 Turnos {mes}.xlsx
f3 inventario-{num}.csv
f24 pliego {cap}.jpg
""",
        file_chance=0.35,
        greet=False,
    ),
    theme(
        "antonia",
        "",
        5,
        """
s Versión {cap} del afiche {fiesta}
s Portada de «{libro}»: tres caminos
s Artes finales para la OT {ot}
o1 Cambié la tipografía del título y dejé sangrado de 3 mm por lado. Dime si así respira mejor.
o2 Van tres caminos para la portada. El segundo es el que más me convence, pero el tercero se imprime más barato.
o3 Ya están las artes finales, con las fuentes trazadas y las imágenes en CMYK.
d13 Ojo con la página {pag}, que el negro va en cuatricromía. Se puede bajar a uno si prefieres.
d El {pantone} va en capa aparte para que no se te mezcle.
c Un abrazo, Antonia.
c Estoy conectada hasta las seis.
u2 Me quedo con el segundo. ¿Me mandas el PDF con cruces?
u13 Muy bien. Baja el negro a una tinta y cerramos.
t Listo, va con cruces y sin perfil.
t Hecho. Ahora sí pesa menos.
f3 artes OT {ot}.zip
f2 camino-{cap}.png
f1 afiche v{cap}.pdf
""",
    ),
    theme(
        "itata clinica hostal maihue",
        "facturas",
        4,
        """
s Factura {fac} pendiente
s Estado de cuenta al {fecha}
s Entrega de {producto} el {dia}
o1 Le recuerdo que la factura {fac} por $ {monto} venció el {fecha}. ¿Me puede confirmar la fecha de pago?
o2 Adjunto el estado de cuenta al {fecha}. Si ya pagaron, le agradezco el comprobante.
o3 Sus {producto} están listos. Los despachamos el {dia} en la mañana, salvo que prefiera retirarlos.
d12 El número de cuenta es el mismo de siempre.
d3 La guía va dentro del primer paquete.
c Muchas gracias y saludos.
c Que tenga buena semana.
u12 Recibido el pago, muchas gracias.
u3 Sin problema, quedamos para el {dia}.
t12 Disculpe la demora, se paga este {dia}. Le mando el comprobante.
t3 Los retiramos nosotros, pasa don Sergio.
f12 Factura {fac}.pdf
""",
        starts=False,
        file_chance=0.7,
    ),
)
