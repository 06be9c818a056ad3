"""What makes something does it once for a key, however often it is sent; with another body or elsewhere the key is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import ApiReply, Mailbox, User
from tests.api.conftest import call, operations, token_of
from tests.api.test_access import TABLE, filled, furnished
from tests.portal.conftest import PASSWORD, World, world

__all__ = ["furnished", "world"]
pytestmark = pytest.mark.django_db

BODIES: dict[str, dict[str, Any]] = {
    "/mailboxes/{mailbox_id}/profile": {"device": "iPad", "current_password": PASSWORD},
    "/mailboxes/{mailbox_id}/app-passwords": {"name": "Tablet", "protocols": ["imap"], "current_password": PASSWORD},
}
"""What is sent where the table of roles sends less than makes something."""
ELSEWHERE = {
    "/mailboxes/{mailbox_id}/mode": "tests/api/test_settings.py",
    "/mailboxes/{mailbox_id}/mode/propose": "tests/api/test_settings.py",
    "/mailboxes/{mailbox_id}/reserve": "tests/activity/test_reserve.py",
}
"""What needs a mail server is proven where one runs."""
REPEATABLE = {
    "/mailboxes/{mailbox_id}/sign-in-link": "each is another, and the first that is used ends the others",
    "/mailboxes/{mailbox_id}/purge": "what is gone stays gone",
    "/mailboxes/{mailbox_id}/mode/do": "a change that goes on is stopped once",
    "/mailboxes/{mailbox_id}/filters/choice": "what runs is chosen, not added to",
    "/space/quotas/undo": "the second time they were changed since",
    "/space/retention/undo": "the second time there is nothing to take back",
}
"""What takes no key, and why twice is as once."""


def posts() -> dict[str, bool]:
    """Every POST of the description: its path, and whether it takes a key."""
    return {
        path: any(given["name"] == "Idempotency-Key" for given in one["parameters"])
        for (method, path), one in operations().items()
        if method == "POST"
    }


def test_every_post_takes_a_key_or_may_be_repeated() -> None:
    assert {path for path, keyed in posts().items() if not keyed} == REPEATABLE.keys()
    assert ELSEWHERE.keys() <= posts().keys()


def rows() -> tuple[int, ...]:
    """How many rows each table has, but for what is kept of the answers."""
    kinds = (kind for app in ("accounts", "webmail") for kind in apps.get_app_config(app).get_models())
    names = [kind._meta.db_table for kind in kinds if kind is not ApiReply and kind._meta.managed]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"(SELECT COUNT(*) FROM {name})" for name in names))
        return tuple(cursor.fetchone())


def who(world: World, path: str) -> User:
    """Somebody who may."""
    allowed = TABLE["POST", path][2]
    return world.provider if "provider" in allowed else world.one.people[min(allowed)]


def test_what_is_sent_twice_is_done_once(furnished: World, settings: Any) -> None:
    """Every one of them in one world, and what it did is undone."""
    settings.PROFILE_CERT_FILE = ""  # no server runs whose certificate would sign
    for method, path in TABLE:
        if method == "POST" and path not in REPEATABLE.keys() | ELSEWHERE.keys():
            with transaction.atomic():
                sent_twice(furnished, path)
                transaction.set_rollback(True)


def sent_twice(world: World, path: str) -> None:
    if path.endswith("/restore"):
        Mailbox.objects.filter(pk=world.one.mailbox.pk).update(deleted=timezone.now())
    where, data = filled(world, world.one, path, BODIES.get(path, TABLE["POST", path][1]))
    token, key = token_of(who(world, path)), {"Idempotency-Key": "una vez"}
    before = rows()
    first = call(token, "POST", where, data, **key)
    assert first.status_code in {200, 201, 202}, (path, first.content)
    once = rows()
    assert (first.status_code == 201) <= (once != before), f"{path} made nothing"
    again = call(token, "POST", where, data, **key)
    assert (again.status_code, again.content) == (first.status_code, first.content), path
    assert again["Idempotency-Replayed"] == "true"
    # The key stands for that one request: not for another body, not for another address.
    elsewhere = "/plans" if where != "/plans" else "/resellers"
    others = [(elsewhere, {"name": "Nuevo otro"})]
    if data is None or "name" in data:
        others.append((where, (data or {}) | {"name": "Otro nombre"}))
    for other, body in others:
        refused = call(token, "POST", other, body, **key)
        assert (refused.status_code, "another request" in refused.json()["detail"]) == (422, True), (
            path,
            refused.content,
        )
    assert rows() == once, path
    assert ApiReply.objects.count() == 1, path
