"""Debian's Thunderbird sets itself up from the address alone, with a password made for it, and lists its folders."""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from accounts.models import AppPassword, MailAccount
from accounts.services.app_passwords import make_app_password
from accounts.services.login import account_of_mailbox
from accounts.services.setup import expect_program
from tests.clients.thunderbird import QUIET, Thunderbird, free_port

pytestmark = [
    pytest.mark.clients,
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
]

FIND = """
const { FindConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/FindConfig.sys.mjs");
const ways = FindConfig.parallelAutoDiscovery(args[0], args[1], new AbortController().signal, args[2], "");
const config = (await ways.next()).value;
globalThis.found = config;
const server = one => ({ type: one.type, host: one.hostname, port: one.port, tls: one.socketType, user: one.username });
return {
  from: config.subSource,
  incoming: [config.incoming, ...config.incomingAlternatives].map(server),
  outgoing: [config.outgoing, ...config.outgoingAlternatives].map(server),
  leave: config.incoming.leaveMessagesOnServer, days: config.incoming.daysToLeaveMessagesOnServer,
};
"""
CREATE = """
const { CreateInBackend } = ChromeUtils.importESModule("resource:///modules/accountcreation/CreateInBackend.sys.mjs");
const { AccountConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/AccountConfig.sys.mjs");
const config = globalThis.found;
AccountConfig.replaceVariables(config, "Ana", args[0], args[1]);
const made = await CreateInBackend.createAccountInBackend(config);
const server = made.incomingServer;
server.password = args[1];
const main = Services.wm.getMostRecentWindow("mail:3pane");
server.performExpand(main.msgWindow);
const inbox = await until(() => server.rootFolder.getFolderWithFlags(0x1000));
inbox.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolder(main.msgWindow);
const names = () => server.rootFolder.descendants.map(one => one.name);
await until(() => args[2].every(name => names().includes(name)), 30000);
return names();
"""


@pytest.fixture
def thunderbird(tmp_path: Path, stack: Any, live_server: Any) -> Iterator[Any]:
    """Starts a Thunderbird without any account, for which a domain and its autoconfig name are this machine."""
    processes: list[subprocess.Popen[bytes]] = []
    http = urlsplit(live_server.url).port

    def start(domain: str) -> Thunderbird:
        program, port, profile = shutil.which("thunderbird"), free_port(), tmp_path / "profile"
        assert program, "apt-get install thunderbird"
        profile.mkdir()
        values = QUIET | {
            "marionette.port": port,
            "network.dns.localDomains": f"{domain},autoconfig.{domain}",
            "network.socket.forcePort": f"80={http}",
            "mailnews.auto_config_url": "http://127.0.0.1:1/",
            "mailnews.auto_config.fetchFromExchange.enabled": False,
        }
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in values.items())
        (profile / "user.js").write_text("\n".join(lines) + "\n")
        command = [program, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
        environment = os.environ | {"HOME": str(tmp_path)}
        log = (tmp_path / "log").open("wb")
        process = subprocess.Popen([*command, "--profile", str(profile)], stdout=log, stderr=log, env=environment)
        processes.append(process)
        running = Thunderbird(port)
        ca = ssl.PEM_cert_to_DER_cert(stack.ca_file.read_text())
        running.run(
            'Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(args[0], "CTu,,")',
            base64.b64encode(ca).decode(),
            account=False,
        )
        return running

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_the_address_alone_is_enough(mailbox_factory: Any, imap: Any, stack: Any, thunderbird: Any) -> None:
    ana = mailbox_factory("ana")
    client = imap(ana.address)
    client.create_folder("Facturas")
    client.subscribe_folder("Facturas")
    made = make_app_password(mailbox=ana.mailbox, name="Thunderbird", protocols=["imap", "smtp"])
    domain = ana.address.partition("@")[2]
    running = thunderbird(domain)
    found = running.run(FIND, domain, ana.address, made.password, account=False)
    assert found["from"] == "xml-from-isp-http"
    ports = stack.ports
    assert [(one["type"], one["host"], one["port"], one["tls"]) for one in found["incoming"]] == [
        ("imap", "localhost", ports.imaps, 3),
        ("pop3", "localhost", ports.pop3s, 3),
    ]
    assert [(one["host"], one["port"], one["tls"]) for one in found["outgoing"]] == [
        ("localhost", ports.submissions, 3),
        ("localhost", ports.submission, 2),
    ]
    expected = ["Facturas", "Drafts", "Sent", "Trash"]
    folders = running.run(CREATE, ana.address, made.password, expected, account=False)
    assert set(expected) <= set(folders)
    assert AppPassword.objects.count() == 1


def test_a_mailbox_that_downloads_gets_pop3_first_and_its_days(mailbox_factory: Any, thunderbird: Any) -> None:
    ana = mailbox_factory("ana")
    account = account_of_mailbox(ana.mailbox)
    account.mode, account.leave_days = MailAccount.Mode.DOWNLOAD, 21
    account.save()
    for local in ("beto", "eva"):
        mailbox_factory(local)  # most of the domain reads on the server
    expect_program(ana.mailbox, origin="127.0.0.1")
    domain = ana.address.partition("@")[2]
    found = thunderbird(domain).run(FIND, domain, ana.address, "x", account=False)
    assert [one["type"] for one in found["incoming"]] == ["pop3", "imap"]
    assert (found["leave"], found["days"]) == (True, 21)
