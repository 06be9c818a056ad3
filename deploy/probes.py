"""Whether a server does its work: an open port alone proves nothing. Each probe is one short, real dialogue."""

from __future__ import annotations

import imaplib
import smtplib
import socket

from deploy.ports import LOOPBACK

TIMEOUT_S = 5.0


class NotReadyError(Exception):
    """The server answered, but not yet as it should."""


class BrokenError(Exception):
    """The server answered that it cannot do its work, and waiting will not help."""


def redis_answers(port: int) -> bool:
    """Whether Redis replies to PING."""
    with socket.create_connection((LOOPBACK, port), TIMEOUT_S) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")


def imap_answers(port: int, login: str, password: str) -> bool:
    """Whether IMAP lets `login` in; without a login, whether it refuses one properly (auth and database answer)."""
    try:
        with imaplib.IMAP4(LOOPBACK, port, timeout=TIMEOUT_S) as client:
            client.login(login or "nobody@invalid*casilla", password)
            return True
    except imaplib.IMAP4.abort as error:
        raise NotReadyError(str(error)) from error
    except imaplib.IMAP4.error as error:
        if not login and "AUTHORIZATIONFAILED" in str(error):
            return True
        raise NotReadyError(str(error)) from error


def smtp_accepts(port: int, recipient: str) -> bool:
    """Whether SMTP would take a message for `recipient`; without one, whether it refuses to relay (maps answer)."""
    try:
        with smtplib.SMTP(LOOPBACK, port, "localhost", timeout=TIMEOUT_S) as client:
            client.ehlo()
            client.mail("")
            code, reply = client.rcpt(recipient or "nobody@invalid")
    except smtplib.SMTPException as error:
        raise NotReadyError(str(error)) from error
    if code != (250 if recipient else 554):
        raise NotReadyError(f"{code} {reply.decode(errors='replace')}")
    return True


def policy_answers(port: int) -> bool:
    """Whether the policy service lets a question pass that is about nobody."""
    with socket.create_connection((LOOPBACK, port), TIMEOUT_S) as connection:
        connection.sendall(b"request=smtpd_access_policy\n\n")
        return connection.recv(16).startswith(b"action=DUNNO")


def http_answers(port: int, path: str) -> bool:
    """Whether the web application answers a page. Raises BrokenError when it answers with a server error."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((LOOPBACK, port), 30.0) as connection:
        connection.sendall(request.encode())
        status = connection.recv(64).split(b" ")
    if len(status) < 2:
        raise NotReadyError(f"{path} got no answer")
    if status[1].startswith(b"5"):
        raise BrokenError(f"{path} answered {status[1].decode(errors='replace')}")
    return True
