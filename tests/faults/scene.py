"""A mailbox, everything that a source can do with it, and what an independent client says is true afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from imapclient import IMAPClient
from redis import Redis

from accounts.models import MailAccount, User
from tests.contract.test_source import letter
from tests.imap.proxy import Proxy
from webmail.errors import Gone
from webmail.sources.imap import ImapSource, open_imap
from webmail.values import Credentials, Endpoint, Folder, FolderId, PartNumber, Query, Ref, Window

INBOX, ARCHIVE, WORKS = FolderId("INBOX"), FolderId("Archive"), FolderId("Obras")
SUBJECTS = ("uno", "dos", "tres", "cuatro", "cinco")
FOLDERS = (INBOX, ARCHIVE, WORKS)
_numbers = itertools.count(1)

Truth = dict[tuple[FolderId, int, int], str]
"""The subject of each message that ever was, by folder, UIDVALIDITY and UID."""


@dataclass
class Scene:
    """One mailbox with five messages in the Inbox and one in two other folders, seen through a proxy; `refs` and `works` are
    what a page knew of it before anything went wrong."""

    proxy: Proxy
    made: Any
    account: MailAccount
    redis_url: str
    client: IMAPClient
    truth: Truth = field(default_factory=dict)
    refs: list[Ref] = field(default_factory=list)
    works: Folder | None = None

    def forget(self) -> None:
        """From here on nothing is known of the mailbox but what the server says; connections stay."""
        redis = Redis.from_url(self.redis_url)
        for key in redis.scan_iter(f"mail:*:{self.account.pk}:*", count=10_000):
            redis.delete(key)
        redis.close()

    def open(self) -> ImapSource:
        endpoint = Endpoint("127.0.0.1", self.proxy.port, "none")
        credentials = Credentials(self.made.address, self.made.password)
        key = str(self.account.pk)
        return open_imap(endpoint, credentials, account_key=key, redis_url=self.redis_url, account_id=self.account.pk)

    def keep(self) -> None:
        """Leaves a connection in the pool that answers."""
        with self.open() as source:
            source.folders()

    def in_works(self) -> Ref:
        """The message of the other folder, as a page knew it before anything went wrong."""
        (key,) = [key for key, subject in self.truth.items() if subject == "plano"][:1]
        return Ref(key[0], key[1], str(key[2]))

    def look(self) -> dict[FolderId, list[str]]:
        """What is in each folder now, for a client that shares nothing with Casilla; what it sees becomes part of the truth."""
        found: dict[FolderId, list[str]] = {}
        for _flags, _delimiter, name in self.client.list_folders():
            folder = FolderId(str(name))
            state = self.client.select_folder(name, readonly=True)
            fetched = self.client.fetch(self.client.search("UNDELETED"), ["ENVELOPE"]) if state[b"EXISTS"] else {}
            subjects = {uid: items[b"ENVELOPE"].subject.decode() for uid, items in fetched.items()}
            self.truth |= {(folder, state[b"UIDVALIDITY"], uid): subject for uid, subject in subjects.items()}
            found[folder] = sorted(subjects.values())
        self.client.unselect_folder()
        return found

    def shown(self) -> dict[FolderId, list[str]]:
        """What Casilla shows now, in every folder that there is."""
        with self.open() as source:
            return {folder.id: sorted(_subjects(source, folder.id)) for folder in source.folders() if folder.selectable}


def _subjects(source: ImapSource, folder: FolderId) -> list[str]:
    try:
        return [row.subject for row in source.page(folder, Query(), Window()).rows]
    except Gone:
        return []


@contextmanager
def scene(proxy: Proxy, factory: Any, imap: Any, redis_url: str) -> Iterator[Scene]:
    """A new mailbox behind the proxy, whose page was drawn once: connections are kept, indexes are warm."""
    number = next(_numbers)
    made = factory(f"ana{number}")
    client = imap(made.address)
    client.create_folder(WORKS)
    client.subscribe_folder(WORKS)
    for day, subject in enumerate(SUBJECTS):
        client.append(INBOX, letter(subject, day=day, body=f"Cuerpo de {subject}"))
    client.append(ARCHIVE, letter("antes"))
    client.append(WORKS, letter("plano"))
    owner = User.objects.create_user(f"ana{number}@cortes.test")
    account = MailAccount.objects.create(owner=owner, address=made.address, mailbox=made.mailbox)
    one = Scene(proxy, made, account, redis_url, client)
    one.look()
    with one.open() as source:
        one.works = next(folder for folder in source.folders() if folder.id == WORKS)
        one.refs = [row.ref for row in source.page(INBOX, Query(), Window()).rows]
    yield one


@dataclass(frozen=True)
class Action:
    """Something that a page does. `run` gives what it shows, `changes` says whether it changes mail."""

    name: str
    run: Callable[[ImapSource, Scene], Any]
    changes: bool = False


def _works(scene: Scene) -> Folder:
    assert scene.works
    return scene.works


ACTIONS = [
    Action("folders", lambda source, _scene: [folder.id for folder in source.folders()]),
    Action("list", lambda source, _scene: list(source.page(INBOX, Query(), Window()).rows)),
    Action("list-by-subject", lambda source, _scene: list(source.page(INBOX, Query(sort="subject"), Window()).rows)),
    Action("list-threads", lambda source, _scene: list(source.page(INBOX, Query(threads=True), Window()).rows)),
    Action("list-deep", lambda source, _scene: list(source.page(INBOX, Query(), Window(3, 2)).rows)),
    Action("search", lambda source, _scene: list(source.page(INBOX, Query(text="o"), Window()).rows)),
    Action(
        "search-body", lambda source, _s: list(source.page(INBOX, Query(text="Cuerpo", in_body=True), Window()).rows)
    ),
    Action("neighbours", lambda source, scene: source.neighbours(scene.refs[2], Query())),
    Action("open", lambda source, scene: source.message(scene.refs[1])),
    Action("structure", lambda source, scene: source.structure(scene.refs[1])),
    Action("header", lambda source, scene: source.header(scene.refs[1])),
    Action("part", lambda source, scene: b"".join(source.part(scene.refs[1], PartNumber("1")))),
    Action("source-text", lambda source, scene: b"".join(source.part(scene.refs[1], PartNumber("")))),
    Action("refs", lambda source, _scene: source.refs(INBOX, Query())),
    Action("flags", lambda source, scene: source.flags(scene.refs[:2])),
    Action("summaries", lambda source, scene: source.summaries(scene.refs)),
    Action("find", lambda source, _scene: source.find(INBOX, "<a@b>")),
    Action("conversations", lambda source, scene: source.conversations(scene.refs[:1], Query())),
    Action("related", lambda source, _scene: source.related(INBOX, ["<a@b>"])),
    Action("quota", lambda source, _scene: source.quota()),
    Action("flag", lambda source, scene: source.set_flags(scene.refs[1:3], add=[r"\Flagged"]), changes=True),
    Action("unflag", lambda source, scene: source.set_flags(scene.refs[1:3], remove=[r"\Seen"]), changes=True),
    Action("move", lambda source, scene: source.move(scene.refs[1:3], ARCHIVE), changes=True),
    Action("copy", lambda source, scene: source.copy(scene.refs[1:3], ARCHIVE), changes=True),
    Action("delete", lambda source, scene: source.delete(scene.refs[1:3]), changes=True),
    Action("append", lambda source, _scene: source.append(ARCHIVE, letter("nueva")), changes=True),
    Action("create", lambda source, _scene: source.create_folder(None, "Nueva"), changes=True),
    Action("rename", lambda source, scene: source.rename_folder(_works(scene), None, "Taller"), changes=True),
    Action("delete-folder", lambda source, scene: source.delete_folder(_works(scene)), changes=True),
    Action("subscribe", lambda source, _scene: source.subscribe(WORKS, on=False), changes=True),
]
