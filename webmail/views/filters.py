"""The filters of a mailbox as rows: the list of them, and one of them in its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import confirm
from accounts.models import MailAccount
from accounts.numbers import read_number
from accounts.services.owned import is_own
from accounts.views.portal.doors import actor_of
from webmail.filter_forms import ConditionForm, RuleForm, blank_conditions, condition_forms, rule_initial
from webmail.services import filters as service
from webmail.services.access import credentials_for, open_live, open_source, settings_account
from webmail.services.filter_log import note_choice, note_rules
from webmail.services.filter_places import folder_places
from webmail.services.filter_trial import Trial, try_rule
from webmail.services.filter_words import Told, refusal_words, tell_rule
from webmail.services.filters import FiltersRefused, Setup
from webmail.services.identities import allowed_addresses
from webmail.services.tags import tags_for
from webmail.sieve.client import NotOffered, ScriptRefused, SieveSession
from webmail.sieve.rules import CONDITIONS_LIMIT, RULES_LIMIT, VALUE_LIMIT, About, Condition, Filters, Op, Rule, Where
from webmail.sieve.script import rule_of, rule_to_json
from webmail.values import Folder, FolderId, Role

DELETED = "filter_deleted"
"""In the session: the row that was deleted last, and from which place, for as long as it is offered to put it back."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def filters(request: HttpRequest, account_id: int) -> HttpResponse:
    """The rows of an account. POST with `seen` (as the page had it) and `do`: up, down, on, off, delete with `row`; order with
    `order` (the rows as they are to stand, "2,0,1"); undo; join, only, off-all, rows: what is to run."""
    account = settings_account(request, account_id)
    try:
        with service.open_filters(request, account) as session:
            if request.method != "POST":
                return _list_page(request, account, service.read_setup(session))
            do, seen = request.POST.get("do", ""), request.POST.get("seen", "")
            try:
                if do in _CHOICES:
                    service.choose(session, _CHOICES[do], seen=seen)
                    note_choice(account, do, by=actor_of(request))
                    return _back(account, "")
                change = _change_of(request, account, do)
                if change is None:
                    return HttpResponseBadRequest()
                before, _warnings = service.change_filters(session, change, seen=seen)
                _note_rules(request, account, session, before.filters)
            except FiltersRefused as error:
                return _list_page(
                    request, account, service.read_setup(session), refused=refusal_words(error.detail), status=409
                )
            except ScriptRefused as error:
                return _list_page(request, account, service.read_setup(session), problems=error.problems, status=422)
            if do == "delete":
                _remember(request, account, before.filters)
            elif do == "undo":
                request.session.pop(DELETED, None)
            return _back(account, f"{do}-{_row(request) + {'up': -1, 'down': 1}.get(do, 0)}")
    except NotOffered:
        return not_offered(request, account, "filters")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def filter_edit(request: HttpRequest, account_id: int, number: int | None = None) -> HttpResponse:
    """The form of a row, counted from 1, or of a new one, which may begin with `from` and `subject` of a message. POST with `do`:
    save, more (one more condition), or try (on `folder-tried`, nothing is saved): where the account's mail is read, while the
    filter itself always works on the server."""
    account = settings_account(request, account_id)
    try:
        with (
            service.open_filters(request, account) as session,
            open_live(account, credentials_for(request, account)) as source,
            open_source(request, account) as read,
        ):
            setup = service.read_setup(session)
            if not setup.editable:
                return redirect("filters", account.pk)
            if number is not None and not 1 <= number <= len(setup.filters.rules):
                raise Http404
            rule = setup.filters.rules[number - 1] if number else None
            folders = source.folders()
            own = is_own(request, account)
            triable = (read.folders() if account.downloads else folders) if own else []
            page = _Form(request, account, setup, rule, number, folders, triable)
            do = request.POST.get("do", "save")
            if request.method != "POST" or do == "more" or not page.valid():
                return page.answer()
            if do == "save" and not page.confirmed():
                return page.answer(status=422)
            if do == "try" and not own:
                return HttpResponseBadRequest()  # it would read mail
            if do == "try":
                tried = page.tried_folder()
                return page.answer(trial=try_rule(read, tried.id, page.result()), tried=tried)
            at = None if number is None else number - 1
            made = page.result()
            try:
                service.change_filters(
                    session, lambda now: service.put_rule(now, made, at), seen=request.POST.get("seen", "")
                )
            except FiltersRefused as error:
                return page.answer(refused=refusal_words(error.detail), status=409)
            except ScriptRefused as error:
                return page.answer(problems=error.problems, status=422)
            _note_rules(request, account, session, setup.filters)
            return _back(account, f"edit-{len(setup.filters.rules) if at is None else at}")
    except NotOffered:
        return not_offered(request, account, "filters")


