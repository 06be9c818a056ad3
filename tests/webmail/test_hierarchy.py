"""Managing folders over HTTP: what each address answers, what the server holds afterwards, and to whom it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.contract.test_source import letter
from webmail.tokens import encode_folder
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def signed_in(made: Any) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": made.address, "password": made.password})
    return client


@dataclass(frozen=True, slots=True)
class Place:
    """An owner with Obras (one read and two unread messages), Obras/Norte (one unread) and Familia."""

    made: Any
    client: Client
    account: int
    imap: Callable[..., Any]

    def url(self, name: str, folder: str = "") -> str:
        return reverse(name, args=[self.account, FolderId(folder)] if folder else [self.account])

    def post(self, view: str, folder: str = "", /, *, shown: str = "INBOX", htmx: bool = True, **data: Any) -> Any:
        address = f"http://testserver{self.url('folder', shown)}"
        headers = {"HX-Request": "true", "HX-Current-URL": address} if htmx else {}
        return self.client.post(self.url(view, folder), data, headers=headers)

    def get(self, name: str, folder: str = "", *, htmx: bool = True) -> str:
        headers = {"HX-Request": "true"} if htmx else {}
        return str(self.client.get(self.url(name, folder), headers=headers).content.decode())

    def undo(self, answer: Any, *, shown: str = "INBOX") -> Any:
        found = re.search(r'action="(/mail/\d+/[\w/-]*undo/[\w-]+/)"', answer.content.decode())
        assert found is not None
        address = f"http://testserver{self.url('folder', shown)}"
        data = {"from": encode_folder(FolderId(shown))}
        return self.client.post(found[1], data, headers={"HX-Request": "true", "HX-Current-URL": address})

    def server(self) -> set[str]:
        """The names of one's own folders on the server."""
        special = {"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"}
        return {name for _flags, _delimiter, name in self.imap(self.made.address).list_folders()} - special

    def subscribed(self) -> set[str]:
        return {name for _flags, _delimiter, name in self.imap(self.made.address).list_sub_folders()}

    def count(self, folder: str, what: str = "ALL") -> int:
        client = self.imap(self.made.address)
        client.select_folder(folder, readonly=True)
        return len(client.search([what]))


@pytest.fixture
def place(mailbox_factory: Any, imap: Any) -> Place:
    made = mailbox_factory("ana")
    connection = imap(made.address)
    for name in ("Obras", "Obras/Norte", "Familia"):
        connection.create_folder(name)
        connection.subscribe_folder(name)
    connection.append("Obras", letter("leído"), flags=[b"\\Seen"])
    for folder, subject in (("Obras", "uno"), ("Obras", "dos"), ("Obras/Norte", "tres")):
        connection.append(folder, letter(subject))
    client = signed_in(made)
    found = re.search(r"/mail/(\d+)/", client.get("/", follow=True).redirect_chain[-1][0])
    assert found is not None
    return Place(made, client, int(found[1]), imap)


def test_a_folder_is_made_and_subscribed(place: Place) -> None:
    answer = place.post("folder_new", name="  Años y más  ")
    assert answer.status_code == 200
    assert answer["HX-Retarget"] == "#toasts"
    assert "Años y más" in place.server()
    assert "Años y más" in place.subscribed()


def test_a_folder_is_made_inside_another(place: Place) -> None:
    assert (
        f'value="{encode_folder(FolderId("Obras"))}" selected'
        in place.client.get(place.url("folder_new") + f"?place={encode_folder(FolderId('Obras'))}").content.decode()
    )
    assert place.post("folder_new", name="Sur", place=encode_folder(FolderId("Obras"))).status_code == 200
    assert "Obras/Sur" in place.server()


@pytest.mark.parametrize(
    "name", ["", "   ", "a/b", "50%", "a*", "x" * 121, "Obras", "inbox", "a\r\nA1 LOGOUT", "a\tb", "\x7f"]
)
def test_a_name_that_cannot_be_is_refused_and_kept(place: Place, name: str) -> None:
    before = place.server()
    answer = place.post("folder_new", name=name)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "HX-Retarget" not in answer
    assert 'aria-invalid="true" aria-describedby="folder-error"' in page
    assert not name.isprintable() or f'name="name" value="{name}"' in page
    assert "<html" not in page
    assert place.server() == before


def test_without_htmx_an_error_is_a_page_and_success_leads_on(place: Place) -> None:
    answer = place.post("folder_new", htmx=False, name="a/b")
    assert answer.status_code == 422
    assert "<html" in answer.content.decode()
    answer = place.post("folder_new", htmx=False, name="Viajes")
    assert answer.status_code == 302
    assert answer.url == place.url("folder", "Viajes")


