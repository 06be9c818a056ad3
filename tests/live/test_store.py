"""Mail that lives here: no server tells of changes, so whoever changes it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import MailAccount, User
from tests.contract.test_source import letter
from tests.live.conftest import Listening, Live, live
from webmail.live.events import Kind
from webmail.sources.open import open_store
from webmail.values import Flag, Folder, FolderId, Query, Role, Window

__all__ = ["live"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account(settings: Any, tmp_path: Path, live: Live) -> MailAccount:
    settings.STORE_DIR = tmp_path
    owner = User.objects.create_user("persona@local.test")
    return MailAccount.objects.create(owner=owner, address=owner.email, mode=MailAccount.Mode.DOWNLOAD)


def told(ear: Listening) -> set[tuple[Kind, str]]:
    """What was said since the last time."""
    before = len(ear.heard)
    with pytest.raises(AssertionError):
        ear.wait(lambda _event: False, 0.5)
    return {(event.kind, event.folder) for _moment, event in ear.heard[before:]}


def test_what_is_changed_in_the_store_is_told_once_it_is_done(account: MailAccount, live: Live) -> None:
    ear = live.listen(account.pk)
    with open_store(account) as source:
        inbox, trash = (folder_of(source.folders(), role) for role in (Role.INBOX, Role.TRASH))
        source.append(inbox, letter("uno"))
        source.append(inbox, letter("dos"))
        assert told(ear) == set()
    assert told(ear) == {(Kind.NEW, inbox)}
    with open_store(account) as source:
        refs = [row.ref for row in source.page(inbox, Query(), Window()).rows]
        source.set_flags(refs, add=[Flag.SEEN])
    assert told(ear) == {(Kind.FLAGS, inbox)}
    with open_store(account) as source:
        source.move(refs[:1], trash)
        source.create_folder(None, "Obras")
    assert told(ear) == {(Kind.GONE, inbox), (Kind.NEW, trash), (Kind.FOLDERS, "")}
    with open_store(account) as source:
        source.page(inbox, Query(), Window())
    assert told(ear) == set()


def test_nothing_fails_while_redis_is_away(account: MailAccount, live: Live, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with open_store(account) as source:
        inbox = folder_of(source.folders(), Role.INBOX)
        source.append(inbox, letter("uno"))
    with open_store(account) as source:
        assert [row.subject for row in source.page(inbox, Query(), Window()).rows] == ["uno"]


def folder_of(folders: list[Folder], role: Role) -> FolderId:
    return next(folder.id for folder in folders if folder.role is role)