def _note_rules(request: HttpRequest, account: MailAccount, session: SieveSession, before: Filters) -> None:
    """Into the log: which rows there were and are."""
    after = service.read_setup(session).filters.rules
    note_rules(account, before=before.rules, after=after, by=actor_of(request))


def not_offered(request: HttpRequest, account: MailAccount, tab: str) -> HttpResponse:
    """The page of a mailbox whose server has no filters."""
    return render(request, "webmail/filters_absent.html", {"account": account, "tab": tab})


_CHOICES = {"join": "join", "only": "only", "off-all": "off", "rows": "rows"}


def _row(request: HttpRequest) -> int:
    return read_number(request.POST.get("row", ""), digits=3) or 0


def _change_of(request: HttpRequest, account: MailAccount, do: str) -> Callable[[Filters], Filters] | None:
    """What a POST does to the filters; None for nothing that can be done."""
    at = _row(request)

    def guarded(change: Callable[[Filters], Filters]) -> Callable[[Filters], Filters]:
        return lambda now: change(now) if at < len(now.rules) else now

    if do in {"up", "down"}:
        return guarded(lambda now: service.move_rule(now, at, at + (1 if do == "down" else -1)))
    if do in {"on", "off"}:
        return guarded(lambda now: service.put_rule(now, replace(now.rules[at], on=do == "on"), at))
    if do == "delete":
        return guarded(lambda now: service.drop_rule(now, at))
    if do == "order":
        return _ordered(request.POST.get("order", ""))
    kept = _deleted(request, account) if do == "undo" else None
    if kept:
        return lambda now: service.insert_rule(now, kept[0], kept[1])
    return None


def _ordered(text: str) -> Callable[[Filters], Filters] | None:
    order = [at for one in text.split(",")[:RULES_LIMIT] if (at := read_number(one, digits=3)) is not None]
    if len(order) != len(text.split(",")[:RULES_LIMIT]):
        return None

    def change(now: Filters) -> Filters:
        if sorted(order) != list(range(len(now.rules))):
            raise FiltersRefused("changed")
        return replace(now, rules=tuple(now.rules[at] for at in order))

    return change


def _remember(request: HttpRequest, account: MailAccount, before: Filters) -> None:
    at = _row(request)
    if at < len(before.rules):
        request.session[DELETED] = {"account": account.pk, "at": at, "rule": rule_to_json(before.rules[at])}


def _deleted(request: HttpRequest, account: MailAccount) -> tuple[Rule, int] | None:
    kept = request.session.get(DELETED)
    if not kept or kept["account"] != account.pk:
        return None
    return rule_of(kept["rule"]), int(kept["at"])


def _list_page(
    request: HttpRequest,
    account: MailAccount,
    setup: Setup,
    *,
    refused: str = "",
    problems: Any = (),
    status: int = 200,
) -> HttpResponse:
    tags = tags_for(account)
    rows: list[Told] = [tell_rule(rule, tags) for rule in setup.filters.rules]
    focus, _dash, at = request.GET.get("focus", "").partition("-")
    deleted = _deleted(request, account) if focus == "delete" else None
    context = {
        "account": account,
        "tab": "filters",
        "setup": setup,
        "rows": rows,
        "deleted": tell_rule(deleted[0], tags).name if deleted else "",
        "full": len(rows) >= RULES_LIMIT,
        "refused": refused,
        "problems": problems,
        "focus_do": focus,
        "focus_at": -1 if (place := read_number(at, digits=3)) is None else place,
    }
    return render(request, "webmail/filters.html", context, status=status)


def _back(account: MailAccount, focus: str) -> HttpResponse:
    """The list again, with what was pressed in focus."""
    return redirect(reverse("filters", args=[account.pk]) + (f"?focus={focus}" if focus else ""))


