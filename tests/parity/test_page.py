"""The page that holds a mailbox against its server: whose it is, what it does and what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.parity.conftest import Mailbox
from tests.webmail.test_changes import signed_in
from webmail.models import Comparison
from webmail.services import parity_jobs
from webmail.services.parity_jobs import clear_comparisons, start_comparison
from webmail.sources.cache import MailCache
from webmail.tasks import compare_due
from webmail.values import FolderId, Query, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
HTMX = {"HX-Request": "true"}


def english(client: Client) -> Client:
    client.cookies["casilla_language"] = "en"
    return client


@pytest.fixture
def owner(mailbox: Mailbox) -> Client:
    return english(signed_in(mailbox.made))


@pytest.fixture
def url(mailbox: Mailbox) -> str:
    return reverse("parity", args=[mailbox.account.pk])


def text(client: Client, url: str, **more: Any) -> str:
    answer = client.get(url, **more)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_comparison_is_begun_made_by_a_worker_and_told(owner: Client, mailbox: Mailbox, url: str) -> None:
    assert "Compare now" in text(owner, url)
    assert owner.post(url, {"do": "start"}).headers["Location"] == url
    assert "Begins in a moment" in text(owner, url, headers=HTMX)
    assert compare_due() == 1
    page = text(owner, url)
    assert "Nothing differs" in page
    assert "13 folders" in page
    assert "24 messages" in page
    assert 'hx-trigger="load delay' not in page


def test_differences_are_told_in_words_and_no_subject_is_kept(owner: Client, mailbox: Mailbox, url: str) -> None:
    with mailbox.source() as source:
        row = source.page(FolderId("INBOX"), Query(), Window(0, 1)).rows[0]
    cache = MailCache(settings.REDIS_URL, str(mailbox.account.pk))
    cache.keep_rows([replace(row, subject="Algo secreto", size_bytes=1)])
    owner.post(url, {"do": "start"})
    compare_due()
    page = text(owner, url)
    assert "2 differences" in page
    assert "The subject is another." in page
    assert "The size is another." in page
    assert f"message {row.ref.id}" in page
    assert "secreto" not in str(Comparison.objects.get().differences)
    assert "secreto" not in page


def test_strangers_are_refused_and_staff_sees_it_without_links(
    owner: Client, mailbox: Mailbox, mailbox_factory: Any, url: str
) -> None:
    stranger = signed_in(mailbox_factory("berta"))
    assert stranger.get(url).status_code == 404
    assert stranger.post(url, {"do": "start"}).status_code == 404
    assert Client().get(url).status_code == 302
    assert Client().post(url, {"do": "start"}).status_code == 302
    assert not Comparison.objects.exists()
    staff = english(signed_in(mailbox_factory("soporte")))
    User.objects.filter(email__startswith="soporte").update(is_superuser=True)
    staff.post(url, {"do": "start"})
    compare_due()
    page = text(staff, url)
    assert "Nothing differs" in page
    assert "Back to the mail" not in page
    assert staff.get(reverse("parity", args=[99_999])).status_code == 404


def test_what_is_no_order_is_refused(owner: Client, url: str) -> None:
    assert owner.post(url, {"do": "burn"}).status_code == 400
    assert owner.put(url).status_code == 405


def test_it_is_stopped_before_and_while_a_worker_has_it(
    owner: Client, mailbox: Mailbox, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.post(url, {"do": "start"})
    owner.post(url, {"do": "stop"})
    assert "Stopped before the end." in text(owner, url)
    assert compare_due() == 0
    monkeypatch.setattr(parity_jobs, "TELL_EVERY_S", 0.0)
    job = start_comparison(mailbox.account)
    Comparison.objects.filter(pk=job.pk).update(stopping=True)
    compare_due()
    job.refresh_from_db()
    assert job.state == Comparison.State.CANCELLED


def test_there_is_one_at_a_time_and_the_last_is_kept(owner: Client, mailbox: Mailbox, url: str) -> None:
    first = start_comparison(mailbox.account)
    assert start_comparison(mailbox.account) == first
    compare_due()
    second = start_comparison(mailbox.account)
    compare_due()
    assert list(Comparison.objects.all()) == [second]
    Comparison.objects.update(ended=timezone.now() - parity_jobs.KEEP * 2)
    assert clear_comparisons() == 1


def test_a_server_that_is_away_is_told(owner: Client, mailbox: Mailbox, url: str, settings: Any) -> None:
    settings.IMAP_PORT = 1
    start_comparison(mailbox.account)
    compare_due()
    assert "The server does not answer" in text(owner, url)


def test_a_worker_that_dies_each_time_is_not_tried_for_ever(owner: Client, mailbox: Mailbox, url: str) -> None:
    job = start_comparison(mailbox.account)
    Comparison.objects.filter(pk=job.pk).update(attempts=parity_jobs.TRIES, state=Comparison.State.RUNNING)
    compare_due()
    assert "cut short again and again" in text(owner, url)
