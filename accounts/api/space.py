"""Space: what is used and promised, where it leads, which mailboxes fill up or stand idle; and what happened to a mailbox's
mail."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.paginator import Page
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router

from accounts.api.callers import Caller, TooManyRequests, caller_of, fails, needs
from accounts.api.loading import customer_by, domain_by, mailbox_by
from accounts.api.pages import Days, Key, Text
from accounts.api.problems import Problem
from accounts.api.replies import idempotent
from accounts.api.schemas.space import (
    DomainRow,
    DomainTable,
    EventOut,
    Limits,
    MailboxRow,
    MailboxTable,
    ProposedOut,
    QuotasBack,
    QuotasIn,
    QuotasOut,
    QuotasUndoIn,
    ReportOut,
    SpaceOut,
    Summary,
)
from accounts.api.tables import Format, table_of, tabular, wants_csv
from accounts.models import CustomerSpace, DomainSpace, MailAccount, MailboxSpace, MailboxUsage
from accounts.rates import take
from accounts.services.folder_words import folder_names
from accounts.services.networks import places_of
from accounts.services.permissions import Action
from accounts.services.timeline import Words, timeline_of
from accounts.services.usage import tables
from accounts.services.usage.letters import propose_mode
from accounts.services.usage.parts import LEAST_PERCENT
from accounts.services.usage.quotas import QuotaRefused, TooLate, open_changed, refusal_words, set_quotas, take_back
from accounts.services.usage.report import mailbox_report, read_limits, read_report, save_limits
from accounts.services.usage.scope import NotSeen, Scope, read_scope
from accounts.services.usage.standing import counted_of, permille_of
from accounts.services.usage.tables import TableQuery
from accounts.services.usage.weekly import want_summary, wants_summary

router = Router(tags=["Space"])
CHUNK = 2000
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Least = Annotated[int, Query(ge=0, le=100)]


# --- Of one thing -----------------------------------------------------------------------------------------------------------
@router.get("/customers/{customer_id}/space", response=SpaceOut, summary="The space that a customer uses")
@needs("usage:read")
def customer_space(request: HttpRequest, customer_id: int) -> Any:
    """By those who sell to it and its own people."""
    customer = customer_by(caller_of(request), customer_id, Action.SEE_CUSTOMER)
    space = CustomerSpace.objects.filter(customer=customer).first() or CustomerSpace(customer=customer)
    counted = counted_of(MailboxSpace.objects.filter(customer=customer))
    return SpaceOut.of_many(space, counted, customer.plan.total_bytes)


@router.get("/domains/{domain_id}/space", response=SpaceOut, summary="The space that a domain uses")
@needs("usage:read")
def domain_space(request: HttpRequest, domain_id: int) -> Any:
    """By those who run it."""
    domain = domain_by(caller_of(request), domain_id, Action.SEE_DOMAIN)
    space = DomainSpace.objects.filter(domain=domain).first() or DomainSpace(domain=domain)
    counted = counted_of(MailboxSpace.objects.filter(domain=domain))
    return SpaceOut.of_many(space, counted, counted.quota_bytes or None)


@router.get("/mailboxes/{mailbox_id}/space", response=SpaceOut, summary="The space that a mailbox uses")
@needs("usage:read")
def mailbox_space(request: HttpRequest, mailbox_id: int) -> Any:
    """By its owner and those who run it."""
    mailbox = mailbox_by(caller_of(request), mailbox_id, Action.SEE_MAILBOX)
    space = MailboxSpace.objects.filter(mailbox=mailbox).first() or MailboxSpace(mailbox=mailbox)
    counted = MailboxUsage.objects.filter(username=mailbox.address).first() or MailboxUsage()
    space.bytes, space.messages, space.quota_bytes = counted.bytes, counted.messages, mailbox.quota_bytes
    space.permille = permille_of(space.bytes, space.quota_bytes, messages=space.messages)
    return SpaceOut.of_mailbox(space, timezone.now())


@router.get(
    "/mailboxes/{mailbox_id}/space/report",
    response=ReportOut,
    summary="What a mailbox used month by month, and its forecast",
)
@needs("usage:read")
def mailbox_space_report(request: HttpRequest, mailbox_id: int) -> Any:
    """By its owner and those who run it."""
    return ReportOut.of(mailbox_report(mailbox_by(caller_of(request), mailbox_id, Action.SEE_MAILBOX)))


@router.get("/mailboxes/{mailbox_id}/activity", response=list[EventOut], summary="What happened to its mail")
@needs("usage:read")
@tabular
def mailbox_activity(
    request: HttpRequest, mailbox_id: int, days: Days = 7, only: Literal["gone"] | None = None, shape: Format = None
) -> Any:
    """Of so many `days` until now, the latest first."""
    caller = caller_of(request)
    mailbox = mailbox_by(caller, mailbox_id, Action.SEE_MAILBOX)
    account = MailAccount.objects.filter(mailbox=mailbox).first()
    own = account is not None and account.owner_id == caller.person.pk
    words = Words(folder_names(account), places_of(mailbox, own=own))
    entries = timeline_of(mailbox, days=days, only_gone=only == "gone", words=words).entries
    if wants_csv(request, shape):
        return table_of(f"activity-{mailbox.number}", EventOut, entries, EventOut.of)
    return [EventOut.of(entry) for entry in entries]


# --- Of all that somebody runs ----------------------------------------------------------------------------------------------
@router.get(
    "/space",
    response=ReportOut,
    summary="What is used and promised of all that one runs, or of a part, and its forecast",
)
@needs("usage:read")
@fails(404)
def space_report(request: HttpRequest, reseller: Key = None, customer: Key = None, server: Key = None) -> Any:
    """404 for what the person does not run."""
    return ReportOut.of(read_report(scope_for(caller_of(request), reseller, customer, server)))


@router.get("/space/mailboxes", response=MailboxTable, summary="The mailboxes that fill up, stand unused, or jumped")
@needs("usage:read")
@fails(404)
@tabular
def space_mailboxes(
    request: HttpRequest,
    show: Literal["filling", "unused", "jumps"] = "filling",
    sort: Literal["permille", "bytes", "month_bytes", "full_on", "used_at", "jump_on", "name"] | None = None,
    least: Least = LEAST_PERCENT,
    mode: Literal["imap", "pop3"] | None = None,
    address: Text = "",
    plan: Key = None,
    reseller: Key = None,
    customer: Key = None,
    page: PageNumber = 1,
    shape: Format = None,
) -> Any:
    """In pages of a number, as the table changes between two looks."""
    query = TableQuery(
        show=show,
        sort=sort or tables.FIRST_SORT[show],
        least=least,
        mode=mode or "",
        text=address.strip().lower(),
        plan=plan,
    )
    rows = tables.mailbox_rows(query, scope_for(caller_of(request), reseller, customer, plan=plan))
    if wants_csv(request, shape):
        return table_of(show, MailboxRow, tables.whole(rows).iterator(CHUNK), MailboxRow.of)
    found = _page(rows, page)
    return MailboxTable(items=[MailboxRow.of(row) for row in found.object_list], **_numbers(found))


@router.get(
    "/space/domains", response=DomainTable, summary="The domains that fill up, or to which too much was promised"
)
@needs("usage:read")
@fails(404)
@tabular
def space_domains(
    request: HttpRequest,
    show: Literal["domains", "promised"] = "domains",
    sort: Literal["permille", "bytes", "idle", "month_bytes", "full_on", "name"] | None = None,
    least: Least = LEAST_PERCENT,
    name: Text = "",
    plan: Key = None,
    reseller: Key = None,
    customer: Key = None,
    page: PageNumber = 1,
    shape: Format = None,
) -> Any:
    """In pages of a number, as the table changes between two looks."""
    query = TableQuery(
        show=show, sort=sort or tables.FIRST_SORT[show], least=least, text=name.strip().lower(), plan=plan
    )
    rows = tables.domain_rows(query, scope_for(caller_of(request), reseller, customer, plan=plan))
    if wants_csv(request, shape):
        return table_of(show, DomainRow, tables.whole(rows).iterator(CHUNK), DomainRow.of)
    found = _page(rows, page)
    return DomainTable(items=[DomainRow.of(row) for row in found.object_list], **_numbers(found))


@router.post(
    "/space/quotas",
    response=QuotasOut,
    summary="The same quota for many mailboxes, within plan and disk, all or nothing",
)
@needs("mailboxes:write")
@idempotent
@fails(404)
def space_quotas(request: HttpRequest, data: QuotasIn) -> Any:
    """By those who run the mailboxes; 422 where plan, disk or what is used speak against it."""
    caller = caller_of(request)
    scope = scope_for(caller)
    wanted = sorted(set(data.mailboxes))
    if caller.mailboxes().filter(scope.within("domain"), pk__in=wanted, deleted__isnull=True).count() != len(wanted):
        raise ValidationError({"mailboxes": _("Some of them are not there.")})
    try:
        changed = set_quotas(by=caller.actor, scope=scope, mailbox_ids=wanted, quota_bytes=data.quota_bytes)
    except QuotaRefused as error:
        field = "mailboxes" if error.code in {"above", "many", "none"} else "quota_bytes"
        raise ValidationError({field: refusal_words(error, provider=scope.provider)}) from error
    return QuotasOut(changed=changed.number, undo=changed.sealed() or None)


@router.post(
    "/space/quotas/undo", response=QuotasBack, summary="Give mailboxes the quotas back that they had before a change"
)
@needs("mailboxes:write")
@fails(404, 409)
def space_quotas_undo(request: HttpRequest, data: QuotasUndoIn) -> Any:
    """All of them or none: 409 says what speaks against it."""
    caller = caller_of(request)
    scope = scope_for(caller)
    try:
        changed = open_changed(data.undo)
    except TooLate as error:
        raise ValidationError({"undo": _("This was not given by a change, or is too old.")}) from error
    if caller.mailboxes().filter(pk__in=changed.before).count() != changed.number:
        raise Problem(409, refusal_words(QuotaRefused("gone"), provider=scope.provider))
    try:
        return QuotasBack(changed=take_back(by=caller.actor, scope=scope, changed=changed))
    except QuotaRefused as error:
        raise Problem(409, refusal_words(error, provider=scope.provider)) from error


@router.get("/space/limits", response=Limits, summary="At how many percent somebody is told")
@needs("usage:read")
def space_limits(request: HttpRequest) -> Any:
    """By the provider's people."""
    caller_of(request).allow(Action.RUN_PROVIDER)
    return Limits.of(read_limits())


