"""Letters in other languages, from farther away; and what belongs in Junk."""

from __future__ import annotations

from webmail.samples.theme import Theme, theme

ABROAD: tuple[Theme, ...] = (
    theme(
        "hannah",
        "",
        9,
        """
s Quote {cot}: blankets and rollers
s Your order {num}: shipping date
s Spare parts for the folding unit
s Revised pro forma invoice {num}
o1 Please find the revised quote attached. Sea freight is now shown on its own line, as you asked.
o2 Your order {num} leaves the warehouse on {dia}. I will send the tracking number as soon as I have it.
o3 The rollers are in stock, but the bearings come from Leeds and need another week.
o4 I have corrected the pro forma: the harmonised code was wrong, so customs would have stopped it.
d134 The price holds until {fecha}. After that the new list applies, roughly {pct} % up.
d13 If you take twelve instead of ten, I can waive the handling charge.
d23 The crate weighs 84 kg, so a pallet is cheaper than two parcels.
c Best wishes, Hannah
c Do call if anything is unclear.
u13 Thank you, {de}. Twelve it is; please send the pro forma and I will pay on {dia}.
u24 Could you split the shipment? I need the blankets before {fecha}, the rest can wait.
u2 Received in good order, thank you.
t2 Done. The blankets go by air on {dia}, the rest by sea.
t14 Lovely, thank you. Pro forma attached.
t Good to hear that. Talk soon!
f1 Quote-{cot}.pdf
f1 Price list {anio}.xlsx
""",
        table="quote",
    ),
    theme(
        "emily",
        "",
        8,
        """
s Proofs of the poetry anthology
s {ebook}: paper samples
s {ebook}: final files
s Visit to the workshop in {mes}
o1 The second proofs look wonderful. Two corrections on page {pag}, marked in red, and then we are ready to print.
o2 We both prefer the warmer paper. Could you send a bound dummy, so that we can see how it opens?
o3 Final files are in the archive: interior, cover and the map as a separate spread.
o4 I will be in Valparaíso from {fecha} and would love to see the press running.
d13 The print run stays at {cientos} copies, with fifty numbered ones on cotton paper.
d12 Please keep the thread visible on the spine, it is rather the point of the book.
c All the best, Emily
c With thanks, as ever.
u2 Wonderful. The dummy leaves on {dia}, and I will send a photograph first.
u4 You are very welcome here. Come on {dia} in the morning, we will be printing your cover.
u3 The map is in RGB; may I convert it? The blue will become a little quieter.
t3 Please do, quieter is better.
t14 Perfect, see you then.
t2 It arrived today, and it is beautiful. Approved!
f1 proofs-{num}.pdf
f3 {ebook} files.zip
""",
        file_chance=0.6,
    ),
    theme(
        "owen",
        "",
        5,
        """
s Sewing and binding, week of {fecha}
s Endpapers for {ebook}
s Invoice {num} for binding
o1 We can take the {cientos} blocks that week if they reach us by {dia}.
o2 The endpapers came out half a centimetre short on one side. I can trim the rest to match, if you agree.
o3 Attached is the invoice for the last batch. Thread and boards are listed separately.
d1 Bring the covers flat, please; the last ones had a curl.
d12 My daughter is doing the headbands by hand this time.
c Cheers, Owen
u2 Agreed, please trim them.
u1 They leave here on {dia}. Flat, I promise.
t2 Right you are.
t1 Received, all flat. Thank you.
f3 Invoice-{num}.pdf
""",
        file_chance=0.4,
    ),
    theme(
        "weekly",
        "",
        6,
        """
s Type & Paper Weekly {num}: the return of the risograph
s Type & Paper Weekly {num}: a mill in Fabriano
s Type & Paper Weekly {num}: why margins matter
o2 This week: a visit to a paper mill that never stopped, ten specimens worth stealing from, and a letter from Lisbon.
o3 Margins are where thumbs go. Four book designers on the space that nobody pays for.
o1 The risograph is back, and it smells better than you remember.
i The mill that floods every spring: They lift the motors in March and wait. A photo essay from the Marche.
i Ten specimens from the seventies: Loud, narrow and oddly readable: what the foundries were selling before the screen.
i Reader's letter: “My grandfather set this in 1931, and I still cannot find the f-ligature he used.”
i Jobs: A bindery in Porto needs somebody who can sew; a museum in Leeds needs somebody who can say no.
i Tool of the week: A bone folder made of actual bone. We were sceptical, too.
""",
        greet=False,
    ),
    theme(
        "fonts cloud",
        "",
        5,
        """
s Your receipt {num}
s Your licence renews on {fecha}
s Scheduled maintenance on {dia}
s Your monthly usage report
o1 Thank you for your purchase. The desktop licence for three seats is attached to this message.
o2 Your licence renews on {fecha}. There is nothing to do if your card is still valid.
o3 On {dia} between 02:00 and 04:00 UTC the control panel will be unavailable. Mail and websites are not affected.
o4 Last month your site served {cientos} visitors and 4.2 GB. Your plan includes 50 GB.
d You receive this message because you have an account with us.
d Questions? Just reply, a person reads this address.
f12 receipt-{num}.pdf
""",
        table="voucher",
        greet=False,
        file_chance=0.5,
    ),
    theme(
        "sato",
        "japan",
        2,
        """
s 和紙の見本について
s 見積書 {num} の件
s 展示会のご案内
o1 いつもお世話になっております。和紙の見本を三種類お送りしました。
o2 ご依頼の見積書をお送りします。楮紙は一枚単位でもご注文いただけます。
o3 来月、京都で小さな展示会を開きます。お近くにお越しの際はぜひお立ち寄りください。
d12 厚さは薄口、中口、厚口の三種類です。印刷には中口をおすすめします。
d ご確認のほど、よろしくお願いいたします。
c 佐藤 美咲
u12 Thank you very much, the samples are beautiful. We would like to order forty sheets of the medium one.
t12 ありがとうございます。四十枚、来週発送いたします。
f2 見本-{num}.png
""",
        greet=False,
        file_chance=0.5,
    ),
    theme(
        "wang",
        "",
        1,
        """
s 装订机报价 {cot}
s 交货日期确认
o1 您好，附件是装订机的报价单，有效期三十天。如有问题请随时联系。
o2 您好，机器已经装箱，预计下个月到达瓦尔帕莱索港。
d 我们提供一年保修和英文说明书。
c 此致敬礼，王伟
u1 Thank you. Please confirm the voltage: we have 380 V, 50 Hz.
t1 确认：380伏，50赫兹，没有问题。
f1 报价单-{num}.pdf
""",
        greet=False,
    ),
    theme(
        "irina",
        "",
        1,
        """
s Образцы бумаги
s Книжная ярмарка: приглашение
o1 Здравствуйте! Образцы бумаги отправлены, номер отправления {num}.
o2 Здравствуйте! Приглашаем вас на книжную ярмарку, наш стенд в зале номер {cap}.
d1 Бумага подходит для офсетной печати, плотность 90 и 120 граммов.
c С уважением, Ирина Волкова
u1 Thank you, Irina. They arrived today and print very well.
t1 Очень рады! Ждём вашего заказа.
""",
        greet=False,
    ),
)

