"""Invitations by mail, and links for a new password: good once, for whom they are meant, and as long as they say."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AppPassword, Change, Invitation, Kind, Mailbox, Role, User
from accounts.provisioning.passwords import check_mailbox_password
from accounts.services.app_passwords import make_app_password
from accounts.services.passwords import make_link_token
from accounts.tasks import send_forgotten
from tests.portal.conftest import PASSWORD, World, make_mailbox

pytestmark = pytest.mark.django_db
GOOD = "cuatro-molinos-azules-3"


def invited(world: World, address: str) -> str:
    """Invites to the first domain, as its administrator; gives the path of the link in the letter."""
    client = world.client(world.one.people["domain"])
    page = reverse("portal:domain_people", args=[world.one.domain.pk])
    assert client.post(page, {"address": address, "kind": "domain"}).status_code == 302
    letter = mail.outbox[-1]
    assert letter.to == [address]
    found = re.search(r"https?://[^/]+(/portal/invitation/\S+)", str(letter.body))
    assert found
    return found[1]


def test_who_is_new_chooses_a_password_and_runs_the_domain(world: World) -> None:
    link = invited(world, "nueva@afuera.example")
    browser = Client(headers={"accept-language": "en"})
    assert "Choose a password" in browser.get(link).content.decode()
    weak = browser.post(link, {"name": "Nueva", "password": "nueva123", "again": "nueva123"})
    assert weak.status_code == 422
    assert not User.objects.filter(email="nueva@afuera.example").exists()
    done = browser.post(link, {"name": "Nueva", "password": GOOD, "again": GOOD})
    assert done.status_code == 302
    assert browser.get(reverse("portal:domain", args=[world.one.domain.pk])).status_code == 200
    assert browser.get(reverse("portal:domain", args=[world.two.domain.pk])).status_code == 404
    assert browser.get(link).status_code == 404
    again = Client(headers={"accept-language": "en"})
    again.post(reverse("account_login"), {"login": "nueva@afuera.example", "password": GOOD})
    assert again.get(reverse("portal:domain", args=[world.one.domain.pk])).status_code == 200
    assert Change.objects.filter(verb="role.accept", thing="nueva@afuera.example").exists()


def test_who_is_here_already_signs_in_and_nobody_else_takes_it_up(world: World) -> None:
    link = invited(world, world.nobody.email)
    stranger = Client(headers={"accept-language": "en"})
    assert "Sign in as" in stranger.get(link).content.decode()
    stranger.post(link, {"name": "x", "password": GOOD, "again": GOOD})
    other = world.client(world.two.people["owner"])
    other.post(link)
    assert not Role.objects.filter(person=world.nobody).exists()
    assert not Role.objects.filter(person=world.two.people["owner"]).exists()
    assert world.client(world.nobody).post(link).status_code == 302
    assert Role.objects.get(person=world.nobody).domain == world.one.domain


def test_an_invitation_to_a_mailbox_that_was_never_opened_needs_its_password(world: World) -> None:
    box = make_mailbox(world.one.domain, "nunca")
    link = invited(world, box.address)
    browser = Client(headers={"accept-language": "en"})
    assert "Sign in as" in browser.get(link).content.decode()
    browser.post(reverse("account_login"), {"login": box.address, "password": PASSWORD})
    assert browser.post(link).status_code == 302
    assert Role.objects.filter(person__email=box.address, domain=world.one.domain).exists()


@pytest.mark.parametrize(("inviter", "other", "said"), [("en", "es", "Invitación"), ("es", "en", "invited")])
def test_the_letter_is_in_the_language_of_who_gets_it(world: World, inviter: str, other: str, said: str) -> None:
    User.objects.filter(pk=world.one.people["domain"].pk).update(language=inviter)
    User.objects.filter(pk=world.nobody.pk).update(language=other)
    invited(world, world.nobody.email)
    assert said in mail.outbox[-1].subject


def test_an_invitation_ends_after_a_week_and_when_it_is_withdrawn(world: World) -> None:
    link = invited(world, "una@afuera.example")
    Invitation.objects.filter(address="una@afuera.example").update(expires=timezone.now() - timedelta(seconds=1))
    assert Client().get(link).status_code == 404
    link = invited(world, "dos@afuera.example")
    pk = Invitation.objects.get(address="dos@afuera.example").pk
    admin = world.client(world.one.people["domain"])
    admin.post(reverse("portal:invitation_withdraw", args=[pk]))
    assert Client().get(link).status_code == 404
    first, second = invited(world, "tres@afuera.example"), invited(world, "tres@afuera.example")
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200


def test_a_role_is_given_by_those_above_it_alone(world: World) -> None:
    """The form names a kind; what counts is the page that it stands on."""
    client = world.client(world.one.people["domain"])
    page = reverse("portal:domain_people", args=[world.one.domain.pk])
    for kind in ("provider", "reseller", "customer"):
        assert client.post(page, {"address": "amiga@afuera.example", "kind": kind}).status_code == 422
    assert not Invitation.objects.filter(address="amiga@afuera.example").exists()


def test_the_last_who_runs_everything_stays(world: World) -> None:
    role = Role.objects.get(person=world.provider)
    client = world.client(world.provider)
    client.post(reverse("portal:role_withdraw", args=[role.pk]))
    assert Role.objects.filter(pk=role.pk).exists()
    Role.objects.create(person=world.nobody, kind=Kind.PROVIDER)
    client.post(reverse("portal:role_withdraw", args=[role.pk]))
    assert not Role.objects.filter(pk=role.pk).exists()
    assert client.get(reverse("portal:plans")).status_code == 403


def test_a_link_sets_a_password_once(world: World) -> None:
    box = world.one.mailbox
    Mailbox.objects.filter(pk=box.pk).update(recovery_address="ana@afuera.example")
    admin = world.client(world.one.people["domain"])
    page = admin.post(reverse("portal:password_link", args=[box.pk]), {"send": "1"}).content.decode()
    letter = mail.outbox[-1]
    assert letter.to == ["ana@afuera.example"]
    found = re.search(r"https?://[^/]+(/portal/new-password/\S+)", str(letter.body))
    assert found
    link = found[1]
    assert link not in page
    browser = Client(headers={"accept-language": "en"})
    assert browser.post(link, {"password": "ana12345", "again": "ana12345"}).status_code == 422
    assert browser.post(link, {"password": GOOD, "again": GOOD + "x"}).status_code == 422
    assert browser.post(link, {"password": GOOD, "again": GOOD}).status_code == 302
    box.refresh_from_db()
    assert check_mailbox_password(GOOD, box.password)
    assert browser.get(link).status_code == 404
    assert browser.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 404


def test_a_link_dies_after_a_day_or_with_a_letter_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = make_link_token(world.one.mailbox)
    assert Client().get(reverse("portal:new_password", args=[token])).status_code == 200
    other = make_link_token(world.two.mailbox)
    mixed = ".".join(token.split(".")[:2] + other.split(".")[2:])
    for wrong in (token[:-1], token + "x", mixed, "x", "1.2:3:4"):
        assert Client().get(reverse("portal:new_password", args=[wrong])).status_code == 404, wrong
    import django.core.signing as signing

    later = signing.time.time() + 25 * 3600
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert Client().get(reverse("portal:new_password", args=[token])).status_code == 404


@pytest.mark.parametrize("who", ["mailbox", "person", "no other address", "unknown", "suspended", "nonsense"])
def test_a_forgotten_password_is_answered_the_same_for_everybody(
    world: World, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = world.one.mailbox
    addresses = {"person": world.nobody.email, "unknown": "x@uno.test", "nonsense": "\x00 a@@b\r\n"}
    if who != "no other address":
        Mailbox.objects.filter(pk=box.pk).update(recovery_address="otra@afuera.example", active=who != "suspended")
    called: list[list[Any]] = []
    monkeypatch.setattr(current_app, "send_task", lambda _name, args, **_more: called.append(args))
    browser = Client(headers={"accept-language": "en"})
    page = reverse("account_reset_password")
    answers = [browser.post(page, {"address": addresses.get(who, box.address)}) for _again in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "a link is on its way there now" in answers[0].content.decode()
    assert not [one for args in called for one in args if isinstance(one, str) and "@" in one]
    send_forgotten(*called[0])
    expected = {"mailbox": ["otra@afuera.example"], "person": [world.nobody.email]}.get(who)
    assert (mail.outbox[-1].to if len(mail.outbox) else None) == expected
    if expected:
        found = re.search(r"https?://[^/]+(/portal/new-password/\S+)", str(mail.outbox[-1].body))
        assert found
        assert browser.post(found[1], {"password": GOOD, "again": GOOD}).status_code == 302
        assert browser.get(found[1]).status_code == 404
        done = browser.post(reverse("account_login"), {"login": addresses.get(who, box.address), "password": GOOD})
        assert done.status_code == 302


def test_an_owner_has_to_know_the_password_to_change_it(world: World) -> None:
    client = world.client(world.one.people["owner"])
    page = reverse("portal:mailbox_password", args=[world.one.mailbox.pk])
    assert client.post(page, {"current": "no-es-esta", "password": GOOD, "again": GOOD}).status_code == 422
    assert client.post(page, {"current": PASSWORD, "password": GOOD, "again": GOOD}).status_code == 302
    world.one.mailbox.refresh_from_db()
    assert check_mailbox_password(GOOD, world.one.mailbox.password)


def test_an_owner_changes_name_and_forwards_and_no_more(world: World) -> None:
    client = world.client(world.one.people["owner"])
    page = reverse("portal:mailbox", args=[world.one.mailbox.pk])
    data = {
        "name": "Ana Sofía",
        "recovery_address": "a@afuera.example",
        "current": PASSWORD,
        "quota": "90 GB",
        "pop3": "",
    }
    assert client.post(page, data).status_code == 302
    box = Mailbox.objects.get(pk=world.one.mailbox.pk)
    assert (box.name, box.recovery_address, box.quota_bytes, box.pop3) == (
        "Ana Sofía",
        "a@afuera.example",
        5_000_000_000,
        True,
    )
    forwards = reverse("portal:mailbox_forwards", args=[box.pk])
    assert (
        client.post(forwards, {"forwards": "a@afuera.example\nb@Peña.example", "keeps_copy": "on"}).status_code == 302
    )
    assert sorted(box.forwards.values_list("address", flat=True)) == ["a@afuera.example", "b@xn--pea-8ma.example"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"forwards": "nadie", "keeps_copy": "on"}, "forwards"),
        ({"forwards": "ana@uno.test", "keeps_copy": "on"}, "forwards"),
        ({"forwards": ""}, "keeps_copy"),
        ({"forwards": "\n".join(f"a{n}@x.example" for n in range(21)), "keeps_copy": "on"}, "forwards"),
        ({"forwards": "beto@uno.test"}, "forwards"),
    ],
    ids=["no address", "to itself", "nowhere", "too many", "in a circle"],
)
def test_forwards_that_cannot_be_are_told_at_their_field(world: World, data: dict[str, str], field: str) -> None:
    beto = make_mailbox(world.one.domain, "beto", keeps_copy=False)
    beto.forwards.create(address="ana@uno.test")
    client = world.client(world.one.people["domain"])
    answer = client.post(reverse("portal:mailbox_forwards", args=[world.one.mailbox.pk]), data)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not world.one.mailbox.forwards.exists()


def test_a_deleted_mailbox_signs_in_nowhere_and_its_sessions_end(world: World) -> None:
    box = world.one.mailbox
    browser = Client(headers={"accept-language": "en"})
    browser.post(reverse("account_login"), {"login": box.address, "password": PASSWORD})
    page = reverse("portal:mailbox", args=[box.pk])
    assert browser.get(page).status_code == 200
    world.client(world.one.people["domain"]).post(reverse("portal:mailbox_delete", args=[box.pk]))
    assert browser.get(page).status_code == 302
    answer = browser.post(reverse("account_login"), {"login": box.address, "password": PASSWORD})
    assert answer.status_code == 422


def test_nobody_shuts_themselves_out(world: World) -> None:
    person, box = world.one.people["owner"], world.one.mailbox
    Role.objects.create(person=person, kind=Kind.DOMAIN, domain=world.one.domain)
    client = world.client(person)
    assert client.post(reverse("portal:mailbox_delete", args=[box.pk])).status_code == 422
    assert client.post(reverse("portal:mailbox_state", args=[box.pk]), {"receives": "on"}).status_code == 422
    chosen = {"do": "delete", "mailbox": [box.pk]}
    answer = client.post(reverse("portal:selection", args=[world.one.domain.pk]), chosen)
    assert answer.status_code == 422
    assert "you would shut yourself out" in answer.content.decode()
    box.refresh_from_db()
    assert (box.active, box.deleted) == (True, None)


def test_letters_that_no_server_takes_are_told(world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    client = world.client(world.one.people["domain"])
    page = reverse("portal:domain_people", args=[world.one.domain.pk])
    answer = client.post(page, {"address": "lejos@afuera.example", "kind": "domain"}, follow=True)
    assert "has not gone out" in answer.content.decode()


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("way", ["owner", "domain", "link"])
def test_a_new_password_signs_devices_out_where_it_is_wished(world: World, way: str, everywhere: bool) -> None:
    """The box is on for a link and for whoever runs the mailbox, off for its owner; revoked is what its log says."""
    box = world.one.mailbox
    make_app_password(mailbox=box, name="Mac", protocols=["imap"])
    client = Client() if way == "link" else world.client(world.one.people[way])
    page = reverse("portal:mailbox_password", args=[box.pk])
    if way == "link":
        page = reverse("portal:new_password", args=[make_link_token(box)])
    ticked = re.search(r'name="everywhere"[^>]* checked', client.get(page).content.decode()) is not None
    assert ticked is (way != "owner")
    data = {"password": GOOD, "again": GOOD, "current": PASSWORD} | ({"everywhere": "on"} if everywhere else {})
    assert client.post(page, data).status_code == 302
    assert AppPassword.objects.filter(mailbox=box).exists() is not everywhere
    assert Change.objects.filter(verb="device.revoke", mailbox=box).exists() is everywhere
    assert Change.objects.get(verb="mailbox.password").after == ({"everywhere": True} if everywhere else {})


def test_an_invitation_of_somebody_without_the_role_is_said_to_be_over(world: World) -> None:
    side = world.one
    side.role.delete()
    page = world.client(world.provider).get(reverse("portal:domain_people", args=[side.domain.pk])).content.decode()
    assert "who invited, may not give this role any more" in page
    answer = world.client(None).get(reverse("portal:invitation", args=[side.token]))
    assert "Whoever invited you may not give this role" in answer.content.decode()
    side.invitation.expires = timezone.now()
    side.invitation.save()
    answer = world.client(None).get(reverse("portal:invitation", args=[side.token]))
    assert (answer.status_code, "is older than a week" in answer.content.decode()) == (404, True)


def test_members_that_are_not_there_are_named(world: World) -> None:
    client = world.client(world.one.people["domain"])
    form = {"group-address": "equipo", "group-members": "ana\nnadie\nventas\nx@dos.test\ny@afuera.example"}
    answer = client.post(reverse("portal:group_new", args=[world.one.domain.pk]), form)
    assert answer.status_code == 422
    assert "There is no such address: nadie@uno.test" in answer.content.decode()
