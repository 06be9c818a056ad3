"""What takes the space of a mailbox: the page, and making room, on the real Dovecot."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from imapclient import IMAPClient

from accounts.models import Clearing, MailAccount, Mailbox, MailboxHistory
from accounts.services.login import account_of_mailbox
from accounts.services.usage.standing import refresh_mailbox
from accounts.usage.series import Sample, pack
from tests.webmail.conftest import english
from webmail.services.clearing import GRACE_S, cancel_clearing, claim_clearing, run_clearing
from webmail.services.downloads import Policy, start_download
from webmail.sources.open import open_store
from webmail.tasks import clearing_due
from webmail.tokens import encode_folder
from webmail.values import FolderId, Role

LATER = timezone.now() + timedelta(seconds=GRACE_S, hours=1)
"""When all that is asked for in these tests is due."""

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def letter(sender: str, size_bytes: int, subject: str = "x") -> bytes:
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\n".encode() + b"0123456789abcde\r\n" * (size_bytes // 17)


@pytest.fixture
def opened(mailbox_factory: Any, imap: Any) -> tuple[Client, MailAccount, IMAPClient]:
    """A signed-in person with six messages in three folders."""
    made = mailbox_factory("ana")
    server = imap(made.address)
    for sender, size in (("Uno <uno@x.test>", 2_000), ("UNO@x.test", 300_000), ("dos@x.test", 1_500_000)):
        server.append("INBOX", letter(sender, size, f"de {size}"), msg_time=datetime(2024, 5, 1, tzinfo=UTC))
    server.append("Archive", letter("<script>@x", 5_000), msg_time=datetime(2025, 5, 1, tzinfo=UTC))
    for number in range(2):
        server.append(
            "Trash", letter("tres@x.test", 40_000, f"viejo {number}"), msg_time=datetime(2020, 1, 1, tzinfo=UTC)
        )
    client = english(Client())
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    return client, account_of_mailbox(made.mailbox), server


def page(client: Client, account: MailAccount, query: str = "?anew=1") -> str:
    answer = client.get(reverse("space", args=[account.pk]) + query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def section(html: str, name: str) -> list[list[str]]:
    """The cells of a table, as text."""
    part = html[html.index(f'aria-labelledby="{name}"') :]
    rows = re.findall(r"<tr>(.*?)</tr>", part[: part.index("</table>")])
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows[1:]
    ]


def exists(server: IMAPClient, folder: str) -> int:
    server.select_folder(folder)
    return len(server.search("ALL"))


def test_by_folder_year_size_and_sender(opened: tuple[Client, MailAccount, IMAPClient]) -> None:
    client, account, _server = opened
    html = page(client, account)
    assert "6 messages of 1.9 MB" in html
    assert section(html, "by-folder") == [
        ["Inbox", "3", "1.8 MB", "95 %"],
        ["Trash", "2", "80 KB", "4 %"],
        ["Archive", "1", "5 KB", "0 %"],
    ]
    assert [row[:2] for row in section(html, "by-year")] == [["2025", "1"], ["2024", "3"], ["2020", "2"]]
    assert [row[:2] for row in section(html, "by-size")] == [
        ["1 MB to 10 MB", "1"],
        ["100 KB to 1 MB", "1"],
        ["less than 100 KB", "4"],
    ]
    assert [row[:2] for row in section(html, "by-sender")][:3] == [
        ["dos@x.test", "1"],
        ["uno@x.test", "2"],
        ["tres@x.test", "2"],
    ]
    assert "<script>@x" not in html


def test_its_owner_sees_how_it_grew_and_when_it_is_full(opened: tuple[Client, MailAccount, IMAPClient]) -> None:
    client, account, _server = opened
    assert "growth-title" not in page(client, account)
    today = timezone.localdate()
    samples = [Sample(today.toordinal() - back, (400 - back) * 10_000_000) for back in range(99, -1, -1)]
    MailboxHistory.objects.create(mailbox=account.mailbox, samples=pack(samples))
    refresh_mailbox(mailbox=account.mailbox)
    html = page(client, account)
    told = client.get(reverse("space", args=[account.pk])).context["growth"].full_on
    assert client.get(reverse("mode", args=[account.pk])).context["figures"].course.full_on == told > today
    assert re.search(r"the mailbox is full on .*, in four of five cases between", html)
    assert "+300 MB a month" in html or "+300.0 MB a month" in html
    assert 'id="growth-figures"' in html
    assert "Promised</th>" not in html


def test_the_biggest_go_to_the_trash_and_come_back(opened: tuple[Client, MailAccount, IMAPClient]) -> None:
    client, account, server = opened
    html = page(client, account)
    assert [row[1] for row in section(html, "biggest")][:2] == ["de 1500000", "de 300000"]
    ref = re.search(r'name="ref" value="([^"]+)"', html)
    assert ref
    answer = client.post(reverse("space_delete", args=[account.pk]), {"ref": [ref[1], "nonsense", "x.1.2"]})
    assert answer.status_code == 302
    assert (exists(server, "INBOX"), exists(server, "Trash")) == (2, 3)
    html = page(client, account, "")
    assert "1 message deleted" in html
    undo = re.search(r'action="([^"]+/undo/[^"]+)"', html)
    assert undo
    here = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{reverse('space', args=[account.pk])}?anew=1"}
    answer = client.post(undo[1], {"from": encode_folder(FolderId("INBOX"))}, headers=here)
    assert answer["HX-Redirect"] == reverse("space", args=[account.pk])
    assert (exists(server, "INBOX"), exists(server, "Trash")) == (3, 2)
    html = page(client, account, "")
    assert "Undone: 1 message is as it was." in html
    assert [row[1] for row in section(html, "biggest")][:2] == ["de 1500000", "de 300000"]


def test_the_trash_is_counted_by_how_long_mail_lies_in_it_and_emptied(
    opened: tuple[Client, MailAccount, IMAPClient],
) -> None:
    client, account, server = opened
    html = page(client, account)
    assert "2 messages in the Trash: <b>80 KB</b>" in html
    assert "for more than 7 days" not in html  # they are from 2020, but have lain there since now
    trash = encode_folder(FolderId("Trash"))
    link = re.search(r'href="([^"]+/space/archive/[^"]+days=0)"', html)
    assert link
    answer = client.get(unescape(link[1]))
    assert re.search(r"filename.*Trash\.zip", answer["Content-Disposition"])
    with ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[attr-defined]
        kept = [name for name in archive.namelist() if name.endswith(".eml")]
        assert kept == ["Trash/000001 viejo 0.eml", "Trash/000002 viejo 1.eml"]
        assert archive.read(kept[0]) == letter("tres@x.test", 40_000, "viejo 0")
    assert exists(server, "Trash") == 2
    address = reverse("space_tidy", args=[account.pk])
    assert client.post(address, {"folder": trash, "days": "30"}).status_code == 302
    assert exists(server, "Trash") == 2
    assert client.post(address, {"folder": trash, "days": "0"}).status_code == 302
    html = page(client, account, "")
    assert "2 messages, 80 KB, are deleted for good in 20 seconds" in html
    assert "2 messages of the Trash, 80 KB: from" in html
    assert "2 messages in the Trash" not in html  # not to be asked for twice
    assert clearing_due() == 0
    undo = re.search(r'action="([^"]+/tidy/\d+/undo/)"', html)
    assert f'data-seconds="{GRACE_S}"' in html  # its undo is to be had for as long as it is undone
    assert undo
    assert client.post(undo[1]).status_code == 302
    assert "Nothing was deleted." in page(client, account, "")
    assert claim_clearing(now=LATER) is None
    for _twice in range(2):  # the second takes the place of the first
        client.post(address, {"folder": trash, "days": "0"})
    server.append("Trash", letter("tres@x.test", 40_000, "came after"))
    assert exists(server, "Trash") == 3
    run_all()
    assert exists(server, "Trash") == 1
    last = Clearing.objects.filter(account=account).latest("pk")
    assert sorted(Clearing.objects.values_list("state", flat=True)) == ["cancelled", "cancelled", "done"]
    assert client.post(reverse("space_tidy_undo", args=[account.pk, last.pk])).status_code == 302
    assert "can no longer be undone" in page(client, account, "")


def run_all() -> None:
    while one := claim_clearing(now=LATER):
        run_clearing(one)


def test_a_worker_that_died_is_followed_by_another_and_both_delete_once(
    opened: tuple[Client, MailAccount, IMAPClient],
) -> None:
    client, account, server = opened
    wish = {"folder": encode_folder(FolderId("Trash")), "days": "0"}
    client.post(reverse("space_tidy", args=[account.pk]), wish)
    dead = claim_clearing(now=LATER)
    assert dead
    assert claim_clearing(now=LATER) is None
    assert not cancel_clearing(account, dead.pk)
    after = claim_clearing(now=LATER + timedelta(hours=1))
    assert after
    assert after.pk == dead.pk
    run_clearing(dead)  # it was only slow: what it had is another's
    assert exists(server, "Trash") == 2
    run_clearing(after)
    assert exists(server, "Trash") == 0
    assert claim_clearing(now=LATER + timedelta(hours=2)) is None
    server.append("Trash", letter("tres@x.test", 40_000))
    client.post(reverse("space_tidy", args=[account.pk]), wish)
    Mailbox.objects.update(active=False)
    run_all()
    Mailbox.objects.update(active=True)
    assert exists(server, "Trash") == 1
    assert "could not be deleted" in page(client, account, "")


@pytest.mark.parametrize(
    ("folder", "days"),
    [("INBOX", "0"), ("Archive", "30"), ("Trash", "1"), ("Trash", "x"), ("Trash", "-1"), ("Trash", "")],
)
def test_nothing_else_is_ever_tidied(opened: tuple[Client, MailAccount, IMAPClient], folder: str, days: str) -> None:
    client, account, server = opened
    wish = {"folder": encode_folder(FolderId(folder)), "days": days}
    assert client.post(reverse("space_tidy", args=[account.pk]), wish).status_code == 400
    assert client.get(reverse("space_archive", args=[account.pk]), wish).status_code == 400
    assert (exists(server, "INBOX"), exists(server, "Archive"), exists(server, "Trash")) == (3, 1, 2)
    assert client.post(reverse("space_tidy", args=[account.pk]), {"folder": "%%", "days": "0"}).status_code == 400


def test_only_its_owner_gets_in(opened: tuple[Client, MailAccount, IMAPClient], mailbox_factory: Any) -> None:
    client, account, _server = opened
    bob = mailbox_factory("bob")
    stranger = english(Client())
    stranger.post(reverse("account_login"), {"login": bob.address, "password": bob.password})
    assert stranger.post(reverse("space_tidy_undo", args=[account.pk, 1])).status_code == 404
    assert client.get(reverse("space_tidy_undo", args=[account.pk, 1])).status_code == 405
    assert Client().post(reverse("space_tidy_undo", args=[account.pk, 1])).status_code == 302
    for name in ("space", "space_archive", "space_tidy", "space_delete"):
        address, reads = reverse(name, args=[account.pk]), name in {"space", "space_archive"}
        wish = stranger.get if reads else stranger.post
        assert wish(address).status_code == 404
        anonymous = Client().get(address) if reads else Client().post(address)
        assert anonymous["Location"].startswith(reverse("account_login"))
        wrong = client.post(address) if reads else client.get(address)
        assert wrong.status_code == 405


def test_mail_that_lives_here_is_weighed_and_tidied_too(opened: tuple[Client, MailAccount, IMAPClient]) -> None:
    client, account, server = opened
    start_download(account=account, policy=Policy())
    account.refresh_from_db()
    with open_store(account) as store:
        folders = {folder.role: folder.id for folder in store.folders()}
        when = datetime(2023, 5, 1, tzinfo=UTC)
        store.append(folders[Role.INBOX], letter("Uno <UNO@x.test>", 300_000, "grande"), received=when)
        store.append(folders[Role.TRASH], letter("dos@x.test", 40_000), received=datetime(2020, 5, 1, tzinfo=UTC))
        html = page(client, account)
        assert "2 messages of 340 KB" in html
        assert section(html, "by-folder") == [["Inbox", "1", "300 KB", "88 %"], ["Trash", "1", "40 KB", "11 %"]]
        assert [row[0] for row in section(html, "by-year")] == ["2023", "2020"]
        assert [row[0] for row in section(html, "by-sender")] == ["uno@x.test", "dos@x.test"]
        assert section(html, "biggest")[0][1:3] == ["grande", "Uno"]
        assert "1 message in the Trash: " in html
        assert "in the Trash for more than" not in html  # since when, the store does not know
        wish = {"folder": encode_folder(folders[Role.TRASH]), "days": "0"}
        archive = client.get(reverse("space_archive", args=[account.pk]), wish)
        assert ZipFile(BytesIO(b"".join(archive.streaming_content))).namelist()[0] == "Trash/000001 x.eml"  # type: ignore[attr-defined]
        assert client.post(reverse("space_tidy", args=[account.pk]), wish | {"days": "30"}).status_code == 400
        client.post(reverse("space_tidy", args=[account.pk]), wish)
        before = exists(server, "Trash")
        clearing = claim_clearing(now=LATER)
        assert clearing
        run_clearing(clearing)
        assert [folder.total for folder in store.folders() if folder.role is Role.TRASH] == [0]
        assert [folder.total for folder in store.folders() if folder.role is Role.INBOX] == [1]
    assert exists(server, "Trash") == before


def test_what_was_asked_of_the_store_is_not_done_on_the_server(opened: tuple[Client, MailAccount, IMAPClient]) -> None:
    client, account, server = opened
    start_download(account=account, policy=Policy())
    account.refresh_from_db()
    with open_store(account) as store:
        trash = next(folder.id for folder in store.folders() if folder.role is Role.TRASH)
        store.append(trash, letter("dos@x.test", 40_000))
        client.post(reverse("space_tidy", args=[account.pk]), {"folder": encode_folder(trash), "days": "0"})
        MailAccount.objects.filter(pk=account.pk).update(mode=MailAccount.Mode.IMAP)
        clearing = claim_clearing(now=LATER)
        assert clearing
        run_clearing(clearing)
        assert Clearing.objects.get(pk=clearing.pk).state == Clearing.State.FAILED
        assert [folder.total for folder in store.folders() if folder.id == trash] == [1]
    assert exists(server, "Trash") == 2


def test_an_empty_mailbox_says_so(mailbox_factory: Any) -> None:
    made = mailbox_factory("eva")
    client = english(Client())
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    assert "There is no mail here" in page(client, account_of_mailbox(made.mailbox))
