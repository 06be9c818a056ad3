"""The DNS records of a mailbox's domain: as they should be, as they are, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.services.owned import own_account
from accounts.services.setup import values_of
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


@login_required
@require_safe
def dns_records(request: HttpRequest, account_id: int) -> HttpResponse:
    """Every record of the domain of an account's mailbox, asked of the DNS now."""
    account = own_account(request, account_id, hosted=True)
    context = {"account": account, "tab": "dns"} | dns_context(values_of(account))
    return render(request, "accounts/dns.html", context)


def dns_context(values: SetupValues) -> dict[str, Any]:
    """The records of a domain in two groups, and how many are not well."""
    records = records_for(values)
    rows = [Row(one, found, one.compare(found)) for one, found in zip(records, look_up(records), strict=True)]
    wrong = [row for row in rows if row.judged.state in {"missing", "differs"}]
    return {
        "dns_domain": values.domain,
        "groups": [
            (_("Without these, mail suffers"), [row for row in rows if row.record.needed]),
            (_("With these, programs set themselves up"), [row for row in rows if not row.record.needed]),
        ],
        "bad": sum(row.record.needed for row in wrong),
        "wrong": len(wrong),
        "silent": any(row.judged.state == "unknown" for row in rows),
    }
