"""The API as a billing panel uses it: made once however often it is sent, wrong input told at its field, lists in parts."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from openapi_spec_validator import validate as validate_openapi

from accounts.api.replies import DONE
from accounts.models import ApiReply, ApiToken, AppPassword, Change, Mailbox, Plan, Role
from accounts.services.app_passwords import make_app_password
from accounts.services.tokens import forget_replies
from tests.api.conftest import call, token_of
from tests.portal.conftest import PASSWORD, World, make_mailbox, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def test_a_mailbox_is_made_changed_and_deleted(world: World) -> None:
    token = token_of(world.one.people["domain"])
    made = call(token, "POST", "/mailboxes", {"domain": world.one.domain.pk, "local": "eva", "name": "Eva"})
    assert made.status_code == 201, made.content
    eva = made.json()
    assert (eva["address"], eva["active"], len(eva["password"]) > 15) == ("eva@uno.test", True, True)
    where = f"/mailboxes/{eva['id']}"
    changed = call(token, "PATCH", where, {"quota_bytes": 10**9, "receives": False, "pop3": False}).json()
    assert (changed["quota_bytes"], changed["receives"], changed["sends"], changed["pop3"]) == (
        10**9,
        False,
        True,
        False,
    )
    assert "password" not in changed
    assert call(token, "PUT", f"{where}/forwards", {"addresses": ["x@y.test"], "keeps_copy": False}).status_code == 200
    assert call(token, "POST", f"{where}/rename", {"local": "eva.diaz"}).json()["address"] == "eva.diaz@uno.test"
    assert call(token, "DELETE", where).json()["deleted"] is not None
    assert call(token, "POST", f"{where}/restore").json()["deleted"] is None
    row = Change.objects.get(verb="mailbox.create", thing="eva@uno.test")
    assert (
        row.actor_name
        == f"domain@uno.example ({ApiToken.objects.get(person=world.one.people['domain'], name__contains='panel ').name})"
    )


@pytest.mark.parametrize(("data", "left"), [({}, 0), ({"everywhere": False}, 1)])
def test_a_new_password_revokes_those_of_devices_unless_told_not_to(
    world: World, data: dict[str, bool], left: int
) -> None:
    box = world.one.mailbox
    make_app_password(mailbox=box, name="Mac", protocols=["imap"])
    token = token_of(world.one.people["domain"])
    assert call(token, "POST", f"/mailboxes/{box.pk}/password", data).status_code == 200
    assert AppPassword.objects.filter(mailbox=box).count() == left


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"local": "e v a"}, {"local"}),
        ({"local": "ana"}, {"local"}),
        ({"local": "eva", "quota_bytes": 10**15}, {"quota_bytes"}),
        ({"local": "eva", "password": "1234"}, {"password"}),
        ({"local": "eva", "domain": 999_999}, {"domain"}),
        ({"local": "eva", "recovery_address": "x"}, {"recovery_address"}),
        ({"local": "eva", "quota_bytes": "mucho"}, {"quota_bytes"}),
        ({"local": "eva", "home": "x@y/z"}, {"home"}),
        ({}, {"local"}),
    ],
)
def test_what_is_wrong_is_told_at_its_field(world: World, data: dict[str, Any], fields: set[str]) -> None:
    Plan.objects.update(largest_mailbox_bytes=10**12)
    token = token_of(world.one.people["domain"])
    answer = call(token, "POST", "/mailboxes", {"domain": world.one.domain.pk} | data)
    assert answer.status_code == 422, answer.content
    problem = answer.json()
    assert (problem["status"], problem["title"]) == (422, "Not valid")
    assert set(problem["errors"]) == fields, problem
    assert Mailbox.objects.count() == 2


def test_what_is_no_json_changes_nothing(world: World) -> None:
    token = token_of(world.one.people["domain"])
    headers = {"Authorization": f"Bearer {token}"}
    from django.test import Client

    for body, kind in (
        (b"{", "application/json"),
        (b"\xff\x00", "application/json"),
        (b"a=b", "text/plain"),
        (b"[]", "application/json"),
    ):
        answer = Client(headers=headers).post("/api/v1/mailboxes", body, content_type=kind)
        assert answer.status_code in {400, 422}, (body, answer.status_code)
        assert answer["Content-Type"] == "application/problem+json"
    assert Client(headers=headers).put("/api/v1/mailboxes").status_code == 405


def test_the_same_key_makes_one_thing(world: World) -> None:
    token = token_of(world.one.people["domain"])
    data = {"domain": world.one.domain.pk, "local": "eva"}
    key = {"Idempotency-Key": "pedido-77"}
    first = call(token, "POST", "/mailboxes", data, **key)
    again = call(token, "POST", "/mailboxes", data, **key)
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
    assert first.json() == again.json()
    assert Mailbox.objects.filter(address="eva@uno.test").count() == 1
    assert first.json()["password"] not in ApiReply.objects.get().sealed
    other = call(token, "POST", "/mailboxes", data | {"local": "otra"}, **key)
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)
    another = token_of(world.one.people["customer"])
    assert call(another, "POST", "/mailboxes", data, **key).status_code == 422  # its own key: the address is taken
    assert call(token, "POST", "/mailboxes", data, **{"Idempotency-Key": "x" * 200}).status_code == 400


def test_what_failed_may_be_tried_again_with_its_key(world: World) -> None:
    token = token_of(world.one.people["domain"])
    key = {"Idempotency-Key": "pedido-78"}
    Plan.objects.update(mailbox_limit=1)
    data = {"domain": world.one.domain.pk, "local": "eva"}
    assert call(token, "POST", "/mailboxes", data, **key).status_code == 422
    assert not ApiReply.objects.exists()
    Plan.objects.update(mailbox_limit=10)
    assert call(token, "POST", "/mailboxes", data, **key).status_code == 201


def test_what_was_done_is_not_done_again_when_its_answer_is_lost(world: World) -> None:
    token = token_of(world.one.people["domain"])
    key = {"Idempotency-Key": "pedido-79"}
    data = {"domain": world.one.domain.pk, "local": "eva"}
    call(token, "POST", "/mailboxes", data, **key)
    ApiReply.objects.update(status=DONE, sealed="", created=timezone.now() - timedelta(hours=1))
    answer = call(token, "POST", "/mailboxes", data, **key)
    assert (answer.status_code, "its answer is lost" in answer.json()["detail"]) == (409, True)


def test_who_has_lost_a_role_gets_no_earlier_answer(world: World) -> None:
    person = world.one.people["domain"]
    token = token_of(person)
    key = {"Idempotency-Key": "pedido-80"}
    data = {"domain": world.one.domain.pk, "local": "eva"}
    made = call(token, "POST", "/mailboxes", data, **key)
    assert made.status_code == 201
    Role.objects.filter(person=person).delete()
    answer = call(token, "POST", "/mailboxes", data, **key)
    assert answer.status_code == 422
    assert made.json()["password"] not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_makes_one_thing(world: World) -> None:
    token = token_of(world.one.people["domain"])
    data = {"domain": world.one.domain.pk, "local": "eva"}
    begin, found = threading.Barrier(6), []

    def work() -> None:
        begin.wait()
        try:
            found.append(call(token, "POST", "/mailboxes", data, **{"Idempotency-Key": "a"}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _number in range(6)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert set(found) <= {201, 409}
    assert 201 in found
    assert Mailbox.objects.filter(address="eva@uno.test").count() == 1
    assert ApiReply.objects.get().status == 201
    ApiReply.objects.update(created="2020-01-01T00:00Z")
    assert forget_replies() == 1


def test_lists_come_in_parts(world: World) -> None:
    for number in range(7):
        make_mailbox(world.one.domain, f"caja{number}")
    token = token_of(world.one.people["domain"])
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = call(token, "GET", f"/mailboxes?limit=3&after={after}").json()
        seen += [one["address"] for one in page["items"]]
        after = page["next"]
    assert seen == ["ana@uno.test", *(f"caja{number}@uno.test" for number in range(7))]
    assert call(token, "GET", "/mailboxes?limit=500").status_code == 422
    found = call(token, "GET", "/mailboxes?address=CAJA3@uno.test").json()["items"]
    assert [one["address"] for one in found] == ["caja3@uno.test"]
    assert call(token, "GET", "/domains?name=uno.test").json()["items"][0]["id"] == world.one.domain.pk


def test_who_runs_more_is_not_taken_over(world: World) -> None:
    boss = make_mailbox(world.one.domain, "jefe")
    type(world.provider).objects.filter(pk=world.provider.pk).update(email=boss.address)
    token = token_of(world.one.people["domain"])
    for path, data in ((f"/mailboxes/{boss.pk}/password", {}), (f"/mailboxes/{boss.pk}/rename", {"local": "nadie"})):
        assert call(token, "POST", path, data).status_code == 403
    assert call(token, "PATCH", f"/mailboxes/{boss.pk}", {"recovery_address": "x@y.test"}).status_code == 403
    alias = {"local": "jefe2", "mailbox": world.one.mailbox.pk}
    type(world.provider).objects.filter(pk=world.provider.pk).update(email="jefe2@uno.test")
    assert call(token, "POST", f"/domains/{world.one.domain.pk}/aliases", alias).status_code == 403


def test_the_description_is_openapi_and_says_what_is_there(client: Any) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    document = json.loads(answer.content)
    validate_openapi(document)
    assert document["components"]["schemas"]["MailboxIn"]["additionalProperties"] is False


def test_the_walk_through_of_the_documentation_works(world: World) -> None:
    """Every call of docs/api.md, in its order, with the ids that the answers give."""
    token = token_of(world.one.people["reseller"])
    text = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text()
    blocks = [part.partition("```")[0] for part in text.split("```http\n")[1:]]
    assert len(blocks) >= 5
    known = {"PLAN": str(world.plan.pk)}
    for block in blocks:
        for name, value in known.items():
            block = block.replace(name, value)
        head, _gap, body = block.strip().partition("\n\n")
        first, *headers = head.splitlines()
        method, path = first.split()
        more = dict(line.split(": ", 1) for line in headers)
        answer = call(token, method, path.removeprefix("/api/v1"), json.loads(body) if body else None, **more)
        assert answer.status_code in {200, 201, 204}, (block, answer.content)
        kind = path.partition("?")[0].rpartition("/")[2]
        if answer.status_code == 201:
            name = {"mailboxes": "MAILBOX", "aliases": "ALIAS"}.get(kind, kind.rstrip("s").upper())
            known[name] = str(answer.json()["id"])


def test_a_token_is_made_shown_once_and_revoked(world: World) -> None:
    client = world.client(world.one.people["customer"])
    data = {"name": "Facturas", "scopes": ["mailboxes:write"], "days": "30", "current": PASSWORD}
    answer = client.post(reverse("portal:tokens"), data)
    html = answer.content.decode()
    token = html.partition('id="once-token"')[2].partition(">")[2].partition("<")[0]
    assert answer["Cache-Control"] == "no-store, private"
    assert call(token, "GET", "/mailboxes").status_code == 200
    assert token not in client.get(reverse("portal:tokens")).content.decode()
    row = ApiToken.objects.get(name="Facturas")
    assert token not in row.digest
    assert row.last_at is not None
    assert client.post(reverse("portal:tokens"), {"name": "Facturas", "scopes": ["usage:read"]}).status_code == 422
    assert client.post(reverse("portal:tokens"), {"name": "Sin nada"}).status_code == 422
    other = {"name": "Ajeno", "scopes": ["usage:read"], "customer": world.two.customer.pk}
    assert client.post(reverse("portal:tokens"), other).status_code == 422
    assert world.client(world.provider).post(reverse("portal:token_revoke", args=[row.pk])).status_code == 404
    assert client.post(reverse("portal:token_revoke", args=[row.pk])).status_code == 302
    assert call(token, "GET", "/mailboxes").status_code == 401
