"""Debian's Thunderbird, driven over Marionette: a profile made of preferences, and JavaScript with its own privileges."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_S = 40.0
ANSWER_S = 120.0

QUIET = {
    "app.update.auto": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "mailnews.start_page.enabled": False,
    "mail.spotlight.firstRunDone": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.inappnotifications.enabled": False,
    "app.donation.eoy.version.viewed": 999,
    "mailnews.ui.junk.firstuse": False,
    "extensions.update.enabled": False,
    "extensions.blocklist.enabled": False,
    "network.captive-portal-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
}
_WRAP = """const A = arguments[0], done = arguments[arguments.length - 1];
(async args => {
  const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const sleep = ms => new Promise(go => setTimeout(go, ms));
  const until = async (ask, ms = 15000) => {
    for (const end = Date.now() + ms; ; await sleep(50)) {
      const found = await ask();
      if (found) return found;
      if (Date.now() > end) throw new Error("timeout: " + ask);
    }
  };
  %a
  %s
})(A).then(value => done({ ok: value === undefined ? null : value }), error => done({ err: String(error) }));"""

_ACCOUNT = """
  const account = MailServices.accounts.accounts.find(one => one.incomingServer.type == "imap");
  const server = account.incomingServer.QueryInterface(Ci.nsIImapIncomingServer);
  const main = Services.wm.getMostRecentWindow("mail:3pane");
  const listener = go => new Promise((well, badly) => go({
    QueryInterface: ChromeUtils.generateQI(["nsIUrlListener"]),
    OnStartRunningUrl() {},
    OnStopRunningUrl(url, status) { status ? badly(new Error("0x" + (status >>> 0).toString(16))) : well(); },
  }));
  // It does not always say that it has ended; what it was for is looked at afterwards in any case.
  const sync = folder => Promise.race([sleep(10000), listener(one => folder.QueryInterface(Ci.nsIMsgImapMailFolder)
    .updateFolderWithListener(main.msgWindow, one))]);
  const folder = flag => server.rootFolder.getFolderWithFlags(flag);
  const headers = where => [...where.msgDatabase.enumerateMessages()];
  const compose = () => Services.wm.getMostRecentWindow("msgcompose");
  const saved = async w => {
    await w.SaveAsDraft();
    await until(() => w.gMsgCompose.compFields.draftId && !w.gSaveOperationInProgress);
  };
  const INBOX = 0x1000, DRAFTS = 0x400;
"""


class Thunderbird:
    """A running Thunderbird."""

    def __init__(self, port: int) -> None:
        self._socket = _connected(port)
        self._buffer = b""
        self._number = 0
        self._receive()
        self.command("WebDriver:NewSession", {"capabilities": {}})
        self.command("Marionette:SetContext", {"value": "chrome"})
        self.command("WebDriver:SetTimeouts", {"script": 90_000})

    def run(self, body: str, *args: Any, account: bool = True) -> Any:
        """The value of an asynchronous function's body; `args` are in the array `args`. Without an account there is nothing
        but `until` at hand."""
        script = _WRAP.replace("%a", _ACCOUNT if account else "").replace("%s", body)
        values = {"script": script, "args": [list(args)], "sandbox": "system"}
        result = self.command("WebDriver:ExecuteAsyncScript", values)["value"]
        if result is None or "err" in result:
            raise AssertionError(result or "a dialog opened")
        return result["ok"]

    def command(self, name: str, values: dict[str, Any]) -> Any:
        """One command of Marionette, and its result."""
        self._number += 1
        data = json.dumps([0, self._number, name, values]).encode()
        self._socket.sendall(b"%d:" % len(data) + data)
        _kind, _number, error, result = self._receive()
        if error:
            raise AssertionError(f"{error['error']}: {error['message']}")
        return result

    def _receive(self) -> Any:
        while b":" not in self._buffer:
            self._more()
        length, _colon, self._buffer = self._buffer.partition(b":")
        while len(self._buffer) < int(length):
            self._more()
        data, self._buffer = self._buffer[: int(length)], self._buffer[int(length) :]
        return json.loads(data)

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise EOFError("Thunderbird is gone")
        self._buffer += data


def _connected(port: int) -> socket.socket:
    until = time.monotonic() + START_S
    while True:
        try:
            found = socket.create_connection(("127.0.0.1", port), 2)
            found.settimeout(ANSWER_S)
            return found
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def thunderbird(
    folder: Path, address: str, password: str, *, imap_port: int, smtp_port: int, junk_moves: bool = False
) -> Iterator[Thunderbird]:
    """Thunderbird with one account, logged in and its folders known. Its state is in `folder`. With `junk_moves` it is set to
    move what a person marks as junk, which it does not as it comes."""
    program = shutil.which("thunderbird")
    assert program, "apt-get install thunderbird"
    port, profile = free_port(), folder / "profile"
    profile.mkdir(parents=True)
    values = QUIET | _account(address, imap_port, smtp_port) | {"marionette.port": port}
    values |= _junk(address) if junk_moves else {}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in values.items())
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    command = [program, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
    environment = os.environ | {"HOME": str(folder), "MOZ_HEADLESS_WIDTH": "1400", "MOZ_HEADLESS_HEIGHT": "900"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--profile", str(profile)], stdout=log, stderr=log, env=environment)
        try:
            running = Thunderbird(port)
            running.run(
                """
                const origin = "imap://127.0.0.1";
                const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
                login.init(origin, null, origin, args[0], args[1], "", "");
                await Services.logins.addLoginAsync(login);
                await sync(folder(INBOX));
                await until(() => folder(DRAFTS));
                """,
                address,
                password,
            )
            yield running
        finally:
            process.kill()
            process.wait()


def _account(address: str, imap_port: int, smtp_port: int) -> dict[str, Any]:
    server, identity = "mail.server.server1.", "mail.identity.id1."
    return {
        "mail.accountmanager.accounts": "account1,account2",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.accountmanager.localfoldersserver": "server2",
        "mail.account.account1.server": "server1",
        "mail.account.account1.identities": "id1",
        "mail.account.account2.server": "server2",
        f"{server}type": "imap",
        f"{server}hostname": "127.0.0.1",
        f"{server}port": imap_port,
        f"{server}userName": address,
        f"{server}name": address,
        f"{server}socketType": 0,
        f"{server}authMethod": 3,
        f"{server}login_at_startup": False,
        f"{server}check_new_mail": False,
        f"{server}spamLevel": 0,
        "mail.server.server2.type": "none",
        "mail.server.server2.hostname": "Local Folders",
        "mail.server.server2.userName": "nobody",
        f"{identity}fullName": "Ana Muñoz",
        f"{identity}useremail": address,
        f"{identity}valid": True,
        f"{identity}smtpServer": "smtp1",
        "mail.smtpservers": "smtp1",
        "mail.smtp.defaultserver": "smtp1",
        "mail.smtpserver.smtp1.hostname": "127.0.0.1",
        "mail.smtpserver.smtp1.port": smtp_port,
        "mail.smtpserver.smtp1.authMethod": 1,
        "mail.smtpserver.smtp1.try_ssl": 0,
    }


def _junk(address: str) -> dict[str, Any]:
    server = "mail.server.server1."
    return {
        "mail.spam.manualMark": True,
        "mail.spam.manualMarkMode": 0,
        f"{server}moveTargetMode": 1,
        f"{server}spamActionTargetFolder": f"imap://{address.replace('@', '%40')}@127.0.0.1/Junk",
    }
