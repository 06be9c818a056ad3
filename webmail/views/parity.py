"""The page that holds a mailbox against its server: for its owner, and for the staff that helps them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import MailAccount
from accounts.services.permissions import held_by
from webmail.services.access import account_for, credentials_for
from webmail.services.parity_jobs import last_comparison, start_comparison, stop_comparison
from webmail.services.parity_words import comparison_problem, told_differences


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def parity(request: HttpRequest, account_id: int) -> HttpResponse:
    """The last comparison of an account, or how far the one at work is; that alone for a part. POST with `do`: start, or stop."""
    account = _account(request, account_id)
    if request.method == "POST":
        do = request.POST.get("do")
        if do == "start":
            start_comparison(account, secret=_secret(request, account))
        elif do == "stop":
            job = last_comparison(account)
            if job is not None:
                stop_comparison(job)
        else:
            return HttpResponseBadRequest()
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect("parity", account_id)
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(request, "webmail/parity.html" + ("#comparison" if partial else ""), _context(request, account))


def _account(request: HttpRequest, account_id: int) -> MailAccount:
    """The person's own account, or for staff any that opens without its owner's password; every other is a 404."""
    if not held_by(request.user).provider:
        return account_for(request, account_id)
    account = MailAccount.objects.select_related("mailbox").filter(pk=account_id).first()
    if account is None or not (account.hosted or account.downloads or account.owner_id == request.user.pk):
        raise Http404
    return account


def _secret(request: HttpRequest, account: MailAccount) -> str:
    """The password that a worker needs for another server. Raises LoginRefused."""
    return "" if account.hosted or account.downloads else credentials_for(request, account).password


def _context(request: HttpRequest, account: MailAccount) -> dict[str, Any]:
    job = last_comparison(account)
    return {
        "account": account,
        "tab": "parity",
        "own": account.owner_id == request.user.pk,
        "job": job,
        "working": job is not None and job.is_open,
        "trouble": comparison_problem(job) if job else None,
        "told": told_differences(job) if job else [],
        "more": max(0, job.found - len(job.differences)) if job else 0,
        "stamp": str(int(timezone.now().timestamp() * 1000)),
    }
