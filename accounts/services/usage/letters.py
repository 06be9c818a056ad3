"""Alerts by mail, in the language of whoever gets them, handed to our own server alone."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import MailAccount, Mailbox, SpaceAlert
from accounts.services.permissions import providers

TIMEOUT_S = 20.0
ROUND = 500
FRESH = timedelta(days=2)
"""What could not be written for so long is written no more."""

log = logging.getLogger(__name__)


def send_alerts(*, now: datetime | None = None) -> int:
    """Writes to whom nobody has written yet; gives how many letters were taken. Each alert is claimed before its letter goes out,
    so that nobody is written to twice; where the server does not answer it is let go of, and the round ends."""
    now = now or timezone.now()
    sent = 0
    due = SpaceAlert.objects.filter(mailed__isnull=True, at__gte=now - FRESH).select_related("mailbox__domain")
    for alert in due.order_by("at")[:ROUND]:
        if not SpaceAlert.objects.filter(pk=alert.pk, mailed__isnull=True).update(mailed=now):
            continue
        try:
            sent += _write(alert)
        except (OSError, smtplib.SMTPException) as error:
            SpaceAlert.objects.filter(pk=alert.pk).update(mailed=None)
            log.warning("alerts: %s", type(error).__name__)
            break
    return sent


def propose_mode(mailbox: Mailbox) -> bool:
    """Writes to the owner of a mailbox that its mail could be downloaded, and where that is set; whether our server took the
    letter. Raises OSError and SMTPException when it does not answer."""
    account = MailAccount.objects.filter(mailbox=mailbox).select_related("owner").first()
    with translation.override((account.owner.language if account else "") or settings.LANGUAGE_CODE):
        where = reverse("mode", args=[account.pk]) if account else "/"
        lines = [
            _(
                "Your provider proposes that the mail of %(address)s is downloaded, so that it takes less space on the server."
            )
            % {"address": mailbox.address},
            _("Here you see what would change for your programs, and you decide:"),
            settings.SITE_URL + where,
        ]
        letter = _letter(mailbox.address, _("A proposal for your mailbox"), lines, domain=mailbox.domain.name)
        return _hand_in(letter, mailbox.address)


def _write(alert: SpaceAlert) -> int:
    """The letters of one alert; gives how many were taken."""
    if alert.mailbox:
        return int(_hand_in(_owner_letter(alert, alert.mailbox), alert.mailbox.address))
    staff = providers().values_list("email", "language")
    hosted = set(
        Mailbox.objects.filter(address__in=[email for email, _language in staff]).values_list("address", flat=True)
    )
    return sum(_hand_in(_disk_letter(alert, email, language), email) for email, language in staff if email in hosted)


def _owner_letter(alert: SpaceAlert, mailbox: Mailbox) -> EmailMessage:
    account = MailAccount.objects.filter(mailbox=mailbox).select_related("owner").first()
    with translation.override((account.owner.language if account else "") or settings.LANGUAGE_CODE):
        where = reverse("account_activity", args=[account.pk]) if account else "/"
        if alert.percent >= 100:
            subject = _("Your mailbox is full")
            what = _("The mailbox %(address)s is full. Mail for it is refused until there is room again.")
        else:
            subject = _("Your mailbox is %(percent)s %% full") % {"percent": alert.percent}
            what = _(
                "The mailbox %(address)s has passed %(percent)s %% of its space. When it is full, mail for it is refused."
            )
        how = _("To make room: empty the trash, delete large messages, or ask for more space.")
        lines = [what % {"address": mailbox.address, "percent": alert.percent}, how, settings.SITE_URL + where]
        lines.append(_("You are told once for each threshold, and again only after there was room."))
        return _letter(mailbox.address, subject, lines, domain=mailbox.domain.name)


def _disk_letter(alert: SpaceAlert, email: str, language: str) -> EmailMessage:
    with translation.override(language or settings.LANGUAGE_CODE):
        subject = _("The mail disk has passed %(percent)s %%") % {"percent": alert.percent}
        lines = [
            _("The mail takes more than %(percent)s %% of its disk.") % {"percent": alert.percent},
            settings.SITE_URL + reverse("usage"),
        ]
        return _letter(email, subject, lines, domain=email.rpartition("@")[2])


def _letter(to: str, subject: str, paragraphs: list[str], *, domain: str) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = formataddr((settings.SITE_NAME, f"postmaster@{domain}"))
    letter["To"] = to
    letter["Subject"] = subject
    letter["Date"] = format_datetime(timezone.now())
    letter["Message-ID"] = make_msgid(domain=domain)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n\n".join(paragraphs) + "\n")
    return letter


def _hand_in(letter: EmailMessage, recipient: str) -> bool:
    """Whether our server took the letter; a mailbox that is full or shut takes none. Raises OSError and SMTPException when
    the server does not answer."""
    with smtplib.LMTP(settings.LMTP_HOST, settings.LMTP_PORT, local_hostname="localhost") as client:
        try:
            client.sendmail("", [recipient], letter.as_bytes())
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
            return False
    return True
