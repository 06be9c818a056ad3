"""Lists of mailboxes from CSV files: read and judged row by row, then made or changed all at once or not at all."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from celery import current_app
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from accounts.models import Batch, Domain, Mailbox, User
from accounts.provisioning.passwords import hash_batch_password, hash_random_password
from accounts.services.audit import Actor, record, record_many
from accounts.services.batch_changes import CREATE, SAME, apply_change
from accounts.services.batch_files import ROWS_LIMIT, read_sheet
from accounts.services.batch_judging import STATES, in_order, judge_rows
from accounts.services.batch_rows import parse_row
from accounts.services.limits import lock_customer
from accounts.services.mailboxes import new_home, next_number
from accounts.services.passwords import check_password_strength, generate_password
from accounts.services.permissions import Action, may, outranks
from accounts.vault import SealBroken, seal, unseal

LEASE = timedelta(minutes=5)
STEP = 50
AT_ONCE = 10
"""So many passwords are judged while the person waits; more of them by a worker."""
KEEP = timedelta(days=1)
"""How long the passwords that were made can be fetched, and a list that nobody applied is kept."""

log = logging.getLogger(__name__)
State = Batch.State


def read_batch(*, domain: Domain, data: bytes, name: str, by: Actor) -> Batch:
    """Reads a CSV file and judges each row; nothing is made yet. Many passwords are judged by a worker (state reading): it
    takes a fiftieth of a second of processor for each. Raises BadFile for a file that is no list at all."""
    if by.person is None:
        raise ValueError("a list has somebody who brought it")
    sheet = read_sheet(data)
    rows, passwords = _parse(domain, sheet.lines)
    problem = judge_rows(domain, domain.customer, rows, by.person)
    passwords = {row["address"]: passwords[row["address"]] for row in creating(rows) if row["given"]}
    batch = Batch(domain=domain, person=by.person, origin=by.origin, name=os.path.basename(name)[:200], rows=rows)
    batch.total, batch.wrong, batch.problem = len(rows), _wrong(rows), problem
    batch.unknown = sheet.unknown
    batch.state, batch.language = State.READING, translation.get_language() or ""
    with transaction.atomic():
        batch.save()
        batch.sealed = seal(json.dumps(passwords), context=_context(batch))
        batch.save(update_fields=["sealed"])
        if len(passwords) > AT_ONCE:
            transaction.on_commit(_queue)
    if len(passwords) <= AT_ONCE:
        _judge_passwords(batch)
        batch.refresh_from_db()
    return batch


def start_batch(batch: Batch, *, ignoring: bool = False) -> bool:
    """Hands a list without errors to the workers; False when it was handed over before, has errors, or has columns that are not
    known and nobody said to go on without them (`ignoring`)."""
    if batch.unknown and not ignoring:
        return False
    found = Batch.objects.filter(pk=batch.pk, state=State.CHECKED, wrong=0, problem="", total__gt=0)
    if not found.update(state=State.WAITING):
        return False
    transaction.on_commit(_queue)
    return True


def makes_only_below(batch: Batch, person: User) -> bool:
    """Whether nobody who runs more than the person signs in with an address that the list would make."""
    addresses = [row["address"] for row in creating(batch.rows)]
    held = User.objects.filter(email__in=addresses[:ROWS_LIMIT]).values_list("email", flat=True)
    return all(outranks(person, address) for address in held)


def claim_batch() -> Batch | None:
    """A list that waits, or whose worker is dead, taken for LEASE; None when there is none."""
    now = timezone.now()
    if Batch.objects.filter(state__in=[State.READING, State.RUNNING], lease__gt=now).exists():
        return None  # one worker at a time: the others have mail to send, and that one goes on with what waits
    for batch in Batch.objects.filter(state__in=[State.READING, State.WAITING, State.RUNNING]).order_by("pk"):
        if batch.state != State.WAITING and batch.lease and batch.lease > now:
            continue
        mine = Batch.objects.filter(pk=batch.pk, state=batch.state, lease=batch.lease)
        state = State.READING if batch.state == State.READING else State.RUNNING
        if mine.update(state=state, lease=now + LEASE, done=0):
            return Batch.objects.select_related("domain__customer__plan", "person").get(pk=batch.pk)
    return None


def run_batch(batch: Batch) -> None:
    """Goes on with a claimed list: judges its passwords, or makes every mailbox of it, or none (what has gone wrong stands in
    `problem` then)."""
    with translation.override(batch.language or None):
        _run(batch)


def _run(batch: Batch) -> None:
    try:
        if batch.state == State.READING:
            _judge_passwords(batch)
            return
        given: dict[str, str] = json.loads(unseal(batch.sealed, context=_context(batch)))
        made = {row["address"]: generate_password() for row in creating(batch.rows) if not row["given"]}
        hashes = given | _worked(batch, made, lambda _address, password: hash_random_password(password))
        with transaction.atomic():
            _make(batch, hashes)
    except ValidationError as error:
        _fail(batch, " ".join(error.messages))
        return
    except SealBroken:
        _fail(batch, _("The list cannot be opened any more: read the file again."))
        return
    sealed = seal(json.dumps(made), context=_context(batch)) if made else ""
    Batch.objects.filter(pk=batch.pk).update(
        state=State.DONE, done=batch.total, sealed="", made=sealed, finished=timezone.now(), lease=None
    )


def take_passwords(batch: Batch) -> list[tuple[str, str]]:
    """(address, password) of those that were made; they can be fetched for a day."""
    if not batch.made:
        return []
    made: dict[str, str] = json.loads(unseal(batch.made, context=_context(batch)))
    return list(made.items())


def clear_batches() -> int:
    """Forgets lists that nobody applied, and the passwords of those that were; gives how many rows of lists went."""
    old = timezone.now() - KEEP
    Batch.objects.filter(finished__lt=old).update(made="", sealed="", rows=[])
    removed, _by_model = Batch.objects.filter(state=State.CHECKED, created__lt=old).delete()
    return removed


# --- Judging ----------------------------------------------------------------------------------------------------------------
def _parse(domain: Domain, lines: list[tuple[int, dict[str, str]]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The rows with what is wrong with each by itself, and the passwords that stood in them, by address."""
    seen: dict[str, int] = {}
    rows, passwords = [], {}
    for line, cells in lines:
        row = parse_row(domain, line, cells)
        address = row["address"]
        if address in seen:
            row["errors"].append(_("The same address is in line %(line)d.") % {"line": seen[address]})
        seen.setdefault(address, line)
        if row["given"]:
            passwords[address] = cells["password"]
        rows.append(row)
    return rows, passwords