def test_a_parent_that_is_none_is_refused(place: Place) -> None:
    for token in ("***", encode_folder(FolderId("Nada"))):
        assert place.post("folder_new", name="x", place=token).status_code == 410
    assert "x" not in place.server()


def test_a_folder_is_renamed_with_what_is_below_and_back(place: Place) -> None:
    answer = place.post("folder_rename", "Obras", name="Faenas")
    assert place.server() == {"Faenas", "Faenas/Norte", "Familia"}
    assert {"Faenas", "Faenas/Norte"} <= place.subscribed()
    assert "HX-Replace-Url" not in answer
    assert place.undo(answer).status_code == 200
    assert place.server() == {"Obras", "Obras/Norte", "Familia"}
    assert place.undo(answer).status_code == 410


def test_the_page_follows_the_folder_that_it_shows(place: Place) -> None:
    answer = place.post("folder_rename", "Obras", shown="Obras/Norte", name="Faenas")
    assert answer["HX-Replace-Url"] == place.url("folder", "Faenas/Norte")
    assert 'hx-target="#list"' in answer.content.decode()
    back = place.undo(answer, shown="Faenas/Norte")
    assert back["HX-Replace-Url"] == place.url("folder", "Obras/Norte")


def test_a_rename_to_a_name_that_is_taken_keeps_what_was_typed(place: Place) -> None:
    answer = place.post("folder_rename", "Obras", name="Familia")
    assert answer.status_code == 422
    assert 'name="name" value="Familia"' in answer.content.decode()
    assert place.server() == {"Obras", "Obras/Norte", "Familia"}


def test_a_folder_is_moved_and_back(place: Place) -> None:
    answer = place.post("folder_place", "Obras", place=encode_folder(FolderId("Familia")))
    assert place.server() == {"Familia", "Familia/Obras", "Familia/Obras/Norte"}
    assert place.count("Familia/Obras") == 3
    assert place.undo(answer).status_code == 200
    assert place.server() == {"Obras", "Obras/Norte", "Familia"}
    place.post("folder_place", "Obras/Norte", place="")
    assert place.server() == {"Obras", "Norte", "Familia"}


def test_a_folder_is_not_moved_into_itself(place: Place) -> None:
    page = place.get("folder_place", "Obras")
    for inside in ("Obras", "Obras/Norte"):
        token = encode_folder(FolderId(inside))
        assert f'value="{token}"' not in page
        assert place.post("folder_place", "Obras", place=token).status_code == 410
    assert place.server() == {"Obras", "Obras/Norte", "Familia"}


def test_a_move_to_where_one_of_its_name_is_refused(place: Place) -> None:
    place.post("folder_new", name="Obras", place=encode_folder(FolderId("Familia")))
    assert place.post("folder_place", "Obras", place=encode_folder(FolderId("Familia"))).status_code == 422
    assert {"Obras", "Familia/Obras"} <= place.server()


def test_the_dialog_counts_and_the_folder_goes_to_the_trash_and_back(place: Place) -> None:
    page = place.get("folder_delete", "Obras")
    assert 'name="way" value="trash"' in page
    assert 'name="counted" value="4.1"' in page
    assert re.search(r"\b4 m\w+ \w+ 1 ", page)
    answer = place.post("folder_delete", "Obras", shown="Obras", way="trash", counted="4.1")
    assert answer["HX-Replace-Url"] == place.url("folder", "INBOX")
    assert place.server() == {"Trash/Obras", "Trash/Obras/Norte", "Familia"}
    assert place.undo(answer).status_code == 200
    assert place.server() == {"Obras", "Obras/Norte", "Familia"}
    assert place.count("Obras") == 3


def test_a_second_folder_of_the_name_finds_room_in_the_trash(place: Place) -> None:
    place.post("folder_delete", "Obras", way="trash")
    place.post("folder_new", name="Obras")
    answer = place.post("folder_delete", "Obras", way="trash")
    assert {"Trash/Obras", "Trash/Obras (2)"} <= place.server()
    place.undo(answer)
    assert {"Trash/Obras", "Obras"} <= place.server()


def test_a_folder_in_the_trash_is_deleted_for_good(place: Place) -> None:
    place.post("folder_delete", "Obras", way="trash")
    page = place.get("folder_delete", "Trash/Obras")
    assert 'name="way" value="purge"' in page
    answer = place.post("folder_delete", "Trash/Obras", way="purge", counted="4.1")
    assert answer.status_code == 200
    assert "undo/" not in answer.content.decode()
    assert place.server() == {"Familia"}
    assert not any(name.startswith("Trash/") for name in place.subscribed())


