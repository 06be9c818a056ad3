"""Where a mailbox's mail lives: read on its server over IMAP, or downloaded here by POP3; changing it, and taking that back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from accounts.api.callers import caller_of, fails, needs
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.common import Given, example
from accounts.models import MailAccount
from accounts.services.recommend import advise, look_at
from webmail.api.boxes import require_valid, settings_box
from webmail.download_forms import LARGEST_MB, MB, SLOWEST_MIN, PolicyForm
from webmail.models import Download, Transfer
from webmail.services import transfer as moving
from webmail.services.downloads import KEEP_DAYS_MAX, Policy, change_policy
from webmail.services.mode_change import begin_change, undo_change
from webmail.services.transfer_words import transfer_problem
from webmail.services.trying import tested

router = Router(tags=["Where mail lives"])


class PolicyOut(Schema):
    """`keep` on the server: delete (nothing), days (for `keep_days`), always. Messages of more than `max_bytes` are not
    downloaded (null: all are). `every_min` null: by how much arrives."""

    keep: str
    keep_days: int | None
    max_bytes: int | None
    every_min: int | None


class TransferOut(Schema):
    """A change of where the mail lives: `state` waiting, running, stopped, failed, done or cancelled; `done` of `total`
    messages."""

    to: str
    state: str
    step: str
    total: int
    done: int
    problem: str
    created: datetime
    ended: datetime | None
    undo_until: datetime | None

    @classmethod
    def of(cls, row: Transfer) -> TransferOut:
        """The row as it is shown."""
        names = ("state", "step", "total", "done", "created", "ended", "undo_until")
        values: dict[str, Any] = {name: getattr(row, name) for name in names}
        said = transfer_problem(row.problem)
        to = "pop3" if row.kind == Transfer.Kind.TO_DOWNLOAD else "imap"
        return cls(to=to, problem=str(said.title) if said else "", **values)


class ModeOut(Schema):
    """`advice` is what would be the better one, and why. `leave_days`: for how long programs that download are told to leave
    copies. `policy` is null where the mail is read on the server, `transfer` the last change."""

    mode: str
    leave_days: int
    advice: str
    reason: str
    policy: PolicyOut | None
    transfer: TransferOut | None

    @classmethod
    def of(cls, account: MailAccount) -> ModeOut:
        """As it is now, with what would be better."""
        last, advice = moving.last_transfer(account), advise(look_at(account.mailbox))
        return cls(
            mode="pop3" if account.downloads else "imap",
            leave_days=account.leave_days,
            advice=advice.protocol,
            reason=advice.sentence,
            policy=_policy(account) if account.downloads else None,
            transfer=TransferOut.of(last) if last else None,
        )


class PolicyIn(Given):
    """What is left out is as here."""

    model_config = example(keep="days", keep_days=14)

    keep: Literal["delete", "days", "always"] = "days"
    keep_days: int = Field(14, ge=1, le=KEEP_DAYS_MAX)
    max_bytes: int | None = Field(None, ge=MB, le=LARGEST_MB * MB)
    every_min: int | None = Field(None, ge=2, le=SLOWEST_MIN)

    def form(self) -> PolicyForm:
        """The form of the pages, which judges it."""
        size_mb = None if self.max_bytes is None else self.max_bytes // MB
        pace = "adaptive" if self.every_min is None else "fixed"
        values: dict[str, Any] = {"keep": self.keep, "keep_days": self.keep_days, "limited": size_mb is not None}
        return PolicyForm(values | {"limit_mb": size_mb, "pace": pace, "every_min": self.every_min})


class PolicyWhole(PolicyIn):
    """All of a policy."""

    model_config = example(keep="days", keep_days=14, max_bytes=None, every_min=None)

    keep: Literal["delete", "days", "always"]
    keep_days: int = Field(ge=1, le=KEEP_DAYS_MAX)
    max_bytes: int | None = Field(ge=MB, le=LARGEST_MB * MB)
    every_min: int | None = Field(ge=2, le=SLOWEST_MIN)


class ModeIn(PolicyIn):
    """To "imap", or to "pop3" with the policy by which it is downloaded then. Everything is copied and compared before anything
    is switched; for 30 days it can be taken back."""

    model_config = example(mode="pop3", keep="days", keep_days=14)

    mode: Literal["imap", "pop3"]


class DoIn(Given):
    """`stop`, `resume` or `cancel` the change that goes on (only one that was stopped or failed is resumed or cancelled);
    `undo` the last one."""

    model_config = example(do="undo")

    do: Literal["stop", "resume", "cancel", "undo"]


@router.get("/mailboxes/{mailbox_id}/mode", response=ModeOut, summary="Where its mail lives, and how a change goes on")
@needs("mailboxes:read")
@fails(409)
def mode_get(request: HttpRequest, mailbox_id: int) -> Any:
    """By its owner and those who run it."""
    return ModeOut.of(settings_box(request, mailbox_id))


@router.post("/mailboxes/{mailbox_id}/mode", response=ModeOut, summary="Begin to move the mail to the other side")
@needs("mailboxes:write")
@fails(503)
@idempotent
def mode_change(request: HttpRequest, mailbox_id: int, data: ModeIn) -> Any:
    """A worker does it; 409 where the mail lives there already, or is being moved."""
    account = settings_box(request, mailbox_id)
    policy = _judged(data) if data.mode == "pop3" else None
    if policy:
        _try(account, policy)
    kind = Transfer.Kind.TO_DOWNLOAD if policy else Transfer.Kind.TO_IMAP
    try:
        begin_change(account=account, kind=kind, policy=policy, by=caller_of(request).actor)
    except moving.NotPossible as error:
        raise Problem(409, _("The mail lives there already, or is being moved.")) from error
    return ModeOut.of(account)


@router.post("/mailboxes/{mailbox_id}/mode/do", response=ModeOut, summary="Stop, resume, cancel or undo a change")
@needs("mailboxes:write")
@fails(409)
def mode_do(request: HttpRequest, mailbox_id: int, data: DoIn) -> Any:
    """409 where there is nothing to do that with."""
    account = settings_box(request, mailbox_id)
    if data.do == "undo":
        try:
            undo_change(account=account, by=caller_of(request).actor)
        except moving.NotPossible as error:
            raise Problem(409, _("There is no change that can still be undone.")) from error
        return ModeOut.of(account)
    going = moving.open_transfer(account)
    if going is None:
        raise Problem(409, _("Nothing is being moved."))
    {"stop": moving.stop_transfer, "resume": moving.resume_transfer, "cancel": moving.cancel_transfer}[data.do](going)
    return ModeOut.of(account)


@router.put("/mailboxes/{mailbox_id}/mode/policy", response=ModeOut, summary="Download the mail by another policy")
@needs("mailboxes:write")
@fails(409, 503)
def mode_policy(request: HttpRequest, mailbox_id: int, data: PolicyWhole) -> Any:
    """Replaces all of it; 409 for a mailbox that is not downloaded."""
    account = settings_box(request, mailbox_id)
    download = Download.objects.select_related("account__mailbox").filter(account=account).first()
    if download is None or not account.downloads:
        raise Problem(409, _("The mail of this mailbox is not downloaded."))
    policy = _judged(data)
    _try(account, policy, download)
    change_policy(download, policy, by=caller_of(request).actor)
    account.refresh_from_db()
    return ModeOut.of(account)


def _judged(data: PolicyIn) -> Policy:
    form = data.form()
    require_valid(form)
    return form.policy()


def _try(account: MailAccount, policy: Policy, download: Download | None = None) -> None:
    """Raises Problem 503 where the server does not let itself be downloaded from, ValidationError for what it cannot do."""
    told = tested(account, None, policy, download)
    if told.report is None:
        raise Problem(503, str(told.problem.title) if told.problem else _("The mail server does not answer."))
    if not told.allowed:
        raise ValidationError({"keep": _("The server cannot leave copies: it has no unique ids.")})


def _policy(account: MailAccount) -> PolicyOut | None:
    download = Download.objects.filter(account=account).first()
    if download is None:
        return None
    days = download.keep_days if download.keep == Download.Keep.DAYS else None
    every = download.every_s // 60 if download.every_s else None
    return PolicyOut(keep=download.keep, keep_days=days, max_bytes=download.max_bytes, every_min=every)
