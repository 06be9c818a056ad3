"""What our own server stamped on a message (RFC 8601, RFC 5321), and how to unsubscribe (RFC 2369, RFC 8058)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from webmail.mime.headers import header_value
from webmail.values import Header

Result = Literal["", "pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"]

FIELD_LIMIT = 8_000
COMMENT_LIMIT = 20
LOCAL_HOPS = 2

_RESULTS = frozenset(get_args(Result))
_RESULT = re.compile(r"\s{0,20}(spf|dkim|dmarc)(?:\s{0,5}/\s{0,5}\d)?\s{0,5}=\s{0,5}([a-z]{1,20})\b", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?')
_COMMENT = re.compile(r"\([^()]*\)")
_TLS = re.compile(
    r"\(using TLSv(1(?:\.\d)?) with cipher "  # Postfix, Dovecot
    r"|\(version=TLS1[_.](\d)[ )]"  # Exim of old, Gmail
    r"|with e?smtpsa? +\(TLS(1\.\d)\)"  # Exim
)
_LOCAL_HOP = re.compile(r"\bwith (?:LMTP|local)\b")
_LINK = re.compile(r"<([^<>]{1,2000})>")


@dataclass(frozen=True, slots=True)
class Authentication:
    """The results that a server we believe wrote down; "" where it said nothing."""

    spf: Result = ""
    dkim: Result = ""
    dmarc: Result = ""


def read_authentication(headers: Sequence[Header], authserv_ids: Collection[str]) -> Authentication:
    """Results of the topmost Authentication-Results fields whose authserv-id is one of ours. Reading stops at the first
    of another server, and at the first Received field below: what is lower may be forged."""
    ours = {name.lower() for name in authserv_ids}
    found: dict[str, Result] = {}
    for value in _topmost(headers):
        plain = _plain(value)
        if plain is None:
            break
        server, *results = plain.split(";")
        if (server.split() or [""])[0].lower() not in ours:
            break
        for method, result in _results(results):
            if result == "pass" or not found.get(method):
                found[method] = result
    return Authentication(found.get("spf", ""), found.get("dkim", ""), found.get("dmarc", ""))


def _topmost(headers: Sequence[Header]) -> Iterator[str]:
    """The Authentication-Results fields that stand together at the top."""
    begun = False
    for header in headers:
        name = header.name.lower()
        if name == "authentication-results":
            begun = True
            yield header.value[:FIELD_LIMIT]
        elif begun and name == "received":
            return


def _plain(value: str) -> str | None:
    """The value without quoted strings and comments, in which a sender may have put words of their own; None when the
    brackets do not close, so that nothing can be told apart."""
    value = _QUOTED.sub(" ", value)
    for _depth in range(COMMENT_LIMIT):
        shorter = _COMMENT.sub(" ", value)
        if shorter == value:
            break
        value = shorter
    return None if "(" in value or ")" in value else value


def _results(results: Sequence[str]) -> Iterator[tuple[str, Result]]:
    for text in results[:50]:
        match = _RESULT.match(text)
        if match and match[2].lower() in _RESULTS:
            yield match[1].lower(), cast(Result, match[2].lower())


def transport_tls(headers: Sequence[Header]) -> str:
    """What the Received field of our own server says about encryption: "TLS 1.3", or "". The hop from our mail server
    to our mail store (LMTP) is passed over."""
    received = (header.value[:FIELD_LIMIT] for header in headers if header.name.lower() == "received")
    for _hop, value in zip(range(LOCAL_HOPS + 1), received, strict=False):
        match = _TLS.search(value)
        if match:
            return f"TLS {match[1] or match[3] or f'1.{match[2]}'}"
        if not _LOCAL_HOP.search(value):
            return ""
    return ""


def list_unsubscribe(headers: Sequence[Header]) -> tuple[str, str, bool]:
    """(mailto link, https link, whether one click is enough), each "" where the message names none that is safe."""
    mailto = https = ""
    for link in _LINK.findall(header_value(headers, "List-Unsubscribe")[:FIELD_LIMIT]):
        link = "".join(link.split())
        scheme = _scheme(link)
        if scheme == "mailto" and not re.search("%0[ad]", link, re.IGNORECASE):
            mailto = mailto or link
        elif scheme == "https":
            https = https or link
    one_click = header_value(headers, "List-Unsubscribe-Post").replace(" ", "").lower() == "list-unsubscribe=one-click"
    return mailto, https, bool(https) and one_click


def _scheme(link: str) -> str:
    """ "mailto" or "https" when the link is a whole one, else ""."""
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme == "https" and host and not parts.username and "\\" not in link:
        return "https"
    return "mailto" if parts.scheme == "mailto" and "@" in parts.path else ""
