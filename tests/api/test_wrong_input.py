"""What is sent wrongly is told at its field, and nothing is changed: odd characters, duplicates, what the plan does not allow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Change, Domain, Mailbox, Plan, Reseller, Role
from tests.api.conftest import call, conforms, operations, token_of
from tests.portal.conftest import PASSWORD, World, make_mailbox, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db

DOMAIN, MAILBOX, CUSTOMER = "/domains/{domain_id}", "/mailboxes/{mailbox_id}", "/customers/{customer_id}"
USUAL = {"quota_bytes": 10**9, "imap": True, "pop3": True, "smtp": True, "sieve": True}
WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/resellers", {"name": "revende UNO"}, "name"),
    ("POST", "/resellers", {"name": "   "}, "name"),
    ("POST", "/resellers", {"name": "con\0cero"}, "name"),
    ("PATCH", "/resellers/{reseller_id}", {"name": "Revende dos"}, "name"),
    ("POST", "/plans", {"name": "Taller"}, "name"),
    (
        "POST",
        "/plans",
        {"name": "X", "mailbox_quota_bytes": 2 * 10**9, "largest_mailbox_bytes": 10**9},
        "mailbox_quota_bytes",
    ),
    ("PATCH", "/plans/{plan_id}", {"name": "Taller", "mailbox_limit": 0}, "above"),
    ("PATCH", "/plans/{plan_id}", {"name": "Chico", "mailbox_limit": 5}, "name"),
    ("PATCH", "/plans/{plan_id}", {"name": "  "}, "name"),
    ("PATCH", "/plans/{plan_id}", {"retention_days": None}, "retention_days"),
    ("POST", "/plans", {"name": " "}, "name"),
    ("PATCH", "/brand", {"accent": "rojo"}, "accent"),
    ("PATCH", "/brand", {"support_url": "javascript:alert(1)"}, "support_url"),
    ("PATCH", "/brand", {"logo": "no es base64"}, "logo"),
    ("PATCH", "/brand", {"logo": "aG9sYQ=="}, "logo"),
    ("PATCH", "/brand", {"name": "x" * 41}, "name"),
    ("POST", "/networks", {"network": "0.0.0.0/0", "name": "Todo"}, "network"),
    ("POST", "/networks", {"network": "la oficina", "name": "Oficina"}, "network"),
    ("POST", DOMAIN + "/networks", {"network": "192.0.2.1", "name": "x" * 41}, "name"),
    ("POST", CUSTOMER + "/networks", {"network": "192.0.2.1", "name": "\u200b"}, "name"),
    ("POST", "/customers", {"name": "Otra", "plan": 2**70}, "plan"),
    ("POST", "/customers", {"name": "Otra", "plan": 999_999}, "plan"),
    ("PATCH", CUSTOMER, {"plan": "<small>"}, "plan"),
    ("PATCH", CUSTOMER, {"reseller": 999_999}, "reseller"),
    ("PATCH", CUSTOMER, {"name": ""}, "name"),
    ("PUT", CUSTOMER + "/alert", {"steps": [0]}, "steps"),
    ("POST", "/domains", {"customer": "<customer>", "name": "uno.test"}, "name"),
    ("POST", "/domains", {"customer": "<customer>", "name": "no es un dominio"}, "name"),
    ("POST", "/domains", {"customer": "<customer>", "name": "-malo-.test"}, "name"),
    ("POST", "/domains", {"customer": "<customer>", "name": "x.test", "server": 999_999}, "server"),
    ("PATCH", DOMAIN, {"catch_all": "<other mailbox>"}, "catch_all"),
    ("PUT", DOMAIN + "/defaults", USUAL | {"quota_bytes": 10**12}, "quota_bytes"),
    ("PUT", DOMAIN + "/defaults", USUAL | {"pop3": "quizás"}, "pop3"),
    ("POST", "/servers", {"name": "A", "path": "/srv/../etc"}, "path"),
    ("POST", "/mailboxes", {"domain": "<domain>", "local": "ñandú"}, "local"),
    ("POST", "/mailboxes", {"domain": "<domain>", "local": "ana"}, "local"),
    ("POST", "/mailboxes", {"domain": "<domain>", "local": "eva", "quota_bytes": 10**12}, "quota_bytes"),
    ("PATCH", MAILBOX, {"quota_bytes": None}, "quota_bytes"),
    ("PATCH", MAILBOX, {"sends": None}, "sends"),
    ("PATCH", MAILBOX, {"name": None}, "name"),
    ("PATCH", CUSTOMER, {"plan": None}, "plan"),
    ("PATCH", DOMAIN, {"active": None}, "active"),
    ("PATCH", "/brand", {"accent": None}, "accent"),
    ("POST", MAILBOX + "/rename", {"local": "ventas.de.otra@dos.test"}, "local"),
    ("POST", DOMAIN + "/aliases", {"local": "ana", "mailbox": "<mailbox>"}, "local"),
    ("POST", DOMAIN + "/aliases", {"local": "info", "mailbox": "<other mailbox>"}, "mailbox"),
    ("POST", DOMAIN + "/groups", {"local": "nuevo", "members": ["no es nada"]}, "members"),
    ("POST", DOMAIN + "/groups", {"local": "nuevo", "members": []}, "members"),
    ("PUT", MAILBOX + "/forwards", {"addresses": ["a@@b"], "keeps_copy": True}, "addresses"),
    ("POST", DOMAIN + "/mailboxes/changes", {"do": "send_off", "mailboxes": [999_999]}, "mailboxes"),
    (
        "POST",
        DOMAIN + "/mailboxes/changes",
        {"do": "send_off", "mailboxes": ["<mailbox>", "<other mailbox>"]},
        "mailboxes",
    ),
    ("POST", DOMAIN + "/mailboxes/changes", {"do": "volar", "mailboxes": ["<mailbox>"]}, "do"),
    ("POST", MAILBOX + "/purge", {"address": "ana@dos.test"}, "address"),
    ("POST", MAILBOX + "/password-link", {"send": True}, "send"),
    ("PUT", MAILBOX + "/leave-days", {"days": 0}, "days"),
    ("POST", DOMAIN + "/lists", {"csv": "nombre;cuota\nana;5\n"}, "csv"),
    ("POST", DOMAIN + "/lists", {"csv": "address\n"}, "csv"),
    ("POST", DOMAIN + "/lists", {"csv": "address,name\n" + "a,b\n" * 10_001}, "csv"),
    ("POST", DOMAIN + "/lists", {"csv": "address\0\nana\n"}, "csv"),
    ("POST", "/space/quotas", {"mailboxes": ["<mailbox>"], "quota_bytes": 10**12}, "quota_bytes"),
    ("POST", "/space/quotas", {"mailboxes": ["<mailbox>", 999_999], "quota_bytes": 10**9}, "mailboxes"),
    ("PUT", "/space/limits", {"owner_steps": [90, 80], "disk_steps": [80], "promise_percent": 120}, "owner_steps"),
    ("POST", "/invitations", {"address": "no", "kind": "domain", "domain": "<domain>"}, "address"),
    ("POST", "/invitations", {"address": "domain@uno.example", "kind": "domain", "domain": "<domain>"}, "address"),
    ("POST", "/invitations", {"address": "x@y.test", "kind": "domain", "customer": "<customer>"}, "kind"),
    ("POST", "/invitations", {"address": "x@y.test", "kind": "rey"}, "kind"),
    ("GET", "/changes?since=ayer", {}, "since"),
    ("GET", "/space/mailboxes?sort=color", {}, "sort"),
    ("GET", MAILBOX + "/setup/thunderbird?protocol=pop3", {}, "protocol"),
]


def test_what_is_wrong_is_told_at_its_field(world: World, settings: Any) -> None:
    settings.API_CALLS_A_MINUTE = 100_000
    Plan.objects.update(largest_mailbox_bytes=10**11)
    small = Plan.objects.create(name="Chico", mailbox_limit=0)
    Mailbox.objects.filter(pk=world.one.mailbox.pk).update(pop3=False)
    token, side = token_of(world.provider), world.one
    known = {"<small>": small.pk, "<customer>": side.customer.pk, "<domain>": side.domain.pk}
    where_of = {
        "plan": world.plan,
        **{name: getattr(side, name) for name in ("reseller", "customer", "domain", "mailbox")},
    }
    known |= {"<mailbox>": side.mailbox.pk, "<other mailbox>": world.two.mailbox.pk}

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(one) for one in value]
        return known.get(value, value) if isinstance(value, str) else value

    before, wrong = Change.objects.count(), []
    for method, path, body, field in WRONG:
        where = path
        for name, thing in where_of.items():
            where = where.replace(f"{{{name}_id}}", str(thing.pk))
        data = {key: put(value) for key, value in body.items()} if method != "GET" else None
        answer = call(token, method, where, data)
        found = answer.json().get("errors", {}).keys() if answer.status_code == 422 else answer.status_code
        said = "" if "?" in path else conforms(method, path, answer)
        if found != {field} or said:
            wrong.append(f"{method} {path} {str(body)[:80]}: {found} {answer.content[:200]!r} {said}")
    assert not wrong, "\n".join(wrong)
    assert Change.objects.count() == before


def test_ids_that_no_column_holds_are_not_there(world: World) -> None:
    token = token_of(world.provider)
    huge = "9" * 30
    for method, path in operations():
        if method == "GET" and "_id}" in path:
            where = path.replace("{program}", "outlook")
            for name in ("plan", "reseller", "customer", "domain", "mailbox", "alias", "group", "list"):
                where = where.replace(f"{{{name}_id}}", huge)
            assert call(token, method, where).status_code == 404, path
    for path in ("/mailboxes", "/customers", "/domains", "/lists", "/roles"):
        assert call(token, "GET", f"{path}?after={huge}").status_code in {200, 422}
    for path in (
        f"/changes?before={huge}",
        f"/changes?mailbox={huge}",
        f"/mailboxes?domain={huge}",
        f"/space?customer={huge}",
    ):
        assert call(token, "GET", path).status_code in {200, 404, 422}, path


def test_a_domain_of_other_letters_is_the_same_in_either_writing(world: World) -> None:
    token, data = token_of(world.provider), {"customer": world.one.customer.pk, "name": "Ñandú.Example."}
    assert call(token, "POST", "/domains", data).json()["name"] == "xn--and-6ma2c.example"
    again = call(token, "POST", "/domains", data | {"name": "xn--and-6ma2c.example"})
    assert set(again.json()["errors"]) == {"name"}
    assert call(token, "GET", "/domains?name=ñandú.example").json()["items"][0]["name"] == "xn--and-6ma2c.example"


def test_customers_are_moved_and_things_removed(world: World) -> None:
    token, one = token_of(world.provider), world.one
    where = f"/customers/{one.customer.pk}"
    assert call(token, "PATCH", where, {"reseller": world.two.reseller.pk}).json()["reseller"] == world.two.reseller.pk
    assert call(token, "PATCH", where, {"reseller": None}).json()["reseller"] is None
    assert call(token_of(one.people["reseller"]), "GET", where).status_code == 404
    assert call(token, "DELETE", where).status_code == 422
    assert call(token, "DELETE", f"/resellers/{one.reseller.pk}").status_code == 204
    assert not Reseller.objects.filter(pk=one.reseller.pk).exists()
    empty = Domain.objects.create(name="vacio.test", customer=one.customer)
    assert call(token, "DELETE", f"/domains/{empty.pk}").status_code == 204
    assert call(token, "DELETE", f"/domains/{one.domain.pk}").status_code == 422
    only = Role.objects.get(kind="provider")
    assert call(token, "DELETE", f"/roles/{only.pk}").status_code == 422
    assert call(token, "DELETE", f"/roles/{one.role.pk}").status_code == 204
    assert call(token_of(one.people["domain"]), "GET", f"/domains/{one.domain.pk}").status_code == 404


def test_an_owner_makes_a_password_for_a_device_and_sees_it_once(world: World) -> None:
    token, box = token_of(world.one.people["owner"]), world.one.mailbox
    where = f"/mailboxes/{box.pk}/app-passwords"
    data = {"name": "Tablet", "protocols": ["imap", "smtp"], "current_password": PASSWORD}
    made = call(token, "POST", where, data, **{"Idempotency-Key": "t"})
    again = call(token, "POST", where, data, **{"Idempotency-Key": "t"})
    assert (made.status_code, made.json()) == (201, again.json())
    assert (made.json()["imap"], made.json()["pop3"], len(made.json()["password"])) == (True, False, 19)
    assert "password" not in call(token, "GET", where).json()["items"][0]
    assert set(call(token, "POST", where, data).json()["errors"]) == {"name"}
    assert set(call(token, "POST", where, data | {"name": "  "}).json()["errors"]) == {"name"}
    Mailbox.objects.filter(pk=box.pk).update(smtp=False)
    assert set(call(token, "POST", where, data | {"name": "Otra"}).json()["errors"]) == {"protocols"}
    boss = token_of(world.provider)
    assert call(boss, "POST", where, data | {"name": "De la jefa"}).status_code == 403
    assert call(boss, "DELETE", f"{where}/{made.json()['id']}").status_code == 204


def test_a_list_is_shown_before_it_is_done(world: World) -> None:
    token, where = token_of(world.one.people["domain"]), f"/domains/{world.one.domain.pk}/lists"
    text = "\ufeffaddress;name;do\neva;Eva;\nana;;send off\nno va;X;\n=1+1;=cmd();\n"
    made = call(token, "POST", where, {"csv": text, "name": "altas.csv"}).json()
    assert (made["state"], made["total"], made["wrong"]) == ("checked", 4, 2)
    rows = call(token, "GET", f"/lists/{made['id']}/rows?limit=2").json()
    assert [(row["line"], row["do"], row["errors"]) for row in rows["items"]] == [
        (2, "create", []),
        (3, "send_off", []),
    ]
    rest = call(token, "GET", f"/lists/{made['id']}/rows?after={rows['next']}").json()
    assert [bool(row["errors"]) for row in rest["items"]] == [True, True]
    assert rest["next"] is None
    refused = call(token, "POST", f"/lists/{made['id']}/apply")
    assert (refused.status_code, "2 of its rows" in refused.json()["detail"]) == (409, True)
    good = call(token, "POST", where, {"csv": text.partition("no va")[0]}).json()
    assert call(token, "POST", f"/lists/{good['id']}/apply").json()["state"] == "waiting"
    assert call(token, "POST", f"/lists/{good['id']}/apply").status_code == 409
    assert call(token_of(world.provider), "GET", f"/lists/{good['id']}").status_code == 404
    assert [one["id"] for one in call(token, "GET", "/lists").json()["items"]][-2:] == [made["id"], good["id"]]


def test_the_log_is_read_backwards(world: World) -> None:
    token, box = token_of(world.one.people["domain"]), world.one.mailbox
    for name in ("Una", "Dos", "Tres"):
        call(token, "PATCH", f"/mailboxes/{box.pk}", {"name": name})
    first = call(token, "GET", f"/changes?mailbox={box.pk}&limit=2").json()
    assert [one["after"]["name"] for one in first["items"]] == ["Tres", "Dos"]
    assert first["items"][0]["by"].startswith("domain@uno.example (panel")
    rest = call(token, "GET", f"/changes?mailbox={box.pk}&limit=2&before={first['next']}").json()
    assert rest["items"][0]["after"]["name"] == "Una"
    later = (timezone.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert call(token, "GET", f"/changes?since={later}").json()["items"] == []
    things = {one["domain"] for one in call(token, "GET", "/changes?limit=200").json()["items"]}
    assert world.two.domain.pk not in things


def test_settings_of_a_program_are_given_as_steps(world: World) -> None:
    token, box = token_of(world.one.people["owner"]), world.one.mailbox
    told = call(token, "GET", f"/mailboxes/{box.pk}/setup?language=es").json()
    assert told["login"] == box.address
    assert {one["protocol"] for one in told["incoming"]} == {"imap", "pop3"}
    steps = call(token, "GET", f"/mailboxes/{box.pk}/setup/thunderbird?protocol=pop3&language=es").json()
    assert (steps["protocol"], steps["language"], len(steps["steps"]) > 2) == ("pop3", "es", True)
    assert call(token, "GET", f"/mailboxes/{box.pk}/setup/ninguno").status_code == 404
    assert call(token, "PUT", f"/mailboxes/{box.pk}/leave-days", {"days": 30}).json()["leave_days"] == 30
    fresh = make_mailbox(world.one.domain, "sinestrenar")
    boss = token_of(world.provider)
    assert call(boss, "GET", f"/mailboxes/{fresh.pk}/setup").json()["login"] == fresh.address
    assert call(boss, "PUT", f"/mailboxes/{fresh.pk}/leave-days", {"days": 30}).status_code == 409


def test_deleted_is_removed_for_good_by_its_address_alone(world: World) -> None:
    token, where = token_of(world.provider), f"/mailboxes/{world.one.mailbox.pk}"
    assert call(token, "POST", f"{where}/purge", {"address": "ana@uno.test"}).status_code == 409
    assert call(token, "DELETE", where).status_code == 200
    assert call(token, "POST", f"{where}/purge", {"address": "ana@dos.test"}).status_code == 422
    assert call(token, "GET", f"{where}/vacation").status_code == 409
    for method, path, data in (
        ("PATCH", "", {"name": "Otra"}),
        ("POST", "/password", {}),
        ("POST", "/password-link", {}),
        ("POST", "/rename", {"local": "otra"}),
        ("PUT", "/forwards", {"addresses": [], "keeps_copy": True}),
        ("PUT", "/leave-days", {"days": 5}),
    ):
        refused = call(token, method, where + path, data)
        assert not conforms(method, "/mailboxes/{mailbox_id}" + path, refused), refused.content
        assert (refused.status_code, "restore" in refused.json()["detail"]) == (409, True), path
    alias = {"local": "info", "mailbox": world.one.mailbox.pk}
    assert set(call(token, "POST", f"/domains/{world.one.domain.pk}/aliases", alias).json()["errors"]) == {"mailbox"}
    assert call(token, "POST", f"{where}/restore").status_code == 200
    link = call(token, "POST", f"{where}/password-link", {}).json()
    assert (link["sent"], "/portal/new-password/" in link["link"]) == (False, True)


def test_odd_values_are_told_or_taken_as_they_are_meant(world: World) -> None:
    token, side = token_of(world.provider), world.one
    for year in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-11:00"):
        assert call(token, "GET", f"/changes?since={year}").status_code == 422
    address = f"/mailboxes/{side.mailbox.pk}"
    assert call(token, "PATCH", address, {"recovery_address": " "}).json()["recovery_address"] == ""
    old_mac = {"csv": "address\rlista1\rlista2\r", "name": "mac.csv"}
    made = call(token, "POST", f"/domains/{side.domain.pk}/lists", old_mac, **{"Idempotency-Key": "mac"})
    assert (made.status_code, made.json()["total"]) == (201, 2), made.content
    turned = {"csv": "address,name\nvuelta,Ana \u202eana\n", "name": "vuelta.csv"}
    made = call(token, "POST", f"/domains/{side.domain.pk}/lists", turned, **{"Idempotency-Key": "turned"})
    assert (made.status_code, made.json()["wrong"]) == (201, 1), made.content