def test_more_than_was_counted_is_asked_again(place: Place) -> None:
    place.post("folder_delete", "Obras", way="trash")
    place.imap(place.made.address).append("Trash/Obras", letter("otro"))
    answer = place.post("folder_delete", "Trash/Obras", way="purge", counted="4.1")
    assert answer.status_code == 422
    assert 'name="counted" value="5.1"' in answer.content.decode()
    assert "Trash/Obras" in place.server()


def test_a_folder_is_hidden_with_what_is_below_and_shown_again(place: Place) -> None:
    answer = place.post("folder_subscribe", "Obras", on="0")
    assert {"Obras", "Obras/Norte"} & place.subscribed() == set()
    assert place.count("Obras") == 3
    assert encode_folder(FolderId("Obras")) not in place.get("tree")
    place.undo(answer)
    assert {"Obras", "Obras/Norte"} <= place.subscribed()


def test_hidden_folders_are_listed_and_shown(place: Place) -> None:
    place.post("folder_subscribe", "Familia", on="0")
    assert place.url("folders_hidden") in place.get("folder_menu", "Obras")
    assert "1 carpeta oculta" in place.get("tree")
    assert place.url("folder_subscribe", "Familia") in place.get("folders_hidden")
    place.post("folder_subscribe", "Familia", on="1")
    assert "Familia" in place.subscribed()
    assert place.url("folder_subscribe", "Familia") not in place.get("folders_hidden")
    assert place.url("folders_hidden") not in place.get("tree")


def test_a_name_without_a_folder_can_be_hidden_only(place: Place) -> None:
    place.imap(place.made.address).delete_folder("Familia")  # Dovecot keeps its subscription
    menu = place.get("folder_menu", "Familia")
    assert place.url("folder_subscribe", "Familia") in menu
    assert place.url("folder_rename", "Familia") not in menu
    assert place.url("folder_delete", "Familia") not in menu
    assert place.post("folder_subscribe", "Familia", on="0").status_code == 200
    assert "Familia" not in place.subscribed()


def test_all_is_marked_as_read_and_back(place: Place) -> None:
    answer = place.post("folder_read", "Obras")
    assert place.count("Obras", "UNSEEN") == 0
    assert place.count("Obras/Norte", "UNSEEN") == 1
    assert place.undo(answer).status_code == 200
    assert place.count("Obras", "UNSEEN") == 2
    place.post("folder_read", "Obras")
    assert "undo/" not in place.post("folder_read", "Obras").content.decode()


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def test_the_trash_is_emptied_of_what_the_dialog_counted(place: Place) -> None:
    connection = place.imap(place.made.address)
    for index in range(3):
        connection.append("Trash", letter(f"viejo {index}"))
    place.post("folder_delete", "Obras", way="trash")
    page = place.get("folder_empty", "Trash")
    assert re.search(r"\b7 m\w+ \w+ 2 ", page)
    connection.append("Trash", letter("recién borrado"))
    answer = place.post("folder_empty", "Trash", **fields(page))
    assert answer.status_code == 200
    assert place.server() == {"Familia"}
    assert place.count("Trash") == 1


def test_a_folder_that_came_into_the_trash_is_asked_about(place: Place) -> None:
    page = place.get("folder_empty", "Trash")
    assert "<form" not in page
    place.imap(place.made.address).append("Trash", letter("viejo"))
    page = place.get("folder_empty", "Trash")
    place.post("folder_delete", "Obras", way="trash")
    answer = place.post("folder_empty", "Trash", **fields(page))
    assert answer.status_code == 422
    assert 'name="counted" value="4.2"' in answer.content.decode()
    assert place.count("Trash") == 1
    assert "Trash/Obras" in place.server()


