"""What goes wrong is told as a problem everywhere, in the language that was asked for; and what is half done is told as well."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import CustomerSpace, DaySpace, Invitation, Mailbox, MailboxSpace, MailboxUsage, Role
from accounts.services.usage.standing import refresh_standing
from tests.api.conftest import BASE, call, conforms, token_of
from tests.portal.conftest import World, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


@pytest.mark.parametrize("path", ["/nada", "/mailboxes/", "/mailboxes/1/nada", "/../v2/x", ""])
def test_an_address_that_is_not_there_is_a_problem(world: World, path: str) -> None:
    token = token_of(world.provider)
    for method in ("get", "post", "put", "delete", "patch"):
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            answer = getattr(Client(headers=headers, enforce_csrf_checks=True), method)(BASE + path)
            assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM), (method, path)
            assert answer.json()["status"] == 404
    for other in ("/api", "/api/", "/api/v2/mailboxes"):
        assert Client().get(other, follow=True).status_code == 404


def test_a_method_that_is_not_taken_is_a_problem(world: World) -> None:
    token = token_of(world.provider)
    answer = call(token, "PUT", "/mailboxes")
    assert (answer.status_code, answer["Content-Type"], answer["Allow"]) == (405, PROBLEM, "GET, HEAD, POST")
    assert answer.json()["detail"] == "This address takes GET, HEAD, POST."


def test_what_was_removed_meanwhile_is_a_problem(world: World) -> None:
    """Somebody else removes the mailbox when this request has just read it."""
    box, token = world.one.mailbox, token_of(world.provider)
    gone: list[int] = []

    def removing(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        if not gone and sql.startswith('SELECT "accounts_mailbox".'):
            gone.append(box.pk)
            Mailbox.objects.filter(pk=box.pk).delete()
        return found

    with connection.execute_wrapper(removing):
        answer = call(token, "PATCH", f"/mailboxes/{box.pk}", {"name": "Otra"})
    assert (gone, answer.status_code, answer["Content-Type"]) == ([box.pk], 404, PROBLEM)


def test_messages_are_in_the_language_that_is_asked_for(world: World) -> None:
    token, side = token_of(world.one.people["domain"]), world.one
    lists = f"/domains/{side.domain.pk}/lists"
    said = {}
    for wanted in ("", "es-CL,es;q=0.9,en;q=0.5", "de, en;q=0.5", "xx"):
        headers = {"Accept-Language": wanted} if wanted else {}
        wrong = call(token, "POST", "/mailboxes", {"domain": side.domain.pk, "local": "ana"}, **headers)
        made = call(token, "POST", lists, {"csv": "address,do\nana,create\n"}, **headers).json()
        rows = call(token, "GET", f"/lists/{made['id']}/rows", **headers).json()["items"]
        said[wanted] = (
            wrong.json()["errors"]["local"][0],
            rows[0]["errors"][0],
            rows[0]["what"],
            wrong["Content-Language"],
        )
    english = said[""]
    assert english[1] == "There is a mailbox, an alias or a group with this address."
    assert english[3] == "en"
    assert said["de, en;q=0.5"] == said["xx"] == english
    spanish = said["es-CL,es;q=0.9,en;q=0.5"]
    assert spanish[3] == "es"
    assert all(one != other for one, other in zip(spanish, english, strict=True)), spanish
    # A cookie is nobody's wish here.
    client = Client(headers={"Authorization": f"Bearer {token}"})
    client.cookies["casilla_language"] = "es"
    assert client.get(f"{BASE}/mailboxes/{side.mailbox.pk}")["Content-Language"] == "en"


@pytest.mark.django_db(transaction=True)
def test_an_invitation_says_whether_its_letter_was_taken(world: World, settings: Any) -> None:
    token = token_of(world.provider)
    data = {"address": "nueva@afuera.example", "kind": "domain", "domain": world.one.domain.pk}
    key = {"Idempotency-Key": "i-1"}
    made = call(token, "POST", "/invitations", data, **key)
    assert (made.status_code, made.json()["letter"], conforms("POST", "/invitations", made)) == (201, "sent", "")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 2
    again = call(
        token, "POST", "/invitations", data | {"address": "otra2@afuera.example"}, **{"Idempotency-Key": "i-2"}
    )
    assert (again.status_code, again.json()["letter"]) == (201, "away")
    replay = call(token, "POST", "/invitations", data, **key)
    assert (replay.json(), replay["Idempotency-Replayed"]) == (made.json(), "true")
    shown = call(token, "GET", f"/invitations?domain={world.one.domain.pk}").json()["items"]
    assert {one["address"]: one["letter"] for one in shown} == {
        "otra@uno.example": "",
        "nueva@afuera.example": "sent",
        "otra2@afuera.example": "away",
    }
    page = world.client(world.provider).get(f"/portal/domains/{world.one.domain.pk}/people/").content.decode()
    assert page.count("letter not sent") == 1
    assert Invitation.objects.count() == 4
    assert not Role.objects.filter(person__email="nueva@afuera.example").exists()


def test_space_says_as_of_when_it_is(world: World) -> None:
    token, side = token_of(world.one.people["customer"]), world.one
    fresh = call(token, "GET", f"/customers/{side.customer.pk}/space").json()
    assert (fresh["used_bytes"], fresh["mailboxes"], fresh["as_of"]) == (0, 0, None)
    MailboxUsage.objects.create(username=side.mailbox.address, bytes=5_000_000, messages=7)
    refresh_standing()
    band = {"full_on": date(2031, 3, 2), "full_early": date(2031, 2, 1), "full_late": None}
    CustomerSpace.objects.create(customer=side.customer, bytes=1, month_bytes=3, **band)  # as it was this morning
    told = call(token, "GET", f"/customers/{side.customer.pk}/space").json()
    assert [told[name] for name in band] == ["2031-03-02", "2031-02-01", None]
    for where in (f"/customers/{side.customer.pk}", f"/domains/{side.domain.pk}"):
        found = call(token, "GET", where + "/space").json()
        assert (found["used_bytes"], found["mailboxes"]) == (5_000_000, 1)
        assert found["as_of"] == DaySpace.objects.get().at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # A mailbox is as its server says it, whatever was brought up.
    MailboxUsage.objects.update(bytes=6_000_000, messages=8)
    MailboxSpace.objects.update(bytes=1)
    box = call(token, "GET", f"/mailboxes/{side.mailbox.pk}/space").json()
    assert (box["used_bytes"], box["messages"], box["limit_bytes"]) == (6_000_000, 8, side.mailbox.quota_bytes)
    assert box["as_of"] > timezone.localdate().isoformat()
