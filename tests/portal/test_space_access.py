"""Every address of space and activity, as each role, against one's own things and another's: the portal's table (test_access.py)
goes on here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from django.core import signing
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Change, Customer, MailAccount, Mailbox, NamedNetwork, Reseller, SpaceAlert, UsageLimits
from accounts.services.advice import Before
from accounts.services.login import account_of_mailbox
from accounts.services.usage.quotas import UNDO_SALT as QUOTA_SALT
from accounts.vault import digest_of
from accounts.views.usage import urls as usage_urls
from accounts.views.usage.advice import UNDO_SALT as ADVICE_SALT
from tests.portal.conftest import World
from tests.portal.test_access import EVERYONE, OWNERS, PROVIDER, RUNNERS, SELLERS, names, people_of
from webmail import urls as webmail_urls
from webmail.services.retention import UNDO_SALT as RETENTION_SALT

pytestmark = pytest.mark.django_db
GIGA = 10**9


@dataclass(frozen=True, slots=True)
class Door:
    """What stands in the address and in the form, and who may."""

    methods: str
    allowed: set[str]
    args: Callable[[World], list[Any]] = lambda world: []
    data: Callable[[World], dict[str, Any]] = lambda world: {}
    own: bool = False
    """Without a thing of somebody's in it: what it shows is the person's own."""


def _box(world: World) -> list[Any]:
    return [world.one.mailbox.pk]


def _account(world: World) -> list[Any]:
    return [account_of_mailbox(world.one.mailbox).pk]


def _quota_token(world: World) -> list[Any]:
    mailbox = Mailbox.objects.get(pk=world.one.mailbox.pk)
    last = Change.objects.order_by("-pk").values_list("pk", flat=True).first()
    return [signing.dumps([[[mailbox.pk, 7 * GIGA]], mailbox.quota_bytes, last or 0], salt=QUOTA_SALT)]


def _advice_token(world: World) -> list[Any]:
    return [*_box(world), signing.dumps([world.one.mailbox.pk, asdict(Before(days=3))], salt=ADVICE_SALT)]


def _alert(world: World) -> list[Any]:
    return [SpaceAlert.objects.get(mailbox=world.one.mailbox).pk]


OWNER = {"owner"}
TABLE = {
    "usage": Door("GET", RUNNERS, own=True),
    "usage_export": Door("GET", RUNNERS, own=True),
    "usage_shares": Door("GET", RUNNERS, own=True),
    "usage_shares_export": Door("GET", RUNNERS, own=True),
    "usage_quota": Door("POST", RUNNERS, data=lambda world: {"mailbox": world.one.mailbox.pk, "gb": "7"}),
    "usage_quota_undo": Door("POST", RUNNERS, args=_quota_token),
    "usage_propose": Door("POST", RUNNERS, args=_box),
    "account_activity": Door("GET", OWNER, args=_account),
    "account_place": Door(
        "POST", OWNER, args=_account, data=lambda world: {"network": "192.0.2.0/24", "name": "Oficina"}
    ),
    "mailbox_activity": Door("GET", EVERYONE, args=_box),
    "usage_advice": Door("GET POST", EVERYONE, args=_box, data=lambda world: {"do": "leave", "days": "5"}),
    "usage_advice_undo": Door("POST", EVERYONE, args=_advice_token),
    "usage_customer_limit": Door(
        "POST", OWNERS, args=lambda world: [world.one.customer.pk], data=lambda world: {"alert_steps": "77"}
    ),
    "usage_reseller_limit": Door(
        "POST", SELLERS, args=lambda world: [world.one.reseller.pk], data=lambda world: {"alert_steps": "77"}
    ),
    "usage_summary": Door("POST", RUNNERS, own=True, data=lambda world: {"wanted": "1"}),
    "notice_dismiss": Door("POST", OWNER, args=_alert),
    "usage_limits": Door(
        "POST",
        PROVIDER,
        data=lambda world: {"owner_steps": "70, 90", "disk_steps": "70", "promise_percent": "110"},
    ),
    "usage_retention": Door("GET POST", RUNNERS, own=True, data=lambda world: {"account": str(_account(world)[0])}),
    "usage_retention_sum": Door("GET", RUNNERS, own=True),
    "usage_retention_undo": Door(
        "POST",
        RUNNERS,
        own=True,
        args=lambda world: [signing.dumps([14, [[_account(world)[0], "days", 60]]], salt=RETENTION_SALT)],
    ),
    "space": Door("GET", OWNER, args=_account),
    "space_tidy": Door("POST", OWNER, args=_account),
    "space_tidy_undo": Door("POST", OWNER, args=lambda world: [*_account(world), 1]),
    "space_archive": Door("GET", OWNER, args=_account),
    "space_delete": Door("POST", OWNER, args=_account),
    "mailbox_reserve": Door("GET POST", RUNNERS, args=_box, data=lambda world: {"all": "1"}),
    "reserve": Door("GET POST", OWNER, args=_account),
    "reserve_held": Door("GET", OWNER, args=_account),
}


def test_every_address_of_space_is_in_the_table() -> None:
    ours = {
        name for name in names(webmail_urls.urlpatterns) if name.startswith(("space", "usage", "reserve", "mailbox"))
    }
    assert ours | set(names(usage_urls.urlpatterns)) == TABLE.keys()


def state() -> list[Any]:
    """All that these addresses could change of what is side one's."""
    rows = (Mailbox, Customer, Reseller, MailAccount, UsageLimits, SpaceAlert, Change, NamedNetwork)
    return [list(model.objects.order_by("pk").values()) for model in rows]


