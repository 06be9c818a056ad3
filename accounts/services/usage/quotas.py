"""Changing quotas, within what was agreed; the mail server holds a new one at the next session or delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Mailbox
from accounts.services.audit import Actor
from accounts.services.mailboxes import change_mailbox
from accounts.services.permissions import may_take_over
from accounts.services.promise import TooMuchPromised
from accounts.services.usage.scope import Scope
from accounts.services.usage.standing import refresh_mailbox

MOST_AT_ONCE = 200


class QuotaRefused(Exception):
    """A quota that cannot be given; `code` says why: below (less than what is used), promise (more than was agreed of the disk,
    `percent` of it), many, none,
    above (`address` is of somebody who runs more), or plan (`text` says what the customer's plan does not allow)."""

    def __init__(self, code: str, *, address: str = "", percent: int = 0, text: str = "") -> None:
        super().__init__(code)
        self.code, self.address, self.percent, self.text = code, address, percent, text


@dataclass(frozen=True, slots=True)
class Changed:
    """How many mailboxes have another quota now, and what each had before: id to bytes."""

    number: int
    before: dict[int, int]


@transaction.atomic
def set_quotas(*, by: Actor, scope: Scope, mailbox_ids: Sequence[int], quota_bytes: int) -> Changed:
    """Gives mailboxes of the scope a quota; all of them or none. Raises QuotaRefused."""
    if len(mailbox_ids) > MOST_AT_ONCE:
        raise QuotaRefused("many")
    mailboxes = list(
        Mailbox.objects.filter(scope.within("domain"), pk__in=mailbox_ids, deleted__isnull=True).order_by(
            "-quota_bytes", "pk"
        )
    )  # those that give something back first
    if not mailboxes:
        raise QuotaRefused("none")
    for mailbox in mailboxes:
        if by.person and not may_take_over(by.person, mailbox):
            raise QuotaRefused("above", address=mailbox.address)
    before = {}
    for mailbox in mailboxes:
        if mailbox.quota_bytes == quota_bytes:
            continue
        before[mailbox.pk] = mailbox.quota_bytes
        try:
            change_mailbox(mailbox=mailbox, by=by, quota_bytes=quota_bytes)
        except TooMuchPromised as error:
            raise QuotaRefused("promise", percent=error.percent) from error
        except ValidationError as error:
            raise QuotaRefused("plan", text=" ".join(error.messages)) from error
        if refresh_mailbox(mailbox=mailbox).bytes > quota_bytes:
            raise QuotaRefused("below", address=mailbox.address)
    return Changed(len(before), before)


@transaction.atomic
def take_back(*, by: Actor, scope: Scope, before: dict[int, int]) -> int:
    """Gives mailboxes the quotas that they had; gives how many. Raises ValidationError where the plan has no room any more."""
    mailboxes = Mailbox.objects.filter(scope.within("domain"), pk__in=before, deleted__isnull=True)
    for mailbox in mailboxes:
        change_mailbox(mailbox=mailbox, by=by, quota_bytes=before[mailbox.pk])
        refresh_mailbox(mailbox=mailbox)
    return len(mailboxes)


def refusal_words(error: QuotaRefused, *, provider: bool) -> str:
    """Why a quota cannot be given; how full the disk is is told to the provider's own people alone."""
    if error.code == "plan":
        return error.text
    if error.code == "promise" and not provider:
        return _("The provider has no room for that now. Ask them.")
    return {
        "none": _("Choose mailboxes first."),
        "above": _("%(address)s is of somebody who runs more than you do.") % {"address": error.address},
        "many": _("Too many at once: choose fewer mailboxes."),
        "below": _("%(address)s uses more than that.") % {"address": error.address},
        "promise": _("That would promise %(percent)s %% of the disk, more than was agreed.")
        % {"percent": error.percent},
    }[error.code]
