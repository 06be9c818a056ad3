"""The DNS records of a mailbox's domain: as they should be, as they are, and what to change."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.services.dns import Row, check_domain
from accounts.services.owned import own_account


@login_required
@require_safe
def dns_records(request: HttpRequest, account_id: int) -> HttpResponse:
    """Every record of the domain of an account's mailbox, asked of the DNS now."""
    account = own_account(request, account_id, hosted=True)
    assert account.mailbox
    domain = account.mailbox.domain
    context = {"account": account, "tab": "dns", "dns_domain": domain.name} | dns_context(check_domain(domain))
    return render(request, "accounts/dns.html", context)


def dns_context(rows: list[Row]) -> dict[str, Any]:
    """The records of a domain in two groups, and how many are not well."""
    wrong = [row for row in rows if row.judged.state in {"missing", "differs"}]
    return {
        "groups": [
            (_("Without these, mail suffers"), [row for row in rows if row.record.needed]),
            (_("With these, programs set themselves up"), [row for row in rows if not row.record.needed]),
        ],
        "bad": sum(row.record.needed for row in wrong),
        "wrong": len(wrong),
        "silent": any(row.judged.state == "unknown" for row in rows),
    }
