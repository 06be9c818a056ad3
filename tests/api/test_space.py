"""What space is made of, and downloads that leave copies for longer than need be: the figures and the changes of the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Change, MailAccount, MailboxShares
from accounts.services.login import account_of_mailbox
from accounts.services.usage.shares import keep_shares, sum_domains
from accounts.usage.shares import Part, Shares
from tests.api.conftest import call, conforms, token_of
from tests.portal.conftest import Side, World, world
from webmail.models import Download, LedgerEntry

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def downloading(side: Side, *, days: int) -> Download:
    account = account_of_mailbox(side.mailbox)
    MailAccount.objects.filter(pk=account.pk).update(mode=MailAccount.Mode.DOWNLOAD)
    download = Download.objects.create(account=account, keep=Download.Keep.DAYS, keep_days=days)
    for number, back in enumerate((1, 15, 50)):
        at = timezone.now() - timedelta(days=back)
        values = {"state": LedgerEntry.State.KEPT, "stored_at": at, "size_bytes": 1000 * back}
        LedgerEntry.objects.create(account=account, uidl=f"u{number}", **values)
    return download


def test_retention_is_shortened_and_taken_back_within_what_one_runs(world: World) -> None:
    one, two = downloading(world.one, days=60), downloading(world.two, days=60)
    token, mine, theirs = token_of(world.one.people["customer"]), world.one.mailbox.pk, world.two.mailbox.pk
    found = call(token, "GET", "/space/retention?days=20").json()
    assert [(row["mailbox"], row["keep_days"], row["messages"]) for row in found["items"]] == [(mine, 60, 1)]
    assert (found["total"], found["size_bytes"]) == (1, 50_000)
    foreign = call(token, "POST", "/space/retention", {"days": 14, "mailboxes": [mine, theirs]})
    assert set(foreign.json()["errors"]) == {"mailboxes"}
    made = call(token, "POST", "/space/retention", {"days": 14, "mailboxes": [mine]})
    assert (made.json()["changed"], not conforms("POST", "/space/retention", made)) == (1, True)
    one.refresh_from_db()
    assert one.keep_days == 14
    again = call(token, "POST", "/space/retention", {"days": 14, "mailboxes": [mine]}).json()
    assert (again["changed"], again["undo"]) == (0, None)
    # What somebody else's change has sealed opens nothing that one does not run.
    undo = {"undo": made.json()["undo"]}
    assert call(token_of(world.two.people["customer"]), "POST", "/space/retention/undo", undo).status_code == 409
    assert set(call(token, "POST", "/space/retention/undo", {"undo": "x"}).json()["errors"]) == {"undo"}
    assert call(token, "POST", "/space/retention/undo", undo).json() == {"changed": 1}
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.keep_days, two.keep_days) == (60, 60)
    assert Change.objects.filter(mailbox=mine, actor=world.one.people["customer"]).count() == 2


def test_space_is_shown_by_folder_year_and_size(world: World) -> None:
    shares = Shares(folders=[(("Clientes", "2025"), "other", Part(2, 12_000_000))])
    shares.count("other", 2025, 500_000)
    shares.count("other", 2025, 11_500_000)
    keep_shares(world.one.mailbox, shares, reserve_bytes=700)
    sum_domains()
    token, box = token_of(world.one.people["domain"]), world.one.mailbox.pk
    found = call(token, "GET", f"/mailboxes/{box}/space/shares").json()
    assert found["folders"] == [
        {"path": ["Clientes", "2025"], "kind": "other", "messages": 2, "size_bytes": 12_000_000}
    ]
    assert found["years"] == [{"year": 2025, "messages": 2, "size_bytes": 12_000_000}]
    assert [(one["below_bytes"], one["messages"]) for one in found["sizes"]] == [
        (100_000, 0),
        (1_000_000, 1),
        (10_000_000, 0),
        (None, 1),
    ]
    for query in ("", f"?domain={world.one.domain.pk}"):
        whole = call(token, "GET", f"/space/shares{query}").json()
        assert (whole["weighed"], whole["mailboxes"], whole["total"]["messages"]) == (1, 1, 2)
        assert whole["reserve_bytes"] == 700
    assert call(token, "GET", f"/space/shares?domain={world.two.domain.pk}").status_code == 404
    asked = call(token, "POST", f"/mailboxes/{box}/space/shares")
    assert (asked.status_code, asked.json()["working"]) == (202, True)
    assert MailboxShares.objects.get(mailbox=box).asked is not None


def test_the_letter_of_the_week_is_wanted_or_not(world: World) -> None:
    token = token_of(world.one.people["reseller"])
    assert call(token, "GET", "/space/summary").json() == {"weekly": True}
    assert call(token, "PUT", "/space/summary", {"weekly": False}).json() == {"weekly": False}
    assert call(token, "GET", "/space/summary").json() == {"weekly": False}
    assert call(token_of(world.two.people["reseller"]), "GET", "/space/summary").json() == {"weekly": True}
