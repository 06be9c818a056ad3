"""Signing in and out on the real servers: hosted mailboxes, other people's servers, and what goes wrong."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.backends import HostedMailboxBackend
from accounts.models import Domain, MailAccount, Mailbox, User
from accounts.provisioning.passwords import hash_batch_password, hash_mailbox_password, hash_random_password
from accounts.services.login import end_sessions
from tests.accounts.conftest import ForeignServer, free_port
from tests.accounts.entrance import FOREIGN, LOGIN, codes, sign_in, signed_in

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


# --- a hosted mailbox -------------------------------------------------------------------------------------------------


def test_a_hosted_mailbox_opens_with_its_password(client: Client, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana", name="Ana Díaz")
    response = sign_in(client, made.address.upper(), made.password)
    assert response.status_code == 302
    assert response["Location"].startswith("/mail/")
    account = MailAccount.objects.get(mailbox=made.mailbox)
    assert (account.address, account.owner.email, account.owner.name) == (made.address, made.address, "Ana Díaz")
    inbox = client.get("/", follow=True)
    assert inbox.status_code == 200
    assert inbox["Cache-Control"] == "no-store, private"


def test_signing_in_twice_makes_one_person_and_one_account(mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    sign_in(Client(), made.address, made.password)
    sign_in(Client(), made.address, made.password)
    assert User.objects.count() == MailAccount.objects.count() == 1


def test_an_address_in_another_script_is_the_same_as_its_a_labels(client: Client, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    Domain.objects.filter(pk=made.mailbox.domain_id).update(name="xn--caf-dma.test")
    made.mailbox.address = "ana@xn--caf-dma.test"
    made.mailbox.save()
    assert sign_in(client, "ana@café.test", made.password).status_code == 302


def test_a_wrong_password_is_told_at_its_field_with_the_tries_left(client: Client, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    response = sign_in(client, made.address, "otra")
    page = response.content.decode()
    assert response.status_code == 422
    assert codes(response) == {"email_password_mismatch"}
    field = re.search(r'<input[^>]*name="password"[^>]*>', page)
    assert field is not None
    assert 'aria-describedby="password-error" autofocus' in field[0]
    assert 'aria-invalid="true"' in field[0]
    assert "otra" not in re.findall(r'value="([^"]*)"', page)
    assert "4" in response.context["form"].non_field_errors()[0]  # type: ignore[attr-defined]
    assert not signed_in(client)


def test_an_unknown_address_of_a_hosted_domain_reads_like_a_wrong_password(mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    texts = []
    for address in (made.address, made.address.replace("ana@", "nadie@")):
        response = sign_in(Client(), address, "otra")
        assert codes(response) == {"email_password_mismatch"}
        texts.append(str(response.context["form"].non_field_errors()[0]))  # type: ignore[attr-defined]
    assert texts[0] == texts[1]


def test_refusing_takes_as_long_for_every_kind_of_password_and_for_none(mailbox_factory: Any, settings: Any) -> None:
    """Passwords that were made for a list of mailboxes have a hash that costs next to nothing, and some have none."""
    made = mailbox_factory("ana")
    settings.ARGON2_TIME_COST, settings.ARGON2_MEMORY_KIB = 2, 30_000
    kinds = {"cheap": hash_random_password("x"), "batch": hash_batch_password("x"), "none": "!"}
    kinds |= {"full": hash_mailbox_password("x"), "unknown": ""}
    taken = {}
    for kind, encoded in kinds.items():
        Mailbox.objects.filter(pk=made.mailbox.pk).update(password=encoded)
        address = made.address if encoded else made.address.replace("ana@", "nadie@")
        began = time.process_time()
        for _again in range(3):
            assert HostedMailboxBackend().authenticate(None, username=address, password="otra") is None
        taken[kind] = time.process_time() - began
    assert all(0.4 < one / taken["unknown"] < 2.5 for one in taken.values()), taken  # without it, cheap is a fiftieth


def test_a_hosted_domain_is_never_asked_elsewhere(
    client: Client, mailbox_factory: Any, servers: ForeignServer, settings: Any
) -> None:
    made = mailbox_factory("ana")
    settings.MAIL_SERVERS = json.dumps({"*": {"imap": f"localhost:{servers.imaps}:tls"}})
    response = sign_in(client, made.address.replace("ana@", "nadie@"), servers.password)
    assert codes(response) == {"email_password_mismatch"}
    assert sign_in(Client(), made.address, servers.password).status_code == 422


@pytest.mark.parametrize("closed", ["active", "imap", "domain"])
def test_a_suspended_mailbox_is_told_only_to_who_has_the_password(mailbox_factory: Any, closed: str) -> None:
    made = mailbox_factory("ana")
    _close(made, closed)
    assert codes(sign_in(Client(), made.address, made.password)) == {"suspended"}
    assert codes(sign_in(Client(), made.address, "otra")) == {"email_password_mismatch"}
    assert User.objects.count() == 0


@pytest.mark.parametrize("closed", ["active", "imap", "domain"])
def test_a_suspended_mailbox_is_out_at_once(client: Client, mailbox_factory: Any, closed: str) -> None:
    made = mailbox_factory("ana")
    sign_in(client, made.address, made.password)
    inbox = client.get("/", follow=True).redirect_chain[-1][0]
    assert client.get(inbox).status_code == 200
    _close(made, closed)
    response = client.get(inbox)
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)
    assert not signed_in(client)


def _close(made: Any, what: str) -> None:
    if what == "domain":
        Domain.objects.filter(pk=made.mailbox.domain_id).update(active=False)
    else:
        type(made.mailbox).objects.filter(pk=made.mailbox.pk).update(**{what: False})


def test_a_stranger_gets_404_for_every_page_of_an_account(mailbox_factory: Any) -> None:
    ana, beto = mailbox_factory("ana"), mailbox_factory("beto")
    owner, colleague = Client(), Client()
    sign_in(owner, ana.address, ana.password)
    sign_in(colleague, beto.address, beto.password)
    account = MailAccount.objects.get(mailbox=ana.mailbox)
    for name in ("account", "tree"):
        url = reverse(name, args=[account.pk])
        assert owner.get(url).status_code in {200, 302}
        assert colleague.get(url).status_code == 404
        assert Client().get(url)["Location"].startswith(LOGIN)


def test_a_mailbox_made_anew_does_not_belong_to_who_had_the_address_before(mailbox_factory: Any) -> None:
    """The old session of a former employee must not open the new one's mailbox of the same address."""
    before = Client()
    made = mailbox_factory("ana")
    sign_in(before, made.address, made.password)
    made.mailbox.delete()
    again = mailbox_factory("ana", password="otra-clave")
    sign_in(Client(), again.address, "otra-clave")
    assert not signed_in(before)
    account = MailAccount.objects.get(mailbox=again.mailbox)
    assert before.get(reverse("account", args=[account.pk])).status_code == 302


