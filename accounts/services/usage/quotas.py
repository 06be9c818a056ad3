"""Changing quotas, within what was agreed; the mail server holds a new one at the next session or delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Change, Mailbox
from accounts.services.audit import Actor
from accounts.services.mailboxes import change_mailbox
from accounts.services.permissions import may_take_over
from accounts.services.promise import TooMuchPromised
from accounts.services.usage.scope import Scope
from accounts.services.usage.standing import refresh_mailbox

MOST_AT_ONCE = 200
UNDO_SALT = "usage.quotas"
UNDO_AGE_S = 900


class QuotaRefused(Exception):
    """A quota that cannot be given; `code` says why: below (less than what is used), promise (more than was agreed of the disk,
    `percent` of it), many, none, above (`address` is of somebody who runs more), plan (`text` says what the customer's plan does
    not allow), or for what is taken back: gone (a mailbox is not there any more), since (`address` was changed again)."""

    def __init__(self, code: str, *, address: str = "", percent: int = 0, text: str = "") -> None:
        super().__init__(code)
        self.code, self.address, self.percent, self.text = code, address, percent, text


@dataclass(frozen=True, slots=True)
class Changed:
    """The quotas that were changed, in bytes: of each mailbox (its key) what it had before, and what all of them have now;
    `until` is the last line of the log of changes then."""

    before: dict[int, int]
    now_bytes: int
    until: int

    @property
    def number(self) -> int:
        """Of how many mailboxes."""
        return len(self.before)

    def sealed(self) -> str:
        """The same as a text that only we can have written, with which it is taken back for a while; "" for nothing."""
        if not self.before:
            return ""
        return signing.dumps([list(self.before.items()), self.now_bytes, self.until], salt=UNDO_SALT)


class TooLate(Exception):
    """What is to be taken back was not given by us, or too long ago."""


def open_changed(text: str) -> Changed:
    """What `Changed.sealed` gave. Raises TooLate."""
    try:
        rows, now_bytes, until = signing.loads(text, salt=UNDO_SALT, max_age=UNDO_AGE_S)
    except signing.BadSignature as error:
        raise TooLate from error
    return Changed(dict(rows), now_bytes, until)


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
    _check_ranks(by, mailboxes)
    before = {}
    for mailbox in mailboxes:
        if mailbox.quota_bytes != quota_bytes:
            before[mailbox.pk] = mailbox.quota_bytes
            _set(by, mailbox, quota_bytes)
    last = Change.objects.order_by("-pk").values_list("pk", flat=True).first()
    return Changed(before, quota_bytes, last or 0)


@transaction.atomic
def take_back(*, by: Actor, scope: Scope, changed: Changed) -> int:
    """Gives mailboxes the quotas that they had before; gives how many. As with any other change all that holds is asked: the
    plan, what was agreed of the disk, what is used by now, and whether the person may. What was changed again since stays as it
    is, and all the others with it. Raises QuotaRefused."""
    rows = Mailbox.objects.filter(scope.within("domain"), pk__in=changed.before, deleted__isnull=True)
    mailboxes = sorted(rows.select_for_update(of=("self",)), key=lambda one: changed.before[one.pk] - one.quota_bytes)
    if len(mailboxes) < changed.number:
        raise QuotaRefused("gone")
    _check_ranks(by, mailboxes)
    later = Change.objects.filter(pk__gt=changed.until, verb="mailbox.change", after__has_key="quota_bytes")
    again = set(later.filter(mailbox__in=mailboxes).values_list("mailbox", flat=True))
    for mailbox in mailboxes:
        if mailbox.pk in again or mailbox.quota_bytes != changed.now_bytes:
            raise QuotaRefused("since", address=mailbox.address)
    for mailbox in mailboxes:
        _set(by, mailbox, changed.before[mailbox.pk])
    return len(mailboxes)


def _check_ranks(by: Actor, mailboxes: Sequence[Mailbox]) -> None:
    for mailbox in mailboxes:
        if by.person and not may_take_over(by.person, mailbox):
            raise QuotaRefused("above", address=mailbox.address)


def _set(by: Actor, mailbox: Mailbox, quota_bytes: int) -> None:
    try:
        change_mailbox(mailbox=mailbox, by=by, quota_bytes=quota_bytes)
    except TooMuchPromised as error:
        raise QuotaRefused("promise", percent=error.percent) from error
    except ValidationError as error:
        raise QuotaRefused("plan", text=" ".join(error.messages)) from error
    if refresh_mailbox(mailbox=mailbox).bytes > quota_bytes:
        raise QuotaRefused("below", address=mailbox.address)


def refusal_words(error: QuotaRefused, *, provider: bool) -> str:
    """Why a quota cannot be given; how full the disk is is told to the provider's own people alone."""
    if error.code == "plan":
        return error.text
    if error.code == "promise" and not provider:
        return _("The provider has no room for that now. Ask them.")
    return {
        "none": _("Choose mailboxes first."),
        "above": _("%(address)s is of somebody who runs more than you do.") % {"address": error.address},
        "gone": _("Not all of these mailboxes are there any more. Nothing was changed."),
        "since": _("The quota of %(address)s was changed again since. Nothing was changed.")
        % {"address": error.address},
        "many": _("Too many at once: choose fewer mailboxes."),
        "below": _("%(address)s uses more than that.") % {"address": error.address},
        "promise": _("That would promise %(percent)s %% of the disk, more than was agreed.")
        % {"percent": error.percent},
    }[error.code]
