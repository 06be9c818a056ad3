"""Reports as Postfix, Exim, Exchange and Gmail word them, about one message that was sent; and a request for a receipt."""

from __future__ import annotations

ORIGINAL_ID = "<carta-1@casilla.test>"
ORIGINAL = (
    "From: Ana <{me}>\nTo: nadie@lejos.test\nSubject: Presupuesto\nMessage-ID: " + ORIGINAL_ID + "\n"
    "Date: Mon, 2 Mar 2026 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain\n\nHola\n"
)

POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mx.lejos.test (Mail Delivery System)
To: {me}
Subject: Undelivered Mail Returned to Sender
Date: Mon, 2 Mar 2026 10:00:05 +0000 (UTC)
Message-ID: <20260302@mx.lejos.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F2.1772/mx.lejos.test"

This is a MIME-encapsulated message.

--4F2.1772/mx.lejos.test
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.lejos.test.

<nadie@lejos.test>: host lmtp[private] said: 550 5.1.1 no such user

--4F2.1772/mx.lejos.test
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.lejos.test
X-Postfix-Queue-ID: 4F2
X-Postfix-Sender: rfc822; {me}
Arrival-Date: Mon,  2 Mar 2026 10:00:01 +0000 (UTC)

Final-Recipient: rfc822; nadie@lejos.test
Original-Recipient: rfc822;nadie@lejos.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; lmtp
Diagnostic-Code: smtp; 550 5.1.1 <nadie@lejos.test> User doesn't exist: <b>nadie</b>

Final-Recipient: rfc822; lleno@lejos.test
Original-Recipient: rfc822;lleno@lejos.test
Action: delayed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 Quota exceeded

--4F2.1772/mx.lejos.test
Content-Description: Undelivered Message
Content-Type: message/rfc822

{original}
--4F2.1772/mx.lejos.test--
"""

EXIM = """\
Return-path: <>
Envelope-to: {me}
From: Mail Delivery System <Mailer-Daemon@correo.lejos.test>
To: {me}
Subject: Mail delivery failed: returning message to sender
Date: Mon, 02 Mar 2026 10:00:05 +0000
Message-Id: <E1abc-0001@correo.lejos.test>
Auto-Submitted: auto-replied
References: <carta-1@casilla.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=1772445605-eximdsn-1

--1772445605-eximdsn-1
Content-type: text/plain; charset=us-ascii

A message that you sent could not be delivered to one or more of its recipients.

--1772445605-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; correo.lejos.test

Action: failed
Final-Recipient: rfc822;lleno@lejos.test
Status: 5.0.0
Remote-MTA: dns; mx.lejos.test
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full (10.5.2.2)

--1772445605-eximdsn-1
Content-type: text/rfc822-headers

{original_head}
--1772445605-eximdsn-1--
"""

EXCHANGE = """\
From: postmaster@contoso.test
To: {me}
Date: Mon, 2 Mar 2026 10:00:05 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="_c9_contoso_"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-GB
Message-ID: <c9@contoso.test>
In-Reply-To: <carta-1@casilla.test>
References: <carta-1@casilla.test>
Subject: Undeliverable: Presupuesto
Auto-Submitted: auto-replied
MIME-Version: 1.0

--_c9_contoso_
Content-Type: multipart/alternative; differences=Content-Type; boundary="_c9_inner_"

--_c9_inner_
Content-Type: text/plain; charset="us-ascii"

Your message to grupo@contoso.test couldn't be delivered.

--_c9_inner_
Content-Type: text/html; charset="us-ascii"

<html><body><p>Your message to grupo@contoso.test couldn't be delivered.</p></body></html>

--_c9_inner_--

--_c9_contoso_
Content-Type: message/delivery-status

Reporting-MTA: dns;CONTOSO01.contoso.test
Received-From-MTA: dns;mail.casilla.test
Arrival-Date: Mon, 2 Mar 2026 10:00:02 +0000