def creating(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows by which a mailbox is made."""
    return [row for row in rows if row.get("do", CREATE) == CREATE]


def doing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows by which something is made or changed."""
    return [row for row in rows if row.get("do") != SAME]


# --- Making -----------------------------------------------------------------------------------------------------------------
def _judge_passwords(batch: Batch) -> None:
    """Judges the passwords that stood in the file, and keeps their hashes in their place. A list of which nothing can be made,
    for these or any other rows, needs no hashes."""
    given: dict[str, str] = json.loads(unseal(batch.sealed, context=_context(batch)))
    by_address = {row["address"]: row for row in batch.rows}

    def judge(address: str, password: str) -> str:
        row = by_address[address]
        words = [address, row["name"], batch.domain.customer.name]
        try:
            check_password_strength(password, known=words)
        except ValidationError as error:
            row["errors"].extend(error.messages)
        return ""

    _worked(batch, given, judge, shown=False)
    hashes = {}
    if not batch.problem and not _wrong(batch.rows):
        hashes = _worked(batch, given, lambda _address, password: hash_batch_password(password))
    Batch.objects.filter(pk=batch.pk, state=State.READING).update(
        rows=batch.rows,
        wrong=_wrong(batch.rows),
        sealed=seal(json.dumps(hashes), context=_context(batch)),
        state=State.CHECKED,
        lease=None,
        done=0,
    )


def _worked(
    batch: Batch, passwords: dict[str, str], work: Callable[[str, str], str], *, shown: bool = True
) -> dict[str, str]:
    """Address to what `work` makes of it and its password, the lease kept and, where it is `shown`, how far it is; with as many
    threads as processors, which Argon2 lets work."""
    wanted = list(passwords.items())
    done: dict[str, str] = {}
    language = translation.get_language()

    def one(item: tuple[str, str]) -> tuple[str, str]:
        with translation.override(language):  # which each thread has for itself
            return item[0], work(*item)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for at in range(0, len(wanted), STEP):
            done |= dict(pool.map(one, wanted[at : at + STEP]))
            mine = Batch.objects.filter(pk=batch.pk, state=batch.state)
            mine.update(done=len(done) if shown else 0, lease=timezone.now() + LEASE)
    return done


def _wrong(rows: list[dict[str, Any]]) -> int:
    return sum(bool(row["errors"]) for row in rows)


def _make(batch: Batch, hashes: dict[str, str]) -> None:
    """Every row or none, in the transaction that holds the customer."""
    customer = lock_customer(batch.domain.customer_id)
    by = Actor(User.objects.get(pk=batch.person_id), batch.origin)
    if by.person is None or not may(
        by.person, Action.RUN_DOMAIN, batch.domain
    ):  # the role may have been taken away since
        raise ValidationError(_("Whoever brought the list does not run this domain any more: nothing of it was made."))
    domain, rows = Domain.objects.select_related("server").get(pk=batch.domain_id), batch.rows
    domain.customer = customer
    problem = judge_rows(domain, customer, rows, by.person)
    if wrong := next((row for row in rows if row["errors"]), None):
        text = _("Meanwhile something changed, and nothing of the list was done. Line %(line)d, %(address)s: %(why)s")
        values = {"line": wrong["line"], "address": wrong["address"], "why": " ".join(wrong["errors"])}
        raise ValidationError(problem or text % values)
    for row in in_order(rows):
        if row["do"] not in {CREATE, SAME}:
            apply_change(domain, row, by)
    new = creating(rows)
    first = next_number()
    mailboxes = [
        Mailbox(
            address=row["address"],
            number=first + at,
            domain=domain,
            name=row["name"],
            password=hashes[row["address"]],
            quota_bytes=row["quota_bytes"],
            home=new_home(row["address"]),
            recovery_address=row["recovery"],
            **domain.usual_switches,
            **{name: row["set"][name] for name in STATES if name in row["set"]},
        )
        for at, row in enumerate(new)
    ]
    Mailbox.objects.bulk_create(mailboxes, batch_size=500)
    record_many(by=by, verb="mailbox.create", mailboxes=mailboxes, names=("name", "quota_bytes", "recovery_address"))
    record(by=by, verb="batch.made", thing=batch.domain, after={"mailboxes": batch.total, "file": batch.name})


def _fail(batch: Batch, problem: str) -> None:
    Batch.objects.filter(pk=batch.pk).update(
        state=State.FAILED, problem=problem, sealed="", done=0, finished=timezone.now(), lease=None
    )


def _context(batch: Batch) -> str:
    return f"batch:{batch.pk}"


def _queue() -> None:
    try:
        current_app.send_task("accounts.tasks.make_batches", expires=60, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("no broker: %s", type(error).__name__)
