"""What hands a mailbox over asks its owner for the password, as on the pages: a token that somebody found is not enough."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AppPassword, Mailbox
from accounts.provisioning.passwords import check_mailbox_password
from tests.api.conftest import call, conforms, token_of
from tests.portal.conftest import PASSWORD, World, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db
FRESH = "tranvia-molino-cesto-88"
MAILBOX = "/mailboxes/{mailbox_id}"
ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", "/forwards", {"addresses": ["yo@afuera.example"], "keeps_copy": True}),
    ("POST", "/password", {"password": FRESH}),
    ("PATCH", "", {"recovery_address": "yo@afuera.example"}),
    ("POST", "/app-passwords", {"name": "Mac", "protocols": ["imap"]}),
]


def handed_over(box: Mailbox) -> list[str]:
    """What of the acts is done."""
    row = Mailbox.objects.get(pk=box.pk)
    done = {"/forwards": row.forwards.exists(), "/password": check_mailbox_password(FRESH, row.password)}
    done |= {"": bool(row.recovery_address), "/app-passwords": AppPassword.objects.filter(mailbox=box).exists()}
    return [path for path, is_done in done.items() if is_done]


@pytest.mark.parametrize(("method", "path", "data"), ACTS)
def test_its_owner_is_asked_for_the_password(world: World, method: str, path: str, data: dict[str, Any]) -> None:
    box, token = world.one.mailbox, token_of(world.one.people["owner"])
    for typed in (
        {},
        {"current_password": ""},
        {"current_password": None},
        {"current_password": "otra-cosa-distinta-5"},
    ):
        answer = call(token, method, f"/mailboxes/{box.pk}{path}", data | typed)
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {"current_password"}), answer.content
        assert not conforms(method, MAILBOX + path, answer)
    assert handed_over(box) == []
    answer = call(token, method, f"/mailboxes/{box.pk}{path}", data | {"current_password": PASSWORD})
    assert answer.status_code in {200, 201}, answer.content
    assert not conforms(method, MAILBOX + path, answer)
    assert PASSWORD not in answer.content.decode()
    assert handed_over(box) == [path]
    # A new password signs everything out, the token that set it as well.
    assert call(token, "GET", "/me").status_code == (401 if path == "/password" else 200)


def test_wrong_passwords_are_counted_for_all_that_ask_and_on_the_pages_too(world: World) -> None:
    box, token = world.one.mailbox, token_of(world.one.people["owner"])
    for number in range(5):
        method, path, data = ACTS[number % len(ACTS)]
        wrong = data | {"current_password": f"otra-cosa-{number}"}
        assert call(token, method, f"/mailboxes/{box.pk}{path}", wrong).status_code == 422
    for method, path, data in ACTS:
        answer = call(token, method, f"/mailboxes/{box.pk}{path}", data | {"current_password": PASSWORD})
        assert (answer.status_code, int(answer["Retry-After"])) == (429, 300)
    page = world.client(world.one.people["owner"]).post(
        f"/portal/mailboxes/{box.pk}/password/", {"password": FRESH, "again": FRESH, "current": PASSWORD}
    )
    assert "Too many wrong passwords" in page.content.decode()
    assert handed_over(box) == []
    # Whoever runs it knows no password of it, and is not asked.
    boss = token_of(world.one.people["domain"])
    assert call(boss, "PUT", f"/mailboxes/{box.pk}/forwards", ACTS[0][2]).status_code == 200


def test_an_owner_sets_no_more_than_on_the_page(world: World) -> None:
    box, token = world.one.mailbox, token_of(world.one.people["owner"])
    where = f"/mailboxes/{box.pk}"
    assert call(token, "PATCH", where, {"name": "Ana Díaz"}).json()["name"] == "Ana Díaz"
    for value in ({"quota_bytes": 10**9}, {"sends": True}, {"name": "X", "pop3": False}):
        assert call(token, "PATCH", where, value | {"current_password": PASSWORD}).status_code == 403
    assert set(call(token, "POST", f"{where}/password", {"current_password": PASSWORD}).json()["errors"]) == {
        "password"
    }
    weak = call(token, "POST", f"{where}/password", {"password": "ana", "current_password": PASSWORD})
    assert set(weak.json()["errors"]) == {"password"}
    assert Mailbox.objects.get(pk=box.pk).name == "Ana Díaz"


def test_who_runs_more_is_asked_for_their_own_mailbox(world: World) -> None:
    box, boss = world.one.mailbox, world.one.people["domain"]
    world.one.people["owner"].delete()
    type(boss).objects.filter(pk=boss.pk).update(email=box.address)
    boss.refresh_from_db()
    token, where = token_of(boss), f"/mailboxes/{box.pk}"
    assert set(call(token, "PUT", f"{where}/forwards", ACTS[0][2]).json()["errors"]) == {"current_password"}
    assert call(token, "POST", f"{where}/password-link", {}).status_code == 403
    assert set(call(token, "PATCH", where, {"imap": False}).json()["errors"]) == {"imap"}
    assert call(token, "PATCH", where, {"quota_bytes": 10**9}).status_code == 200
    key = {"Idempotency-Key": "una-vez"}
    kept = {"password": FRESH, "everywhere": False, "current_password": PASSWORD}
    for _time in range(2):
        answer = call(token, "POST", f"{where}/password", kept, **key)
        assert (answer.status_code, answer.json()) == (200, {"password": None})