Original-Recipient: rfc822;grupo@contoso.test
Final-Recipient: rfc822;grupo@contoso.test
Action: failed
Status: 5.7.133
Diagnostic-Code: smtp;550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup;
 authentication required

--_c9_contoso_
Content-Type: message/rfc822

{original}
--_c9_contoso_--
"""

GMAIL = """\
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.test>
To: {me}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Delay)
References: <carta-1@casilla.test>
In-Reply-To: <carta-1@casilla.test>
Message-ID: <69a5.gmr@mx.google.test>
Date: Mon, 02 Mar 2026 02:00:05 -0800 (PST)
MIME-Version: 1.0
Content-Type: multipart/report; boundary="000000000000aa"; report-type=delivery-status

--000000000000aa
Content-Type: multipart/related; boundary="000000000000bb"

--000000000000bb
Content-Type: multipart/alternative; boundary="000000000000cc"

--000000000000cc
Content-Type: text/plain; charset="UTF-8"


** Delivery incomplete **

There was a temporary problem delivering your message to nadie@lejos.test.

--000000000000cc
Content-Type: text/html; charset="UTF-8"

<html><body><h2>Delivery incomplete</h2><img src="cid:icon.png"></body></html>

--000000000000cc--
--000000000000bb
Content-Type: image/png; name="icon.png"
Content-Disposition: attachment; filename="icon.png"
Content-Transfer-Encoding: base64
Content-ID: <icon.png>

iVBORw0KGgo=
--000000000000bb--
--000000000000aa
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.test
Received-From-MTA: dns; {me}
Arrival-Date: Mon, 02 Mar 2026 02:00:01 -0800 (PST)
X-Original-Message-ID: <carta-1@casilla.test>

Final-Recipient: rfc822; nadie@lejos.test
Action: delayed
Status: 4.4.1
Diagnostic-Code: smtp; The recipient server did not accept our requests to connect.
Last-Attempt-Date: Mon, 02 Mar 2026 02:00:04 -0800 (PST)
Will-Retry-Until: Wed, 04 Mar 2026 02:00:01 -0800 (PST)

--000000000000aa--
"""

RECEIPT = """\
Return-Path: <>
From: =?utf-8?q?=C3=81lvaro_Cid?= <alvaro@lejos.test>
To: {me}
Subject: Read: Presupuesto
Date: Tue, 3 Mar 2026 12:30:00 +0000
Message-ID: <leido-1@lejos.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary=m

--m
Content-Type: text/plain

Your message was displayed.

--m
Content-Type: message/disposition-notification

Reporting-UA: correo.lejos.test; Correo 1
Final-Recipient: rfc822;alvaro@lejos.test
Original-Message-ID: <carta-1@casilla.test>
Disposition: manual-action/MDN-sent-manually; displayed

--m--
"""

ASKING = """\
{more}From: =?utf-8?q?=C3=81lvaro_Cid?= <alvaro@{domain}>
To: Ana <{me}>
Subject: =?utf-8?q?Cotizaci=C3=B3n?=
Date: Mon, 2 Mar 2026 10:00:00 +0000
Message-ID: <pide-1@lejos.test>
Disposition-Notification-To: {to}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hola Ana
"""


def wire(text: str) -> bytes:
    """The octets of a message."""
    return text.replace("\n", "\r\n").encode()


def report(text: str, me: str) -> bytes:
    """One of the reports above, to somebody."""
    original = ORIGINAL.format(me=me)
    return wire(text.format(me=me, original=original, original_head=original.partition("\n\n")[0] + "\n"))


def asking(me: str, *, to: str = "", more: str = "") -> bytes:
    """A message whose sender, in the same mail domain, asks for a receipt."""
    domain = me.partition("@")[2]
    return wire(ASKING.format(me=me, domain=domain, to=to or f"<alvaro@{domain}>", more=more))
