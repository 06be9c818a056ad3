"""Language, theme and the other things a person chooses; anonymous, stranger, wrong methods."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db

CHOICES = {
    "name": "Ana Díaz",
    "language": "en",
    "theme": "dark",
    "density": "compact",
    "single_keys": "on",
    "undo_s": "20",
    "quote_below": "False",
    "write_plain": "on",
    "archive_by": "month",
}


@pytest.fixture
def ana(client: Client) -> User:
    user = User.objects.create_user("ana@prueba.test", "clave")
    client.force_login(user, "accounts.backends.HostedMailboxBackend")
    return user


def language_of(client: Client, path: str = "/accounts/login/", **headers: str) -> str:
    response = client.get(path, headers=headers, follow=True)
    assert f'<html lang="{response["Content-Language"]}"' in response.content.decode()
    return response["Content-Language"]


@pytest.mark.parametrize(
    ("wish", "language"),
    [("", "es"), ("en-GB,en;q=0.9", "en"), ("es-CL", "es"), ("fr,de;q=0.5", "es"), ("de,en;q=0.3", "en"), ("*", "es"),
     (";;;", "es")],
)  # fmt: skip
def test_without_a_choice_the_browser_wishes_and_spanish_otherwise(client: Client, wish: str, language: str) -> None:
    assert language_of(client, **({"Accept-Language": wish} if wish else {})) == language


def test_caches_keep_the_languages_apart(client: Client) -> None:
    vary = client.get("/accounts/login/")["Vary"]
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in vary.split(",")}


def test_the_sign_in_page_switches_language_and_remembers_it(client: Client) -> None:
    response = client.post(reverse("language"), {"language": "en", "next": "/accounts/login/?next=/mail/1/"})
    assert response["Location"] == "/accounts/login/?next=/mail/1/"
    assert language_of(client, **{"Accept-Language": "es"}) == "en"
    assert client.cookies["casilla_language"]["httponly"]


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test"])
def test_the_language_switch_leads_nowhere_else(client: Client, target: str) -> None:
    assert client.post(reverse("language"), {"language": "en", "next": target})["Location"] == "/"


def test_an_unknown_language_changes_nothing(client: Client) -> None:
    client.post(reverse("language"), {"language": "xx"})
    assert "casilla_language" not in client.cookies
    assert language_of(client) == "es"


def test_the_language_is_the_persons_on_every_computer(client: Client, ana: User) -> None:
    client.post(reverse("language"), {"language": "en"})
    elsewhere = Client(headers={"Accept-Language": "es"})
    elsewhere.force_login(ana, "accounts.backends.HostedMailboxBackend")
    elsewhere.cookies["casilla_language"] = "es"
    assert language_of(elsewhere, reverse("settings")) == "en"


def test_settings_are_kept_and_seen_at_once(client: Client, ana: User) -> None:
    assert client.post(reverse("settings"), CHOICES)["Location"] == reverse("settings")
    ana.refresh_from_db()
    assert (ana.name, ana.language, ana.theme, ana.density) == ("Ana Díaz", "en", "dark", "compact")
    assert (ana.single_keys, ana.all_folders) == (True, False)
    assert (ana.undo_s, ana.quote_below, ana.write_plain, ana.archive_by) == (20, False, True, "month")
    page = client.get(reverse("settings")).content.decode()
    assert '<html lang="en" dir="ltr" data-theme="dark"' in page
    assert "Save settings" in page


@pytest.mark.parametrize(
    "wrong", [{"theme": "pink"}, {"language": "xx"}, {"density": ""}, {"name": "x" * 121},
              {"undo_s": "7"}, {"quote_below": "maybe"}, {"archive_by": "day"}], ids=lambda wrong: next(iter(wrong))
)  # fmt: skip
def test_a_wrong_choice_is_refused_and_nothing_is_kept(client: Client, ana: User, wrong: dict[str, str]) -> None:
    response = client.post(reverse("settings"), CHOICES | wrong)
    assert response.status_code == 422
    assert set(wrong) == set(response.context["form"].errors)  # type: ignore[index]
    before = (ana.name, ana.language, ana.theme)
    ana.refresh_from_db()
    assert (ana.name, ana.language, ana.theme) == before


def test_nobody_gets_more_rights_by_the_settings_form(client: Client, ana: User) -> None:
    client.post(reverse("settings"), CHOICES | {"is_staff": "on", "is_superuser": "on", "email": "x@evil.test"})
    ana.refresh_from_db()
    assert (ana.is_staff, ana.is_superuser, ana.email) == (False, False, "ana@prueba.test")


def test_settings_are_for_who_has_signed_in(client: Client) -> None:
    response = client.get(reverse("settings"))
    assert response["Location"] == "/accounts/login/?next=/accounts/settings/"
    assert client.post(reverse("settings"), CHOICES).status_code == 302


def test_one_persons_settings_are_not_anothers(client: Client, ana: User) -> None:
    other = User.objects.create_user("beto@prueba.test", "clave")
    client.post(reverse("settings"), CHOICES)
    other.refresh_from_db()
    assert (other.name, other.theme) == ("", "system")


def test_wrong_methods(client: Client, ana: User) -> None:
    assert client.put(reverse("settings")).status_code == 405
    assert client.delete(reverse("settings")).status_code == 405
    assert client.get(reverse("language")).status_code == 405


def test_private_pages_are_stored_nowhere(client: Client, ana: User) -> None:
    assert "no-store" in client.get(reverse("settings"))["Cache-Control"]
    client.logout()
    assert "no-store" in client.get("/accounts/login/")["Cache-Control"]


def test_a_left_over_half_is_taken_back(client: Client, settings: Any) -> None:
    client.cookies["casilla_seal"] = "left-over"
    response = client.get("/accounts/login/")
    assert (response.cookies["casilla_seal"].value, response.cookies["casilla_seal"]["max-age"]) == ("", 0)


def test_ended_sessions_are_cleared(client: Client, ana: User) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from accounts.models import Session
    from accounts.tasks import clear_sessions

    Session.objects.create(session_key="old", session_data="x", expire_date=timezone.now() - timedelta(days=1))
    assert clear_sessions() == 1
    assert client.get(reverse("settings")).status_code == 200
