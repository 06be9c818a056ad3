"""Mozilla autoconfig, format 1.1: what Thunderbird and other programs ask for when they are given an address.

https://www.ietf.org/archive/id/draft-ietf-mailmaint-autoconfig-06.html; the element <pop3> is Thunderbird's own
(readFromXML.sys.mjs), and says for how long it leaves messages on the server.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from accounts.setup.values import Choice, Place, Protocol, SetupValues

SOCKETS = {"tls": "SSL", "starttls": "STARTTLS", "none": "plain"}
LOGIN = "%EMAILADDRESS%"


def render_autoconfig(values: SetupValues) -> bytes:
    """The document: incoming servers in the mailbox's order, each with what belongs to its protocol. It names no address: the
    program puts its own for %EMAILADDRESS%."""
    root = Element("clientConfig", version="1.1")
    provider = SubElement(root, "emailProvider", id=values.domain)
    _text(provider, "domain", values.domain)
    _text(provider, "displayName", values.provider)
    _text(provider, "displayShortName", values.provider)
    for protocol, place in values.incoming:
        server = _server(provider, "incomingServer", protocol, place)
        if protocol == "pop3":
            _leaving(server, values.choice)
    for place in values.smtp:
        _server(provider, "outgoingServer", "smtp", place)
    text: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n%s\n' % text


def _server(parent: Element, tag: str, kind: Protocol | str, place: Place) -> Element:
    server = SubElement(parent, tag, type=kind)
    _text(server, "hostname", place.host)
    _text(server, "port", str(place.port))
    _text(server, "socketType", SOCKETS[place.security])
    _text(server, "authentication", "password-cleartext")
    _text(server, "username", LOGIN)
    return server


def _leaving(server: Element, choice: Choice) -> None:
    block = SubElement(server, "pop3")
    _text(block, "leaveMessagesOnServer", "true" if choice.leave_days else "false")
    _text(block, "downloadOnBiff", "true")
    if choice.leave_days:
        _text(block, "daysToLeaveMessagesOnServer", str(choice.leave_days))


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
