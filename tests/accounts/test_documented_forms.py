"""What configures mail programs, by the documented forms (tests/setup_forms.py): every combination of modes, days, protocols and
kinds of TLS; and each rule of these forms is seen to refuse something."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from accounts.setup.autoconfig import render_autoconfig
from accounts.setup.autodiscover import json_answer, render_answer, render_error
from accounts.setup.profile import Texts, render_profile, sign_profile
from accounts.setup.values import PROTOCOLS, Choice, Place, SetupValues
from tests.setup_forms import wrong_in_autoconfig, wrong_in_json, wrong_in_pox, wrong_in_profile

ADDRESSES = ("ana@prueba.test", "o'higgins+x&y@xn--pea-8ma.test")
TEXTS = Texts("Correo «ñandú» <&>", "Descripción\nde dos líneas")


def every_value() -> Iterator[tuple[SetupValues, str]]:
    securities = ("tls", "starttls", "none")
    for first, days, imap, pop3, security in product(PROTOCOLS, (0, 1, 365), (True, False), (True, False), securities):
        place = (Place("mail.casa.test", 1143, security),)  # type: ignore[arg-type]
        for address in ADDRESSES:
            domain = address.partition("@")[2]
            choice = Choice(first, days, imap, pop3)
            yield SetupValues(domain, "Correo & Cía <ñ>", place * 2, place, place * 2, choice), address


def test_whatever_is_chosen_has_the_documented_form() -> None:
    for values, address in every_value():
        if not values.protocols:
            continue
        assert wrong_in_autoconfig(render_autoconfig(values)) == []
        assert wrong_in_pox(render_answer(values, address)) == []
        for protocol in values.protocols:
            names = {"address": address, "name": "Ana & Cía ñ", "password": "abcd-efgh", "texts": TEXTS}
            assert wrong_in_profile(render_profile(values, protocol, **names)) == []
    assert wrong_in_pox(render_error()) == []
    for asked in ("AutodiscoverV1", "autodiscoverv1", "ActiveSync", "", "\N{SNOWMAN}"):
        assert wrong_in_json(*json_answer(asked, "https://correo.casa.test/autodiscover/autodiscover.xml")) == []


VALUES, ADDRESS = next(every_value())
AUTOCONFIG, POX = render_autoconfig(VALUES), render_answer(VALUES, ADDRESS)
PROFILE = render_profile(VALUES, "imap", address=ADDRESS, name="Ana", password="x", texts=TEXTS)
SPOILT: list[tuple[Any, bytes, bytes, bytes]] = [
    (wrong_in_autoconfig, AUTOCONFIG, b'version="1.1"', b'version="2.0"'),
    (wrong_in_autoconfig, AUTOCONFIG, b'id="prueba.test"', b'id="-"'),
    (wrong_in_autoconfig, AUTOCONFIG, b"<domain>prueba.test", b"<domain>prueba test"),
    (wrong_in_autoconfig, AUTOCONFIG, b"displayShortName", b"shortName"),
    (wrong_in_autoconfig, AUTOCONFIG, b'type="imap"', b'type="jmap"'),
    (wrong_in_autoconfig, AUTOCONFIG, b"<socketType>SSL", b"<socketType>TLS"),
    (wrong_in_autoconfig, AUTOCONFIG, b"password-cleartext", b"plain"),
    (wrong_in_autoconfig, AUTOCONFIG, b"<port>1143", b"<port>0"),
    (wrong_in_autoconfig, AUTOCONFIG, b"%EMAILADDRESS%", b"ana"),
    (wrong_in_autoconfig, AUTOCONFIG, b"<downloadOnBiff>true", b"<downloadOnBiff>yes"),
    (wrong_in_autoconfig, AUTOCONFIG, b"</pop3>", b"<daysToLeaveMessagesOnServer>3</daysToLeaveMessagesOnServer></pop3>"),
    (wrong_in_pox, POX, b"responseschema/2006a", b"responseschema/2006b"),
    (wrong_in_pox, POX, b"<AccountType>email", b"<AccountType>mail"),
    (wrong_in_pox, POX, b"<Type>IMAP", b"<Type>imap"),
    (wrong_in_pox, POX, b"<SPA>off", b"<SPA>false"),
    (wrong_in_pox, POX, b"<SSL>on", b"<SSL>off"),
    (wrong_in_pox, POX, b"<Encryption>SSL", b"<Encryption>STARTTLS"),
    (wrong_in_pox, POX, b"<Port>1143", b"<Port>x"),
    (wrong_in_pox, POX, b"<Type>SMTP", b"<Type>POP3"),
    (wrong_in_pox, POX, b"LoginName>", b"Login>"),
    (wrong_in_pox, render_error(), b"<ErrorCode>600", b"<ErrorCode>404"),
    (wrong_in_profile, PROFILE, b"com.apple.mail.managed", b"com.apple.mail"),
    (wrong_in_profile, PROFILE, b"EmailTypeIMAP", b"IMAP"),
    (wrong_in_profile, PROFILE, b"EmailAuthPassword", b"EmailAuthPlain"),
    (wrong_in_profile, PROFILE, b"<integer>1143</integer>", b"<string>1143</string>"),
    (wrong_in_profile, PROFILE, b"<integer>1143</integer>", b"<integer>0</integer>"),
    (wrong_in_profile, PROFILE, b"IncomingMailServerHostName", b"IncomingMailServerHost"),
    (wrong_in_profile, PROFILE, b"<string>test.prueba.mail.", b"<string>test_"),
    (wrong_in_profile, PROFILE, b"<string>Configuration", b"<string>Profile"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(SPOILT)))
def test_each_rule_refuses_something(number: int) -> None:
    check, good, part, other = SPOILT[number]
    assert part in good
    assert check(good) == []
    assert check(good.replace(part, other))


def test_json_that_is_another_is_refused() -> None:
    url = "https://x.test/y"
    for status, answer in ((200, {"Protocol": "AutodiscoverV1"}), (200, {"Protocol": "EWS", "Url": url}), (404, {}),
                           (200, {"Protocol": "AutodiscoverV1", "Url": "http://x.test/y"}), (400, {"ErrorCode": 1})):  # fmt: skip
        assert wrong_in_json(status, answer), answer


def test_the_profiles_signature_has_its_whole_chain(tmp_path: Path) -> None:
    """With an authority between the device's own and the certificate: openssl knows the root alone, as a device does."""
    run(
        tmp_path,
        "req",
        "-new",
        *KEY,
        "-keyout",
        "k2.pem",
        "-subj",
        "/CN=Entre",
        "-out",
        "r2.pem",
    )
    (tmp_path / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n")
    (tmp_path / "leaf.ext").write_text("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n")
    root = [
        "req",
        "-x509",
        *KEY,
        "-keyout",
        "k1.pem",
        "-subj",
        "/CN=Raiz",
        "-out",
        "root.pem",
    ]
    run(tmp_path, *root)
    sign = ["x509", "-req", "-days", "2", "-set_serial", "7"]
    run(
        tmp_path, *sign, "-in", "r2.pem", "-CA", "root.pem", "-CAkey", "k1.pem", "-extfile", "ca.ext", "-out", "mid.pem"
    )
    run(
        tmp_path,
        "req",
        "-new",
        *KEY,
        "-keyout",
        "k3.pem",
        "-subj",
        "/CN=correo",
        "-out",
        "r3.pem",
    )
    run(
        tmp_path,
        *sign,
        "-in",
        "r3.pem",
        "-CA",
        "mid.pem",
        "-CAkey",
        "k2.pem",
        "-extfile",
        "leaf.ext",
        "-out",
        "leaf.pem",
    )
    chain = tmp_path / "chain.pem"
    chain.write_text((tmp_path / "leaf.pem").read_text() + (tmp_path / "mid.pem").read_text())
    verify = ["cms", "-verify", "-inform", "DER", "-binary", "-CAfile", "root.pem", "-purpose", "any"]
    whole = sign_profile(PROFILE, cert_file=str(chain), key_file=str(tmp_path / "k3.pem"))
    assert run(tmp_path, *verify, given=whole) == PROFILE
    assert wrong_in_profile(run(tmp_path, *verify, given=whole)) == []
    alone = sign_profile(PROFILE, cert_file=str(tmp_path / "leaf.pem"), key_file=str(tmp_path / "k3.pem"))
    with pytest.raises(subprocess.CalledProcessError):
        run(tmp_path, *verify, given=alone)


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def run(where: Path, *command: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *command], cwd=where, input=given, capture_output=True, check=True).stdout
