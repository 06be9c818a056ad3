"""What differs is told, all of it; what only changed meanwhile, or is read differently for good reasons, is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.contract.test_source import letter
from tests.data.hostile import hostile_messages
from tests.parity.conftest import Mailbox
from webmail.services import parity
from webmail.sources.cache import MailCache
from webmail.values import FolderId, Query, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
INBOX = FolderId("INBOX")


def cache_of(mailbox: Mailbox) -> MailCache:
    return MailCache(settings.REDIS_URL, str(mailbox.account.pk))


def told(mailbox: Mailbox, tell: Callable[[Any], None] = lambda _report: None) -> list[tuple[str, int]]:
    return [(one.field, one.uid) for one in mailbox.verify(tell).differences]


def test_nothing_differs_in_a_mailbox_with_everything(mailbox: Mailbox) -> None:
    report = mailbox.verify()
    assert report.differences == []
    assert (report.messages, report.untold, report.restless) == (17 + 7, 0, 0)
    assert report.folders == 6 + 7


def test_a_row_that_was_kept_wrongly_is_told(mailbox: Mailbox) -> None:
    with mailbox.source() as source:
        row = next(row for row in source.page(INBOX, Query(), Window(0, 50)).rows if row.subject == "Carta 7")
    wrong = replace(row, subject="Otra carta", size_bytes=row.size_bytes + 1)
    cache_of(mailbox).keep_rows([wrong])
    report = mailbox.verify()
    assert {(one.field, one.ours, one.theirs) for one in report.differences} == {
        ("subject", "Otra carta", "Carta 7"),
        ("size", str(row.size_bytes + 1), str(row.size_bytes)),
    }
    assert {one.uid for one in report.differences} == {int(row.ref.id)}


def test_more_differences_than_are_looked_at_together_are_told(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "SUSPECTS", 2)
    with mailbox.source() as source:
        rows = source.page(INBOX, Query(), Window(0, 7)).rows
    cache_of(mailbox).keep_rows([replace(row, size_bytes=1) for row in rows])
    assert sorted(told(mailbox)) == sorted(("size", int(row.ref.id)) for row in rows)


def test_a_list_that_was_kept_wrongly_is_told(mailbox: Mailbox) -> None:
    with mailbox.source() as source:
        source.page(INBOX, Query(), Window(0, 50))
    mark, order = cache_of(mailbox).orders(INBOX, ["date"])[0]  # type: ignore[misc]
    order.remove(7)
    order.append(4_000_000)
    cache_of(mailbox).keep_orders(INBOX, {"date": (mark, order)})
    assert told(mailbox) == [("missing", 7)]


def test_counts_that_were_kept_wrongly_are_told(mailbox: Mailbox) -> None:
    mailbox.verify()
    mark, numbers = cache_of(mailbox).numbers("marked", [INBOX])[0]  # type: ignore[misc]
    numbers[1] = 0
    cache_of(mailbox).keep_orders(INBOX, {"marked": (mark, numbers)})
    (one,) = mailbox.verify().differences
    assert (one.field, one.ours, one.theirs) == ("counts", "17 / 2 / 0", "17 / 2 / 1")


def test_what_changes_meanwhile_is_no_difference(mailbox: Mailbox) -> None:
    steps = iter(range(1_000))

    def change(_report: Any) -> None:
        step = next(steps)
        if step > 6:
            return
        mailbox.imap.select_folder("INBOX")
        mailbox.imap.append("INBOX", letter(f"Nueva {step}", day=step))
        mailbox.imap.add_flags([6 + step], [rb"\Flagged", rb"\Seen"])
        mailbox.imap.delete_messages([15 + step])
        mailbox.imap.expunge([15 + step])
        mailbox.imap.append("Obras", letter(f"Otra {step}"))

    report = mailbox.verify(change)
    assert report.differences == []
    assert next(steps) > 6


def test_a_folder_made_anew_meanwhile_is_no_difference(mailbox: Mailbox) -> None:
    done: list[bool] = []

    def renew(_report: Any) -> None:
        if not done:
            done.append(True)
            mailbox.imap.delete_folder("Obras/Ñuñoa")
            mailbox.imap.create_folder("Obras/Ñuñoa")
            mailbox.imap.delete_folder("🎉 Fiesta")

    report = mailbox.verify(renew)
    assert report.differences == []
    assert report.restless == 1


def test_mail_that_breaks_the_rules_is_untold_and_never_a_difference(mailbox: Mailbox) -> None:
    mailbox.imap.create_folder("Malas")
    bad = [raw for _name, raw in hostile_messages(heavy=False) if raw]
    for raw in bad:
        mailbox.imap.append("Malas", raw)
    report = mailbox.verify()
    assert report.differences == []
    assert report.messages == 24 + len(bad)
    assert 0 < report.untold < len(bad)  # most of their headers are plain


def test_the_command_says_it_in_words_and_as_json(mailbox: Mailbox) -> None:
    out = StringIO()
    call_command("verify_parity", mailbox.made.address, stdout=out, stderr=StringIO())
    assert out.getvalue().startswith("Nothing differs: 13 folders, 24 messages, at ")
    with mailbox.source() as source:
        row = source.page(INBOX, Query(), Window(0, 1)).rows[0]
    cache_of(mailbox).keep_rows([replace(row, subject="Otra")])
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_parity", mailbox.made.address, "--json", stdout=out, stderr=StringIO())
    report = json.loads(out.getvalue())
    assert ended.value.code == 1
    assert (report["same"], report["found"], report["differences"][0]["field"]) == (False, 1, "subject")


def test_a_server_that_is_away_is_no_report(mailbox: Mailbox, settings: Any) -> None:
    settings.IMAP_PORT = 1
    with pytest.raises(CommandError) as ended:
        call_command("verify_parity", mailbox.made.address, stdout=StringIO(), stderr=StringIO())
    assert ended.value.returncode == 2