class _Form:
    """The form of one row in one request."""

    def __init__(
        self,
        request: HttpRequest,
        account: MailAccount,
        setup: Setup,
        rule: Rule | None,
        number: int | None,
        folders: list[Folder],
        triable: list[Folder],
    ) -> None:
        self._request, self._account, self._setup, self._rule, self._number = request, account, setup, rule, number
        self._triable = [one for one in triable if one.selectable]
        self._places = folder_places(folders, rule.folder if rule else "")
        sent = request.method == "POST"
        self._form = RuleForm(
            request.POST if sent else None,
            initial=rule_initial(rule) if rule else self._first(),
            folders=[(one.name, one.label) for one in self._places],
            tags=self._tags(),
            trash=next((one.name for one in self._places if one.role is Role.TRASH), ""),
            own_addresses=allowed_addresses(account),
            forwards_limit=setup.can.forwards_limit,
        )
        self._conditions = condition_forms(request.POST) if sent else self._first_conditions()
        if sent and account.mailbox and is_own(request, account) and self._forwards_anew():
            confirm.ask(self._form, request, account.mailbox)

    def _forwards_anew(self) -> bool:
        """Whether the mail would go somewhere that it does not go yet by this filter."""
        before = set(self._rule.forward if self._rule else ())
        return bool({one.strip() for one in self._request.POST.get("forward", "").split(",")} - before - {""})

    def confirmed(self) -> bool:
        """Whether the owner has just shown that they know the password, where mail is forwarded by this; else the form asks."""
        return confirm.is_answered(self._form, self._request, self._account.mailbox)

    def _tags(self) -> list[tuple[str, str]]:
        known = {tag.keyword: str(tag.name) for tag in tags_for(self._account).all}
        return list((known | {one: known.get(one, one) for one in (self._rule.tags if self._rule else ())}).items())

    def _first(self) -> dict[str, Any]:
        return {"where": Where.MOVE}

    def _first_conditions(self) -> list[ConditionForm]:
        if self._rule:
            return blank_conditions(self._rule.conditions, extra=1)
        given = [(About.FROM, Op.IS, "from"), (About.SUBJECT, Op.CONTAINS, "subject")]
        found = [
            Condition(about, op, value[:VALUE_LIMIT])
            for about, op, name in given
            if (value := self._request.GET.get(name, "").strip())
        ]
        return blank_conditions(found, extra=0 if found else 1)

    def valid(self) -> bool:
        """Whether all of it can be used; a filter without conditions has to say that it means every message."""
        fine = [form.is_valid() for form in (*self._conditions, self._form)]
        if all(fine) and self._form.cleaned_data["match"] != "every" and not self._filled():
            self._form.add_error("match", _("Fill in a condition, or choose that it is for every message."))
        return all(fine) and not self._form.errors

    def _filled(self) -> tuple[Condition, ...]:
        return tuple(one for form in self._conditions if (one := form.condition()))

    def result(self) -> Rule:
        return self._form.rule(self._filled(), on=self._rule.on if self._rule else True)

    def tried_folder(self) -> Folder:
        """Where it is tried: the folder that was asked for, else the inbox."""
        wanted = FolderId(self._request.POST.get("folder-tried", ""))
        inbox = next((one for one in self._triable if one.role is Role.INBOX), self._triable[0])
        return next((one for one in self._triable if one.id == wanted), inbox)

    def answer(
        self,
        *,
        trial: Trial | None = None,
        tried: Folder | None = None,
        refused: str = "",
        problems: Any = (),
        status: int = 200,
    ) -> HttpResponse:
        more = self._request.POST.get("do") == "more"
        conditions = self._conditions
        if more or not conditions:
            conditions = [*conditions, *self._another(conditions)]
        sent = self._request.method == "POST" and not more
        wrong = sent and (bool(self._form.errors) or any(form.errors for form in self._conditions))
        context = {
            "account": self._account,
            "tab": "filters",
            "setup": self._setup,
            "number": self._number,
            "form": self._form,
            "conditions": conditions,
            "full": len(conditions) >= CONDITIONS_LIMIT,
            "more": more,
            "trial": trial,
            "tried": tried,
            "triable": self._triable,
            "seen": self._seen(again=bool(refused)),
            "refused": refused,
            "problems": problems,
            "quiet": more,
        }
        return render(self._request, "webmail/filter.html", context, status=422 if wrong else status)

    def _seen(self, *, again: bool) -> str:
        """What the page is held to have seen. A new row may be sent again after a change elsewhere; one that is edited may be
        another by then."""
        if again and self._number is None:
            return self._setup.seen
        return self._request.POST.get("seen") or self._setup.seen

    def _another(self, conditions: list[ConditionForm]) -> list[ConditionForm]:
        if len(conditions) >= CONDITIONS_LIMIT:
            return []
        return [ConditionForm(prefix=f"c{len(conditions)}")]
