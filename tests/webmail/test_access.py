"""Whose mailbox it is and how it is opened."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import Http404, HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import MailAccount, User
from accounts.services.login import account_of_mailbox, note_password, seal_cookie, seal_noted_password
from accounts.sessions import SessionStore
from tests.resolver import LOOPBACK, PUBLIC, answers, dials
from webmail.errors import LoginRefused, Unreachable
from webmail.services.access import account_for, credentials_for, endpoint_for, open_source
from webmail.values import Endpoint

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def request_of(user: User, **extra: Any) -> HttpRequest:
    request = RequestFactory().get("/", **extra)
    request.user = user
    request.session = SessionStore()
    request.session.create()
    return request


def signed_in_request(account: MailAccount) -> HttpRequest:
    request = request_of(account.owner)
    note_password(request, account_id=account.pk, password="clave")
    request.COOKIES[seal_cookie()] = str(seal_noted_password(request))
    return request


@pytest.fixture
def ana(mailbox_factory: Any) -> MailAccount:
    return account_of_mailbox(mailbox_factory("ana").mailbox)


@pytest.fixture
def foreign_account(db: None, stack: Any) -> MailAccount:
    owner = User.objects.create_user("eva@otra.test")
    return MailAccount.objects.create(
        owner=owner,
        address="eva@otra.test",
        login="eva",
        imap_host="imap.otra.test",
        imap_port=143,
        imap_tls="starttls",
    )


def test_the_owner_gets_the_account_and_a_stranger_a_404(ana: MailAccount, mailbox_factory: Any) -> None:
    assert account_for(request_of(ana.owner), ana.pk) == ana
    assert account_for(request_of(ana.owner), None) == ana
    stranger = account_of_mailbox(mailbox_factory("beto").mailbox).owner
    for account_id in (ana.pk, ana.pk + 1000):
        with pytest.raises(Http404):
            account_for(request_of(stranger), account_id)
    with pytest.raises(Http404):
        account_for(request_of(User.objects.create_user("sin@casilla.test")), None)


def test_a_hosted_mailbox_is_opened_through_the_master_user_without_its_password(
    ana: MailAccount, settings: Any, stack: Any
) -> None:
    request = request_of(ana.owner, REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="203.0.113.1")
    credentials = credentials_for(request, ana)
    assert credentials.login == f"{ana.address}*casilla"
    assert credentials.origin == "192.0.2.7"
    assert credentials.session.startswith("web-")
    assert credentials.password not in repr(credentials)
    assert endpoint_for(ana) == Endpoint("127.0.0.1", stack.ports.imap, "none")
    with open_source(request, ana) as source:
        assert source.folders()[0].name.upper() == "INBOX"


def test_behind_a_trusted_proxy_the_last_forwarded_address_counts(ana: MailAccount, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    request = request_of(ana.owner, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.9")
    assert credentials_for(request, ana).origin == "203.0.113.9"


def test_the_password_of_a_foreign_server_needs_both_halves(foreign_account: MailAccount) -> None:
    request = request_of(foreign_account.owner)
    with pytest.raises(LoginRefused):
        credentials_for(request, foreign_account)
    note_password(request, account_id=foreign_account.pk, password="clave ñ")
    half = seal_noted_password(request)
    assert half is not None
    assert seal_noted_password(request) is None
    with pytest.raises(LoginRefused):
        credentials_for(request, foreign_account)
    request.COOKIES[seal_cookie()] = half
    credentials = credentials_for(request, foreign_account)
    assert (credentials.login, credentials.password) == ("eva", "clave ñ")
    assert (credentials.origin, credentials.session) == ("", "")
    assert endpoint_for(foreign_account) == Endpoint("imap.otra.test", 143, "starttls", public_only=True)


def test_a_seal_opens_neither_for_another_account_nor_in_another_session(foreign_account: MailAccount) -> None:
    first, second = request_of(foreign_account.owner), request_of(foreign_account.owner)
    note_password(first, account_id=foreign_account.pk, password="clave")
    half = seal_noted_password(first)
    other = MailAccount.objects.create(owner=foreign_account.owner, address="otra@otra.test", imap_host="x.test")
    sealed = first.session["seals"][str(foreign_account.pk)]
    for request, account in ((first, other), (second, foreign_account)):
        request.session["seals"] = {str(account.pk): sealed}
        request.COOKIES[seal_cookie()] = str(half)
        with pytest.raises(LoginRefused):
            credentials_for(request, account)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "10.0.0.1", "169.254.169.254", ""])
def test_a_foreign_server_inside_is_not_opened(
    foreign_account: MailAccount, settings: Any, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    foreign_account.imap_host = host
    dialled = dials(monkeypatch, foreign_account.imap_port)
    with open_source(signed_in_request(foreign_account), foreign_account) as source, pytest.raises(Unreachable):
        source.folders()
    assert dialled == []


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
def test_a_foreign_server_that_turns_inside_after_the_check_is_not_connected_to(
    foreign_account: MailAccount, settings: Any, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    """DNS rebinding: the second answer of the resolver would be our own machine."""
    settings.ALLOW_PRIVATE_SERVERS = False
    foreign_account.imap_tls = tls
    answers(monkeypatch, [PUBLIC], [LOOPBACK])
    dialled = dials(monkeypatch, foreign_account.imap_port)
    request = signed_in_request(foreign_account)
    for _try in range(2):
        with open_source(request, foreign_account) as source, pytest.raises(Unreachable):
            source.folders()
    assert dialled == [PUBLIC]


def test_our_own_server_may_be_private(ana: MailAccount, settings: Any) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    with open_source(request_of(ana.owner), ana) as source:
        assert source.folders()


def test_a_mailbox_that_is_refused_signs_nobody_out_of_another(
    foreign_account: MailAccount, mailbox_factory: Any
) -> None:
    """Only the account that somebody is signed in by ends the session."""
    second = mailbox_factory("segunda").mailbox
    type(second).objects.filter(pk=second.pk).update(active=False)
    fields = {"owner": foreign_account.owner, "address": second.address, "login": second.address}
    other = MailAccount.objects.create(mailbox=second, **fields)
    client = Client(headers={"accept-language": "en"})
    client.force_login(foreign_account.owner, backend="accounts.backends.HostedMailboxBackend")
    answer = client.get(reverse("contacts", args=[other.pk]))
    assert answer.status_code == 502
    assert b"This mailbox does not let Casilla in" in answer.content
    assert reverse("account", args=[foreign_account.pk]) in answer.content.decode()
    assert client.get(reverse("contacts", args=[foreign_account.pk])).status_code == 200
    assert client.get(reverse("account", args=[foreign_account.pk]))["Location"] == reverse("account_login")
    assert "_auth_user_id" not in client.session
