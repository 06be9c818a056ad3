"""Special folders chosen by their owner, and two Sent folders made one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import MailAccount
from tests.contract.test_source import letter
from tests.webmail.test_changes import signed_in
from webmail.imap.pool import pool
from webmail.services.access import account_credentials, open_account
from webmail.services.organising import special_folder
from webmail.services.special import find_rivals, merge_folder
from webmail.sources.base import MailSource
from webmail.tokens import encode_folder
from webmail.values import FolderId, Query, Role

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["imap", "download"])
def account(request: pytest.FixtureRequest, mailbox_factory: Any, settings: Any, tmp_path: Path) -> Any:
    settings.STORE_DIR = tmp_path / "store"
    made = mailbox_factory("ana")
    request.node.made = made
    signed_in(made).get("/", follow=True)
    account = MailAccount.objects.get(address=made.address)
    MailAccount.objects.filter(pk=account.pk).update(mode=request.param)
    account.refresh_from_db()
    yield account
    pool.close_all()


def opened(account: MailAccount) -> MailSource:
    account.refresh_from_db()
    return open_account(account, account_credentials(account))


def role_of(account: MailAccount, role: Role) -> str:
    with opened(account) as source:
        return "/".join(special_folder(source, role).path)


def test_a_chosen_folder_is_used_everywhere(account: MailAccount, request: pytest.FixtureRequest) -> None:
    with opened(account) as source:
        folder = source.create_folder(None, "Mis enviados")
    client = signed_in(request.node.made)  # type: ignore[attr-defined]
    page = reverse("special_folders", args=[account.pk])
    assert "Mis enviados" in client.get(page).content.decode()
    answer = client.post(page, {"do": "save", "sent": encode_folder(folder)})
    assert answer.status_code == 302
    assert role_of(account, Role.SENT) == "Mis enviados"
    assert client.post(page, {"do": "save", "trash": encode_folder(folder)}).status_code == 422
    if not account.downloads:
        client.post(page, {"do": "save", "sent": ""})
        assert role_of(account, Role.SENT) == "Sent"


def test_two_sent_folders_become_one_without_doubles(account: MailAccount, request: pytest.FixtureRequest) -> None:
    with opened(account) as source:
        other = source.create_folder(None, "Elementos enviados")
        sent = special_folder(source, Role.SENT)
        same = letter("repetido", extra="Message-ID: <a@x.test>\r\n")
        source.append(sent.id, same)
        source.append(other, same)
        for number in range(3):
            source.append(other, letter(f"carta {number}", extra=f"Message-ID: <{number}@x.test>\r\n"))
        source.append(other, letter("sin nombre"))
        (rival,) = find_rivals(account, source.folders())
        assert (rival.role, rival.other.id) == (Role.SENT, other)
    client = signed_in(request.node.made)  # type: ignore[attr-defined]
    page = reverse("special_folders", args=[account.pk])
    assert "Elementos enviados" in client.get(page).content.decode()
    answer = client.post(page, {"do": "merge", "folder": encode_folder(other)}).content.decode()
    assert "4" in answer
    with opened(account) as source:
        subjects = sorted(row.subject for row in source.summaries(source.refs(sent.id, Query())))
        assert subjects == ["carta 0", "carta 1", "carta 2", "repetido", "sin nombre"]
        assert source.refs(other, Query()) == []
        assert len(source.refs(special_folder(source, Role.TRASH).id, Query())) == 1
    client.post(page, {"do": "apart", "folder": encode_folder(other)})
    with opened(account) as source:
        assert find_rivals(account, source.folders()) == []


def test_a_merge_goes_on_in_steps(account: MailAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.services.special.BATCH", 2)
    with opened(account) as source:
        other = source.create_folder(None, "Sent Items")
        for number in range(5):
            source.append(other, letter(str(number)))
        (rival,) = find_rivals(account, source.folders())
        assert [merge_folder(source, rival).left for _turn in range(3)] == [3, 1, 0]


def test_strangers_and_nonsense_are_refused(
    account: MailAccount, request: pytest.FixtureRequest, mailbox_factory: Any
) -> None:
    page = reverse("special_folders", args=[account.pk])
    assert signed_in(mailbox_factory("otra")).get(page).status_code == 404
    client = signed_in(request.node.made)  # type: ignore[attr-defined]
    assert client.post(page, {"do": "merge", "folder": encode_folder(FolderId("Nada"))}).status_code == 400
    assert client.post(page, {"do": "otra"}).status_code == 400
    client.logout()
    assert client.get(page).status_code == 302
