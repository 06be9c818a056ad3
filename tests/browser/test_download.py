"""Download mode in a real browser: mail that comes in, copies that are kept or removed, the settings, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import MailAccount
from accounts.services.login import account_of_mailbox
from tests.browser.conftest import Visit, sign_in
from tests.webmail.conftest import letter
from webmail.models import Download, LedgerEntry, LocalMessage, Pull
from webmail.services.adding import Source, add_account
from webmail.services.claims import claim
from webmail.services.downloads import Policy, start_download
from webmail.services.import_jobs import claim_import, run_import
from webmail.services.schedule import pull_account
from webmail.services.transfer import claim_transfer, run_transfer
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@dataclass
class Desk:
    """A person before a mailbox in download mode, with three messages on its server."""

    window: Visit
    account: MailAccount
    imap: Any
    made: Any

    @property
    def page(self) -> Page:
        return self.window.page

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.window.url + reverse(name, args=[self.account.pk, *args]))

    def pull(self) -> Pull:
        """What a worker does."""
        download = claim(self.account.pk, by_hand=True)
        assert download
        return pull_account(download, by_hand=True)


@pytest.fixture
def desk(
    visit: Callable[..., Visit], mailbox_factory: Any, imap: Any, settings: Any, tmp_path: Path
) -> Callable[..., Desk]:
    def open_(**options: Any) -> Desk:
        settings.STORE_DIR = tmp_path / "store"
        settings.MEDIA_ROOT = tmp_path / "media"
        made = mailbox_factory("ana", name="Ana")
        server = imap(made.address)
        for number in range(3):
            server.append("INBOX", letter(number))
        account = account_of_mailbox(made.mailbox)
        start_download(account=account, policy=Policy(keep="days", keep_days=14))
        desk = Desk(visit(locale="en", **options), account, server, made)
        desk.pull()
        sign_in(desk.window, made)
        return desk

    return open_


def test_mail_that_a_pull_brings_comes_into_the_open_list(desk: Callable[..., Desk]) -> None:
    here = desk()
    page = here.page
    assert page.locator("#list .row").count() == 3
    here.imap.append("INBOX", letter(8))
    page.click("#pull >> text=Download now")
    page.wait_for_selector("#pull >> text=A download begins in a moment")
    here.pull()
    page.wait_for_selector("#list .row >> text=Carta 8")
    page.wait_for_selector("#pull >> text=1 new")
    page.wait_for_selector("#tree [aria-current] >> text=Inbox")
    assert page.locator("#pull-live").inner_text().startswith("Next download")
    asked = len([url for url in here.window.requests if "/downloads/now/" in url])
    page.wait_for_timeout(2500)
    assert len([url for url in here.window.requests if "/downloads/now/" in url]) == asked
    assert here.window.complaints == []


def test_a_running_pull_shows_how_far_it_is_and_leaves_focus_alone(desk: Callable[..., Desk]) -> None:
    here = desk()
    page = here.page
    Download.objects.update(lease_token="x", lease_until=timezone.now() + timedelta(minutes=1))
    pull = Pull.objects.create(account=here.account, wanted=10, fetched=4)
    here.go("downloads")
    page.wait_for_selector("#pulls >> text=4 of 10 messages")
    page.focus("nav.seg >> text=With errors")
    Pull.objects.filter(pk=pull.pk).update(fetched=8)
    page.wait_for_selector("#pulls >> text=8 of 10 messages")
    assert page.evaluate("document.activeElement.textContent").startswith("With errors")
    assert page.locator('#pulls [role="progressbar"]').get_attribute("aria-valuenow") == "80"
    Pull.objects.filter(pk=pull.pk).update(fetched=10, stored=10, outcome="complete", ended=timezone.now())
    Download.objects.update(lease_until=None, lease_token="")
    page.wait_for_selector("#pulls tbody >> text=10 new")
    assert page.locator("#pulls .pulls__now").count() == 0
    assert here.window.complaints == []


def test_copies_are_kept_and_removed_from_the_reader_and_the_selection(desk: Callable[..., Desk]) -> None:
    here = desk()
    page = here.page
    page.click("#list .row__subj >> text=Carta 1")
    page.click("#letter-place >> text=Keep on the server")
    page.wait_for_selector("#letter-place >> text=On the server and here, for good")
    page.wait_for_selector("#list .row:has-text('Carta 1') .place:has-text('on the server and here')")
    page.click("#letter-place >> text=As the policy says")
    page.wait_for_selector("#letter-place >> text=for 14 more days")
    page.focus("#list .row__subj >> text=Carta 2")
    page.keyboard.press("x")
    page.click('#change [popovertarget="copies-menu"]')
    page.click("#copies-menu >> text=Remove now")
    page.wait_for_selector(".toast >> text=1 copy leaves the server with the next download")
    page.wait_for_selector("#list .row:has-text('Carta 2') .place:has-text('copy about to be removed')")
    here.pull()
    here.imap.select_folder("INBOX", readonly=True)
    assert len(here.imap.search()) == 2
    assert LedgerEntry.objects.get(message__subject="Carta 2").state == "removed"
    assert LocalMessage.objects.count() == 3
    assert here.window.complaints == []


def test_a_connection_is_tested_before_anything_is_saved(desk: Callable[..., Desk], stack: Any) -> None:
    here = desk(viewport={"width": 390, "height": 844})
    page = here.page
    page.goto(here.window.url + reverse("account_add"))
    page.fill("[name=address]", "carla@otra.test")
    page.click("text=Find its server")
    page.fill("[name=host]", "127.0.0.1")
    page.fill("[name=port]", str(stack.ports.pop3))
    page.select_option("[name=tls]", "none")
    page.fill("[name=login]", here.made.address.replace("ana@", "nadie@"))
    page.fill("[name=secret]", "falsa")
    page.click("text=Test the connection")
    page.wait_for_selector("[role=alert] >> text=did not accept the user or the password")
    page.fill("[name=login]", here.made.address)
    page.fill("[name=secret]", here.made.password)
    page.click("text=Test the connection")
    page.wait_for_selector(".field__error >> text=your own mailbox")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert MailAccount.objects.count() == 1
    # the browser itself notes each answer with a 422
    assert [text for text in here.window.complaints if "422" not in text] == []


def test_a_person_with_two_mailboxes_goes_between_them_and_pauses_one_without_javascript(
    desk: Callable[..., Desk], mailbox_factory: Any, stack: Any, visit: Callable[..., Visit]
) -> None:
    here = desk(java_script_enabled=False)
    other = mailbox_factory("carla")
    source = Source(("127.0.0.1", stack.ports.pop3, "none"), other.address, other.password)
    second = add_account(
        owner_id=here.account.owner_id, address="ventas@otra.test", source=source, policy=Policy(), smtp=None
    )
    page = here.page
    here.go("folder", FolderId("INBOX"))
    page.click(".sidebar .tree >> text=ventas@otra.test")
    assert f"/mail/{second.pk}/" in page.url
    page.click("#pull >> text=See log")
    page.click("#pulls >> text=Pause")
    assert Download.objects.get(account=second).paused
    assert "paused" in page.inner_text("#pulls aside")
    page.click("#pulls >> text=Resume")
    assert not Download.objects.get(account=second).paused
    here.go("message", FolderId("INBOX"), 1, str(LocalMessage.objects.order_by("pk")[0].pk))
    page.click("#letter-place >> text=Keep on the server")
    assert LedgerEntry.objects.filter(hold=True, remove_at=None).count() == 1


def test_a_mailbox_moves_here_while_its_page_tells_how_far_it_is(
    visit: Callable[..., Visit], mailbox_factory: Any, imap: Any, settings: Any, tmp_path: Path
) -> None:
    settings.STORE_DIR = tmp_path / "store"
    made = mailbox_factory("ana", name="Ana")
    for number in range(3):
        imap(made.address).append("INBOX", letter(number))
    window = visit(locale="en")
    sign_in(window, made)
    page = window.page
    page.click(".plate")
    page.click("#accounts-menu >> text=Where the mail lives")
    page.focus("#sim .slider")
    for _times in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector("#sim >> text=with copies for 60 days")
    assert page.evaluate("document.activeElement.className").startswith("slider")
    assert page.input_value("#sim-days") == "60"
    assert page.input_value("[name=keep_days]") == "60"
    page.click("text=Change to downloading")
    page.wait_for_selector("#change-mode >> text=Begins in a moment")
    transfer = claim_transfer()
    assert transfer
    run_transfer(transfer)
    page.wait_for_selector("#change-mode >> text=3 messages were copied and compared")
    assert Download.objects.get(account__address=made.address).keep_days == 60
    page.goto(window.url + "/")
    page.wait_for_selector('.app[data-mode="pop"] #list .row >> text=Carta 2')
    assert window.complaints == []


def test_mail_is_exported_and_brought_in(desk: Callable[..., Desk]) -> None:
    here = desk()
    page = here.page
    here.go("takeout")
    with page.expect_download() as download:
        page.click("form[method=get] button")
    file = download.value.path()
    assert download.value.suggested_filename.endswith(".mbox.zip")
    page.set_input_files("[name=file]", file)
    page.check("[name=doubles]")
    page.click("form[data-behaviour=bring] button")
    page.wait_for_selector("#bringing >> text=Begins in a moment")
    job = claim_import()
    assert job
    run_import(job)
    page.wait_for_selector("[role=status] >> text=3 messages were taken in")
    assert LocalMessage.objects.count() == 6
    assert here.window.complaints == []


def test_the_pages_are_accessible_and_fit_a_narrow_window(desk: Callable[..., Desk]) -> None:
    here = desk(viewport={"width": 390, "height": 844})
    axe = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()
    for name in ("downloads", "download_settings", "account", "mode", "takeout"):
        here.go(name)
        here.page.evaluate(axe)
        found = here.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == [], name
        assert here.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
