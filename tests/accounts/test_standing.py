"""Who is asking: one question for a request, true at once whoever changed what."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount, User
from accounts.services.login import Known, look_up
from accounts.sessions import SessionStore
from accounts.standing import find_standing

pytestmark = [pytest.mark.server]


def sign_in(client: Client, made: Any) -> MailAccount:
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    return MailAccount.objects.get(address=made.address)


def test_it_is_what_the_models_say(mailbox_factory: Any, client: Client) -> None:
    account = sign_in(client, mailbox_factory())
    MailAccount.objects.filter(pk=account.pk).update(special_folders={"sent": "abc"})
    MailAccount.objects.create(owner=account.owner, address="otra@afuera.test", imap_host="imap.afuera.test")
    found = find_standing(account.owner_id)
    assert found
    everything = list(
        MailAccount.objects.select_related("mailbox__domain", "owner").filter(owner=account.owner).order_by("pk")
    )
    for mine, theirs in zip(found.accounts, everything, strict=True):
        for one, other in ((mine, theirs), (mine.owner, theirs.owner), (mine.mailbox, theirs.mailbox)):
            assert one == other
            if one is not None:
                assert [getattr(one, f.attname) for f in one._meta.concrete_fields] == [
                    getattr(other, f.attname) for f in other._meta.concrete_fields
                ]
    assert found.session_hash == User.objects.get(pk=account.owner_id).get_session_auth_hash()


@pytest.mark.django_db
def test_a_person_without_a_mailbox_and_nobody() -> None:
    user = User.objects.create_user("sola@afuera.test")
    found = find_standing(user.pk)
    assert found
    assert (found.user, found.accounts) == (user, ())
    assert find_standing(user.pk + 1000) is None


def test_what_one_request_changes_is_no_other_request_s(mailbox_factory: Any, client: Client) -> None:
    account = sign_in(client, mailbox_factory())
    first = find_standing(account.owner_id)
    assert first
    first.accounts[0].special_folders["sent"] = "x"
    first.user.language = "zz"
    again = find_standing(account.owner_id)
    assert again
    assert (again.accounts[0].special_folders, again.user.language == "zz") == ({}, False)


CHANGES = {
    "a password that another program changed": "UPDATE accounts_mailbox SET password = 'x' WHERE id = %s",
    "a mailbox that is suspended": "UPDATE accounts_mailbox SET active = 0 WHERE id = %s",
    "IMAP that is switched off": "UPDATE accounts_mailbox SET imap = 0 WHERE id = %s",
    "a domain that is closed": (
        "UPDATE accounts_domain SET active = 0 WHERE id = (SELECT domain_id FROM accounts_mailbox WHERE id = %s)"
    ),
    "a customer that is suspended": (
        "UPDATE accounts_customer SET suspended = '2026-01-01 00:00:00' WHERE id = "
        "(SELECT d.customer_id FROM accounts_domain d JOIN accounts_mailbox m ON m.domain_id = d.id WHERE m.id = %s)"
    ),
    "a person who is closed": (
        "UPDATE accounts_user SET is_active = 0 WHERE id = "
        "(SELECT owner_id FROM accounts_mailaccount WHERE mailbox_id = %s)"
    ),
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
def test_the_next_request_is_refused(mailbox_factory: Any, client: Client, statement: str) -> None:
    made = mailbox_factory()
    account = sign_in(client, made)
    url = reverse("live", args=[account.pk])
    assert client.get(url).status_code == 204
    with connection.cursor() as cursor:
        cursor.execute(statement, [made.mailbox.pk])
    assert client.get(url).status_code == 302


def test_another_person_s_account_is_not_found(mailbox_factory: Any, client: Client) -> None:
    other = sign_in(Client(), mailbox_factory("berta"))
    sign_in(client, mailbox_factory("ana"))
    assert client.get(reverse("live", args=[other.pk])).status_code == 404


def test_a_request_asks_the_database_once(mailbox_factory: Any, client: Client, django_assert_num_queries: Any) -> None:
    account = sign_in(client, mailbox_factory())
    with django_assert_num_queries(1):
        client.get(reverse("live", args=[account.pk]))


def test_a_session_that_has_ended_opens_nothing(mailbox_factory: Any, client: Client) -> None:
    account = sign_in(client, mailbox_factory())
    key = client.session.session_key
    client.post(reverse("account_logout"))
    assert SessionStore(key).get(SESSION_KEY) is None
    client.cookies["casilla"] = str(key)
    assert client.get(reverse("live", args=[account.pk])).status_code == 302


def test_what_an_address_is_here_is_one_question(mailbox_factory: Any, django_assert_num_queries: Any) -> None:
    hosted = mailbox_factory().address
    User.objects.create_user("own@elsewhere.test", "a-password-of-her-own")
    User.objects.create_user("mail@elsewhere.test")
    domain = hosted.partition("@")[2]
    with django_assert_num_queries(5):
        assert look_up(hosted) == Known(mailbox=True, person=False, domain=True)
        assert look_up(f"nobody@{domain}") == Known(mailbox=False, person=False, domain=True)
        assert look_up("own@elsewhere.test") == Known(mailbox=False, person=True, domain=False)
        assert look_up("mail@elsewhere.test") == Known(mailbox=False, person=False, domain=False)
        assert look_up("no address") == Known(mailbox=False, person=False, domain=False)


def test_a_new_session_is_written_once_when_it_is_saved(db: None, django_assert_num_queries: Any) -> None:
    session = SessionStore()
    session["word"] = "one"
    with django_assert_num_queries(0):
        session.cycle_key()
    key = session.session_key
    assert key is not None
    assert len(key) == 32
    assert SessionStore(key).get("word") is None
    with django_assert_num_queries(3):  # one row, in a transaction
        session.save()
    session["word"] = "two"
    session.save()
    assert SessionStore(key).get("word") == "two"


def test_a_session_takes_no_key_that_somebody_has(db: None) -> None:
    session, other = SessionStore(), SessionStore()
    session.save()
    other.create()
    other._session_key = session.session_key
    with pytest.raises(CreateError):
        other.save()


def test_sessions_outlast_the_loss_of_redis(mailbox_factory: Any, client: Client) -> None:
    from django.core.cache import cache

    account = sign_in(client, mailbox_factory())
    cache.clear()
    assert client.get(reverse("live", args=[account.pk])).status_code == 204


def test_pages_go_on_while_redis_is_away(mailbox_factory: Any, client: Client, settings: Any) -> None:
    account = sign_in(client, mailbox_factory())
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert client.get(reverse("live", args=[account.pk])).status_code == 204


def test_threads_ask_at_the_same_time(mailbox_factory: Any, client: Client) -> None:
    account = sign_in(client, mailbox_factory())
    found: list[Any] = []

    def ask() -> None:
        found.extend(find_standing(account.owner_id) for _ in range(50))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one.user) for one in found}) == 200
