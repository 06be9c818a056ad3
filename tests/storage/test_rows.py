"""What a stored message's row says is what a row read over IMAP says, for the same octets."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from accounts.models import MailAccount, User
from tests.data.hostile import hostile_messages
from webmail.imap.pool import pool
from webmail.models import LocalMessage
from webmail.sources.base import MailSource
from webmail.sources.imap import open_imap
from webmail.sources.open import open_store
from webmail.storage.rows import describe, index_pending
from webmail.values import Credentials, Endpoint, FolderId, Query, Summary, Window

INBOX = FolderId("INBOX")
DIFFERENT = {
    # Over IMAP a list reads the first 16 KiB of the fields that it needs; here the header is at hand.
    **dict.fromkeys(["from-comment-bomb", "from-name-long", "from-quote-bomb", "header-fields-5000"], "long"),
    **dict.fromkeys(["subject-encoded-almost", "subject-encoded-bomb", "subject-encoded-bomb-charsets"], "long"),
    **dict.fromkeys(["subject-encoded-opens", "subject-folds", "subject-huge", "subject-huge-no-space"], "long"),
    # Dovecot stores other octets than it was given: NUL, and CR or LF alone.
    **dict.fromkeys(
        ["bare-cr", "boundary-bare-cr", "cr-cr-lf", "encoding-binary", "from-nul", "nul-in-header"], "octets"
    ),
    **dict.fromkeys(["mixed-line-ends", "smuggled-end", "bom-first"], "octets"),
}
"""Messages that read otherwise, and why."""
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def test_describe_reads_any_header() -> None:
    for _name, raw in hostile_messages():
        fields = describe(raw[: 256 * 1024], size_bytes=len(raw), received=WHEN)
        assert fields["date"].tzinfo is not None


def test_received_is_when_the_server_took_it() -> None:
    raw = b"Received: from a by b; Tue, 3 Mar 2026 10:00:00 -0300\r\nReceived: old; Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n"
    assert describe(raw, size_bytes=1, received=WHEN)["received"] == datetime(2026, 3, 3, 13, tzinfo=UTC)


@pytest.fixture
def both(mailbox_factory: Any, stack: Any, settings: Any, tmp_path: Path) -> Any:
    """A source on Dovecot and one on the store, and what puts a message into each."""
    settings.STORE_DIR = tmp_path / "store"
    made = mailbox_factory("ana", quota_bytes=10**10)
    owner = User.objects.create_user("ana@local.test")
    account = MailAccount.objects.create(owner=owner, address=owner.email, mode=MailAccount.Mode.DOWNLOAD)
    live = open_imap(
        Endpoint("127.0.0.1", stack.ports.imap, "none"),
        Credentials(made.address, made.password),
        account_key=made.address,
    )
    yield live, open_store(account)
    live.close()
    pool.close_all()


def rows(source: MailSource) -> list[Summary]:
    found = source.page(INBOX, Query(sort="size"), Window(0, 2000)).rows
    return sorted(found, key=lambda row: int(row.ref.id))


def test_hostile_messages_read_as_over_imap(both: tuple[MailSource, MailSource]) -> None:
    live, local = both
    names = []
    for name, raw in list(hostile_messages())[:: int(os.environ.get("HOSTILE_STEP", "4"))]:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # what Dovecot gives back has CRLF only
        if 0 < len(raw) < 200_000:
            for source in both:
                source.append(INBOX, raw, received=WHEN)
            names.append(name)
    differ: dict[str, list[str]] = {}
    for name, one, two in zip(names, rows(live), rows(local), strict=True):
        for what, first, second in compared(live, local, one, two):
            if first != second and name not in DIFFERENT:
                differ.setdefault(what, []).append(name)
    assert not differ, {what: found[:6] for what, found in differ.items()}


def compared(live: MailSource, local: MailSource, one: Summary, two: Summary) -> list[tuple[str, Any, Any]]:
    """What must be the same, by name: of the rows, and of the messages opened."""
    out = [
        (name, getattr(one, name), getattr(two, name))
        for name in ("subject", "sender", "recipients", "sent", "received", "size_bytes", "message_id")
    ]
    first, second = live.message(one.ref), local.message(two.ref)
    out += [
        (f"message.{name}", getattr(first, name), getattr(second, name)) for name in ("headers", "to", "cc", "reply_to")
    ]
    return out


def test_rows_that_were_pulled_get_their_bodies_later(both: tuple[MailSource, MailSource]) -> None:
    _live, local = both
    raw = b"Subject: x\r\nContent-Type: text/plain\r\n\r\n" + b"Hola y adi\xf3s, Mu\xf1oz\r\n"
    local.append(INBOX, raw)
    LocalMessage.objects.update(indexed=False, snippet="")
    account = LocalMessage.objects.get().account_id
    assert index_pending(account) == 1
    assert rows(local)[0].snippet.startswith("Hola y")
    assert local.page(INBOX, Query(text="munoz", in_body=True), Window()).total == 1
    assert local.page(INBOX, Query(text="munoz"), Window()).total == 0
