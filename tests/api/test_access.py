"""Every operation, with the token of each role, on one's own things and another's; and tokens that are good for less."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AppPassword, MailServer, NamedNetwork, Role, User
from accounts.services import brand
from accounts.services.app_passwords import make_app_password
from accounts.services.tokens import SCOPES
from tests.api.conftest import BASE, call, conforms, operations, token_of
from tests.name_server import name_server
from tests.portal.conftest import Side, World, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db

PROVIDER = {"provider"}
SELLERS = PROVIDER | {"reseller"}
OWNERS = SELLERS | {"customer"}
RUNNERS = OWNERS | {"domain"}
EVERYONE = RUNNERS | {"owner"}
ANYBODY = EVERYONE | {"nobody"}

USUAL = {"quota_bytes": 10**9, "imap": True, "pop3": False, "smtp": True, "sieve": True}
PLAN = {"name": "Otro", "mailbox_limit": None, "total_bytes": None, "largest_mailbox_bytes": None, "owner_steps": None}
PLAN |= {"mailbox_quota_bytes": 10**9, "retention_days": 30, "daily_sending_limit": 100}
PLAN |= dict.fromkeys(("imap", "pop3", "smtp", "sieve"), True)
POLICY = {"keep": "delete", "keep_days": 14, "max_bytes": None, "every_min": None}
REPLY = {"on": True, "subject": "", "text": "Vuelvo.", "days": 7, "addresses": None, "first": None, "last": None}

# (method, path) -> (the scope it takes, what is sent, who may on what is theirs). What has no id in it is a list of one's own.
Row = tuple[str, dict[str, Any] | None, set[str]]
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/me"): ("", None, ANYBODY),
    ("GET", "/plans"): ("customers:read", None, ANYBODY),
    ("POST", "/plans"): ("customers:write", {"name": "Nuevo"}, PROVIDER),
    ("GET", "/plans/{plan_id}"): ("customers:read", None, OWNERS),
    ("PUT", "/plans/{plan_id}"): ("customers:write", PLAN, PROVIDER),
    ("PATCH", "/plans/{plan_id}"): ("customers:write", {"name": "Otro"}, PROVIDER),
    ("DELETE", "/plans/{plan_id}"): ("customers:write", None, PROVIDER),
    ("GET", "/brand"): ("customers:read", None, PROVIDER),
    ("PATCH", "/brand"): ("customers:write", {"name": "Otra"}, PROVIDER),
    ("GET", "/resellers"): ("customers:read", None, ANYBODY),
    ("POST", "/resellers"): ("customers:write", {"name": "Nuevo"}, PROVIDER),
    ("GET", "/resellers/{reseller_id}"): ("customers:read", None, SELLERS),
    ("PATCH", "/resellers/{reseller_id}"): ("customers:write", {"name": "Otro"}, PROVIDER),
    ("PUT", "/resellers/{reseller_id}/alert"): ("customers:write", {"steps": [70, 100]}, SELLERS),
    ("DELETE", "/resellers/{reseller_id}"): ("customers:write", None, PROVIDER),
    ("GET", "/customers"): ("customers:read", None, ANYBODY),
    ("POST", "/customers"): ("customers:write", {"name": "Nuevo", "plan": "<plan>"}, SELLERS),
    ("GET", "/customers/{customer_id}"): ("customers:read", None, OWNERS),
    ("PATCH", "/customers/{customer_id}"): ("customers:write", {"name": "Otro"}, SELLERS),
    ("DELETE", "/customers/{customer_id}"): ("customers:write", None, SELLERS),
    ("POST", "/customers/{customer_id}/suspend"): ("customers:write", None, SELLERS),
    ("POST", "/customers/{customer_id}/resume"): ("customers:write", None, SELLERS),
    ("GET", "/customers/{customer_id}/allowance"): ("customers:read", None, OWNERS),
    ("PUT", "/customers/{customer_id}/alert"): ("customers:write", {"steps": [70, 100]}, OWNERS),
    ("GET", "/customers/{customer_id}/space"): ("usage:read", None, OWNERS),
    ("GET", "/roles"): ("people:read", None, ANYBODY),
    ("DELETE", "/roles/{role_id}"): ("people:write", None, RUNNERS),
    ("GET", "/invitations"): ("people:read", None, ANYBODY),
    ("POST", "/invitations"): (
        "people:write",
        {"address": "x@afuera.example", "kind": "domain", "domain": "<domain>"},
        RUNNERS,
    ),
    ("POST", "/invitations/{invitation_id}/send"): ("people:write", None, RUNNERS),
    ("DELETE", "/invitations/{invitation_id}"): ("people:write", None, RUNNERS),
    ("GET", "/domains"): ("domains:read", None, ANYBODY),
    ("POST", "/domains"): ("domains:write", {"customer": "<customer>", "name": "nuevo.test"}, SELLERS),
    ("GET", "/domains/{domain_id}"): ("domains:read", None, RUNNERS),
    ("PATCH", "/domains/{domain_id}"): ("domains:write", {"active": True}, SELLERS),
    ("DELETE", "/domains/{domain_id}"): ("domains:write", None, SELLERS),
    ("GET", "/domains/{domain_id}/defaults"): ("domains:read", None, RUNNERS),
    ("PUT", "/domains/{domain_id}/defaults"): ("domains:write", USUAL, RUNNERS),
    ("PATCH", "/domains/{domain_id}/defaults"): ("domains:write", {"pop3": True}, RUNNERS),
    ("GET", "/domains/{domain_id}/dns"): ("domains:read", None, RUNNERS),
    ("GET", "/domains/{domain_id}/space"): ("usage:read", None, RUNNERS),
    ("GET", "/domains/{domain_id}/aliases"): ("domains:read", None, RUNNERS),
    ("POST", "/domains/{domain_id}/aliases"): ("domains:write", {"local": "info", "mailbox": "<mailbox>"}, RUNNERS),
    ("GET", "/aliases/{alias_id}"): ("domains:read", None, RUNNERS),
    ("DELETE", "/aliases/{alias_id}"): ("domains:write", None, RUNNERS),
    ("GET", "/domains/{domain_id}/groups"): ("domains:read", None, RUNNERS),
    ("POST", "/domains/{domain_id}/groups"): ("domains:write", {"local": "g", "members": ["a@x.test"]}, RUNNERS),
    ("GET", "/groups/{group_id}"): ("domains:read", None, RUNNERS),
    ("PUT", "/groups/{group_id}"): ("domains:write", {"name": "", "members": ["a@x.test"]}, RUNNERS),
    ("PATCH", "/groups/{group_id}"): ("domains:write", {"name": "Otro"}, RUNNERS),
    ("DELETE", "/groups/{group_id}"): ("domains:write", None, RUNNERS),
    ("GET", "/networks"): ("domains:read", None, PROVIDER),
    ("POST", "/networks"): ("domains:write", {"network": "192.0.2.7", "name": "Red"}, PROVIDER),
    ("DELETE", "/networks/{network_id}"): ("domains:write", None, RUNNERS),
    ("GET", "/customers/{customer_id}/networks"): ("domains:read", None, OWNERS),
    ("POST", "/customers/{customer_id}/networks"): ("domains:write", {"network": "192.0.2.7", "name": "Red"}, OWNERS),
    ("GET", "/domains/{domain_id}/networks"): ("domains:read", None, RUNNERS),
    ("POST", "/domains/{domain_id}/networks"): ("domains:write", {"network": "192.0.2.7", "name": "Red"}, RUNNERS),
    # What an owner calls a place nobody else reads.
    ("GET", "/mailboxes/{mailbox_id}/networks"): ("mailboxes:read", None, {"owner"}),
    ("POST", "/mailboxes/{mailbox_id}/networks"): (
        "mailboxes:write",
        {"network": "192.0.2.7", "name": "Casa"},
        {"owner"},
    ),
    ("DELETE", "/mailboxes/{mailbox_id}/networks/{own_network_id}"): ("mailboxes:write", None, {"owner"}),
    ("GET", "/servers"): ("domains:read", None, PROVIDER),
    ("POST", "/servers"): ("domains:write", {"name": "Disco", "path": "/srv/nuevo"}, PROVIDER),
    ("DELETE", "/servers/{server_id}"): ("domains:write", None, PROVIDER),
    ("GET", "/mailboxes"): ("mailboxes:read", None, ANYBODY),
    ("POST", "/mailboxes"): ("mailboxes:write", {"domain": "<domain>", "local": "nueva"}, RUNNERS),
    ("POST", "/domains/{domain_id}/mailboxes/changes"): (
        "mailboxes:write",
        {"do": "send_off", "mailboxes": ["<mailbox>"]},
        RUNNERS,
    ),
    ("GET", "/mailboxes/{mailbox_id}"): ("mailboxes:read", None, EVERYONE),
    ("PATCH", "/mailboxes/{mailbox_id}"): ("mailboxes:write", {"name": "Otra"}, EVERYONE),
    ("DELETE", "/mailboxes/{mailbox_id}"): ("mailboxes:write", None, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/restore"): ("mailboxes:write", None, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/purge"): ("mailboxes:write", {"address": "ana@uno.test"}, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/rename"): ("mailboxes:write", {"local": "otra"}, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/password"): ("mailboxes:write", {}, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/password-link"): ("mailboxes:write", {}, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/sign-in-link"): ("sign-in:write", None, RUNNERS),
    ("GET", "/mailboxes/{mailbox_id}/forwards"): ("mailboxes:read", None, EVERYONE),
    ("PUT", "/mailboxes/{mailbox_id}/forwards"): ("mailboxes:write", {"addresses": [], "keeps_copy": True}, EVERYONE),
    ("PATCH", "/mailboxes/{mailbox_id}/forwards"): ("mailboxes:write", {"keeps_copy": True}, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/sending"): ("mailboxes:read", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/setup"): ("mailboxes:read", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/setup/{program}"): ("mailboxes:read", None, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/setup/{program}/letter"): ("mailboxes:write", {}, RUNNERS),
    ("POST", "/mailboxes/{mailbox_id}/profile"): ("mailboxes:write", {"device": "iPad"}, {"owner"}),
    ("PUT", "/mailboxes/{mailbox_id}/leave-days"): ("mailboxes:write", {"days": 5}, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/app-passwords"): ("mailboxes:read", None, EVERYONE),
    # With it mail is read: the owner's alone.
    ("POST", "/mailboxes/{mailbox_id}/app-passwords"): (
        "mailboxes:write",
        {"name": "Tablet", "protocols": ["imap"]},
        {"owner"},
    ),
    ("DELETE", "/mailboxes/{mailbox_id}/app-passwords/{password_id}"): ("mailboxes:write", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/mode"): ("mailboxes:read", None, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/mode"): ("mailboxes:write", {"mode": "pop3"}, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/mode/do"): ("mailboxes:write", {"do": "undo"}, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/mode/propose"): ("mailboxes:write", None, RUNNERS),
    ("PUT", "/mailboxes/{mailbox_id}/mode/policy"): ("mailboxes:write", POLICY, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/vacation"): ("mailboxes:read", None, EVERYONE),
    ("PUT", "/mailboxes/{mailbox_id}/vacation"): ("mailboxes:write", REPLY, EVERYONE),
    ("PATCH", "/mailboxes/{mailbox_id}/vacation"): ("mailboxes:write", {"on": False}, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/filters"): ("mailboxes:read", None, EVERYONE),
    ("PUT", "/mailboxes/{mailbox_id}/filters"): ("mailboxes:write", {"rows": []}, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/filters/choice"): ("mailboxes:write", {"do": "off"}, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/filters/script"): ("mailboxes:read", None, EVERYONE),
    ("PUT", "/mailboxes/{mailbox_id}/filters/script"): ("mailboxes:write", {"text": "keep;"}, EVERYONE),
    ("GET", "/lists"): ("mailboxes:read", None, ANYBODY),
    ("POST", "/domains/{domain_id}/lists"): ("mailboxes:write", {"csv": "address\neva\n"}, RUNNERS),
    # A list is for who brought it alone: passwords are in it.
    ("GET", "/lists/{list_id}"): ("mailboxes:read", None, {"domain"}),
    ("GET", "/lists/{list_id}/rows"): ("mailboxes:read", None, {"domain"}),
    ("POST", "/lists/{list_id}/apply"): ("mailboxes:write", None, {"domain"}),
    ("GET", "/lists/{list_id}/passwords"): ("mailboxes:write", None, {"domain"}),
    ("GET", "/mailboxes/{mailbox_id}/space"): ("usage:read", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/space/report"): ("usage:read", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/activity"): ("usage:read", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/mode/figures"): ("mailboxes:read", None, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/reserve"): ("mailboxes:read", None, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/reserve"): ("mailboxes:write", {"all": True}, EVERYONE),
    ("GET", "/mailboxes/{mailbox_id}/space/shares"): ("usage:read", None, EVERYONE),
    ("POST", "/mailboxes/{mailbox_id}/space/shares"): ("mailboxes:write", None, EVERYONE),
    ("GET", "/space/shares"): ("usage:read", None, RUNNERS),
    ("GET", "/space/retention"): ("usage:read", None, RUNNERS),
    ("POST", "/space/retention"): ("mailboxes:write", {"days": 14, "mailboxes": ["<mailbox>"]}, RUNNERS),
    ("POST", "/space/retention/undo"): ("mailboxes:write", {"undo": "x"}, RUNNERS),
    ("GET", "/space"): ("usage:read", None, RUNNERS),
    ("GET", "/space/mailboxes"): ("usage:read", None, RUNNERS),
    ("GET", "/space/domains"): ("usage:read", None, RUNNERS),
    ("POST", "/space/quotas"): ("mailboxes:write", {"mailboxes": ["<mailbox>"], "quota_bytes": 10**9}, RUNNERS),
    ("POST", "/space/quotas/undo"): ("mailboxes:write", {"undo": "x"}, RUNNERS),
    ("GET", "/space/summary"): ("usage:read", None, RUNNERS),
    ("PUT", "/space/summary"): ("customers:write", {"weekly": True}, RUNNERS),
    ("GET", "/space/limits"): ("usage:read", None, PROVIDER),
    ("PUT", "/space/limits"): (
        "customers:write",
        {"owner_steps": [70, 95], "disk_steps": [80], "promise_percent": 120},
        PROVIDER,
    ),
    ("GET", "/changes"): ("changes:read", None, ANYBODY),
}
SETTLED = {200, 201, 202, 204, 409, 422, 429, 503}
"""What somebody gets who may: some of it cannot be done as this world stands (a customer with domains is not removed), or no more
often than that (429)."""


def test_every_operation_is_in_the_table_with_its_scope() -> None:
    assert operations().keys() == TABLE.keys()
    for key, one in operations().items():
        assert one.get("x-scope", "") == TABLE[key][0], key


def filled(world: World, side: Side, path: str, data: Any) -> tuple[str, Any]:
    """Path and body with the ids of one side's things."""
    names = ("reseller", "customer", "domain", "mailbox", "alias", "group", "role", "invitation")
    things = {name: getattr(side, name) for name in names}
    things |= {"plan": world.plan, "password": AppPassword.objects.filter(mailbox=side.mailbox).first()}
    things |= {"network": side.domain.networks.first(), "own_network": side.mailbox.networks.first()}
    things |= {"list": side.batch, "server": MailServer.objects.first()}
    for name, thing in things.items():
        path = path.replace(f"{{{name}_id}}", str(thing.pk) if thing else "0")
    known = {f"<{name}>": thing.pk for name, thing in things.items() if thing}

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(one) for one in value]
        return known.get(value, value) if isinstance(value, str) else value

    return path.replace("{program}", "thunderbird"), data and {key: put(value) for key, value in data.items()}


