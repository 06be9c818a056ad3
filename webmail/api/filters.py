"""The filters of a mailbox as rows, its scripts as text, and what of them runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.api.callers import caller_of, fails, needs
from accounts.api.owners import confirm_own
from accounts.api.schemas.common import Current, Given, example
from accounts.models import MailAccount
from webmail.api.boxes import mailbox_of, settings_box
from webmail.api.rows import RuleRow, rules_of
from webmail.services import filters as service
from webmail.services.access import credentials_for, open_live
from webmail.services.filter_log import note_choice, note_rules, note_script
from webmail.services.filter_places import Place, folder_places
from webmail.services.filters import Setup, text_mark
from webmail.services.identities import allowed_addresses
from webmail.services.tags import tags_for
from webmail.sieve.rules import RULES_LIMIT, Filters, Rule
from webmail.sieve.script import OWN
from webmail.values import Role

router = Router(tags=["Vacation and filters"])
SCRIPT_LIMIT = 200_000
Name = Annotated[str, Query(max_length=400)]


class ScriptName(Schema):
    name: str
    runs: bool


class FiltersOut(Schema):
    """`state`: none (there never were any), own (ours run), off, joined (ours and another program's), foreign (another program's
    alone). `editable`: whether rows may be changed. `seen` stands for how it all is now."""

    state: str
    editable: bool
    joinable: bool
    rows: list[RuleRow]
    scripts: list[ScriptName]
    seen: str

    @classmethod
    def of(cls, setup: Setup) -> FiltersOut:
        """The rows and scripts as they are on the server."""
        scripts = [ScriptName(name=name, runs=runs) for name, runs in setup.shown]
        values: dict[str, Any] = {"editable": setup.editable, "joinable": setup.joinable, "seen": setup.seen}
        return cls(
            state=setup.state.value, rows=[RuleRow.of(one) for one in setup.filters.rules], scripts=scripts, **values
        )


class FiltersIn(Given):
    """All rows, in their order: those that are left out are removed. With `seen` they are stored only while nothing has changed
    since. An owner whose mail would go to an address where it does not go yet sends `current_password`."""

    model_config = example(
        rows=[
            {
                "name": "Facturas",
                "conditions": [{"about": "subject", "op": "contains", "value": "factura"}],
                "where": "move",
                "folder": "Facturas",
            }
        ]
    )

    rows: list[RuleRow] = Field(max_length=RULES_LIMIT)
    seen: str | None = Field(None, max_length=64)
    current_password: Current = None


class ChoiceIn(Given):
    """What is to run: "join" ours after what runs now, "only" ours, "off" nothing, "rows" ours as its rows say, without what was
    changed by hand."""

    model_config = example(do="only")

    do: Literal["join", "only", "off", "rows"]
    seen: str | None = Field(None, max_length=64)


class ScriptOut(Schema):
    """`warnings` are what the server remarks about what was just stored."""

    name: str
    text: str
    seen: str
    warnings: list[str] = []


class ScriptIn(Given):
    """A script of this mailbox, ours without `name`. With `seen` it is stored only in the place of the text that was seen;
    `only_check` asks the server what it makes of it and stores nothing. An owner whose script sends mail on, or lets another do
    so, sends `current_password`."""

    model_config = ConfigDict(
        str_max_length=SCRIPT_LIMIT,
        json_schema_extra={"examples": [{"text": 'require "fileinto";\nfileinto "Archivo";\n'}]},
    )

    text: str = Field(max_length=SCRIPT_LIMIT)
    name: str = Field(OWN, max_length=400)
    seen: str | None = Field(None, max_length=64)
    only_check: bool = False
    current_password: Current = None


@router.get(
    "/mailboxes/{mailbox_id}/filters", response=FiltersOut, summary="The filters as rows, and which scripts run"
)
@needs("mailboxes:read")
@fails(409, 503)
def filters_get(request: HttpRequest, mailbox_id: int) -> Any:
    """Read from the mail server now."""
    with service.open_filters(request, settings_box(request, mailbox_id)) as session:
        return FiltersOut.of(service.read_setup(session))


@router.put("/mailboxes/{mailbox_id}/filters", response=FiltersOut, summary="Replace the rows, all of them or none")
@needs("mailboxes:write")
@fails(409, 503)
def filters_set(request: HttpRequest, mailbox_id: int, data: FiltersIn) -> Any:
    """409 where the script was changed by hand, or anything since `seen`."""
    account = settings_box(request, mailbox_id)
    with service.open_filters(request, account) as session:
        setup = service.read_setup(session)
        rules = rules_of(data.rows, _choices(request, account, setup)) if data.rows else ()
        if _addresses(rules) - _addresses(setup.filters.rules):
            confirm_own(request, mailbox_of(account), data.current_password)

        def change(now: Filters) -> Filters:
            return replace(now, rules=rules)

        service.change_filters(session, change, seen=setup.seen if data.seen is None else data.seen)
        note_rules(account, before=setup.filters.rules, after=rules, by=caller_of(request).actor)
        return FiltersOut.of(service.read_setup(session))


@router.post("/mailboxes/{mailbox_id}/filters/choice", response=FiltersOut, summary="Which filters are to run")
@needs("mailboxes:write")
@fails(409, 503)
def filters_choose(request: HttpRequest, mailbox_id: int, data: ChoiceIn) -> Any:
    """409 where anything changed since `seen`."""
    account = settings_box(request, mailbox_id)
    with service.open_filters(request, account) as session:
        seen = service.read_setup(session).seen if data.seen is None else data.seen
        service.choose(session, data.do, seen=seen)
        note_choice(account, data.do, by=caller_of(request).actor)
        return FiltersOut.of(service.read_setup(session))


@router.get(
    "/mailboxes/{mailbox_id}/filters/script", response=ScriptOut, summary="A script as text; ours without `name`"
)
@needs("mailboxes:read")
@fails(409, 503)
def script_get(request: HttpRequest, mailbox_id: int, name: Name = OWN) -> Any:
    """404 for a name that the mailbox has no script of."""
    with service.open_filters(request, settings_box(request, mailbox_id)) as session:
        names = _names(service.read_setup(session), name)
        text = session.get(name) if name in names else ""
        return ScriptOut(name=name, text=text, seen=text_mark(text))


@router.put("/mailboxes/{mailbox_id}/filters/script", response=ScriptOut, summary="Store a script, or have it checked")
@needs("mailboxes:write")
@fails(409, 503)
def script_set(request: HttpRequest, mailbox_id: int, data: ScriptIn) -> Any:
    """422 with the server's words, by line, where it cannot run the script."""
    account = settings_box(request, mailbox_id)
    text = data.text.replace("\r\n", "\n")
    with service.open_filters(request, account) as session:
        names = _names(service.read_setup(session), data.name)
        before = session.get(data.name) if data.name in names else ""
        if data.only_check:
            found = session.check(text)
            return ScriptOut(name=data.name, text=before, seen=text_mark(before), warnings=[one.text for one in found])
        if service.may_forward(text):
            confirm_own(request, mailbox_of(account), data.current_password)
        seen = text_mark(before) if data.seen is None else data.seen
        warnings = service.put_text(session, data.name, text, seen=seen)
        note_script(account, data.name, before=before, after=text, by=caller_of(request).actor)
        now = session.get(data.name)
        return ScriptOut(name=data.name, text=now, seen=text_mark(now), warnings=[one.text for one in warnings])