def test_ending_sessions_signs_a_person_out_everywhere(client: Client, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    sign_in(client, made.address, made.password)
    assert signed_in(client)
    end_sessions(person=User.objects.get())
    assert not signed_in(client)


def test_a_person_without_a_mailbox_has_a_password_of_their_own(client: Client, db: None, stack: Any) -> None:
    User.objects.create_user("admin@proveedor.test", "clave-propia")
    assert codes(sign_in(client, "admin@proveedor.test", "otra")) == {"email_password_mismatch"}
    assert sign_in(client, "admin@proveedor.test", "clave-propia").status_code == 302
    assert client.get("/").status_code == 200


def test_a_deactivated_person_is_out_and_stays_out(client: Client, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    sign_in(client, made.address, made.password)
    User.objects.update(is_active=False)
    assert not signed_in(client)
    assert codes(sign_in(Client(), made.address, made.password)) == {"email_password_mismatch"}


# --- limits and wrong methods -----------------------------------------------------------------------------------------


def test_the_sixth_wrong_password_waits_even_if_it_is_right(client: Client, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    for left in (4, 3, 2, 1, 0):
        text = str(sign_in(client, made.address, "otra").context["form"].non_field_errors()[0])  # type: ignore[attr-defined]
        assert (str(left) in text) == (left > 0)
    response = sign_in(client, made.address, made.password)
    assert response.status_code == 429
    assert codes(response) == {"too_many_login_attempts"}
    assert sign_in(Client(), mailbox_factory("beto").address, made.password).status_code == 302


def test_a_server_that_is_down_costs_no_tries(client: Client, settings: Any, stack: Any) -> None:
    settings.MAIL_SERVERS = json.dumps({"caida.test": {"imap": f"127.0.0.1:{free_port()}:tls"}})
    for _time in range(7):
        assert codes(sign_in(client, "eva@caida.test", "x")) == {"server_down"}


def test_a_forged_forwarded_address_does_not_lift_the_limit(mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    statuses = [
        Client(headers={"X-Forwarded-For": f"192.0.2.{n}"})
        .post(LOGIN, {"login": f"n{n}@{made.address.split('@')[1]}", "password": "x"})
        .status_code
        for n in range(11)
    ]
    assert statuses == [422] * 10 + [429]


def test_signing_out_needs_a_post(client: Client, mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    sign_in(client, made.address, made.password)
    assert client.get(reverse("account_logout")).status_code == 200
    assert signed_in(client)
    client.post(reverse("account_logout"))
    assert not signed_in(client)


def test_every_change_needs_the_csrf_token(mailbox_factory: Any) -> None:
    made = mailbox_factory("ana")
    strict = Client(enforce_csrf_checks=True)
    assert sign_in(strict, made.address, made.password).status_code == 403
    assert strict.post(reverse("language"), {"language": "en"}).status_code == 403
    assert strict.post(reverse("account_logout")).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["signup/", "email/", "confirm-email/", "password/change/", "password/set/", "password/reset/key/1-x/",
     "password/reset/done/", "login/code/confirm/", "reauthenticate/", "2fa/", "2fa/totp/activate/"],
)  # fmt: skip
def test_doors_of_allauth_that_are_not_offered_are_shut(client: Client, mailbox_factory: Any, path: str) -> None:
    made = mailbox_factory("ana")
    sign_in(client, made.address, made.password)
    assert client.get(f"/accounts/{path}").status_code == 404
    assert client.post(f"/accounts/{path}").status_code == 404


def test_who_forgot_the_password_is_told_whom_to_ask(client: Client, stack: Any, db: None) -> None:
    page = client.get(LOGIN).content.decode()
    assert f'href="{reverse("account_reset_password")}"' in page
    assert client.get(reverse("account_reset_password")).status_code == 200
    assert client.delete(reverse("account_reset_password")).status_code == 405


def test_after_signing_in_one_is_where_one_wanted_to_be_but_never_elsewhere(
    client: Client, mailbox_factory: Any
) -> None:
    made = mailbox_factory("ana")
    assert sign_in(client, made.address, made.password, next="/accounts/settings/")["Location"] == "/accounts/settings/"
    assert sign_in(Client(), made.address, made.password, next="https://evil.test/")["Location"].startswith("/mail/")


@pytest.mark.parametrize("password", ["a\r\nA1 DELETE INBOX", "a\0b", "x" * 5000, "ñandú"])
def test_no_password_ends_an_imap_command(client: Client, servers: ForeignServer, password: str) -> None:
    assert sign_in(client, FOREIGN, password).status_code == 422
    assert User.objects.count() == 0
