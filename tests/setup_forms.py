"""The documented forms of what configures mail programs, as checks that say what is wrong, in our own words.

- Mozilla autoconfig 1.1: draft-ietf-mailmaint-autoconfig-06 (elements and values), Thunderbird's readFromXML.sys.mjs (<pop3>).
- Outlook's POX answer: [MS-OXDSCLI] (Autodiscover response) and learn.microsoft.com bb204278 (Protocol), bb204277 (Response),
  with a page for each element. Microsoft publishes no XSD; the order is that of these pages.
- Autodiscover v2 (JSON): [MS-OXDSCLI] (JSON).
- Apple's profile: developer.apple.com/documentation/devicemanagement (TopLevel, CommonPayloadKeys, Mail), and the same facts as
  data in github.com/apple/device-management, mdm/profiles/com.apple.mail.managed.yaml.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, fromstring

HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
REVERSE_DNS = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def is_port(text: str | None) -> bool:
    return bool(text and text.isascii() and text.isdigit() and 0 < int(text) < 65_536)


# --- Mozilla autoconfig 1.1 ---------------------------------------------------------------------------------------------------
SERVER = ("hostname", "port", "socketType", "authentication", "username")
SOCKETS = {"plain", "SSL", "STARTTLS"}
AUTHENTICATIONS = {"password-cleartext", "password-encrypted", "NTLM", "GSSAPI", "client-IP-address", "TLS-client-cert",
                   "OAuth2", "none"}  # fmt: skip
POP3 = {
    "leaveMessagesOnServer": {"true", "false"},
    "downloadOnBiff": {"true", "false"},
    "daysToLeaveMessagesOnServer": None,
}


def wrong_in_autoconfig(data: bytes) -> list[str]:
    root = fromstring(data)
    return list(_autoconfig(root))


def _autoconfig(root: Element) -> Iterator[str]:
    if (root.tag, root.attrib) != ("clientConfig", {"version": "1.1"}):
        yield f"the root is {root.tag} {root.attrib}"
    if [one.tag for one in root] != ["emailProvider"]:
        yield "there is not one emailProvider"
        return
    provider = root[0]
    if not HOST.fullmatch(provider.get("id", "")):
        yield "emailProvider has no id that is a domain"
    order = ["domain", "displayName", "displayShortName", "incomingServer", "outgoingServer"]
    tags = [one.tag for one in provider]
    if tags != sorted(tags, key=lambda tag: order.index(tag) if tag in order else -1) or not set(tags) <= set(order):
        yield f"elements {tags}"
    for needed in order:
        if needed not in tags:
            yield f"no {needed}"
    for domain in provider.iter("domain"):
        if not HOST.fullmatch(domain.text or ""):
            yield f"domain {domain.text}"
    for server in (*provider.iter("incomingServer"), *provider.iter("outgoingServer")):
        yield from _autoconfig_server(server)


def _autoconfig_server(server: Element) -> Iterator[str]:
    kind = server.get("type", "")
    if kind not in ({"smtp"} if server.tag == "outgoingServer" else {"imap", "pop3"}) or set(server.attrib) != {"type"}:
        yield f"{server.tag} of type {kind}"
    tags = tuple(one.tag for one in server)
    if tags[:5] != SERVER or tags[5:] != (("pop3",) if kind == "pop3" else ()):
        yield f"{kind} has {tags}"
        return
    if not HOST.fullmatch(server.findtext("hostname", "")) or not is_port(server.findtext("port")):
        yield f"{kind} at {server.findtext('hostname')}:{server.findtext('port')}"
    if server.findtext("socketType") not in SOCKETS or server.findtext("authentication") not in AUTHENTICATIONS:
        yield f"{kind} by {server.findtext('socketType')}, {server.findtext('authentication')}"
    if server.findtext("username") not in {"%EMAILADDRESS%", "%EMAILLOCALPART%"}:
        yield f"{kind} names the user {server.findtext('username')}"
    for one in server.findall("pop3/*"):
        allowed = POP3.get(one.tag, set())
        if (allowed is None and not is_port(one.text)) or (allowed is not None and one.text not in allowed):
            yield f"pop3 says {one.tag} {one.text}"
    if (
        server.findtext("pop3/leaveMessagesOnServer") == "false"
        and server.find("pop3/daysToLeaveMessagesOnServer") is not None
    ):
        yield "nothing is left, for some days"


# --- Outlook's POX answer -----------------------------------------------------------------------------------------------------
ANSWER = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
OUTLOOK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
ON_OFF = {"on", "off"}
PROTOCOL: dict[str, set[str] | None] = {
    "Type": {"POP3", "SMTP", "IMAP"}, "Server": None, "Port": None, "LoginName": None, "DomainRequired": ON_OFF, "SPA": ON_OFF,
    "SSL": ON_OFF, "Encryption": {"None", "SSL", "TLS", "Auto"}, "AuthRequired": ON_OFF, "UsePOPAuth": ON_OFF, "SMTPLast": ON_OFF,
}  # fmt: skip
"""In their order, with what may stand in them. SPA, SSL and AuthRequired are on where they are left out."""
SMTP_ALONE = {"UsePOPAuth", "SMTPLast"}


def wrong_in_pox(data: bytes) -> list[str]:
    return list(_pox(fromstring(data)))


def _pox(root: Element) -> Iterator[str]:
    if root.tag != f"{ANSWER}Autodiscover" or len(root) != 1:
        yield f"the root is {root.tag}"
        return
    response = root[0]
    if [one.tag for one in response] == [f"{ANSWER}Error"] and response.tag == f"{ANSWER}Response":
        yield from _pox_error(response[0])
    elif response.tag == f"{OUTLOOK}Response" and [one.tag for one in response] == [f"{OUTLOOK}Account"]:
        yield from _pox_account(response[0])
    else:
        yield f"{response.tag} has {[one.tag for one in response]}"


def _pox_error(error: Element) -> Iterator[str]:
    if set(error.attrib) != {"Time", "Id"} or not re.fullmatch(r"\d\d:\d\d:\d\d\.\d{7}", error.get("Time", "")):
        yield f"an error with {error.attrib}"
    if [one.tag.removeprefix(ANSWER) for one in error] != ["ErrorCode", "Message", "DebugData"]:
        yield "an error without code, message and data"
    elif error[0].text not in {"500", "501", "600", "601", "602", "603"}:
        yield f"error {error[0].text}"


def _pox_account(account: Element) -> Iterator[str]:
    names = [one.tag.removeprefix(OUTLOOK) for one in account]
    if names[:2] != ["AccountType", "Action"] or set(names[2:]) != {"Protocol"}:
        yield f"an account of {names}"
        return
    if (account[0].text, account[1].text) != ("email", "settings"):
        yield f"{account[0].text}, {account[1].text}"
    kinds = [one.findtext(f"{OUTLOOK}Type", "") for one in account[2:]]
    if not {"SMTP"} < set(kinds):
        yield f"only {kinds}"
    for protocol in account[2:]:
        yield from _pox_protocol(protocol)


def _pox_protocol(protocol: Element) -> Iterator[str]:
    found = {one.tag.removeprefix(OUTLOOK): one.text or "" for one in protocol}
    names = [one.tag.removeprefix(OUTLOOK) for one in protocol]
    if names != [name for name in PROTOCOL if name in names]:
        yield f"a protocol of {names}"
    for name in ("Type", "Server", "Port", "LoginName"):
        if not found.get(name):
            yield f"a protocol without {name}"
    for name, value in found.items():
        allowed = PROTOCOL.get(name, set())
        if allowed is not None and value not in allowed:
            yield f"{name} is {value}"
    if not HOST.fullmatch(found.get("Server", "")) or not is_port(found.get("Port")):
        yield f"{found.get('Server')}:{found.get('Port')}"
    if found.get("Type") != "SMTP" and SMTP_ALONE & set(found):
        yield f"{found.get('Type')} with what is of SMTP alone"
    if (found.get("Encryption") == "SSL") is not (found.get("SSL") == "on"):
        yield "SSL and Encryption contradict each other"


# --- Autodiscover v2 ----------------------------------------------------------------------------------------------------------
def wrong_in_json(status: int, answer: Any) -> list[str]:
    """200 with Protocol and Url, or 400 with ErrorCode and ErrorMessage: strings, and nothing else."""
    if not isinstance(answer, dict) or not all(isinstance(value, str) and value for value in answer.values()):
        return ["no object of strings"]
    if status == 200:
        good = set(answer) == {"Protocol", "Url"} and answer["Protocol"] == "AutodiscoverV1"
        return [] if good and re.fullmatch(r"https://[^/]+/.+", answer["Url"]) else [f"200 {answer}"]
    good = status == 400 and set(answer) == {"ErrorCode", "ErrorMessage"} and answer["ErrorCode"].isalpha()
    return [] if good else [f"{status} {answer}"]


# --- Apple's profile ----------------------------------------------------------------------------------------------------------
AUTHENTICATION = {"EmailAuthNone", "EmailAuthPassword", "EmailAuthCRAMMD5", "EmailAuthNTLM", "EmailAuthHTTPMD5"}
COMMON: dict[str, tuple[type, Any, bool]] = {
    "PayloadType": (str, None, True),
    "PayloadVersion": (int, {1}, True),
    "PayloadIdentifier": (str, REVERSE_DNS, True),
    "PayloadUUID": (str, UUID, True),
    "PayloadDisplayName": (str, None, False),
    "PayloadDescription": (str, None, False),
    "PayloadOrganization": (str, None, False),
}
"""Of each key its type, what may stand in it, and whether it must be there."""
TOP = COMMON | {
    "PayloadType": (str, {"Configuration"}, True),
    "PayloadContent": (list, None, True),
    "PayloadRemovalDisallowed": (bool, None, False),
}
MAIL = COMMON | {
    "PayloadType": (str, {"com.apple.mail.managed"}, True),
    "EmailAccountDescription": (str, None, False),
    "EmailAccountName": (str, None, False),
    "EmailAccountType": (str, {"EmailTypeIMAP", "EmailTypePOP"}, True),
    "EmailAddress": (str, ADDRESS, False),
    "IncomingPassword": (str, None, False),
    "OutgoingPassword": (str, None, False),
    "OutgoingPasswordSameAsIncomingPassword": (bool, None, False),
    "SMIMEEnabled": (bool, None, False),
    **{f"{side}MailServerAuthentication": (str, AUTHENTICATION, True) for side in ("Incoming", "Outgoing")},
    **{f"{side}MailServerHostName": (str, HOST, True) for side in ("Incoming", "Outgoing")},
    **{f"{side}MailServerPortNumber": (int, range(1, 65_536), False) for side in ("Incoming", "Outgoing")},
    **{f"{side}MailServerUseSSL": (bool, None, False) for side in ("Incoming", "Outgoing")},
    **{f"{side}MailServerUsername": (str, None, False) for side in ("Incoming", "Outgoing")},
}


def wrong_in_profile(data: bytes) -> list[str]:
    top = plistlib.loads(data)
    found = list(_keys(top, TOP))
    payloads = top.get("PayloadContent", [])
    identifiers = {top.get("PayloadUUID"), *(one.get("PayloadUUID") for one in payloads)}
    if not payloads or len(identifiers) != len(payloads) + 1:
        found.append("payloads are missing, or share a UUID")
    for one in payloads:
        found += _keys(one, MAIL)
        if not str(one.get("PayloadIdentifier")).startswith(f"{top.get('PayloadIdentifier')}."):
            found.append("a payload is not below its profile")
    return found


def _keys(values: dict[str, Any], rules: dict[str, tuple[type, Any, bool]]) -> Iterator[str]:
    for name, (_kind, _allowed, needed) in rules.items():
        if needed and name not in values:
            yield f"no {name}"
    for name, value in values.items():
        kind, allowed, _needed = rules.get(name, (type(None), None, False))
        if type(value) is not kind:
            yield f"{name} is {value!r}"
        elif isinstance(allowed, re.Pattern):
            if not allowed.fullmatch(value):
                yield f"{name} is {value!r}"
        elif allowed is not None and value not in allowed:
            yield f"{name} is {value!r}"
