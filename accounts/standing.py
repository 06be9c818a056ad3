"""Who is asking, with their session and the mailboxes that are theirs: everything that a request must know before it does
anything, asked of the database in one question.

It is asked anew for every request, so that a changed password, a suspended mailbox or a closed domain ends a session at its
next request, whoever changed it. What is spared is Django's own way of putting three such questions together, which costs
twenty times what the database takes to answer: the text of the question is written once, and rows that are the same as the
last time are not turned into objects again.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.base import ModelState
from django.utils import timezone

from accounts.models import Customer, Domain, MailAccount, Mailbox, Session, User

KEPT = 4_096
"""People whose rows a process remembers."""

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """A person and their accounts in the order in which they were added, each with its mailbox, that mailbox's domain
    and its customer.
    `session_hash` is what a session of theirs must carry."""

    user: User
    accounts: tuple[MailAccount, ...]
    session_hash: str

    def account(self, account_id: int | None) -> MailAccount | None:
        """The account with this id, or the first for None."""
        return next((one for one in self.accounts if account_id in (None, one.pk)), None)


_kept: OrderedDict[int, tuple[list[Row], Standing]] = OrderedDict()
_lock = threading.Lock()


def find_standing(user_id: int) -> Standing | None:
    """The person with this id as the database has them now, None when there is none. The objects are the caller's own."""
    rows = _ask(_question(connection.vendor, "u.id = %s"), user_id)
    return _standing(user_id, rows) if rows else None


def find_session(key: str) -> tuple[str | None, Standing | None]:
    """What the row of a session holds, None when there is none or its time is over; and the person who signed in, as
    `find_standing` gives them. Both in one question."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows = _ask(_question(connection.vendor, "s.session_key = %s AND s.expire_date > %s", of_session=True), key, now)
    if not rows:
        return None, None
    data, person = str(rows[0][0]), [row[1:] for row in rows]
    return data, _standing(person[0][_at_user_id()], person) if person[0][_at_user_id()] is not None else None


def _ask(question: str, *values: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        rows: list[Row] = cursor.fetchall()
    return rows


def _standing(user_id: int, rows: list[Row]) -> Standing:
    with _lock:
        kept = _kept.get(user_id)
        if kept is not None:
            _kept.move_to_end(user_id)
    if kept is None or kept[0] != rows:
        kept = (rows, _build(rows))
        with _lock:
            _kept[user_id] = kept
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return _own(kept[1])


@cache
def _at_user_id() -> int:
    return [field.attname for field in User._meta.concrete_fields].index("id")


@cache
def _question(vendor: str, where: str, *, of_session: bool = False) -> str:
    quote = connection.ops.quote_name
    parts = (("u", User), ("a", MailAccount), ("m", Mailbox), ("d", Domain), ("c", Customer))
    columns = ", ".join(
        f"{alias}.{quote(str(field.column))}" for alias, model in parts for field in model._meta.concrete_fields
    )
    session, user, account, mailbox, domain, customer = (
        quote(model._meta.db_table) for model in (Session, User, MailAccount, Mailbox, Domain, Customer)
    )
    first = f"s.session_data, {columns} FROM {session} s LEFT JOIN {user} u ON u.id = s.user_id"
    return (
        f"SELECT {first if of_session else f'{columns} FROM {user} u'} LEFT JOIN {account} a ON a.owner_id = u.id "  # noqa: S608
        f"LEFT JOIN {mailbox} m ON m.id = a.mailbox_id LEFT JOIN {domain} d ON d.id = m.domain_id "
        f"LEFT JOIN {customer} c ON c.id = d.customer_id "
        f"WHERE {where} ORDER BY a.id"
    )


def _build(rows: list[Row]) -> Standing:
    accounts = []
    user = _model(User, rows[0], 0)
    at_account = len(User._meta.concrete_fields)
    at_mailbox = at_account + len(MailAccount._meta.concrete_fields)
    at_domain = at_mailbox + len(Mailbox._meta.concrete_fields)
    at_customer = at_domain + len(Domain._meta.concrete_fields)
    for row in rows:
        if row[at_account] is None:
            continue
        account = _model(MailAccount, row, at_account)
        account.owner = user
        if row[at_mailbox] is not None:
            mailbox = _model(Mailbox, row, at_mailbox)
            mailbox.domain = _model(Domain, row, at_domain)
            mailbox.domain.customer = _model(Customer, row, at_customer)
            account.mailbox = mailbox
        accounts.append(account)
    return Standing(user, tuple(accounts), user.hash_for([one.mailbox for one in accounts if one.mailbox]))


def _model(model: type[Model], row: Row, at: int) -> Any:
    """One object out of a row, its first column at `at`."""
    names, converts = _columns(model, connection.vendor)
    values = [
        convert(value) if convert else value for convert, value in zip(converts, row[at : at + len(names)], strict=True)
    ]
    return model.from_db(connection.alias, names, values)


@cache
def _columns(model: type[Model], vendor: str) -> tuple[list[str], list[Convert | None]]:
    """The fields of a model, and what turns the database's value of each into Python's."""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], [_converter(field) for field in fields]


def _converter(field: Any) -> Convert | None:
    expression = field.get_col(field.model._meta.db_table)
    steps = connection.ops.get_db_converters(expression) + expression.get_db_converters(connection)
    if not steps:
        return None

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, expression, connection)
        return value

    return convert


def _own(kept: Standing) -> Standing:
    """The same with objects that nobody else holds: a request may change them."""
    user = _copied(kept.user)
    accounts = []
    for one in kept.accounts:
        account = _copied(one)
        account.owner = user
        if one.mailbox is not None:
            mailbox = _copied(one.mailbox)
            mailbox.domain = _copied(one.mailbox.domain)
            mailbox.domain.customer = _copied(one.mailbox.domain.customer)
            account.mailbox = mailbox
        account.special_folders = copy.deepcopy(account.special_folders) if account.special_folders else {}
        accounts.append(account)
    return Standing(user, tuple(accounts), kept.session_hash)


def _copied(one: Any) -> Any:
    """A shallow copy of a row's object, with a state of its own."""
    model: Any = type(one)
    twin = model.__new__(model)  # `copy.copy` goes by pickle's way, at ten times the work
    twin.__dict__.update(one.__dict__)
    twin._state = state = ModelState()
    state.db, state.adding, state.fields_cache = one._state.db, one._state.adding, {}
    return twin
