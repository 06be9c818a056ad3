"""Mail that Casilla itself writes: plain text, in the language of who causes it."""

from __future__ import annotations

import logging
import smtplib
from typing import Any

from django.core.mail import EmailMessage
from django.template.loader import render_to_string

log = logging.getLogger(__name__)


def send_letter(to: str, subject: str, template: str, context: dict[str, Any]) -> bool:
    """Sends one letter; False when the mail server could not be reached or did not take it."""
    try:
        EmailMessage(subject, render_to_string(template, context), to=[to]).send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("a letter of Casilla's was not sent: %s", type(error).__name__)
        return False
    return True
