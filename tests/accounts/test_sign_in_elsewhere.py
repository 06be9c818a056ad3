"""Signing in with a mailbox of another server, found or typed by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount, Session, User
from accounts.services.login import SEALS
from tests.accounts.conftest import ForeignServer, free_port
from tests.accounts.entrance import FOREIGN, LOGIN, codes, sign_in, signed_in
from tests.resolver import LOOPBACK, PUBLIC, answers, dials
from webmail.imap.pool import pool

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


# --- another server ---------------------------------------------------------------------------------------------------


def test_a_foreign_mailbox_opens_and_its_password_lies_sealed_in_two_halves(
    client: Client, servers: ForeignServer
) -> None:
    assert sign_in(client, FOREIGN, servers.password, remember="on").status_code == 302
    assert client.get("/", follow=True).status_code == 200
    cookie = client.cookies["casilla_seal"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 30 * 24 * 3600)
    stored = Session.objects.get().session_data + json.dumps(dict(client.session))
    assert servers.password not in stored
    assert cookie.value not in stored
    account = MailAccount.objects.get()
    assert (account.imap_host, account.imap_port, account.imap_tls) == ("localhost", servers.imaps, "tls")
    assert not account.owner.has_usable_password()


@pytest.mark.parametrize("lost", ["cookie", "session", "swapped"])
def test_one_half_alone_opens_nothing(client: Client, servers: ForeignServer, lost: str) -> None:
    sign_in(client, FOREIGN, servers.password)
    inbox = client.get("/", follow=True).redirect_chain[-1][0]
    if lost == "cookie":
        del client.cookies["casilla_seal"]
    elif lost == "session":
        session = client.session
        del session[SEALS]
        session.save()
    else:
        other = Client()
        sign_in(other, FOREIGN, servers.password)
        client.cookies["casilla_seal"] = other.cookies["casilla_seal"].value
    response = client.get(inbox)
    assert (response.status_code, response["Location"]) == (302, LOGIN)


def test_signing_out_forgets_both_halves(client: Client, servers: ForeignServer) -> None:
    sign_in(client, FOREIGN, servers.password)
    response = client.post(reverse("account_logout"))
    assert response.cookies["casilla_seal"].value == ""
    assert Session.objects.count() == 0
    assert not signed_in(client)


def test_without_remember_everything_ends_with_the_browser(client: Client, servers: ForeignServer) -> None:
    sign_in(client, FOREIGN, servers.password)
    assert client.cookies["casilla_seal"]["max-age"] == ""
    assert client.cookies["casilla"]["max-age"] == ""


def test_a_wrong_password_at_a_foreign_server(client: Client, servers: ForeignServer) -> None:
    response = sign_in(client, FOREIGN, "otra")
    assert codes(response) == {"email_password_mismatch"}
    assert User.objects.count() == 0


def test_an_unknown_domain_is_told_at_the_address(client: Client, servers: ForeignServer) -> None:
    response = sign_in(client, "eva@nadie.test", "x")
    assert codes(response) == {"unknown_server"}
    assert response.status_code == 422
    page = response.content.decode()
    assert "nadie.test" in response.context["form"].non_field_errors()[0]  # type: ignore[attr-defined]
    assert 'aria-describedby="login-error" autofocus' in page
    assert "password-error" not in page


def test_a_server_that_is_down_is_told_by_its_name(client: Client, settings: Any, stack: Any) -> None:
    settings.MAIL_SERVERS = json.dumps({"caida.test": {"imap": f"127.0.0.1:{free_port()}:tls"}})
    response = sign_in(client, "eva@caida.test", "x")
    assert codes(response) == {"server_down"}
    assert "127.0.0.1" in response.content.decode()


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_of_nobody_we_know_stops_before_the_password(
    client: Client, servers: ForeignServer, settings: Any, tls: str
) -> None:
    port = servers.imaps if tls == "tls" else servers.imap
    settings.MAIL_SERVERS = json.dumps({"otraparte.test": {"imap": f"localhost:{port}:{tls}"}})
    settings.MAIL_CA_FILE = ""
    assert codes(sign_in(client, FOREIGN, servers.password)) == {"certificate"}


def test_the_four_messages_differ_and_are_in_the_persons_language(servers: ForeignServer, settings: Any) -> None:
    closed = free_port()
    settings.MAIL_SERVERS = json.dumps(
        {
            "otraparte.test": {"imap": f"localhost:{servers.imaps}:tls"},
            "caida.test": {"imap": f"127.0.0.1:{closed}:tls"},
        }
    )
    texts: set[str] = set()
    for language in ("es", "en"):
        for address, ca_file in (
            ("eva@otraparte.test", None),
            ("e@nadie.test", None),
            ("e@caida.test", None),
            ("eva@otraparte.test", ""),
        ):
            settings.MAIL_CA_FILE = str(settings.MAIL_CA_FILE) if ca_file is None else ca_file
            texts.add(_message(address, language))
        settings.MAIL_CA_FILE = _ca(servers)
    assert len(texts) == 8


def _ca(_server: ForeignServer) -> str:
    from tests.stack import STACK

    return str(STACK.ca_file)


def _message(address: str, language: str) -> str:
    client = Client(headers={"Accept-Language": language})
    return str(sign_in(client, address, "otra").context["form"].non_field_errors()[0])  # type: ignore[attr-defined]


def test_a_foreign_server_in_a_private_network_is_not_reached(
    client: Client, servers: ForeignServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    settings.MAIL_SERVERS = json.dumps({"otraparte.test": {"imap": "localhost:993:tls"}})
    dialled = dials(monkeypatch, 993)
    assert codes(sign_in(client, FOREIGN, servers.password)) == {"server_down"}
    assert dialled == []


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
def test_a_foreign_server_that_turns_inside_after_the_check_gets_no_password(
    client: Client, stack: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    """DNS rebinding: the second answer of the resolver would be our own machine."""
    settings.ALLOW_PRIVATE_SERVERS = False
    settings.MAIL_SERVERS = json.dumps({"otraparte.test": {"imap": f"imap.otraparte.test:993:{tls}"}})
    answers(monkeypatch, [PUBLIC], [LOOPBACK])
    dialled = dials(monkeypatch, 993)
    for _try in range(2):
        assert codes(sign_in(client, FOREIGN, "clave")) == {"server_down"}
    assert dialled == [PUBLIC]


def test_an_account_whose_server_moved_into_a_private_network_is_not_opened(
    client: Client, servers: ForeignServer, settings: Any
) -> None:
    sign_in(client, FOREIGN, servers.password)
    account = MailAccount.objects.get()
    assert client.get(reverse("tree", args=[account.pk])).status_code == 200
    pool.close_all()
    settings.ALLOW_PRIVATE_SERVERS = False
    assert client.get(reverse("tree", args=[account.pk])).status_code == 503


# --- a server typed by hand -------------------------------------------------------------------------------------------


@pytest.fixture
def by_hand(settings: Any, foreign: ForeignServer, transactional_db: None) -> dict[str, str]:
    settings.MAIL_MANUAL_SERVERS = True
    return {"imap_host": "localhost", "imap_port": str(foreign.imaps), "imap_tls": "tls"}


def test_a_typed_server_is_used(client: Client, foreign: ForeignServer, by_hand: dict[str, str]) -> None:
    typed = by_hand | {"smtp_host": "smtp.otraparte.test", "smtp_tls": "starttls"}
    assert sign_in(client, FOREIGN, foreign.password, **typed).status_code == 302
    account = MailAccount.objects.get()
    assert (account.imap_host, account.imap_port) == ("localhost", foreign.imaps)
    assert (account.smtp_host, account.smtp_port, account.smtp_tls) == ("smtp.otraparte.test", 587, "starttls")


def test_a_typed_server_is_ignored_unless_the_settings_allow_it(
    client: Client, foreign: ForeignServer, by_hand: dict[str, str], settings: Any
) -> None:
    settings.MAIL_MANUAL_SERVERS = False
    assert codes(sign_in(client, FOREIGN, foreign.password, **by_hand)) == {"unknown_server"}
    assert "imap_host" not in client.get(LOGIN).content.decode()


def test_nobody_becomes_somebody_else_by_typing_a_server_of_their_own(
    client: Client, foreign: ForeignServer, by_hand: dict[str, str], settings: Any
) -> None:
    sign_in(Client(), FOREIGN, foreign.password, **by_hand)
    mine = by_hand | {"imap_host": "127.0.0.1"}
    assert codes(sign_in(client, FOREIGN, foreign.password, **mine)) == {"other_server"}
    assert MailAccount.objects.get().imap_host == "localhost"
    assert not signed_in(client)


def test_the_providers_list_overrules_who_came_first_with_a_typed_server(
    client: Client, foreign: ForeignServer, by_hand: dict[str, str], settings: Any
) -> None:
    squatter = Client()
    sign_in(squatter, FOREIGN, foreign.password, **(by_hand | {"imap_host": "127.0.0.1"}))
    assert signed_in(squatter)
    settings.MAIL_SERVERS = json.dumps({"otraparte.test": {"imap": f"localhost:{foreign.imaps}:tls"}})
    assert sign_in(client, FOREIGN, foreign.password).status_code == 302
    assert signed_in(client)
    assert not signed_in(squatter)


def test_a_bad_port_is_told_at_its_field(client: Client, foreign: ForeignServer, by_hand: dict[str, str]) -> None:
    response = sign_in(client, FOREIGN, foreign.password, **(by_hand | {"imap_port": "99999"}))
    assert response.status_code == 422
    assert "imap_port" in response.context["form"].errors  # type: ignore[attr-defined]