def test_emptying_goes_step_by_step_and_can_be_stopped(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.services.hierarchy.BATCH", 2)
    connection = place.imap(place.made.address)
    for index in range(6):
        connection.append("Junk", letter(f"basura {index}"))
    answer = place.post("folder_empty", "Junk", **fields(place.get("folder_empty", "Junk")))
    page = answer.content.decode()
    assert 'max="6" value="2"' in page
    assert answer["HX-Retarget"] == "#toasts"
    assert place.count("Junk") == 4
    answer = place.post("folder_empty", "Junk", **fields(page))
    page = answer.content.decode()
    assert "HX-Retarget" not in answer
    assert 'max="6" value="4"' in page
    page = place.post("folder_empty", "Junk", **fields(page), stop="1").content.decode()
    assert "<progress" not in page
    assert place.count("Junk") == 2
    place.post("folder_empty", "Junk", htmx=False, **fields(place.get("folder_empty", "Junk")))
    assert place.count("Junk") == 0


def test_a_folder_that_was_made_anew_is_not_emptied(place: Place) -> None:
    place.imap(place.made.address).append("Junk", letter("nuevo"))
    data = fields(place.get("folder_empty", "Junk"))
    data["upto"] = f"{int(data['upto'].partition('.')[0]) + 1}.99"
    assert place.post("folder_empty", "Junk", **data).status_code == 410
    assert place.post("folder_empty", "Junk", upto="x").status_code == 400
    assert place.count("Junk") == 1


@pytest.mark.parametrize("name", ["folder_rename", "folder_place", "folder_delete"])
def test_special_folders_stay_as_they_are(place: Place, name: str) -> None:
    place.post("folder_new", name="Sent", place=encode_folder(FolderId("Obras")))
    for folder in ("INBOX", "Sent", "Trash"):
        assert place.client.get(place.url(name, folder)).status_code == 403
        assert place.post(name, folder, name="x", place="", way="purge", counted="999.9").status_code == 403
        menu = place.get("folder_menu", folder)
        assert place.url(name, folder) not in menu
    assert place.post("folder_subscribe", "Sent", on="0").status_code == 403
    assert place.post("folder_empty", "Obras", upto="1.1").status_code == 403
    assert "Sent" in place.subscribed()


def test_a_folder_that_is_not_there_is_told(place: Place) -> None:
    for name in ("folder_menu", "folder_rename", "folder_place", "folder_delete", "folder_empty"):
        assert place.client.get(place.url(name, "Nada")).status_code == 410
    assert place.post("folder_rename", "Nada", name="x").status_code == 410


def test_an_undo_whose_folder_is_gone_says_so(place: Place) -> None:
    answer = place.post("folder_delete", "Familia", way="trash")
    place.post("folder_delete", "Trash/Familia", way="purge", counted="0.0")
    assert place.undo(answer).status_code == 410


FORMS = ["folder_rename", "folder_place", "folder_delete", "folder_empty"]
POSTS = ["folder_subscribe", "folder_read"]


@pytest.mark.parametrize("name", [*FORMS, *POSTS, "folder_menu", "folder_new", "folders_hidden"])
def test_strangers_and_other_methods_are_refused(place: Place, mailbox_factory: Any, name: str) -> None:
    url = place.url(name, "" if name in {"folder_new", "folders_hidden"} else "Obras")
    data = {"name": "x", "place": "", "way": "purge", "counted": "99.9", "on": "0", "upto": "1.99"}
    reads, writes = name not in POSTS, name not in {"folder_menu", "folders_hidden"}
    stranger = signed_in(mailbox_factory("beto"))
    anonymous = Client().get(url) if reads else Client().post(url, data)
    assert (anonymous.status_code, "/login" in anonymous.url or "login" in anonymous.url) == (302, True)
    if reads:
        assert stranger.get(url).status_code == 404
    else:
        assert place.client.get(url).status_code == 405
    if writes:
        assert stranger.post(url, data).status_code == 404
        forgery = Client(enforce_csrf_checks=True)
        forgery.cookies = place.client.cookies
        assert forgery.post(url, data).status_code == 403
    else:
        assert place.client.post(url, data).status_code == 405
    assert place.client.put(url).status_code == 405
    assert place.server() == {"Obras", "Obras/Norte", "Familia"}
    assert place.count("Obras", "UNSEEN") == 2


def test_an_undo_is_nobody_elses(place: Place, mailbox_factory: Any) -> None:
    answer = place.post("folder_rename", "Obras", name="Faenas")
    found = re.search(r'action="(/mail/\d+/folders/undo/[\w-]+/)"', answer.content.decode())
    assert found is not None
    assert signed_in(mailbox_factory("beto")).post(found[1]).status_code == 404
    assert place.client.get(found[1]).status_code == 405
    assert Client().post(found[1]).status_code == 302
    assert "Faenas" in place.server()


@pytest.mark.parametrize("name", [*FORMS[:3], "folder_menu", "folder_new", "folders_hidden"])
def test_each_dialog_is_a_page_too(place: Place, name: str) -> None:
    folder = "" if name in {"folder_new", "folders_hidden"} else "Obras"
    part, page = place.get(name, folder), place.get(name, folder, htmx=False)
    assert "<html" not in part
    assert "<html" in page
    assert "sheet-page" in page
    if name != "folder_menu":  # its links only
        assert 'hx-target="#folder-dialog"' not in page  # a page has no dialog that an answer could go to
