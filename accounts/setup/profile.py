"""Apple's configuration profile: one mail account, signed, for iPhone, iPad and Mac.

Payload com.apple.mail.managed (https://developer.apple.com/documentation/devicemanagement/mail). The identifiers come from
what stays of a mailbox, so that a profile that is installed again replaces the one before, also under another address. Signing
is CMS (RFC 5652), DER, with the content inside.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import load_pem_x509_certificates
from django.core.exceptions import ImproperlyConfigured

from accounts.setup.values import Place, Protocol, SetupValues

CONTENT_TYPE = "application/x-apple-aspen-config"
_NAMESPACE = uuid5(NAMESPACE_URL, "https://casilla.example/profile")
_KINDS: dict[Protocol, str] = {"imap": "EmailTypeIMAP", "pop3": "EmailTypePOP"}


@dataclass(frozen=True, slots=True)
class Texts:
    """What the device shows of a profile, in the person's language."""

    title: str
    description: str


def render_profile(
    values: SetupValues, protocol: Protocol, *, address: str, name: str, password: str, texts: Texts, lasting: str = ""
) -> bytes:
    """The profile as an XML property list, for one protocol, with the password in it. `lasting` is what the mailbox is known by
    for ever ("": its address). Raises ValueError when the protocol is
    not offered or there is no way to send."""
    places = values.places(protocol)
    if not places or not values.smtp:
        raise ValueError(f"{protocol} and SMTP are not both offered")
    login = values.login_for(address)
    identifier = ".".join([*reversed(values.domain.split(".")), "mail", _identity(lasting or address).hex])
    mail = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.account",
        "PayloadUUID": str(_identity(lasting or address, "account")).upper(),
        "PayloadDisplayName": address,
        "EmailAccountType": _KINDS[protocol],
        "EmailAccountName": name or address,
        "EmailAccountDescription": address,
        "EmailAddress": address,
        **_server("Incoming", places[0], login),
        **_server("Outgoing", values.smtp[0], login),
        "IncomingPassword": password,
        "OutgoingPasswordSameAsIncomingPassword": True,
        "SMIMEEnabled": False,
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(_identity(lasting or address)).upper(),
        "PayloadDisplayName": texts.title,
        "PayloadDescription": texts.description,
        "PayloadOrganization": values.provider,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [mail],
    }
    return plistlib.dumps(profile)


def _server(side: str, place: Place, login: str) -> dict[str, Any]:
    """UseSSL stands for both kinds of TLS: the device tries TLS at once, then STARTTLS."""
    return {
        f"{side}MailServerHostName": place.host,
        f"{side}MailServerPortNumber": place.port,
        f"{side}MailServerUseSSL": place.security != "none",
        f"{side}MailServerUsername": login,
        f"{side}MailServerAuthentication": "EmailAuthPassword",
    }


def _identity(lasting: str, part: str = "") -> UUID:
    return uuid5(_NAMESPACE, f"{lasting}#{part}" if part else lasting)


def sign_profile(profile: bytes, *, cert_file: str, key_file: str) -> bytes:
    """The profile inside a CMS signature, DER. Raises ImproperlyConfigured when the files hold no certificate and its key."""
    try:
        certificate, *chain = load_pem_x509_certificates(Path(cert_file).read_bytes())
        key = serialization.load_pem_private_key(Path(key_file).read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ImproperlyConfigured("PROFILE_CERT_FILE and PROFILE_KEY_FILE hold no certificate and its key.") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ImproperlyConfigured("Apple's devices know signatures of RSA and EC keys only.")
    builder = pkcs7.PKCS7SignatureBuilder().set_data(profile).add_signer(certificate, key, hashes.SHA256())
    for one in chain:
        builder = builder.add_certificate(one)
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
