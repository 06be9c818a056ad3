"""Every operation, with the token of each role, on one's own things and another's; and tokens that are good for less."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.api.v1 import api
from accounts.models import ApiToken, AppPassword, Role, User
from accounts.services.app_passwords import make_app_password
from accounts.services.audit import SYSTEM
from accounts.services.tokens import SCOPES, make_token
from tests.portal.conftest import Side, World, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db

PROVIDER = {"provider"}
SELLERS = PROVIDER | {"reseller"}
OWNERS = SELLERS | {"customer"}
RUNNERS = OWNERS | {"domain"}
EVERYONE = RUNNERS | {"owner"}
ANYBODY = EVERYONE | {"nobody"}
BASE = "/api/v1"

# (method, path) -> (the scope it takes, what is sent, who may on what is theirs). What has no id in it is a list of one's own.
Row = tuple[str, dict[str, Any] | None, set[str]]
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/me"): ("", None, ANYBODY),
    ("GET", "/plans"): ("customers:read", None, ANYBODY),
    ("POST", "/plans"): ("customers:write", {"name": "Nuevo"}, PROVIDER),
    ("GET", "/plans/{plan_id}"): ("customers:read", None, OWNERS),
    ("PUT", "/plans/{plan_id}"): ("customers:write", {"name": "Otro"}, PROVIDER),
    ("GET", "/resellers"): ("customers:read", None, ANYBODY),
    ("POST", "/resellers"): ("customers:write", {"name": "Nuevo"}, PROVIDER),
    ("GET", "/customers"): ("customers:read", None, ANYBODY),
    ("POST", "/customers"): ("customers:write", {"name": "Nuevo", "plan": "<plan>"}, SELLERS),
    ("GET", "/customers/{customer_id}"): ("customers:read", None, OWNERS),
    ("PATCH", "/customers/{customer_id}"): ("customers:write", {"name": "Otro"}, SELLERS),
    ("GET", "/customers/{customer_id}/space"): ("usage:read", None, OWNERS),
    ("GET", "/invitations"): ("people:read", None, ANYBODY),
    ("POST", "/invitations"): (
        "people:write",
        {"address": "x@afuera.example", "kind": "domain", "domain": "<domain>"},
        RUNNERS,
    ),
    ("DELETE", "/invitations/{invitation_id}"): ("people:write", None, RUNNERS),
    ("GET", "/domains"): ("domains:read", None, ANYBODY),
    ("POST", "/domains"): ("domains:write", {"customer": "<customer>", "name": "nuevo.test"}, SELLERS),
    ("GET", "/domains/{domain_id}"): ("domains:read", None, RUNNERS),
    ("PATCH", "/domains/{domain_id}"): ("domains:write", {"active": True}, SELLERS),
    ("GET", "/domains/{domain_id}/space"): ("usage:read", None, RUNNERS),
    ("GET", "/domains/{domain_id}/aliases"): ("domains:read", None, RUNNERS),
    ("POST", "/domains/{domain_id}/aliases"): ("domains:write", {"local": "info", "mailbox": "<mailbox>"}, RUNNERS),
    ("DELETE", "/aliases/{alias_id}"): ("domains:write", None, RUNNERS),
    ("GET", "/domains/{domain_id}/groups"): ("domains:read", None, RUNNERS),
    ("POST", "/domains/{domain_id}/groups"): ("domains:write", {"local": "g", "members": ["a@x.test"]}, RUNNERS),
    ("PUT", "/groups/{group_id}"): ("domains:write", {"members": ["a@x.test"]}, RUNNERS),
    ("DELETE", "/groups/{group_id}"): ("domains:write", None, RUNNERS),
    ("GET", "/mailboxes"): ("mailboxes:read", None, ANYBODY),
    ("POST", "/mailboxes"): ("mailboxes:write", {"domain": "<domain>", "local": "nueva"}, RUNNERS),
    ("GET", "/mailboxes/{mailbox_id}"): ("mailboxes:read", None, EVERYONE),
    ("PATCH", "/mailboxes/{mailbox_id}"): ("mailboxes:write", {"name": "Otra"}, RUNNERS),
    ("DELETE", "/mailboxes/{mailbox_id}"): ("mailboxes:write", None, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/restore"): ("mailboxes:write", None, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/rename"): ("mailboxes:write", {"local": "otra"}, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/password"): ("mailboxes:write", {}, RUNNERS),
    ("GET", "/mailboxes/{mailbox_id}/forwards"): ("mailboxes:read", None, EVERYONE),
    ("PUT", "/mailboxes/{mailbox_id}/forwards"): ("mailboxes:write", {"addresses": []}, RUNNERS),
    ("GET", "/mailboxes/{mailbox_id}/app-passwords"): ("mailboxes:read", None, RUNNERS),
    ("DELETE", "/mailboxes/{mailbox_id}/app-passwords/{password_id}"): ("mailboxes:write", None, RUNNERS),
    ("GET", "/mailboxes/{mailbox_id}/space"): ("usage:read", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/activity"): ("usage:read", None, EVERYONE),
}


def test_every_operation_is_in_the_table() -> None:
    paths = api.get_openapi_schema()["paths"]
    found = {(method.upper(), path.removeprefix(BASE)) for path, methods in paths.items() for method in methods}
    assert found == TABLE.keys()


def token_of(person: User, scopes: Any = SCOPES, **more: Any) -> str:
    name = f"panel {ApiToken.objects.count()}"
    return make_token(person=person, name=name, scopes=list(scopes), by=SYSTEM, **more).token


def call(token: str, method: str, path: str, data: Any = None, **headers: str) -> Any:
    if token:
        headers |= {"Authorization": f"Bearer {token}"}
    more = {"data": data, "content_type": "application/json"} if data is not None else {}
    return getattr(Client(headers=headers), method.lower())(BASE + path, **more)


def filled(world: World, side: Side, path: str, data: Any) -> tuple[str, Any]:
    """Path and body with the ids of one side's things."""
    things = {name: getattr(side, name) for name in ("customer", "domain", "mailbox", "alias", "group", "invitation")}
    things |= {"plan": world.plan, "password": AppPassword.objects.filter(mailbox=side.mailbox).first()}
    for name, thing in things.items():
        path = path.replace(f"{{{name}_id}}", str(thing.pk) if thing else "0")
    if data:
        known = {f"<{name}>": thing.pk for name, thing in things.items() if thing}
        data = {key: known.get(value, value) if isinstance(value, str) else value for key, value in data.items()}
    return path, data


