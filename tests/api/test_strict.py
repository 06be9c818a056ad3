"""What is sent counts as it is written: all of a thing where all is replaced, types as JSON has them, known parameters; and no
operation answers otherwise than its description says."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.models import ApiReply, Plan
from tests.api.conftest import call, conforms, document, operations, token_of
from tests.api.test_access import PLAN, TABLE, filled, furnished
from tests.portal.conftest import World, world

__all__ = ["furnished", "world"]
pytestmark = pytest.mark.django_db


def test_all_of_a_plan_is_needed_where_all_is_replaced(world: World) -> None:
    Plan.objects.update(mailbox_limit=9, total_bytes=10**12, daily_sending_limit=7)
    token, where = token_of(world.provider), f"/plans/{world.plan.pk}"
    short = call(token, "PUT", where, {"name": "Otro"})
    assert (short.status_code, set(short.json()["errors"])) == (422, PLAN.keys() - {"name"})
    changed = call(token, "PATCH", where, {"name": "Otro"}).json()
    assert (changed["name"], changed["mailbox_limit"], changed["daily_sending_limit"]) == ("Otro", 9, 7)
    assert call(token, "PATCH", where, {"mailbox_limit": None}).json()["mailbox_limit"] is None
    whole = call(token, "PUT", where, PLAN).json()
    assert {name: whole[name] for name in PLAN} == PLAN


def test_a_part_of_defaults_forwards_and_a_group_is_changed(world: World) -> None:
    box, domain = world.one.mailbox, world.one.domain
    token = token_of(world.provider)
    start = call(token, "GET", f"/domains/{domain.pk}/defaults").json()
    changed = call(token, "PATCH", f"/domains/{domain.pk}/defaults", {"pop3": not start["pop3"]}).json()
    assert changed == start | {"pop3": not start["pop3"]}
    where = f"/mailboxes/{box.pk}/forwards"
    away = {"addresses": ["a@lejos.test"], "keeps_copy": False}
    assert call(token, "PUT", where, away).json() == away
    assert call(token, "PATCH", where, {"keeps_copy": True}).json() == away | {"keeps_copy": True}
    assert call(token, "PATCH", where, {"addresses": []}).json() == {"addresses": [], "keeps_copy": True}
    assert "keeps_copy" in call(token, "PATCH", where, {"keeps_copy": False}).json()["errors"]
    new = {"local": "parte", "name": "Parte", "members": [box.address]}
    group = call(token, "POST", f"/domains/{domain.pk}/groups", new).json()
    part = call(token, "PATCH", f"/groups/{group['id']}", {"name": "Otros"}).json()
    assert (part["name"], part["members"]) == ("Otros", [box.address])
    part = call(token, "PATCH", f"/groups/{group['id']}", {"members": ["b@lejos.test"]}).json()
    assert (part["name"], part["members"]) == ("Otros", ["b@lejos.test"])


def test_no_put_makes_up_what_is_left_out() -> None:
    """But for what says how it is meant (`above`, `seen`, ...), each field of what replaces something is needed."""
    how = {"above", "seen", "current_password", "zone", "only_check"} | {"name"}  # the name of a script: which one
    for (method, path), one in operations().items():
        if method == "PUT":
            [kind] = one["requestBody"]["content"].values()
            schema = document()["components"]["schemas"][kind["schema"]["$ref"].rpartition("/")[2]]
            assert schema["properties"].keys() - set(schema["required"]) <= how, path


ODD: list[tuple[str, str, Any, str]] = [
    ("POST", "/customers", {"name": "Otra", "plan": True}, "plan"),
    ("POST", "/customers", {"name": "Otra", "plan": "1"}, "plan"),
    ("POST", "/customers", {"name": "Otra", "plan": 1.0}, "plan"),
    ("POST", "/customers", {"name": "Otra", "plan": 1, "plam": 1}, "plam"),
    ("PUT", "/space/summary", {"weekly": 1}, "weekly"),
    ("POST", "/space/quotas", {"mailboxes": [True], "quota_bytes": 10**9}, "mailboxes.0"),
    ("GET", "/customers?reseler=1", None, "reseler"),
    ("GET", "/customers?plan=true", None, "plan"),
    ("GET", "/customers?plan=1&plan=2", None, "plan"),
    ("GET", "/mailboxes?deleted=1", None, "deleted"),
    ("GET", "/me?x", None, "x"),
    ("POST", "/resellers?name=Otro", {"name": "Otro"}, "name"),
]


def test_what_is_not_what_it_should_be_is_told_at_its_field(world: World) -> None:
    token = token_of(world.provider)
    for method, path, data, field in ODD:
        for language in ("en", "es"):
            answer = call(token, method, path, data, **{"Accept-Language": language})
            assert (answer.status_code, set(answer.json()["errors"])) == (422, {field}), (path, answer.content)
            assert "Input should" not in str(answer.json()), answer.content


def test_what_is_asked_with_head_is_what_get_answers_without_its_body(world: World) -> None:
    token, where = token_of(world.provider), f"/mailboxes/{world.one.mailbox.pk}"
    whole, head = call(token, "GET", where), call(token, "HEAD", where)
    assert (head.status_code, head.content) == (200, b"")
    assert (head["Content-Type"], head["Content-Length"]) == (whole["Content-Type"], str(len(whole.content)))
    assert call(token, "HEAD", "/mailboxes/0").status_code == 404
    assert call("", "HEAD", where).status_code == 401
    assert call(token, "HEAD", f"{where}/restore").status_code == 405
    table = f"/mailboxes?domain={world.one.domain.pk}&format=csv"
    assert call(token, "HEAD", table)["Content-Type"] == "text/csv; charset=utf-8"


def test_the_same_request_in_another_order_is_the_same(world: World) -> None:
    token, key = token_of(world.provider), {"Idempotency-Key": "a-1"}
    first = call(token, "POST", "/customers", f'{{"name": "Otra", "plan": {world.plan.pk}}}', **key)
    again = call(token, "POST", "/customers", f'{{ "plan":{world.plan.pk},\n"name":"\\u004ftra"}}', **key)
    assert (first.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"
    other = call(token, "POST", "/customers", f'{{"name": "otra", "plan": {world.plan.pk}}}', **key)
    assert (other.status_code, ApiReply.objects.count()) == (422, 1)


def test_whatever_is_sent_is_answered_as_the_description_says(furnished: World, settings: Any) -> None:
    """Every operation, with what cannot be read, else with a parameter that nothing knows. None of it gets as far as changing
    something."""
    settings.API_CALLS_A_MINUTE = 100_000
    token, wrong = token_of(furnished.provider), []
    with connection.execute_wrapper(only_reads):
        for (method, path), one in operations().items():
            where, data = filled(furnished, furnished.one, path, TABLE[method, path][1])
            reads = "requestBody" in one
            answer = (
                call(token, method, where, "{nothing") if reads else call(token, method, f"{where}?nothing=1", data)
            )
            fits = answer.status_code in one["responses"].keys() & ({400} if reads else {422})
            if not fits or answer["Content-Type"] != "application/problem+json":
                wrong.append(f"{method} {path}: {answer.status_code} {answer.content!r}")
    bare = f"/mailboxes/{furnished.one.mailbox.pk}/restore"
    long = call(token, "POST", bare, **{"Idempotency-Key": "x" * 129})
    assert (long.status_code, conforms("POST", "/mailboxes/{mailbox_id}/restore", long)) == (400, "")
    assert not wrong, "\n".join(wrong)


def only_reads(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert sql.startswith(("SELECT", "SAVEPOINT", "RELEASE", 'UPDATE "accounts_apitoken"')), sql
    return execute(sql, params, many, context)
