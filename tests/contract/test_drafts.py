"""Drafts, on every source: the new copy takes the place of the old one, and never that of another program's version."""

from __future__ import annotations

import pytest

from accounts.models import MailAccount, User
from webmail.models import Composing
from webmail.services import composing as service
from webmail.services.organising import special_folder
from webmail.sources.base import MailSource
from webmail.values import Flag, PartNumber, Query, Role, Summary, Window

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def composing(transactional_db: None) -> Composing:
    owner = User.objects.create_user("ana@borradores.test")
    account = MailAccount.objects.create(owner=owner, address="ana@borradores.test")
    made = service.new_composing(account)
    service.fill(made, {"to": "Beto <beto@x.test>", "bcc": "c@y.test", "subject": "Presupuesto", "text": "uno"})
    made.save()
    return made


def drafts(source: MailSource) -> list[Summary]:
    folder = special_folder(source, Role.DRAFTS)
    return list(source.page(folder.id, Query(), Window()).rows)


def text_of(source: MailSource, row: Summary) -> str:
    return source.message(row.ref).bodies[0].text.strip()


def write(composing: Composing, source: MailSource, text: str) -> bool:
    service.fill(composing, {"text": text})
    return service.save_draft(composing, source)


def test_each_save_takes_the_place_of_the_one_before(source: MailSource, composing: Composing) -> None:
    for text in ("uno", "dos", "tres"):
        assert not write(composing, source, text)
        assert composing.failed == ""
    (row,) = drafts(source)
    assert Flag.DRAFT in row.flags
    assert composing.draft == row.ref
    message = source.message(row.ref)
    assert (text_of(source, row), [one.email for one in message.bcc]) == ("tres", ["c@y.test"])


def test_a_draft_that_another_program_replaced_is_kept_beside_ours(source: MailSource, composing: Composing) -> None:
    write(composing, source, "nuestro")
    (row,) = drafts(source)
    raw = b"".join(source.part(row.ref, PartNumber(""))).replace(b"nuestro", b"de otro")
    source.append(row.ref.folder, raw.replace(composing.message_id.encode(), b"<otro@x.test>"), flags=[Flag.DRAFT])
    source.delete([row.ref])
    assert write(composing, source, "nuestro, seguido")
    assert sorted(text_of(source, row) for row in drafts(source)) == ["de otro", "nuestro, seguido"]


def test_a_draft_that_is_thrown_away_is_gone(source: MailSource, composing: Composing) -> None:
    write(composing, source, "uno")
    service.discard(composing, source)
    assert drafts(source) == []
    assert not Composing.objects.exists()
