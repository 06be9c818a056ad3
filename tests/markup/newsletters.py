"""Letters as companies send them: nested tables, style sheets, media rules, bgcolor, Outlook's own. Written for tests."""

from __future__ import annotations

SHOP = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:o="urn:schemas-microsoft-com:office:office"><head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><meta name="viewport" content="width=device-width">
<title>Ofertas</title><!--[if mso]><xml><o:OfficeDocumentSettings/></xml><![endif]-->
<style type="text/css"><!--
#outlook a{padding:0} .ReadMsgBody{width:100%} body{margin:0;padding:0;-webkit-text-size-adjust:100%}
table{border-collapse:collapse;mso-table-lspace:0pt} img{border:0;display:block}
.btn a{background:#c2410c;border-radius:4px;color:#ffffff !important;display:inline-block;font-weight:bold;padding:12px 24px;
text-decoration:none} .price{color:#c2410c;font-size:20px;font-weight:bold} .old{text-decoration:line-through;color:#78716c}
@media only screen and (max-width:600px){.container{width:100%!important}.col{display:block!important;width:100%!important}}
@media (prefers-color-scheme:dark){.never{color:#fff}}
@font-face{font-family:Lato;src:url(https://fonts.test/lato.woff)}
--></style></head>
<body bgcolor="#f5f5f4" style="font-family:Lato,Helvetica,Arial,sans-serif">
<div style="display:none;font-size:1px;max-height:0;overflow:hidden">Solo hasta el domingo&nbsp;&zwnj;&nbsp;&zwnj;</div>
<table width="100%" bgcolor="#f5f5f4" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px 8px">
<table class="container" width="600" bgcolor="#ffffff" cellpadding="0" cellspacing="0" style="border:1px solid #e7e5e4">
<tr><td align="center" style="padding:20px;background-color:#1c1917"><img src="cid:logo@x.test" width="140" height="36"
alt="Librería Sur"></td></tr>
<tr><td><img src="https://cdn.test/hero.jpg" width="600" height="180" alt="Rebajas de otoño" style="width:100%"></td></tr>
<tr><td style="padding:24px 32px"><h1 style="margin:0 0 12px;font-size:24px;line-height:30px;color:#1c1917">Tres libros por
el precio de dos</h1><p style="margin:0 0 16px;color:#44403c;font-size:15px;line-height:24px">Hola Ana: elija entre más de
<b>400 títulos</b> hasta el domingo. <a href="https://tienda.test/?utm_source=mail&amp;copy=1" style="color:#c2410c">Ver todos</a>.
</p><table width="100%" cellpadding="0" cellspacing="0"><tr>
<td class="col" width="50%" valign="top" style="padding:8px"><table width="100%" bgcolor="#fafaf9"><tr><td style="padding:12px">
<p style="margin:0"><b>El arte de la carta</b></p><p class="price" style="margin:8px 0">12,90 € <span class="old">19,90 €</span>
</p></td></tr></table></td>
<td class="col" width="50%" valign="top" style="padding:8px"><table width="100%" bgcolor="#fafaf9"><tr><td style="padding:12px">
<p style="margin:0"><b>Buzones del mundo</b></p><p class="price" style="margin:8px 0">9,50 € <span class="old">15,00 €</span></p>
</td></tr></table></td></tr></table>
<table align="center" cellpadding="0" cellspacing="0" style="margin-top:20px"><tr><td class="btn"><a
href="https://tienda.test/ofertas">Comprar ahora</a></td></tr></table></td></tr>
<tr><td align="center" style="padding:16px;background:#fafaf9;color:#78716c;font-size:12px">Librería Sur, Calle Mayor 1<br>
<a href="https://tienda.test/baja" style="color:#78716c">Darse de baja</a></td></tr>
</table></td></tr></table><img src="https://track.test/o.gif" width="1" height="1" alt=""></body></html>"""

DARK = """<html lang="en"><head><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes"
content="light dark"><style>:root{color-scheme:light dark} .card{background:#ffffff;color:#111827;border:1px solid #d1d5db}
.muted{color:#6b7280} .bar{background:linear-gradient(90deg,#2563eb,#7c3aed);height:6px}
@media (prefers-color-scheme: dark){.card{background:#111827!important;color:#f3f4f6!important;border-color:#374151!important}
.muted{color:#9ca3af!important}}</style></head><body style="margin:0;padding:24px;font-family:system-ui,sans-serif">
<div class="card" style="max-width:520px;margin:0 auto;border-radius:8px;overflow:hidden"><div class="bar"></div>
<div style="padding:24px"><h2 style="margin:0 0 8px">Build 4121 failed</h2><p class="muted">main, 3 minutes ago</p>
<pre style="background:rgba(127,127,127,.15);padding:12px;border-radius:4px;font-size:13px">FAILED tests/test_mail.py::test_send
assert 250 == 451</pre><ul><li>2 failed</li><li>318 passed</li></ul>
<p><a href="https://ci.test/4121" style="color:#3b82f6">Open the log</a></p></div></div></body></html>"""

REPLY = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><style>
@font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;} p.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt;
font-family:"Calibri",sans-serif; mso-fareast-language:EN-US;} @page WordSection1 {size:612.0pt 792.0pt;} div.WordSection1
{page:WordSection1;}</style></head><body lang="ES" link="#0563C1" vlink="#954F72" style="word-wrap:break-word">
<div class="WordSection1"><p class="MsoNormal">Hola, Tomás:<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>
<p class="MsoNormal">Le mando el presupuesto. El plazo es de <b>10 días</b>; vea <a href="https://x.test/p">el detalle</a>.</p>
<p class="MsoNormal"><o:p>&nbsp;</o:p></p><table class="MsoTableGrid" border="1" cellspacing="0" cellpadding="0"
style="border-collapse:collapse;border:none"><tr><td width="200" valign="top" style="width:150.0pt;border:solid windowtext 1.0pt;
padding:0cm 5.4pt 0cm 5.4pt"><p class="MsoNormal">Tarjetas, 500</p></td><td width="120" style="border:solid windowtext 1.0pt;
padding:0cm 5.4pt"><p class="MsoNormal" align="right" style="text-align:right">84,00 €</p></td></tr></table>
<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm;margin-top:12pt"><p class="MsoNormal"><b>De:</b>
Tomás &lt;tomas@x.test&gt;<br><b>Asunto:</b> Presupuesto</p></div><blockquote>¿Me puede decir el precio?</blockquote></div></body>
</html>"""

PLAIN = """<div dir="ltr">Hola, Ana:<div><br></div><div>Nos vemos el <i>jueves</i> a las 10. <a href="https://mapa.test/">Aquí</a>.</div>
<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">El lun, 3 nov, Ana escribió:<br></div><blockquote class="gmail_quote">
<div>¿Qué día le viene bien?</div></blockquote></div></div>"""

NEWSLETTERS = {"shop": SHOP, "dark": DARK, "reply": REPLY, "plain": PLAIN}