@pytest.mark.parametrize("name", TABLE)
def test_each_role_sees_the_space_of_its_own_and_changes_nothing_else(world: World, name: str, settings: Any) -> None:
    settings.MAIL_CA_FILE = ""  # no server runs: what needs one says so
    door = TABLE[name]
    SpaceAlert.objects.create(mailbox=world.one.mailbox, percent=80, at=timezone.now())
    account_of_mailbox(world.two.mailbox)
    args, data = door.args(world), door.data(world)
    address = reverse(name, args=args)
    before = state()
    for role, side, person in people_of(world):
        client = world.client(person)
        for method in door.methods.split():
            cache.delete(f"advice-undone:{digest_of(str(args[-1]))}" if args else "")  # a token counts once
            with transaction.atomic():
                answer = client.get(address) if method == "GET" else client.post(address, data)
                after = state()
                transaction.set_rollback(True)
            who = f"{method} {name} as {role} of {side}: {answer.status_code}"
            if person is None:
                assert answer.status_code == 302, who
                assert answer["Location"].startswith("/accounts/login/"), who
            elif role in door.allowed and (door.own or side in {"one", "both"}):
                assert answer.status_code in {200, 302, 401, 422, 503}, who
                continue
            elif name in ANSWERED_ELSEWHERE and role in door.allowed:
                assert answer.status_code in ANSWERED_ELSEWHERE[name], who
            else:
                assert answer.status_code in {403, 404}, who
            assert after == before, who


ANSWERED_ELSEWHERE = {"usage_quota": {422}, "usage_quota_undo": {302}}
"""Whoever runs something else has these pages; what is not theirs is not in them."""


@pytest.mark.parametrize("name", [name for name, door in TABLE.items() if "GET" not in door.methods])
def test_nothing_of_space_is_changed_by_following_a_link(world: World, name: str) -> None:
    SpaceAlert.objects.create(mailbox=world.one.mailbox, percent=80, at=timezone.now())
    address = reverse(name, args=TABLE[name].args(world))
    assert world.client(world.one.people["owner"]).get(address).status_code == 405


def test_tables_and_files_of_space_name_only_what_is_ones_own(world: World) -> None:
    from accounts.models import MailboxUsage
    from accounts.services.usage.sampling import take_samples

    for side in (world.one, world.two):
        MailboxUsage.objects.create(username=side.mailbox.address, bytes=GIGA, messages=10)
    take_samples()
    for role in ("reseller", "customer", "domain"):
        client = world.client(world.one.people[role])
        page = client.get(reverse("usage") + "?show=domains&least=0").content.decode()
        file = b"".join(client.get(reverse("usage_export") + "?show=domains&least=0")).decode()  # type: ignore[arg-type]
        for text in (page, file):
            assert "uno.test" in text, role
            assert "dos.test" not in text, role
