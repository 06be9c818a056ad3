"""The DNS records of a domain: as they should be, as they are now, and what to change."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.setup.lookup import look_up
from accounts.setup.records import Found, Judged, Record, records_for
from accounts.setup.values import SetupValues


@dataclass(frozen=True, slots=True)
class Row:
    """A record, what was found, and how it stands."""

    record: Record
    found: Found
    judged: Judged

    @property
    def purpose(self) -> str:
        """What the record is for, in words for whoever keeps the domain."""
        return {
            "mx": _("Where mail for the domain goes"),
            "spf": _("Who may send for it (SPF)"),
            "dkim": _("With which key it signs (DKIM)"),
            "dmarc": _("What others do with forged mail (DMARC)"),
            "autoconfig": _("Set-up of Thunderbird and others"),
            "autodiscover": _("Set-up of Outlook"),
            "imap-tls": _("Where IMAP is, with TLS"),
            "imap-starttls": _("Where IMAP is, with STARTTLS"),
            "pop3-tls": _("Where POP3 is, with TLS"),
            "pop3-starttls": _("Where POP3 is, with STARTTLS"),
            "smtp-tls": _("Where mail is handed in, with TLS"),
            "smtp-starttls": _("Where mail is handed in, with STARTTLS"),
        }[self.record.purpose]

    @property
    def closed(self) -> bool:
        """Whether it says that a service is not offered."""
        return self.record.value.endswith(" .")


def check_dns(values: SetupValues) -> list[Row]:
    """Every record of a domain, asked of the DNS now."""
    records = records_for(values)
    return [Row(one, found, one.compare(found)) for one, found in zip(records, look_up(records), strict=True)]