def _addresses(rules: Sequence[Rule]) -> set[str]:
    """Where mail goes by these rows."""
    return {one for rule in rules for one in rule.forward}


def _names(setup: Setup, name: str) -> tuple[str, ...]:
    """The scripts that there are; Http404 for another name than theirs, but for ours, which can begin now."""
    if name not in setup.names and name != OWN:
        raise Http404
    return setup.names


def _choices(request: HttpRequest, account: MailAccount, setup: Setup) -> dict[str, Any]:
    """What rows are judged by: the folders, tags and addresses of the mailbox, and those that its rows name already."""
    with open_live(account, credentials_for(request, account)) as source:
        places = folder_places(source.folders())
    rules = setup.filters.rules
    known = {one.name for one in places}
    places += [Place(one.folder, one.folder) for one in rules if one.folder and one.folder not in known]
    tags = {tag.keyword: str(tag.name) for tag in tags_for(account).all}
    tags |= {name: name for rule in rules for name in rule.tags if name not in tags}
    return {
        "folders": [(one.name, one.label) for one in places],
        "tags": list(tags.items()),
        "trash": next((one.name for one in places if one.role is Role.TRASH), ""),
        "own_addresses": allowed_addresses(account),
        "forwards_limit": setup.can.forwards_limit,
    }
