"""Outlook's autodiscover: the "POX" request and answer, and the JSON that only points at it.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/autodiscover-request-pox and -response-pox; the
namespaces on the wire are the http ones. The request comes from strangers: it is parsed without entities and DTDs.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from accounts.setup.values import Place, SetupValues

BASE = "http://schemas.microsoft.com/exchange/autodiscover/"
RESPONSE = f"{BASE}responseschema/2006"
OUTLOOK_REQUEST = f"{BASE}outlook/requestschema/2006"
OUTLOOK = f"{BASE}outlook/responseschema/2006a"
REQUEST_LIMIT_BYTES = 16_384
ADDRESS_LIMIT = 254
JSON_PROTOCOL = "autodiscoverv1"


class BadRequest(Exception):
    """What was sent is no request for the settings of an address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The address whose settings are asked for."""

    address: str


def parse_request(data: bytes) -> Asked:
    """The address in a POX request. Raises BadRequest for anything else, including other schemas (ActiveSync's)."""
    if len(data) > REQUEST_LIMIT_BYTES:
        raise BadRequest
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadRequest from error
    wanted = _find(root, "AcceptableResponseSchema")
    address = _find(root, "EMailAddress")
    if wanted.replace("https://", "http://", 1) != OUTLOOK or "@" not in address or len(address) > ADDRESS_LIMIT:
        raise BadRequest
    return Asked(address)


def render_answer(values: SetupValues, address: str) -> bytes:
    """The settings: every way to receive and to send, the preferred first."""
    root = Element("Autodiscover", xmlns=RESPONSE)
    account = SubElement(SubElement(root, "Response", xmlns=OUTLOOK), "Account")
    _text(account, "AccountType", "email")
    _text(account, "Action", "settings")
    for protocol, place in values.incoming:
        _protocol(account, protocol.upper(), place, values.login_for(address))
    for place in values.smtp:
        smtp = _protocol(account, "SMTP", place, values.login_for(address))
        _text(smtp, "UsePOPAuth", "off")
        _text(smtp, "SMTPLast", "off")
    return _document(root)


def render_error() -> bytes:
    """The answer to a request that is none: the same, whatever was wrong with it (error 600, "Invalid Request")."""
    root = Element("Autodiscover", xmlns=RESPONSE)
    error = SubElement(SubElement(root, "Response", xmlns=RESPONSE), "Error", Time="00:00:00.0000000", Id="0")
    _text(error, "ErrorCode", "600")
    _text(error, "Message", "Invalid Request")
    SubElement(error, "DebugData")
    return _document(root)


def json_answer(protocol: str, url: str) -> tuple[int, dict[str, str]]:
    """Status and body of the JSON service, which knows no settings of its own: where the other one is."""
    if protocol.lower() == JSON_PROTOCOL:
        return 200, {"Protocol": "AutodiscoverV1", "Url": url}
    message = "The given protocol value is invalid. Supported values are 'AutodiscoverV1'."
    return 400, {"ErrorCode": "InvalidProtocol", "ErrorMessage": message}


def _protocol(account: Element, kind: str, place: Place, login: str) -> Element:
    found = SubElement(account, "Protocol")
    _text(found, "Type", kind)
    _text(found, "Server", place.host)
    _text(found, "Port", str(place.port))
    _text(found, "LoginName", login)
    _text(found, "DomainRequired", "off")
    _text(found, "SPA", "off")
    _text(found, "SSL", "on" if place.security == "tls" else "off")
    _text(found, "Encryption", {"tls": "SSL", "starttls": "TLS", "none": "None"}[place.security])
    _text(found, "AuthRequired", "on")
    return found


def _find(root: Element, name: str) -> str:
    """The text of the first element of this name, in whichever of Microsoft's namespaces."""
    for node in root.iter():
        if isinstance(node.tag, str) and node.tag.rpartition("}")[2] == name:
            return (node.text or "").strip()
    return ""


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _document(root: Element) -> bytes:
    text: bytes = tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n%s\n' % text
