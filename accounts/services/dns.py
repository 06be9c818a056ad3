"""The DNS records of a domain: as they should be, as they are now, and what to change."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import DnsCheck, Domain
from accounts.setup.lookup import ask_spf, look_up
from accounts.setup.records import Found, Judged, Record, records_for
from accounts.setup.spf import Cost, is_spf
from accounts.setup.values import Choice, SetupValues, hosted_values

DUE_S = 60.0
"""So long the check of those that are due goes on, at most."""

PIECE = 255


@dataclass(frozen=True, slots=True)
class Row:
    """A record, what was found, and how it stands."""

    record: Record
    found: Found
    judged: Judged
    cost: Cost | None = None
    """What an SPF record costs, the one to enter or else the one that is there."""

    @property
    def wanted(self) -> str:
        """The record to enter; "" where there is nothing to enter."""
        return self.judged.change or ("" if self.judged.state in {"well", "differs"} else self.record.value)

    @property
    def pieces(self) -> str:
        """The same in quoted pieces, as panels want it that take no text of more than 255 octets (RFC 1035 section 3.3);
        "" where it is short."""
        octets = self.wanted.encode()
        if self.record.kind != "TXT" or len(octets) <= PIECE:
            return ""
        cut = [octets[at : at + PIECE] for at in range(0, len(octets), PIECE)]
        return " ".join(f'"{one.decode()}"' for one in cut) if self.wanted.isascii() else ""

    @property
    def notes(self) -> list[str]:
        """What else whoever keeps the domain has to know, in words."""
        words = {
            "spf-two": _("There are two SPF records, so none counts. One of them remains, with what both allow."),
            "dmarc-two": _("There are two DMARC records, so none counts. One of them remains, with the weaker policy."),
            "dmarc-kept": _("Your own addresses for reports and all other tags are kept."),
            "dmarc-none": _(
                "The policy is “none”, as it is in effect until now. With “quarantine” others put forged mail among the spam: "
                "change to that when the reports show that all your own mail passes."
            ),
        }
        return [words[note] for note in self.judged.notes] + self._cost_words

    @property
    def _cost_words(self) -> list[str]:
        if self.cost is None:
            return []
        found = []
        if self.cost.too_many:
            text = _(
                "Checking this record takes %(n)d look-ups with all its includes, and more than 10 make it worth nothing "
                "(RFC 7208). Take out includes of services that send no more for the domain, or replace a, mx and include "
                "by the addresses (ip4, ip6) behind them."
            )
            found.append(text % {"n": self.cost.lookups})
        if self.cost.too_void:
            text = _(
                "%(n)d of the names in this record, or in its includes, are not there, and more than 2 make it worth nothing. "
                "Take them out."
            )
            found.append(text % {"n": self.cost.void})
        return found

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
    rows = [Row(one, found, one.compare(found)) for one, found in zip(records, look_up(records), strict=True)]
    return [_with_cost(row) if row.record.purpose == "spf" else row for row in rows]


def _with_cost(row: Row) -> Row:
    """An SPF record that costs too much is not well, though no other can be told."""
    text = row.judged.change or next(filter(is_spf, row.found.texts), "")
    if not text or row.judged.state in {"unknown", "missing"}:
        return row
    cost = ask_spf(row.record.name, text)
    bad = row.judged.state == "well" and (cost.too_many or cost.too_void)
    return replace(row, cost=cost, judged=Judged("differs") if bad else row.judged)


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
