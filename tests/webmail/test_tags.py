"""Tags that people make: named as Thunderbird names their keywords, shown by name and colour, put on messages."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import MailAccount
from tests.contract.test_source import letter
from tests.webmail.test_changes import signed_in
from webmail.models import OwnTag
from webmail.services.tags import OWN_LIMIT, Tags, keyword_for, tags_for
from webmail.values import FolderId

HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("Urgente", "urgente"),
        ("Obra norte", "obra_norte"),
        ("Ampliación", "ampliaci&apm-n"),
        ('a(b)c{d%e*f<g>h\\i"j/k]', "a_b_c_d_e_f_g_h_i_j_k_"),
        ("日本", "&zevnla-"),
        ("Ñ", "&ane-"),
        ("R&D", "r&-d"),
        ("   ", ""),
        ("()", ""),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_keyword_is_what_thunderbird_makes(name: str, keyword: str) -> None:
    assert keyword_for(name) == keyword


def test_tags_come_in_order_with_their_names() -> None:
    tags = Tags().of({r"\Seen", "$label3", "$Label1", "projekt=20x", "$Forwarded", "NonJunk"})
    assert [(str(tag.keyword), tag.css) for tag in tags] == [
        ("$Label1", "tag--label1"),
        ("$label3", "tag--label3"),
        ("projekt=20x", ""),
    ]


@pytest.fixture
def box(mailbox_factory: Any, imap: Any) -> dict[str, Any]:
    made = mailbox_factory("ana")
    client = imap(made.address)
    client.append("INBOX", letter("uno"))
    web = signed_in(made)
    web.get("/", follow=True)
    account = MailAccount.objects.get(address=made.address)
    return {"client": web, "account": account, "made": made, "url": reverse("tags", args=[account.pk])}


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_tag_is_made_put_on_a_message_and_shown(box: dict[str, Any], imap: Any) -> None:
    made = box["client"].post(box["url"], {"name": " Ampliación  norte ", "colour": "3"}, headers=HTMX)
    assert 'data-keyword="ampliaci&amp;apm-n_norte"' in made.content.decode()
    client = imap(box["made"].address)
    validity = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
    change = reverse("messages_change", args=[box["account"].pk, FolderId("INBOX")])
    tagged = box["client"].post(change, {"do": "tag ampliaci&apm-n_norte", "ref": f"{validity}.1"}, headers=HTMX)
    assert tagged.status_code == 200
    client.select_folder("INBOX", readonly=True)
    assert b"ampliaci&apm-n_norte" in client.get_flags([1])[1]
    page = box["client"].get(reverse("folder", args=[box["account"].pk, FolderId("INBOX")])).content.decode()
    assert (
        'class="tagdot tag--own3" data-keyword="ampliaci&amp;apm-n_norte" role="img" aria-label="Ampliación norte"'
        in page
    )


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_tag_is_changed_and_forgotten(box: dict[str, Any]) -> None:
    box["client"].post(box["url"], {"name": "Obra", "colour": "99"})
    tag = OwnTag.objects.get()
    assert (tag.name, tag.colour) == ("Obra", 1)
    url = reverse("tag_change", args=[box["account"].pk, tag.pk])
    box["client"].post(url, {"do": "save", "name": "Obra sur", "colour": "2"})
    tag.refresh_from_db()
    assert (tag.keyword, tag.name, tag.colour) == ("obra", "Obra sur", 2)
    assert box["client"].post(url, {"do": "save", "name": " "}).status_code == 422
    assert "Obra sur" in box["client"].get(box["url"]).content.decode()
    box["client"].post(url, {"do": "forget"})
    assert tags_for(box["account"]).own == ()
    assert box["client"].get(url).status_code == 405


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["", "()", "obra", "OBRA", "$label1", "NonJunk"])
def test_a_tag_that_cannot_be_is_refused_at_its_field(box: dict[str, Any], name: str) -> None:
    OwnTag.objects.create(account=box["account"], keyword="obra", name="Obra", colour=1)
    answer = box["client"].post(box["url"], {"name": name}, headers=HTMX)
    assert answer.status_code == 422
    assert 'id="tag-error"' in answer.content.decode()
    assert 'hx-target="#folder-dialog"' in answer.content.decode()
    assert 'hx-target="#folder-dialog"' not in box["client"].post(box["url"], {"name": name}).content.decode()
    assert OwnTag.objects.count() == 1


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_there_is_an_end_to_them(box: dict[str, Any]) -> None:
    account = box["account"]
    OwnTag.objects.bulk_create(
        OwnTag(account=account, keyword=f"t{i}", name=f"t{i}", colour=1) for i in range(OWN_LIMIT)
    )
    assert box["client"].post(box["url"], {"name": "otra"}).status_code == 422


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_strangers_and_nobody_are_refused(box: dict[str, Any], mailbox_factory: Any, client: Any) -> None:
    tag = OwnTag.objects.create(account=box["account"], keyword="obra", name="Obra", colour=1)
    stranger = signed_in(mailbox_factory("beto"))
    change = reverse("tag_change", args=[box["account"].pk, tag.pk])
    for url in (box["url"], change):
        assert client.post(url, {"name": "x"}).status_code == 302
        assert stranger.post(url, {"name": "x", "do": "forget"}).status_code == 404
    assert OwnTag.objects.get().name == "Obra"
