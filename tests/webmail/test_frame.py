"""Pages that show no mail stand in the same frame, and opening them asks the mail server for nothing more."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import MailAccount, User
from accounts.services.login import account_of_mailbox
from tests.contract.test_source import letter
from tests.webmail.conftest import english

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

PAGES = ["outbox", "contacts", "contact_new", "identities", "tags", "settings", "account_add"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_in_its_frame_without_the_mail_server(sign_in: Any, settings: Any, name: str) -> None:
    client, made = sign_in()
    account = account_of_mailbox(made.mailbox)
    MailAccount.objects.create(owner=account.owner, address="otra@casilla.test")
    settings.IMAP_PORT = 1
    page = client.get(reverse(name, args=[] if name in {"settings", "account_add"} else [account.pk]))
    text = page.content.decode()
    assert page.status_code == 200
    assert f'hx-get="{reverse("tree", args=[account.pk])}?framed=1&amp;current="' in text
    assert f'href="{reverse("account", args=[account.pk])}"' in text.partition('id="tree"')[2]
    assert "otra@casilla.test" in text.partition('id="accounts-menu"')[2]


def test_the_folders_of_a_framed_page_lead_to_pages(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    imap(made.address).append("INBOX", letter("uno"))
    home = client.get("/", follow=True).content.decode()
    match = re.search(r'href="(/mail/\d+/f/([\w-]+)/m/[^"?]+)', home)
    assert match is not None
    headers = client.get(f"{match[1]}headers/").content.decode()
    tree_url = re.search(r'hx-get="([^"]+framed=1[^"]+)"', headers)
    assert tree_url is not None
    tree = client.get(tree_url[1].replace("&amp;", "&"), headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in tree
    assert "hx-get" in client.get(reverse("tree", args=[account_of_mailbox(made.mailbox).pk])).content.decode()
    current = re.search(r'href="/mail/\d+/f/([\w-]+)/"[^>]* aria-current="page"', tree)
    assert current is not None
    assert current[1] == match[2]


def test_who_has_no_mailbox_gets_no_frame(client: Client) -> None:
    english(client).force_login(User.objects.create_user("nadie@prueba.test"), "accounts.backends.HostedMailboxBackend")
    page = client.get(reverse("settings")).content.decode()
    assert 'id="sidebar"' not in page
    assert "Back to the mail" in page


def test_the_open_folder_counts_what_its_list_shows(sign_in: Any, imap: Any) -> None:
    client, made = sign_in()
    server = imap(made.address)
    for subject in ("uno", "dos", "tres"):
        server.append("INBOX", letter(subject))
    server.select_folder("INBOX")
    server.add_flags([1], [b"\\Deleted"])
    page = client.get("/", follow=True).content.decode()
    assert "2 messages" in page
    assert re.findall(r'<em class="tree__n"><span aria-hidden="true">(\d+)', page) == ["2"]
    tree = client.get(reverse("tree", args=[account_of_mailbox(made.mailbox).pk])).content.decode()
    assert re.findall(r'<em class="tree__n"><span aria-hidden="true">(\d+)', tree) == ["2"]
