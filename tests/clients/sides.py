"""The two programs on one mailbox: Casilla in Chromium with live push, and Thunderbird."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import APIResponse, Page, TimeoutError

from tests.clients.thunderbird import Thunderbird
from tests.contract.test_source import DAY, letter
from webmail.tokens import encode_folder
from webmail.values import FolderId

SEEN_MS = 20_000
BY_ITSELF_MS = 8_000
ROW = "#list .row"
WATCH = """() => {
  window.parity = 0;
  const look = () => {
    try { if (CONDITION) { window.parity = Date.now(); return; } } catch { }
    requestAnimationFrame(look);
  };
  look();
}"""


class NotSeen(AssertionError):
    """The other program does not show it."""


class CasillaSide:
    """The pages of one account: what they show, and forms that are sent as a click sends them."""

    def __init__(self, page: Page, url: str, account_id: int) -> None:
        self.page, self.url, self.account_id = page, url, account_id
        self.folder = ""

    def show(self, folder: str, query: str = "") -> None:
        """Opens a folder, and waits until what happens elsewhere is followed."""
        self.folder = folder
        self.page.goto(f"{self.url}{self.path(folder)}{query}")
        self.page.wait_for_selector('.live[data-behaviour][data-state="live"]', timeout=30_000)
        self.page.wait_for_selector("#news[data-mark]", state="attached")
        self.page.wait_for_timeout(700)  # what Dovecot tells twice at first

    def path(self, folder: str, tail: str = "") -> str:
        return f"/mail/{self.account_id}/f/{encode_folder(FolderId(folder))}/{tail}"

    def post(self, path: str, **form: str) -> str:
        """Sends a form as the page does; gives the answer. Raises AssertionError when it is refused."""
        answer = self.ask(path, form)
        assert answer.status < 400, f"{answer.status}: {answer.text()[:200]}"
        return answer.text()

    def ask(self, path: str, form: dict[str, str]) -> APIResponse:
        """The same, whatever the answer."""
        token = self.page.eval_on_selector("body", "body => body.getAttribute('hx-headers:inherited')")
        headers = {"HX-Request": "true", "Referer": self.page.url, **json.loads(token)}
        return self.page.context.request.post(self.url + path, form=dict(form), headers=headers)

    def get(self, path: str) -> str:
        answer = self.page.context.request.get(self.url + path, headers={"HX-Request": "true"})
        assert answer.status < 400, answer.status
        return answer.text()

    def ref(self, subject: str) -> str:
        """VALIDITY.UID of a message of the list that is open."""
        row = self.page.locator(ROW, has_text=subject).first
        return str(row.get_attribute("data-ref", timeout=SEEN_MS)).rstrip("*")

    def change(self, do: str, subject: str, **form: str) -> str:
        return self.post(self.path(self.folder, "change/"), do=do, ref=self.ref(subject), **form)

    def watch(self, condition: str) -> None:
        """Begins to look, with every frame, whether a JavaScript expression is true of the page; it must not be true yet."""
        try:
            self.page.wait_for_function(
                f"() => {{ try {{ return !({condition}) }} catch {{ return true }} }}", timeout=5_000
            )
        except TimeoutError as error:
            raise NotSeen("the page shows it before it is done") from error
        self.page.evaluate(WATCH.replace("CONDITION", condition))

    def seen(self) -> int:
        """The moment at which that was so."""
        try:
            return int(self.page.wait_for_function("() => window.parity", timeout=SEEN_MS).json_value())
        except TimeoutError as error:
            raise NotSeen("the page does not show it") from error


def row(subject: str, part: str = "") -> str:
    """A JavaScript expression: the row of a subject, or a part of it; falsy when there is none."""
    found = f"[...document.querySelectorAll('{ROW}')].find(row => row.textContent.includes({json.dumps(subject)}))"
    return f"({found})?.querySelector({json.dumps(part)})" if part else found


def no_row(subject: str) -> str:
    return f"document.querySelector('#list') && !({row(subject)})"


def in_tree(folder: str, part: str = "") -> str:
    """An expression: the line of a folder in the tree."""
    selector = f'#tree li[data-folder="{encode_folder(FolderId(folder))}"] {part}'.strip()
    return f"document.querySelector({json.dumps(selector)})"


class BirdSide:
    """Thunderbird: actions in its own JavaScript, and what it knows of the mailbox."""

    TOOLS = """
    const below = (at, name) => at?.subFolders.find(one => one.name == name) ?? null;
    const F = path => path.split("/").reduce(below, server.rootFolder)?.QueryInterface(Ci.nsIMsgImapMailFolder);
    const inbox = folder(INBOX).QueryInterface(Ci.nsIMsgImapMailFolder);
    const by = (where, subject) => where && headers(where).find(one => one.mime2DecodedSubject.includes(subject));
    const keywords = header => header.getStringProperty("keywords").toLowerCase().split(" ");
    const copied = go => new Promise((well, badly) => go({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
      onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return ""; },
      onStopCopy(status) { status ? badly(new Error("copy 0x" + (status >>> 0).toString(16))) : well(); },
    }));
    const carry = (from, some, to, move) =>
      copied(one => MailServices.copy.copyMessages(from, some, to, move, one, main.msgWindow, true));
    const carryFolder = (from, to) => copied(one => MailServices.copy.copyFolder(from, to, true, one, main.msgWindow));
    const pane = main.document.getElementById("tabmail").currentAbout3Pane;
    const show = async where => {
      pane.displayFolder(where.URI);
      await until(() => pane.gFolder == where && pane.gDBView);
    };
    const choose = async (where, header) => {
      await show(where);
      await until(() => pane.gDBView.rowCount > 0);
      pane.threadTree.selectedIndex = pane.gDBView.findIndexOfMsgHdr(header, true);
      await sleep(400);
    };
    const command = async name => {
      await until(() => pane.commandController.isCommandEnabled(name));
      now();
      pane.commandController.doCommand(name);
    };
    let at = Date.now();
    const now = () => { at = Date.now(); };
    """

    def __init__(self, bird: Thunderbird) -> None:
        self.bird = bird

    def run(self, body: str, *args: Any) -> Any:
        return self.bird.run(self.TOOLS + body, *args)

    def act(self, body: str, *args: Any) -> int:
        """Does something; gives the moment at which `now()` was called in it, just before the change itself."""
        return int(self.run("now();" + body + "; return at;", *args))

    def seen(self, condition: str, *args: Any, look: str = "") -> tuple[int, bool]:
        """The moment at which an expression became true, and whether that took a look: what Thunderbird does by itself when a
        person opens the folder, or when it asks for the folders again."""
        quiet = "const first = await until(async () => (%s), %d).then(() => 1, () => 0); if (first) return Date.now(); return 0;"
        moment = 0
        if not look or BY_ITSELF_MS:
            moment = int(self.run(quiet % (condition, BY_ITSELF_MS if look else SEEN_MS), *args))
        if moment:
            return moment, False
        if look:
            body = "const from = Date.now(); %s; await until(async () => (%s), %d); return Date.now() - from;"
            try:
                return int(self.run(body % (look, condition, SEEN_MS), *args)), True
            except AssertionError as error:
                raise NotSeen(str(error)) from error
        raise NotSeen("Thunderbird does not show it")


def now_ms() -> int:
    return int(time.time() * 1000)


def fresh(subject: str) -> bytes:
    """A letter of this moment, so that it is the first of the list."""
    since = datetime.now(UTC) - DAY.replace(hour=0)
    identity = f"Message-ID: <{time.time_ns():x}@afuera.test>\r\n"
    return letter(subject, day=since.days, extra=identity).replace(
        b" 12:00:00 ", datetime.now(UTC).strftime(" %H:%M:%S ").encode()
    )