SPAM = theme(
    "",
    "",
    0,
    """
s Su paquete está retenido en aduana
s Última oportunidad: préstamo aprobado
s Usted fue elegido para recibir un premio
s Su buzón está casi lleno, verifique ahora
s Réplicas de relojes, envío a todo Chile
s Your invoice {num} is overdue
s RE: Business proposal
s Posicione su sitio en primera página
o1 Pague $ 1.990 para liberar su paquete antes de 24 horas o será devuelto al remitente.
o2 Sin aval y en cinco minutos. Responda este correo con su RUT y número de cuenta.
o3 Felicitaciones, su dirección de correo fue sorteada. Retire su premio en el siguiente enlace.
o4 Su casilla superó el límite. Haga clic para mantener la misma contraseña.
o5 Modelos clásicos con despacho gratis y garantía de satisfacción. Stock limitado.
o6 Open the attached document to avoid suspension of your account.
o7 I have a confidential proposal worth 4.5 million and need a partner of your country.
o8 Auditoría gratuita de su sitio web. Garantizamos primera página en treinta días.
""",
)
SPAMMERS = (
    ("Correos Aduana", "aviso"),
    ("Créditos Ya", "ejecutivo"),
    ("Premios y Sorteos", "ganador"),
    ("Soporte de Correo", "soporte"),
    ("Relojes Ginebra", "ventas"),
    ("Accounts Payable", "billing"),
    ("Mr. Daniel Okoro", "d.okoro"),
    ("SEO Experto", "marketing"),
)
