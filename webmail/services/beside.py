"""What a page shows beside the mail of an account, as far as one query tells: most accounts have little of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from accounts.models import MailAccount
from webmail.models import Composing, Outgoing, OwnTag
from webmail.services.sending import UNDER_WAY


@dataclass(frozen=True, slots=True)
class Beside:
    """How many messages are on their way or stuck; whether there are composers that are not closed, tags that its owner made,
    and other accounts of theirs."""

    outgoing: int
    composing: bool
    tags: bool
    others: bool


def look_beside(account: MailAccount) -> Beside:
    """One query. What it counts is what `sending.pending` lists."""
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(connection.vendor),
            [account.pk, *UNDER_WAY, Outgoing.State.SENT, account.pk, False, account.pk, account.owner_id, account.pk],
        )
        outgoing, composing, tags, others = cursor.fetchone()
    return Beside(int(outgoing), bool(composing), bool(tags), bool(others))


@lru_cache
def _statement(_vendor: str) -> str:
    quote = connection.ops.quote_name
    outgoing, composing, tags, accounts = (
        quote(model._meta.db_table) for model in (Outgoing, Composing, OwnTag, MailAccount)
    )
    states = ", ".join(["%s"] * len(UNDER_WAY))
    return (
        f"SELECT (SELECT COUNT(*) FROM {outgoing} WHERE account_id = %s"  # noqa: S608 - names of our own tables
        f" AND (state IN ({states}) OR (state = %s AND note <> ''))),"
        f" EXISTS (SELECT 1 FROM {composing} WHERE account_id = %s AND closed = %s),"
        f" EXISTS (SELECT 1 FROM {tags} WHERE account_id = %s),"
        f" EXISTS (SELECT 1 FROM {accounts} WHERE owner_id = %s AND id <> %s)"
    )