def people_of(world: World) -> Iterator[tuple[str, str, User]]:
    yield "provider", "both", world.provider
    for side, name in ((world.one, "one"), (world.two, "two")):
        for role, person in side.people.items():
            yield role, name, person
    yield "nobody", "none", world.nobody


@pytest.mark.parametrize(("method", "path"), TABLE)
def test_each_role_calls_what_is_its_own_and_nothing_else(world: World, method: str, path: str) -> None:
    scope, body, allowed = TABLE[method, path]
    make_app_password(mailbox=world.one.mailbox, name="Mac", protocols=["imap"])
    where, data = filled(world, world.one, path, body)
    about_one = where != path or data != body
    for role, side, person in people_of(world):
        expected = role in allowed and (not about_one or "plan_id" in path or side in {"one", "both"})
        if path == "/customers" and method == "POST":
            expected = role in allowed
        with transaction.atomic():
            answer = call(token_of(person), method, where, data)
            transaction.set_rollback(True)
        who = f"{method} {path} as {role} of {side}: {answer.status_code} {answer.content[:200]}"
        if expected:
            assert answer.status_code in {200, 201, 204}, who
        else:
            assert answer.status_code in {403, 404, 422}, who
            assert answer["Content-Type"] == "application/problem+json"
    assert call("", method, where, data).status_code == 401
    others = token_of(world.provider, [one for one in SCOPES if one.partition(":")[0] != scope.partition(":")[0]])
    assert call(others, method, where, data).status_code == (403 if scope else 200)
    if scope.endswith(":write"):
        reads = token_of(world.provider, [scope.replace(":write", ":read")])
        assert call(reads, method, where, data).status_code == 403


@pytest.mark.parametrize(("method", "path"), [key for key in TABLE if "{" in key[1]])
def test_a_token_for_one_customer_sees_no_other(world: World, method: str, path: str) -> None:
    make_app_password(mailbox=world.two.mailbox, name="Mac", protocols=["imap"])
    where, data = filled(world, world.two, path, TABLE[method, path][1])
    token = token_of(world.provider, customer=world.one.customer)
    answer = call(token, method, where, data)
    assert answer.status_code in ({200, 403} if "plan_id" in path else {404}), answer.content


def test_tokens_that_are_over_open_nothing(world: World) -> None:
    person = world.one.people["domain"]
    late = token_of(person, expires=timezone.now() - timedelta(seconds=1))
    assert call(late, "GET", "/me").status_code == 401
    good = token_of(person)
    assert call(good, "GET", "/me").json()["person"] == person.email
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert call(good, "GET", "/me").status_code == 401
    User.objects.filter(pk=person.pk).update(is_active=True)
    Role.objects.filter(person=person).delete()
    assert call(good, "GET", "/domains").json() == {"items": [], "next": None}
    ApiToken.objects.all().delete()
    answer = call(good, "GET", "/me")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="Casilla"')
    for wrong in ("x", "casilla_", "casilla_" + "ñ" * 40, "casilla_" + "x" * 5000):
        assert (
            Client(headers={"Authorization": f"Bearer {wrong}".encode().decode("latin-1")})
            .get(BASE + "/me")
            .status_code
            == 401
        )


def test_a_session_is_no_token(world: World) -> None:
    assert world.client(world.provider).get(BASE + "/me").status_code == 401


def test_a_token_that_calls_too_often_waits(world: World, settings: Any, redis: Any) -> None:
    settings.API_CALLS_A_MINUTE = 3
    token = token_of(world.provider)
    answers = [call(token, "GET", "/me") for _number in range(8)]
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert call(token_of(world.provider), "GET", "/me").status_code == 200
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert call(token, "GET", "/me").status_code == 200
