"""The one family of errors that the mail rooms raise. Library exceptions are translated into these at the edge."""

from __future__ import annotations

import errno

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class MailError(Exception):
    """Something about mail went wrong. `detail` may quote the server; it is for logs and for a person who asks."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class Unreachable(MailError):
    """The server did not answer, or the connection broke. Trying again may help."""


class Unavailable(Unreachable):
    """The server answered that it cannot do this for now (RFC 5530 UNAVAILABLE, SERVERBUG, INUSE, LIMIT). It is an answer: the
    command did nothing, and the connection goes on."""


class MoveCut(Unreachable):
    """The connection broke in the middle of a move; it is finished, or found not to have begun, a moment later."""


class MixedUp(Unreachable):
    """A server's answers no longer fit the commands: which message is which cannot be told. `numbers` are those in doubt, by
    their numbers in the session; nothing of them was given. () when it was so before any message."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        super().__init__("the answers do not fit")
        self.numbers = numbers


class CertificateRefused(Unreachable):
    """The server's TLS certificate could not be verified; nothing was sent to it."""


class LoginRefused(MailError):
    """The server answered and said no to this user or password."""


class Gone(MailError):
    """The folder or message is no longer what the ref named: expunged, deleted, or a new UIDVALIDITY."""


class FolderGone(Gone):
    """There is no such folder any more, or it cannot be opened."""


class FolderRenewed(Gone):
    """The folder was deleted and made anew under the same name: its UIDVALIDITY is another, no UID means what it did."""


class OverQuota(MailError):
    """The server has no room for it (RFC 5530 OVERQUOTA)."""


class Refused(MailError):
    """The server answered NO or BAD to this request, or it is one that we must not send."""


class Uncopied(MailError):
    """The server said that it had copied messages, and not all of their copies are there. What has none was left where it was."""


class Busy(MailError):
    """Another session has the mailbox open (RFC 2449 section 8.1.1, IN-USE)."""


class TooSoon(MailError):
    """The server wants more time between two logins (RFC 2449 section 8.1.2, LOGIN-DELAY)."""


class ServerTrouble(MailError):
    """The server says that something is wrong with itself for now (RFC 3206, SYS/TEMP)."""


def disk_error(error: OSError) -> MailError:
    """What it is that a file of ours could not be written: OverQuota when the disk is full, else ServerTrouble."""
    if error.errno in _FULL:
        return OverQuota("the store is full")
    return ServerTrouble(f"the store failed: {error.strerror}")
