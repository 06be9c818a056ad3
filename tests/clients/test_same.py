"""Forty kinds of change, made in one program and seen in the other; the table of it is docs/parity.md."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visit, icons, sign_in
from tests.clients import kinds_folders, kinds_writing
from tests.clients.kinds import KINDS, Run
from tests.clients.sides import BirdSide, CasillaSide
from tests.clients.table import DOCUMENT, Line, Table
from tests.clients.thunderbird import thunderbird
from tests.contract.test_source import letter
from tests.live.conftest import live, watcher, web
from webmail.tasks import send_due

__all__ = ["icons", "kinds_folders", "kinds_writing", "live", "watcher", "web"]
pytestmark = [
    pytest.mark.clients,
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(1_500),
]
ONLY = os.environ.get("PARITY_ONLY", "")
"""Words of the kinds to run; the table is not written then."""


def test_what_is_changed_in_one_program_is_seen_in_the_other(
    browser: Browser,
    web: str,
    icons: None,
    watcher: Callable[[], Any],
    mailbox_factory: Any,
    imap: Any,
    deliver: Any,
    stack: Any,
    tmp_path: Path,
) -> None:
    watcher()
    made = mailbox_factory("ana", name="Ana")
    client = imap(made.address)
    client.append("INBOX", letter("La primera", day=-300), [b"\\Seen"])
    client.create_folder("Obras")
    client.subscribe_folder("Obras")
    mailbox_factory("nadie")
    deliver(made.address, letter("La segunda", day=-299))
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="es-CL")
    window = Visit(context.new_page(), web)
    sign_in(window, made)
    account_id = int(window.page.url.split("/mail/")[1].split("/")[0])
    _send_at_once(account_id)
    casilla = CasillaSide(window.page, web, account_id)
    casilla.show("INBOX")
    table = Table()
    (tmp_path / "bird").mkdir()
    ports = {"imap_port": stack.ports.imap, "smtp_port": stack.ports.smtp}
    with thunderbird(tmp_path / "bird", made.address, made.password, junk_moves=True, **ports) as program:
        bird = BirdSide(program)
        bird.run("await until(() => F('Obras') && F('Junk')); await show(inbox)")
        run = Run(
            casilla,
            bird,
            client,
            made.address,
            send_due,
            lambda raw: deliver(made.address, raw),
            _limiter(made, client, stack),
            _renewer(made, client, stack),
            lambda: imap(made.address),
        )
        for name, direction, do in KINDS:
            if ONLY and not any(word in name for word in ONLY.split(",")):
                continue
            table.lines.append(_line(run, name, direction, do))
            print(table.lines[-1], flush=True)
    context.close()
    if not ONLY:
        table.write(f"Thunderbird {_version('thunderbird')}, Dovecot {_version('dovecot-core')}")
        assert DOCUMENT.exists()
    unseen = [one for one in table.lines if not one.well]
    assert unseen == []


def _line(run: Run, name: str, direction: str, do: Any) -> Line:
    """One line; whatever goes wrong is in it, and the next begins with both programs on the Inbox."""
    try:
        seen, delay_ms = do(run)
        return Line(name, direction, seen, delay_ms)
    except Exception as error:  # noqa: BLE001 - the table says it, and the next kind has its turn
        words = " ".join(str(error).split())[:160].replace("|", "/")
        print(f"--- {name}, {direction}: {error}", flush=True)
        run.casilla.show("INBOX")
        run.bird.run("compose()?.close(); await show(inbox)")
        return Line(name, direction, f"NOT seen: {words}")


def _doveadm(stack: Any, *words: str) -> None:
    command = ["doveadm", "-c", f"{stack.root}/etc/dovecot/dovecot.conf", *words]
    subprocess.run(command, check=True, capture_output=True)


def _limiter(made: Any, client: Any, stack: Any) -> Callable[[int], None]:
    def limit(room_bytes: int) -> None:
        used = next(one.usage for one in client.get_quota() if one.resource == "STORAGE") * 1024
        made.mailbox.quota_bytes = used + room_bytes
        made.mailbox.save()
        _doveadm(stack, "kick", made.address)

    return limit


def _renewer(made: Any, client: Any, stack: Any) -> Callable[[str], None]:
    def renew(folder: str) -> None:
        validity = int(client.folder_status(folder, ["UIDVALIDITY"])[b"UIDVALIDITY"])
        _doveadm(stack, "mailbox", "update", "-u", made.address, "--uid-validity", str(validity + 1_000), folder)

    return renew


def _send_at_once(account_id: int) -> None:
    from accounts.models import MailAccount

    owner = MailAccount.objects.get(pk=account_id).owner
    owner.undo_s = 0
    owner.save()


def _version(package: str) -> str:
    found = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=True)
    return found.stdout.partition(":")[2] or found.stdout
