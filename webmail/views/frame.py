"""What stands around pages that show no mail: the mailbox's plate and its folders, which such a page asks for only when it is
there already. Opening one costs no round trip to the mail server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import MailAccount, Mailbox, MailboxUsage
from accounts.services.owned import run_account
from accounts.views.portal.doors import shell_of
from webmail.services.pulls import PullState, pull_state
from webmail.tokens import encode_folder
from webmail.values import FolderId


@dataclass(frozen=True, slots=True)
class Run:
    """A mailbox that is somebody else's and run by the person: its page stands in the portal."""

    mailbox: Mailbox
    usage: MailboxUsage | None
    forward_count: int
    shell: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """The mailbox of the page, the person's others, how its downloads stand, and the token of the folder that the address
    names ("" when it names none). `run` where the mailbox is another person's."""

    account: MailAccount
    others: list[MailAccount]
    pull: PullState | None
    current: str
    run: Run | None = None


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context `frame`, looked up only where a template asks for it; it is false for a person without a mailbox."""
    return {"frame": SimpleLazyObject(lambda: _frame_of(request))}


def _frame_of(request: HttpRequest) -> Frame | None:
    """The mailbox is that of the address, else the person's first."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    named = request.resolver_match.kwargs if request.resolver_match else {}
    accounts = list(MailAccount.objects.filter(owner=user.pk).order_by("pk"))
    wanted = named.get("account_id")
    if wanted is not None and all(one.pk != wanted for one in accounts) and (run := _run_of(request, wanted)):
        return Frame(run[0], [], None, "", run[1])
    account = next((one for one in accounts if one.pk == wanted), next(iter(accounts), None))
    if account is None:
        return None
    others = [one for one in accounts if one != account]
    return Frame(account, others, pull_state(account), encode_folder(FolderId(named.get("folder_id") or "")))


def _run_of(request: HttpRequest, account_id: int) -> tuple[MailAccount, Run] | None:
    try:
        account = run_account(request, account_id)
    except (Http404, PermissionDenied):
        return None
    mailbox = account.mailbox
    assert mailbox
    usage = MailboxUsage.objects.filter(username=mailbox.address).first()
    return account, Run(mailbox, usage, mailbox.forwards.count(), shell_of(request, mailbox.domain))
