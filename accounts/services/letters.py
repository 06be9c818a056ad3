"""Mail that Casilla itself writes: plain text, in the language of whoever gets it."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from email import message
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Letter, Mailbox
from accounts.services.brand import look

AUTOMATIC = {"Auto-Submitted": "auto-generated"}
"""RFC 3834 section 5: nobody answers by itself."""

TIMEOUT_S = 20.0

log = logging.getLogger(__name__)


def send_letter(to: str, subject: str, template: str, context: dict[str, Any]) -> bool:
    """Sends a letter made from a template to anybody; False when the mail server could not be reached or did not take it."""
    return post_letter(to, subject, template, context) == Letter.SENT


def post_letter(to: str, subject: str, template: str, context: dict[str, Any]) -> Letter:
    """The same; tells what became of it."""
    try:
        return Letter.SENT if _send(to, subject, render_to_string(template, context)) else Letter.AWAY
    except (OSError, smtplib.SMTPException) as error:
        log.warning("a letter of Casilla's was not sent: %s", type(error).__name__)
        return Letter.REFUSED if _is_final(error) else Letter.AWAY


def _is_final(error: Exception) -> bool:
    """Whether the server would refuse the same letter again (5yz, RFC 5321 section 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _text in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def notify(to: str, subject: str, paragraphs: Sequence[str]) -> bool:
    """Tells somebody something that nobody asked for; whether it was taken (a full or shut mailbox takes none). What is for
    a mailbox here goes straight to Dovecot and from nobody, so that it can never come back. Raises OSError and SMTPException
    when the server does not answer."""
    text = "\n\n".join(paragraphs) + "\n"
    if Mailbox.objects.filter(address=to, deleted__isnull=True).exists():
        return _deliver(to, subject, text)
    try:
        return _send(to, subject, text)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
        return False


def _send(to: str, subject: str, text: str) -> bool:
    text += _below()
    return bool(EmailMessage(_line(subject), text, to=[to], headers=AUTOMATIC).send())


def _line(text: str) -> str:
    """A name that somebody has typed, as it may stand in a header."""
    return " ".join(text.split())


def _below() -> str:
    """What the provider wants to stand below."""
    return f"\n\n{look().letter_text}\n" if look().letter_text else ""


def _deliver(to: str, subject: str, text: str) -> bool:
    domain = to.rpartition("@")[2]
    letter = message.EmailMessage(policy=SMTP)
    letter["From"] = formataddr((_line(look().name), f"postmaster@{domain}"))
    letter["To"] = to
    letter["Subject"] = _line(subject)
    letter["Date"] = format_datetime(timezone.now())
    letter["Message-ID"] = make_msgid(domain=domain)
    for name, value in AUTOMATIC.items():
        letter[name] = value
    letter.set_content(text + _below())
    with smtplib.LMTP(settings.LMTP_HOST, settings.LMTP_PORT, local_hostname="localhost", timeout=TIMEOUT_S) as client:
        try:
            client.sendmail("", [to], letter.as_bytes())
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
            return False
    return True