@router.put("/space/limits", response=Limits, summary="Change the thresholds")
@needs("customers:write")
def space_limits_set(request: HttpRequest, data: Limits) -> Any:
    """By the provider's people; replaces all of them."""
    caller = caller_of(request)
    caller.allow(Action.RUN_PROVIDER)
    limits = read_limits()
    for name, value in data.dict().items():
        setattr(limits, name, value)
    save_limits(limits, by=caller.actor)
    return Limits.of(limits)


@router.get("/space/summary", response=Summary, summary="Whether the token's person gets the letter of the week")
@needs("usage:read")
@fails(404)
def space_summary(request: HttpRequest) -> Any:
    """Of the person's own letter."""
    caller = caller_of(request)
    scope_for(caller)
    return Summary(weekly=wants_summary(caller.person))


@router.put("/space/summary", response=Summary, summary="Begin or end the letter of the week")
@needs("customers:write")
@fails(404)
def space_summary_set(request: HttpRequest, data: Summary) -> Any:
    """Of the person's own letter."""
    caller = caller_of(request)
    scope_for(caller)
    want_summary(caller.person, wanted=data.weekly)
    return Summary(weekly=data.weekly)


@router.post(
    "/mailboxes/{mailbox_id}/mode/propose",
    response=ProposedOut,
    summary="Write to its owner that the mail could be downloaded",
)
@needs("mailboxes:write")
@fails(503)
@idempotent
def mode_propose(request: HttpRequest, mailbox_id: int) -> Any:
    """By those who run it, three times an hour at most; 409 where the mailbox takes no mail."""
    mailbox = mailbox_by(caller_of(request), mailbox_id, Action.RUN_MAILBOX)
    if mailbox.deleted is not None:
        raise Problem(409, _("The mailbox is suspended or deleted."))
    if take(request, "propose", mailbox.pk) is None:
        raise TooManyRequests(3600)
    try:
        taken = propose_mode(mailbox)
    except (OSError, SMTPException) as error:
        raise Problem(503, _("The mail server does not answer. Nothing was written.")) from error
    if not taken:
        raise Problem(409, _("%(address)s takes no mail: it is full or shut.") % {"address": mailbox.address})
    return ProposedOut(sent=True)


def scope_for(
    caller: Caller, reseller: Key = None, customer: Key = None, server: Key = None, plan: Key = None
) -> Scope:
    """What the person runs, narrowed; for a token of one customer that one alone. Raises Http404."""
    only = caller.token.customer_id
    if only is not None and (reseller is not None or server is not None or customer not in {None, only}):
        raise Http404
    try:
        return read_scope(caller.person, reseller=reseller, customer=only or customer, server=server, plan=plan)
    except NotSeen as error:
        raise Http404 from error


def _page(rows: Any, number: int) -> Page[Any]:
    return tables.TablePaginator(rows).get_page(number)


def _numbers(page: Page[Any]) -> dict[str, int]:
    return {"page": page.number, "pages": page.paginator.num_pages, "total": page.paginator.count}