def people_of(world: World) -> Iterator[tuple[str, str, User]]:
    yield "provider", "both", world.provider
    for side, name in ((world.one, "one"), (world.two, "two")):
        for role, person in side.people.items():
            yield role, name, person
    yield "nobody", "none", world.nobody


def area_of(key: tuple[str, str]) -> str:
    return key[1].split("/")[1]


AREAS = sorted({area_of(key) for key in TABLE})
COMMON = {"plan_id", "server_id"}
"""What is nobody's own: the role alone decides."""


@pytest.fixture
def furnished(world: World) -> Iterator[World]:
    """The world, a device of the mailbox of each side, and a server. Nothing is asked of the world's DNS."""
    for side in (world.one, world.two):
        make_app_password(mailbox=side.mailbox, name="Mac", protocols=["imap"])
        NamedNetwork.objects.create(domain=side.domain, network="198.51.100.0/24", name="Oficina")
        NamedNetwork.objects.create(mailbox=side.mailbox, network="198.51.100.0/24", name="Casa")
    MailServer.objects.create(name="Segundo", path="/srv/dos")
    before = brand.look()
    with name_server({}):
        yield world
    brand.keep(before)


@pytest.mark.parametrize("area", AREAS)
def test_each_role_calls_what_is_its_own_and_nothing_else(furnished: World, area: str, settings: Any) -> None:
    """One world for an area's operations; what each of them does is undone. Every answer is as the description says."""
    world, wrong = furnished, []
    settings.API_CALLS_A_MINUTE = 100_000
    settings.MAIL_CA_FILE = ""  # no server runs: what needs one says so
    people = [(role, side, token_of(person)) for role, side, person in people_of(world)]

    @cache
    def narrow(to: str) -> str:
        """The provider's token for one scope, or for all but those of an area."""
        but = to.removeprefix("but ")
        chosen = [one for one in SCOPES if one.partition(":")[0] != but] if to != but else [to]
        return token_of(world.provider, chosen)

    for method, path in [key for key in TABLE if area_of(key) == area]:
        scope, body, allowed = TABLE[method, path]
        where, data = filled(world, world.one, path, body)
        about_one = (where != path or data != body) and not any(f"{{{name}}}" in path for name in COMMON)
        about_one = about_one and (method, path) != ("POST", "/customers")
        for role, side, token in people:
            expected = role in allowed and (not about_one or side in {"one", "both"})
            answer = tried(token, method, where, data)
            fits = answer.status_code in (SETTLED if expected else {403, 404, 422})
            if not expected and answer.status_code == 422:
                fits = names_what_is_not_there(answer)
            said = conforms(method, path, answer)
            if not fits or said:
                who = f"{method} {path} as {role} of {side}"
                wrong.append(f"{who}: {answer.status_code} {answer.content[:200]!r} {said}")
        assert tried("", method, where, data).status_code == 401
        others = narrow(f"but {scope.partition(':')[0]}")
        assert tried(others, method, where, data).status_code == (403 if scope else 200), path
        if scope.endswith(":write") and scope.replace(":write", ":read") in SCOPES:
            reads = narrow(scope.replace(":write", ":read"))
            assert tried(reads, method, where, data).status_code == 403, path
    assert not wrong, "\n".join(wrong)


def tried(token: str, method: str, where: str, data: Any) -> Any:
    """A call of which nothing stays."""
    with transaction.atomic():
        answer = call(token, method, where, data)
        transaction.set_rollback(True)
    return answer


def names_what_is_not_there(answer: Any) -> bool:
    """Whether a 422 is because of a thing that the caller does not see."""
    texts = [text for texts in answer.json().get("errors", {}).values() for text in texts]
    return any("There is no such" in text or "not there" in text for text in texts)


def test_a_token_for_one_customer_sees_no_other(furnished: World) -> None:
    world, wrong = furnished, []
    token = token_of(world.provider, customer=world.one.customer)
    for method, path in [key for key in TABLE if "{" in key[1]]:
        where, data = filled(world, world.two, path, TABLE[method, path][1])
        answer = tried(token, method, where, data)
        common = any(f"{{{name}}}" in path for name in COMMON)
        if answer.status_code not in ({200, 403} if common else {404}):
            wrong.append(f"{method} {path}: {answer.status_code} {answer.content[:200]!r}")
    assert not wrong, "\n".join(wrong)


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
