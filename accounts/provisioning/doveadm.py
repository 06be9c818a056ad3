"""The edge to doveadm over HTTP: ends sessions, removes mail.

Success and failure both come as HTTP 200 (Dovecot 2.3); which it was stands in the reply. One command a request.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings

TIMEOUT_S = 5.0
LIMIT_BYTES = 1_000_000
NO_USER = 67
NOBODY = 68
"""Exit codes: no such mailbox; nobody is signed in, or no such folder."""
RESERVE = ".reserve/INBOX"
"""Where what POP3 programs removed lies (deploy/dovecot/dovecot.conf)."""
DAY_S = 86_400
NESTED = 40
"""Folders within folders, at most."""
_FILES = {"fsDriver": "posix", "fsArgs": ""}
_HOME = re.compile(r"[^/\0]+\.[^/\0]+/[^/\0]+")
"""A domain's folder and one below it."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy of the environment
log = logging.getLogger(__name__)


class DoveadmFailed(Exception):
    """The mail server did not carry out a command; the text says what it answered."""


def end_sessions(address: str) -> bool:
    """Ends every IMAP, POP3 and ManageSieve session of a mailbox. False when the server could not be asked: no new session
    begins all the same, for that the database decides."""
    if not settings.DOVEADM_URL:
        return False
    try:
        _run("kick", {"mask": [address]}, well={0, NOBODY})
    except DoveadmFailed as error:
        log.warning("sessions were not ended: %s", error)
        return False
    return True


def remove_mail(address: str) -> None:
    """Removes every message and folder of a mailbox, and its filters. Raises DoveadmFailed; nothing is lost by trying again."""
    if not settings.DOVEADM_URL:
        raise DoveadmFailed("DOVEADM_URL is empty")
    user = {"user": address}
    _run("expunge", user | {"query": ["mailbox", "*", "all"]}, well={0, NO_USER})
    rows = _run("mailboxList", user | {"mailboxMask": ["*"]}, well={0, NO_USER})
    folders = [row["mailbox"] for row in rows if isinstance(row, dict) and row.get("mailbox", "INBOX") != "INBOX"]
    for folder in sorted(folders, reverse=True):  # those within others first
        _run("mailboxDelete", user | {"mailbox": [folder]}, well={0, NO_USER, NOBODY})
    scripts = _run("sieveList", user, well={0, NO_USER})
    _run("sieveDeactivate", user, well={0, NO_USER, NOBODY})
    for script in [row["script"] for row in scripts if isinstance(row, dict) and "script" in row]:
        _run("sieveDelete", user | {"scriptname": [script]}, well={0, NO_USER, NOBODY})


def tidy_reserve(address: str, *, days: int) -> int:
    """Removes from a mailbox's reserve what has lain there for longer than so many days; gives how many bytes are left in it.
    Raises DoveadmFailed."""
    if not settings.DOVEADM_URL:
        raise DoveadmFailed("DOVEADM_URL is empty")
    user = {"user": address}
    old = ["mailbox", RESERVE, "savedbefore", f"{days * DAY_S} secs"]
    _run("expunge", user | {"query": old}, well={0, NO_USER, NOBODY})
    rows = _run("mailboxStatus", user | {"field": ["vsize"], "mailboxMask": [RESERVE]}, well={0, NO_USER, NOBODY})
    return sum(int(row.get("vsize", 0)) for row in rows if isinstance(row, dict))


def remove_home(address: str, home: str) -> None:
    """Removes the folder of a mailbox with all that is left in it: indexes, what POP3 removed, scripts, what they remember.
    `home` is where it lies below the mail folder; anything else that Dovecot may say is not touched. Raises DoveadmFailed."""
    told = _run("user", {"userMask": [address], "field": "home"}, well={0, NO_USER})
    path = str(told.get(address, {}).get("home", "")) if isinstance(told, dict) else ""
    if not path:
        return
    if not _HOME.fullmatch(home) or not path.endswith(f"/{home}") or ".." in path.split("/"):
        raise DoveadmFailed("the home is not where it should be")
    _run("fsDelete", _FILES | {"path": [path], "recursive": True}, well={0, NOBODY})
    _remove_folders(path, NESTED)


def _remove_folders(path: str, depth: int) -> None:
    """Removes empty folders, those within others first: Dovecot's recursion leaves them (2.3.19)."""
    if depth == 0:
        raise DoveadmFailed("folders lie too deep")
    for row in _run("fsIterDirs", _FILES | {"path": path}, well={0, NOBODY}):
        _remove_folders(f"{path}/{row['path']}", depth - 1)
    _run("fsDelete", _FILES | {"path": [path]}, well={0, NOBODY})


def _run(command: str, parameters: dict[str, Any], *, well: set[int]) -> Any:
    """The reply to one command. Raises DoveadmFailed for an exit code that is not among `well`."""
    key = base64.b64encode(settings.DOVEADM_API_KEY.encode()).decode()
    headers = {"Authorization": f"X-Dovecot-API {key}", "Content-Type": "application/json"}
    body = json.dumps([[command, parameters, "t"]]).encode()
    request = urllib.request.Request(settings.DOVEADM_URL, body, headers, method="POST")  # noqa: S310 - a setting
    try:
        with _DIRECT.open(request, timeout=TIMEOUT_S) as answer:
            reply = json.loads(answer.read(LIMIT_BYTES))
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise DoveadmFailed(type(error).__name__) from error
    kind, content = reply[0][0], reply[0][1]
    if kind == "error" and int(content.get("exitCode") or 0) not in well:
        raise DoveadmFailed(f"{command}: {content}")
    return [] if kind == "error" else content
