"""The key pair with which mail is signed (DKIM, RFC 6376): the private half in a file, the public one as it stands in the DNS."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from accounts.provisioning.render import write_file

BITS = 2048
"""RFC 8301 section 3.2: at least 1024, better 2048."""


def make_dkim_key(path: Path) -> None:
    """Writes an RSA key as PEM, unless it is there."""
    if path.exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_file(path, pem.decode(), mode=0o600)


def dkim_record(path: Path) -> str:
    """The text of the record for the key in this file (RFC 6376 section 3.6.1)."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
