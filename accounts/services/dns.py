"""The DNS records of a domain: as they should be, as they are now, and what to change."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import DnsCheck, Domain
from accounts.setup.lookup import look_up
from accounts.setup.records import Found, Judged, Record, records_for
from accounts.setup.values import Choice, SetupValues, hosted_values

DUE_S = 60.0
"""So long the check of those that are due goes on, at most."""


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


def check_domain(domain: Domain) -> list[Row]:
    """The same of a domain here; how it stands is kept for its pages, where the DNS answered all that mail needs."""
    rows = check_dns(hosted_values(domain.name, Choice()))
    needed, now = [row for row in rows if row.record.needed], timezone.now()
    values: dict[str, Any] = {"asked": now}
    if all(row.judged.state != "unknown" for row in needed):
        right = [row.record.purpose for row in needed if row.judged.state == "well"]
        wrong = [row.record.purpose for row in needed if row.judged.state != "well"]
        others = sum(not row.record.needed and row.judged.state in {"missing", "differs"} for row in rows)
        values |= {"at": now, "right": right, "wrong": wrong, "others": others}
    DnsCheck.objects.update_or_create(domain=domain, defaults=values)
    return rows


def check_due() -> int:
    """Looks at the domains whose DNS was looked at longest ago, or never, if that is DNS_CHECK_HOURS ago, for a minute at most;
    gives how many. None where DNS_CHECK_HOURS is 0."""
    if not settings.DNS_CHECK_HOURS:
        return 0
    began, before, done = time.monotonic(), timezone.now() - timedelta(hours=settings.DNS_CHECK_HOURS), 0
    never = Domain.objects.filter(dns_check__isnull=True, active=True).order_by("pk")
    old = Domain.objects.filter(dns_check__asked__lt=before, active=True).order_by("dns_check__asked")
    for domain in [*never[:100], *old[:100]]:
        if time.monotonic() - began > DUE_S:
            break
        check_domain(domain)
        done += 1
    return done
