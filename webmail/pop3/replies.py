"""Status lines of POP3 (RFC 1939 section 3), and the error that each of them is."""

from __future__ import annotations

from webmail.errors import Busy, LoginRefused, MailError, Refused, ServerTrouble, TooSoon

_CODES: dict[bytes, type[MailError]] = {
    b"IN-USE": Busy,
    b"LOGIN-DELAY": TooSoon,
    b"SYS/TEMP": ServerTrouble,
    b"SYS/PERM": Refused,
    b"AUTH": LoginRefused,
}


class NotPop3(EOFError):
    """A line that is no status where there had to be one."""


def is_ok(status: bytes) -> bool:
    """Whether it is +OK and not -ERR. Raises NotPop3 for what is neither."""
    if status[:3].upper() == b"+OK":
        return True
    if status[:4].upper() == b"-ERR":
        return False
    raise NotPop3("not POP3")


def wants_more(status: bytes) -> bool:
    """Whether it is a continuation (RFC 5034 section 4)."""
    return status == b"+" or status.startswith(b"+ ")


def has_known_code(status: bytes) -> bool:
    """Whether it says in a code why it is no."""
    return _code(status) in _CODES


def check(status: bytes, otherwise: type[MailError]) -> None:
    """Raises what a -ERR says by its code (RFC 2449 section 8, RFC 3206), `otherwise` without one; EOFError for no status."""
    if is_ok(status):
        return
    text = "".join(char if char.isprintable() else " " for char in status[4:300].decode("utf-8", "replace")).strip()
    kind = _CODES.get(_code(status))
    if kind is None and otherwise is LoginRefused and ("lock" in text.lower() or "in use" in text.lower()):
        kind = Busy
    raise (kind or otherwise)(text)


def _code(status: bytes) -> bytes:
    """The response code, upper case, b"" without one."""
    rest = status[4:].lstrip()
    return rest[1 : rest.find(b"]")].upper() if rest.startswith(b"[") and b"]" in rest else b""
