"""What a plan allows cannot be passed, by two requests at once either; bad input is told at its field and changes nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from accounts.form_parts import SizeField
from accounts.models import Change, Mailbox, Plan
from accounts.services.audit import SYSTEM
from accounts.services.customers import create_reseller, set_usual
from accounts.services.limits import LARGEST_BYTES, SMALLEST_BYTES, size_typed
from accounts.services.mailboxes import act_on_many, change_mailbox, create_mailbox, delete, restore
from tests.portal.conftest import World

GB = 1_000_000_000


def make(world: World, local: str, **more: Any) -> Mailbox:
    return create_mailbox(domain=world.one.domain, local=local, by=SYSTEM, **more)[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", ["mailbox_limit", "total_bytes"])
def test_two_at_once_do_not_both_get_the_last_place(world: World, limit: str) -> None:
    Plan.objects.update(**{limit: {"mailbox_limit": 3, "total_bytes": 12 * GB}[limit]}, mailbox_quota_bytes=4 * GB)
    Mailbox.objects.update(quota_bytes=4 * GB)
    begin = threading.Barrier(6)
    outcomes: list[str] = []

    def request(number: int) -> None:
        begin.wait()
        try:
            make(world, f"caja{number}")
            outcomes.append("made")
        except ValidationError as error:
            outcomes.append(next(iter(error.message_dict)))
        finally:
            connection.close()

    threads = [threading.Thread(target=request, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    field = {"mailbox_limit": "address", "total_bytes": "quota"}[limit]
    assert sorted(outcomes) == sorted(["made"] * 2 + [field] * 4)
    numbers = Mailbox.objects.values_list("number", flat=True)
    assert len(set(numbers)) == len(numbers) == 4


@pytest.mark.django_db
def test_a_larger_quota_or_a_mailbox_had_back_has_to_find_room(world: World) -> None:
    Plan.objects.update(total_bytes=12 * GB, mailbox_quota_bytes=4 * GB, largest_mailbox_bytes=6 * GB)
    Mailbox.objects.update(quota_bytes=4 * GB)
    second = make(world, "dos")
    with pytest.raises(ValidationError, match="allows at most"):
        change_mailbox(mailbox=second, by=SYSTEM, quota_bytes=7 * GB)
    change_mailbox(mailbox=second, by=SYSTEM, quota_bytes=6 * GB)
    delete(mailbox=second, by=SYSTEM)
    third = make(world, "tres", quota_bytes=6 * GB)
    with pytest.raises(ValidationError, match="left to give"):
        restore(mailbox=second, by=SYSTEM)
    change_mailbox(mailbox=third, by=SYSTEM, quota_bytes=GB)
    restore(mailbox=second, by=SYSTEM)
    assert Mailbox.objects.get(pk=second.pk).deleted is None


@pytest.mark.django_db
def test_a_selection_is_done_as_a_whole_or_not_at_all(world: World) -> None:
    Plan.objects.update(mailbox_limit=2)
    second = make(world, "dos")
    first = world.one.mailbox
    delete(mailbox=first, by=SYSTEM)
    delete(mailbox=second, by=SYSTEM)
    make(world, "tres")
    with pytest.raises(ValidationError):
        act_on_many(mailboxes=[first, second], do="restore", by=SYSTEM)
    assert Mailbox.objects.filter(deleted__isnull=False).count() == 2


WRONG = [
    ({"new-address": ""}, "This field is required"),
    ({"new-address": "ana"}, "There is a mailbox with this address"),
    ({"new-address": "ANA@uno.test"}, "There is a mailbox with this address"),
    ({"new-address": "ventas"}, "There is an alias with this address"),
    ({"new-address": "todos"}, "There is a group with this address"),
    ({"new-address": "ana@dos.test"}, "must end in @uno.test"),
    ({"new-address": "a..b"}, "Before the @ only letters"),
    ({"new-address": ".a"}, "Before the @ only letters"),
    ({"new-address": "a/../../etc"}, "Before the @ only letters"),
    ({"new-address": "a b"}, "Before the @ only letters"),
    ({"new-address": "ñandú"}, "Before the @ only letters"),
    ({"new-address": "a+b"}, "Before the @ only letters"),
    ({"new-address": "a\r\nb"}, "Before the @ only letters"),
    ({"new-address": "a'; DROP"}, "Before the @ only letters"),
    ({"new-address": "a" * 65}, "At most 64 characters"),
    ({"new-address": "eva", "new-quota": "mucho"}, "is no size"),
    ({"new-address": "eva", "new-quota": "-5 GB"}, "is no size"),
    ({"new-address": "eva", "new-quota": "nan GB"}, "is no size"),
    ({"new-address": "eva", "new-quota": "0.1 MB"}, "at least 1 MB"),
    ({"new-address": "eva", "new-quota": "999999999 TB"}, "at most"),
    ({"new-address": "eva", "new-password": "corta"}, "At least 8 characters"),
    ({"new-address": "eva", "new-password": "contraseña"}, "Too easy to guess"),
    ({"new-address": "eva", "new-password": "eva@uno.test"}, "Too easy to guess"),
    ({"new-address": "eva", "new-password": "qwertyuiop123"}, "Too easy to guess"),
    ({"new-address": "eva", "new-password": "x" * 129}, "At most 128"),
    ({"new-address": "eva", "new-recovery_address": "no es"}, "is not a mail address"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("data", "message"), WRONG)
def test_bad_input_is_told_at_its_field_and_changes_nothing(world: World, data: dict[str, str], message: str) -> None:
    client = world.client(world.one.people["domain"])
    mailboxes, changes = Mailbox.objects.count(), Change.objects.count()
    answer = client.post(reverse("portal:mailbox_new", args=[world.one.domain.pk]), data)
    assert answer.status_code == 422
    text = answer.content.decode().replace("&#x27;", "'")
    assert message in text
    field = list(data)[-1].replace("-", "-")
    assert f'id="id_{field}_error"' in text
    assert (Mailbox.objects.count(), Change.objects.count()) == (mailboxes, changes)


@pytest.mark.django_db
def test_a_domain_of_other_letters_is_kept_as_dns_writes_it(world: World) -> None:
    client = world.client(world.provider)
    address = reverse("portal:domain_new", args=[world.one.customer.pk])
    page = client.get(client.post(address, {"name": "Peñaflor.Test."})["Location"]).content.decode()
    assert "peñaflor.test" in page
    for wrong in ("localhost", "a b.test", "-a.test", "1.2.3.4", "uno.test", "x" * 64 + ".test", "a..test"):
        answer = client.post(address, {"name": wrong})
        assert answer.status_code == 422, wrong
        assert 'id="id_name_error"' in answer.content.decode()


@pytest.mark.django_db
def test_every_change_is_in_the_log_with_who_what_before_after_and_from_where(world: World) -> None:
    client = world.client(world.one.people["domain"])
    data = {"name": "Ana Soto", "recovery_address": "", "quota": "2 GB", "imap": "on", "smtp": "on", "sieve": "on"}
    assert client.post(reverse("portal:mailbox", args=[world.one.mailbox.pk]), data).status_code == 302
    change = Change.objects.latest("pk")
    assert (change.actor_name, change.verb, change.origin) == ("domain@uno.example", "mailbox.change", "127.0.0.1")
    assert change.before == {"name": "Ana", "quota_bytes": 5 * GB, "pop3": True}
    assert change.after == {"name": "Ana Soto", "quota_bytes": 2 * GB, "pop3": False}
    page = world.client(world.one.people["owner"]).get(reverse("portal:mailbox_changes", args=[world.one.mailbox.pk]))
    text = page.content.decode()
    assert "Ana Soto" in text
    assert "domain@uno.example" in text


@pytest.mark.django_db
def test_no_password_is_ever_in_the_log(world: World) -> None:
    client = world.client(world.one.people["domain"])
    secret = "nueve-faroles-dormidos-5"
    client.post(reverse("portal:mailbox_new", args=[world.one.domain.pk]), {"new-address": "x", "new-password": secret})
    pk = Mailbox.objects.get(address="x@uno.test").pk
    client.post(reverse("portal:mailbox_password", args=[pk]), {"password": secret + "1", "again": secret + "1"})
    client.post(reverse("portal:password_link", args=[pk]))
    for change in Change.objects.all():
        written = f"{change.before}{change.after}{change.thing}"
        assert secret not in written
        assert "argon2" not in written


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Ana\nBcc: z@z.test", "x\ty", "gpj.\u202eotof"])
def test_a_name_is_one_line_that_shows_as_it_is(world: World, name: str) -> None:
    """Otherwise it would stand in the headers of every letter that its owner writes."""
    for make_it in (
        lambda: make(world, "dos", name=name),
        lambda: change_mailbox(mailbox=world.one.mailbox, by=SYSTEM, name=name),
        lambda: create_reseller(name=name, by=SYSTEM),
    ):
        with pytest.raises(ValidationError, match="is one line"):
            make_it()


@pytest.mark.django_db
def test_a_new_mailbox_cannot_begin_with_more_than_the_plan_has_in_all(world: World) -> None:
    Plan.objects.update(total_bytes=12 * GB, largest_mailbox_bytes=None)
    with pytest.raises(ValidationError, match="allows at most"):
        set_usual(domain=world.one.domain, quota_bytes=13 * GB, by=SYSTEM)


@given(st.integers(SMALLEST_BYTES, LARGEST_BYTES), st.sampled_from(["en", "es"]))
def test_a_quota_saved_as_its_field_shows_it_stays_as_it_is(size_bytes: int, language: str) -> None:
    with override(language):
        shown = SizeField().prepare_value(size_bytes)
        assert SizeField().clean(shown) == size_bytes
    assert size_typed(1_500_000_000) == "1.5\u00a0GB"
    assert size_typed(1_234_567_891) == "1.234567891\u00a0GB"
    assert size_typed(20_000_000) == "20\u00a0MB"
