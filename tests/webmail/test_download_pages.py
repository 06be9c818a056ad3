"""Download mode as people see it, on the real Dovecot: where each message lives, the strip above the list, the log."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from accounts.models import Change
from accounts.services.login import account_of_mailbox
from tests.webmail.conftest import Boxed, letter
from webmail.models import Download, LedgerEntry, LocalMessage, Pull, Transfer
from webmail.services.pull_log import where_of
from webmail.services.pulls import PROBLEMS, pull_state
from webmail.services.schedule import CODES
from webmail.services.whereabouts import whereabouts
from webmail.values import FolderId, Ref

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
HTMX = {"HX-Request": "true"}


def on_server(boxed: Boxed) -> int:
    boxed.imap.select_folder("INBOX", readonly=True)
    return len(boxed.imap.search())


# --- the mail pages ---------------------------------------------------------------------------------------------------


def test_each_row_says_where_its_message_lives(boxed: Boxed) -> None:
    boxed.pull()
    one, two, three = LocalMessage.objects.order_by("pk")
    LedgerEntry.objects.filter(message=one).update(state="removed", gone_at=timezone.now())
    LedgerEntry.objects.filter(message=two).update(state="taken", gone_at=timezone.now())
    page = boxed.get("folder", FolderId("INBOX"))
    assert 'data-mode="pop"' in page
    assert "and stays on the server for 14 days" in page
    assert "removed from the server" in page
    assert "taken by another program" in page
    assert re.search(r'data-at="both"[^>]*></i>copy until \d+ Dec', page)
    LedgerEntry.objects.filter(message=three).delete()
    assert "only in Casilla" in boxed.get("folder", FolderId("INBOX"))


def test_the_places_of_a_list_take_one_query_however_long_it_is(boxed: Boxed) -> None:
    boxed.pull()
    refs = [Ref(FolderId("INBOX"), 1, str(pk)) for pk in LocalMessage.objects.values_list("pk", flat=True)]
    for some in (refs[:1], refs):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(whereabouts(boxed.account, some)) == len(some)
        assert len(queries) == 1


def test_the_time_on_the_server_that_is_left_goes_down_by_fives(boxed: Boxed) -> None:
    boxed.pull()
    message = LocalMessage.objects.first()
    assert message
    ref = Ref(FolderId("INBOX"), 1, str(message.pk))
    now = timezone.now()
    for days, left in ((14, 100), (7, 50), (1, 5), (0.01, 5)):
        entry = LedgerEntry.objects.filter(message=message)
        entry.update(stored_at=now - timedelta(days=14 - days), remove_at=now + timedelta(days=days))
        place = whereabouts(boxed.account, [ref])[ref]
        assert (place.kind, place.left) == ("until", left)
    entry.update(remove_at=now - timedelta(seconds=1))
    assert whereabouts(boxed.account, [ref])[ref].kind == "leaving"


def test_an_imap_account_shows_nothing_of_all_this(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    imap(made.address).append("INBOX", letter(1))
    page = client.get("/", follow=True).content.decode()
    assert 'data-mode="imap"' in page
    assert 'class="pull"' not in page
    assert 'row__snip"><span class="place' not in page
    account = account_of_mailbox(made.mailbox)
    assert client.get(reverse("downloads", args=[account.pk])).status_code == 404
    assert client.get(reverse("pull_strip", args=[account.pk])).status_code == 404
    url = reverse("messages_change", args=[account.pk, FolderId("INBOX")])
    assert client.post(url, {"do": "drop_copy", "ref": "1.1"}).status_code == 400


def test_the_reader_tells_the_way_of_a_message_and_what_can_be_done(boxed: Boxed) -> None:
    boxed.pull()
    message = LocalMessage.objects.get(subject="Carta 1")
    page = boxed.get("message", FolderId("INBOX"), 1, str(message.pk)).partition('id="letter-place"')[2]
    assert "On the server and here, for 14 more days" in page
    assert "copy verified" in page
    assert "Will be removed from the server" in page
    assert 'value="keep_copy"' in page
    assert 'value="drop_copy"' in page
    assert 'value="policy_copy"' not in page


def test_a_copy_is_kept_follows_the_policy_again_and_is_removed(boxed: Boxed) -> None:
    boxed.pull()
    message = LocalMessage.objects.get(subject="Carta 1")
    answer = boxed.change("keep_copy", message, headers=HTMX).content.decode()
    assert "1 copy stays on the server" in answer
    assert 'id="letter-place"' in answer
    assert "On the server and here, for good" in answer
    entry = LedgerEntry.objects.get(message=message)
    assert (entry.remove_at, entry.hold) == (None, True)
    assert "1 copy follows the policy again" in boxed.change("policy_copy", message, headers=HTMX).content.decode()
    entry.refresh_from_db()
    assert entry.remove_at
    assert not entry.hold
    plain = boxed.change("drop_copy", message)
    assert plain.status_code == 302
    boxed.pull()
    assert on_server(boxed) == 2
    assert LocalMessage.objects.count() == 3
    assert "there is no copy on the server" in boxed.change("drop_copy", message, headers=HTMX).content.decode()


def test_nobody_decides_about_the_copies_of_others(boxed: Boxed, sign_in: Any) -> None:
    boxed.pull()
    message = LocalMessage.objects.get(subject="Carta 1")
    stranger, _made = sign_in("beto")
    url = reverse("messages_change", args=[boxed.account.pk, FolderId("INBOX")])
    assert stranger.post(url, {"do": "drop_copy", "ref": f"1.{message.pk}"}).status_code == 404
    assert not LedgerEntry.objects.filter(hold=True).exists()


# --- the strip --------------------------------------------------------------------------------------------------------


def test_the_strip_goes_from_never_to_new_mail(boxed: Boxed) -> None:
    assert "Nothing was downloaded yet" in boxed.get("folder", FolderId("INBOX"))
    boxed.pull()
    page = boxed.get("folder", FolderId("INBOX"))
    assert "3 new" in page
    assert "Next download" in page
    assert "hx-trigger" not in page.partition('id="pull"')[2].partition("</section>")[0]


def test_the_strip_asks_again_only_while_a_pull_runs_and_tells_of_new_mail_at_its_end(boxed: Boxed) -> None:
    Download.objects.update(lease_token="x", lease_until=timezone.now() + timedelta(minutes=1))
    pull = Pull.objects.create(account=boxed.account, wanted=10, fetched=4)
    part = boxed.get("pull_strip", headers=HTMX)
    assert "4 of 10 messages" in part
    assert 'hx-trigger="load delay:2s"' in part
    assert f"run={pull.pk}&amp;stored=0" in part
    Pull.objects.update(fetched=8, stored=8)
    grown = boxed.get("pull_strip", query=f"?run={pull.pk}&stored=4&folder=SU5CT1g", headers=HTMX)
    assert 'data-behaviour="arrived"' in grown
    assert 'aria-current="page"' in grown
    Pull.objects.update(outcome="complete", fetched=10, stored=8, ended=timezone.now())
    Download.objects.update(lease_until=None)
    end = boxed.get("pull_strip", query=f"?run={pull.pk}&stored=8", headers=HTMX)
    assert "hx-trigger" not in end
    assert 'data-behaviour="arrived"' not in end
    assert 'hx-target="#tree"' in end


def test_a_pull_whose_worker_died_runs_no_more(boxed: Boxed) -> None:
    Pull.objects.create(account=boxed.account, wanted=10, fetched=4)
    Download.objects.update(lease_token="x", lease_until=timezone.now() - timedelta(seconds=1))
    state = pull_state(boxed.account)
    assert state
    assert state.running is None


def test_a_pull_that_was_asked_for_is_waited_for_a_minute(boxed: Boxed) -> None:
    now = timezone.now()
    state = pull_state(boxed.account, asked=now)
    assert state
    assert state.moving
    for asked in (now - timedelta(seconds=70), now + timedelta(hours=1)):
        state = pull_state(boxed.account, asked=asked)
        assert state
        assert not state.moving
    boxed.pull()
    state = pull_state(boxed.account, asked=now)
    assert state
    assert not state.moving


# --- the page of downloads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["downloads", "download_settings", "pull_strip"])
def test_the_pages_are_their_owners_alone(boxed: Boxed, sign_in: Any, name: str) -> None:
    url = reverse(name, args=[boxed.account.pk])
    assert boxed.client.get(url, headers=HTMX).status_code == 200
    assert Client().get(url).status_code == 302
    assert boxed.client.put(url).status_code == 405
    stranger, _made = sign_in("beto")
    assert stranger.get(url).status_code == 404
    assert stranger.post(url, {"do": "start"}).status_code == 404
    assert boxed.post(name, {"do": "explode"}).status_code in {400, 422}


def test_the_log_shows_pulls_in_words_and_adds_them_up(boxed: Boxed) -> None:
    boxed.pull()
    now = timezone.now()
    Pull.objects.create(
        account=boxed.account, started=now, ended=now, outcome="failed", problem="busy", detail="<b>locked</b>"
    )
    page = boxed.get("downloads")
    assert "3 new" in page
    assert "Another program has the mailbox open" in page
    assert "&lt;b&gt;locked&lt;/b&gt;" in page
    assert "1 of 2 without errors" in page
    part = boxed.get("downloads", query="?show=errors", headers=HTMX)
    assert "<html" not in part
    assert "3 new" not in part.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "No download of this kind" in boxed.get("downloads", query="?show=new&page=9") or "3 new" in page


def test_pause_and_resume(boxed: Boxed) -> None:
    assert boxed.post("downloads", {"do": "pause"}).status_code == 302
    assert boxed.download.paused
    assert "Resume" in boxed.get("downloads")
    part = boxed.post("downloads", {"do": "resume"}, headers=HTMX).content.decode()
    assert not boxed.download.paused
    lines = Change.objects.filter(verb="mailbox.download").order_by("pk").values_list("after", flat=True)
    assert list(lines) == [{"paused": True}, {"paused": False}]
    assert "A download begins in a moment" in part


def test_download_now_asks_the_workers(boxed: Boxed, settings: Any) -> None:
    Download.objects.update(due=timezone.now() + timedelta(hours=1))
    broker = Redis.from_url(settings.CELERY_BROKER_URL)
    broker.delete("pull")
    part = boxed.post("pull_strip", {"do": "start"}, headers=HTMX).content.decode()
    assert "A download begins in a moment" in part
    assert "asked=" in part
    assert boxed.download.due <= timezone.now()
    assert [b"webmail.tasks.pull_one" in message for message in broker.lrange("pull", 0, -1)] == [True]
    broker.delete("pull")


def test_what_is_too_large_waits_and_is_fetched_anyway(boxed: Boxed) -> None:
    boxed.imap.append("INBOX", letter(7, size=30_000))
    Download.objects.update(max_bytes=10_000)
    assert boxed.pull().outcome == "partial"
    page = boxed.get("downloads")
    assert "larger than the limit" in page
    assert "the limit is 10\xa0KB" in page
    entry = LedgerEntry.objects.get(state="waiting")
    part = boxed.post("downloads", {"do": "fetch", "entry": entry.pk}, headers=HTMX).content.decode()
    assert "comes with the next download" in part
    assert boxed.pull().stored == 1
    entry.refresh_from_db()
    assert (entry.state, entry.hold) == ("kept", False)
    assert entry.remove_at
    assert LocalMessage.objects.filter(subject="Carta 7").count() == 1
    assert boxed.post("downloads", {"do": "fetch", "entry": entry.pk}, headers=HTMX).status_code == 422


def test_the_figures_count_each_message_once(boxed: Boxed) -> None:
    boxed.pull()
    one, two, _three = LedgerEntry.objects.order_by("pk")
    LedgerEntry.objects.filter(pk=one.pk).update(state="removed")
    LedgerEntry.objects.filter(pk=two.pk).update(state="taken")
    where = where_of(boxed.account)
    assert (where.waiting, where.both, where.here, where.taken, where.server, where.total) == (0, 1, 1, 1, 0, 3)
    assert sum(share for _css, share in where.shares) in range(98, 103)
    LocalMessage.objects.filter(copies__state="kept").delete()
    assert where_of(boxed.account).server == 1


def test_every_code_has_words() -> None:
    assert {code for _kind, code in CODES} | {"refused", "interrupted", "lease"} <= set(PROBLEMS)


def test_while_the_mailbox_goes_to_its_server_nothing_can_be_downloaded(boxed: Boxed) -> None:
    Transfer.objects.create(account=boxed.account, kind="to_imap", state="running", total=3)
    state = pull_state(boxed.account, asked=timezone.now())
    assert state
    assert (state.state, state.moving, state.next) == ("leaving", False, None)
    assert "The mail is being put on the server" in boxed.get("folder", FolderId("INBOX"))
    assert "Until that is over, nothing is downloaded" in boxed.get("downloads")


@pytest.mark.parametrize(("state", "problem"), [("failed", "full"), ("stopped", "")])
def test_a_change_that_has_stopped_is_told_with_both_ways_out(boxed: Boxed, state: str, problem: str) -> None:
    transfer = Transfer.objects.create(account=boxed.account, kind="to_imap", state=state, problem=problem)
    found = pull_state(boxed.account)
    assert found
    assert (found.state, found.telling, found.next) == ("stuck", True, None)
    page, register = boxed.get("folder", FolderId("INBOX")), boxed.get("downloads")
    assert "until you decide, nothing is downloaded" in page
    assert "Until you go on or give it up, nothing is downloaded" in register
    assert ("The mail does not fit on the server" in register) == bool(problem)
    for told in (page, register):
        assert f'action="{reverse("mode", args=[boxed.account.pk])}"' in told
        assert 'value="resume"' in told
        assert 'value="cancel"' in told
    boxed.client.post(reverse("mode", args=[boxed.account.pk]), {"do": "cancel"})
    transfer.refresh_from_db()
    assert transfer.state == "cancelled"
    assert "nothing is downloaded" not in boxed.get("downloads")
