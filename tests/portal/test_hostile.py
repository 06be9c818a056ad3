"""What nobody types by mistake: numbers that fit no column, characters that no database holds, questions about other people."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.numbers import read_number
from accounts.services.login import clean_address
from tests.portal.conftest import PASSWORD, World
from webmail.services.contacts import group_key

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", ["", " 1", "-1", "1.0", "²", "٣", "9" * 19, "9" * 5000])
def test_what_is_no_whole_number_of_a_column_is_none(text: str) -> None:
    assert read_number(text) is None
    assert read_number("0017") == 17


def test_a_selection_of_keys_that_fit_no_column_changes_nothing(world: World) -> None:
    client = world.client(world.one.people["domain"])
    address = reverse("portal:selection", args=[world.one.domain.pk])
    for key in ("9" * 25, "9" * 5000, "²"):
        answer = client.post(address, {"do": "suspend", "mailbox": key})
        assert answer.status_code == 422
        assert b"Select mailboxes in the list first." in answer.content


def test_a_domain_tells_nothing_of_other_customers_addresses(world: World) -> None:
    """An alias to a mailbox of somebody else is refused in the words for one that is nowhere."""
    client = world.client(world.one.people["domain"])
    answers = []
    for target in (world.two.mailbox.address, "nadie@dos.test"):
        alias = client.post(
            reverse("portal:alias_new", args=[world.one.domain.pk]),
            {"alias-address": "espia", "alias-target": target},
        )
        catch = client.post(reverse("portal:domain_settings", args=[world.one.domain.pk]), {"catch_all": target})
        assert alias.status_code == catch.status_code == 422
        answers.append([one.content.decode().replace(target, "") for one in (alias, catch)])
    for one, other in zip(*answers, strict=True):
        assert ("There is no mailbox with this address." in one) == ("There is no mailbox with this address." in other)
        assert "of this customer" not in one.replace("A mailbox of this customer.", "")


def test_zero_octets_reach_no_database() -> None:
    assert clean_address("Ana\0@\0UNO.test") == "ana@uno.test"
    assert "\0" not in group_key("Obra\0s")


def test_a_zero_octet_in_an_address_is_taken_out_of_it(world: World) -> None:
    answer = world.client(world.provider).get(reverse("portal:search") + "?q=a%%0000n%00a&page=1")
    assert answer.status_code == 200
    assert answer.context["q"] == "ana"


def test_a_browser_that_opens_what_only_forms_send_reads_words(world: World) -> None:
    client = world.client(world.provider)
    address = reverse("portal:mailbox_delete", args=[world.one.mailbox.pk])
    answer = client.get(address, headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert b"<h1" in answer.content
    assert client.get(address, headers={"accept": "application/json"}).content == b""
    assert client.get(address, headers={"accept": "text/html", "hx-request": "true"}).content == b""


def test_whoever_fills_in_a_form_reads_all_that_is_wrong_at_once(world: World) -> None:
    client = world.client(world.one.people["domain"])
    wrong = {"address": "josé pérez", "quota": "0.5 MB", "password": "12345678", "recovery_address": "x"}
    answer = client.post(
        reverse("portal:mailbox_new", args=[world.one.domain.pk]), {f"new-{key}": value for key, value in wrong.items()}
    )
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == wrong.keys()


@pytest.mark.parametrize(
    "target", ["-1", "home", "@", "a b", "//evil.example", "https://evil.example/", "/\\evil.example"]
)
def test_a_language_is_chosen_wherever_one_was_said_to_be(world: World, target: str) -> None:
    answer = world.client(None).post(reverse("language"), {"language": "en", "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_an_invitation_ends_with_the_role_of_who_wrote_it(world: World) -> None:
    """Nobody comes back by a link that they sent to an address of their own before they had to go."""
    address = reverse("portal:invitation", args=[world.one.token])
    assert world.client(None).get(address).status_code == 200
    people = reverse("portal:domain_people", args=[world.one.domain.pk])
    assert "not good any more" not in world.client(world.provider).get(people).content.decode()
    world.one.role.delete()
    assert world.client(None).get(address).status_code == 404
    assert "not good any more" in world.client(world.provider).get(people).content.decode()
    join = {"name": "Otra", "password": PASSWORD, "again": PASSWORD}
    assert world.client(None).post(address, join).status_code == 404
    assert not User.objects.filter(email=world.one.invitation.address).exists()


def test_an_open_window_does_not_give_the_mailbox_away(world: World) -> None:
    """Whoever has the session only cannot have the link for a new password sent to themselves."""
    client = world.client(world.one.people["owner"])
    address = reverse("portal:mailbox", args=[world.one.mailbox.pk])
    wish = {"name": "Ana", "recovery_address": "espia@afuera.example"}
    for current in ("", "otra"):
        assert client.post(address, wish | {"current": current}).status_code == 422
    world.one.mailbox.refresh_from_db()
    assert world.one.mailbox.recovery_address == ""
    assert client.post(address, {"name": "Ana María", "recovery_address": ""}).status_code == 302
    assert client.post(address, wish | {"current": PASSWORD}).status_code == 302
    world.one.mailbox.refresh_from_db()
    assert (world.one.mailbox.name, world.one.mailbox.recovery_address) == ("Ana", "espia@afuera.example")
