"""Apple's profile, by its documented form, and its signature as openssl sees it."""

from __future__ import annotations

import plistlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.setup.profile import Texts, render_profile, sign_profile
from accounts.setup.values import Choice, Place, SetupValues
from deploy.tls import make_certificates

VALUES = SetupValues(
    domain="prueba.test",
    provider="Correo Prueba",
    imap=(Place("mail.casa.test", 993, "tls"),),
    pop3=(Place("mail.casa.test", 995, "tls"),),
    smtp=(Place("mail.casa.test", 465, "tls"), Place("mail.casa.test", 587, "starttls")),
    choice=Choice(),
)
TEXTS = Texts("Correo", "La casilla ana@prueba.test en este equipo.")


def profile(
    values: SetupValues = VALUES, protocol: Any = "imap", address: str = "ana@prueba.test", lasting: str = ""
) -> bytes:
    names = {"address": address, "name": "Ana & Cía <x>", "password": "abcd-efgh", "lasting": lasting}
    return render_profile(values, protocol, texts=TEXTS, **names)


def payload(data: bytes) -> dict[str, Any]:
    found = plistlib.loads(data)["PayloadContent"]
    assert len(found) == 1
    return dict(found[0])


def test_the_profile_has_the_documented_keys_and_types() -> None:
    outer = plistlib.loads(profile())
    for key, kind in {"PayloadType": str, "PayloadVersion": int, "PayloadIdentifier": str, "PayloadUUID": str,
                      "PayloadDisplayName": str, "PayloadOrganization": str, "PayloadRemovalDisallowed": bool,
                      "PayloadContent": list}.items():  # fmt: skip
        assert type(outer[key]) is kind, key
    assert (outer["PayloadType"], outer["PayloadVersion"]) == ("Configuration", 1)
    mail = payload(profile())
    assert (mail["PayloadType"], mail["EmailAccountType"]) == ("com.apple.mail.managed", "EmailTypeIMAP")
    assert (mail["EmailAddress"], mail["EmailAccountName"]) == ("ana@prueba.test", "Ana & Cía <x>")
    for side, port in (("Incoming", 993), ("Outgoing", 465)):
        server = {key.removeprefix(f"{side}MailServer"): value for key, value in mail.items() if key.startswith(side)}
        for key, value in {"HostName": "mail.casa.test", "PortNumber": port, "UseSSL": True, "Username": "ana@prueba.test",
                           "Authentication": "EmailAuthPassword"}.items():  # fmt: skip
            assert server[key] == value
    assert (mail["IncomingPassword"], mail["OutgoingPasswordSameAsIncomingPassword"]) == ("abcd-efgh", True)


def test_pop3_is_another_type_of_account_and_what_is_not_offered_has_no_profile() -> None:
    mail = payload(profile(protocol="pop3"))
    assert (mail["EmailAccountType"], mail["IncomingMailServerPortNumber"]) == ("EmailTypePOP", 995)
    shut = SetupValues("prueba.test", "x", VALUES.imap, VALUES.pop3, VALUES.smtp, Choice(pop3=False))
    with pytest.raises(ValueError, match="not both offered"):
        profile(shut, "pop3")


def test_identifiers_are_those_of_the_mailbox_alone() -> None:
    """So a profile that is installed again replaces the one before, also when the protocol was changed."""
    first, again, other = (plistlib.loads(one) for one in (profile(), profile(protocol="pop3"),
                                                           profile(address="beto@prueba.test")))  # fmt: skip
    for key in ("PayloadIdentifier", "PayloadUUID"):
        assert first[key] == again[key] != other[key]
        assert first["PayloadContent"][0][key] == again["PayloadContent"][0][key] != first[key]
    assert first["PayloadIdentifier"].startswith("test.prueba.mail.")
    home = "prueba.test/ana.5f0c"  # which stays when the address is another
    renamed = [plistlib.loads(profile(address=one, lasting=home)) for one in ("ana@prueba.test", "beto@prueba.test")]
    assert renamed[0]["PayloadIdentifier"] == renamed[1]["PayloadIdentifier"] != first["PayloadIdentifier"]
    assert b"ana@" not in first["PayloadIdentifier"].encode()


def test_openssl_finds_the_signature_good_and_the_profile_inside(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    data = profile()
    signed = sign_profile(data, cert_file=str(tmp_path / "cert.pem"), key_file=str(tmp_path / "key.pem"))
    assert signed[0] == 0x30  # DER
    verify = [
        "openssl",
        "cms",
        "-verify",
        "-inform",
        "DER",
        "-binary",
        "-CAfile",
        str(tmp_path / "ca.pem"),
        "-purpose",
        "any",
    ]
    found = subprocess.run(verify, input=signed, capture_output=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout == data
    spoilt = signed.replace(b"abcd-efgh", b"abcd-efgx")
    assert subprocess.run(verify, input=spoilt, capture_output=True).returncode != 0


def test_files_that_cannot_sign_say_so(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    (tmp_path / "empty.pem").write_text("")
    good = str(tmp_path / "cert.pem")
    for cert, key in ((good, str(tmp_path / "no.pem")), (good, good), (str(tmp_path / "empty.pem"), good)):
        with pytest.raises(ImproperlyConfigured):
            sign_profile(profile(), cert_file=cert, key_file=key)
