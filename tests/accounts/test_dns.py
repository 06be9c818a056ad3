"""DNS records as they should be and as a scripted name server says they are, and what is to be changed."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.resolver
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import MailAccount
from accounts.services.dns import check_dns
from accounts.setup.lookup import BUDGET_S, ask_spf, look_up
from accounts.setup.records import Found, Judged, Record, records_for
from accounts.setup.values import Choice, Place, SetupValues
from deploy.dkim import dkim_record, make_dkim_key
from tests.accounts.test_app_password_pages import enter
from tests.name_server import Table, name_server

D = "prueba.test"
VALUES = SetupValues(
    domain=D,
    provider="Correo Prueba",
    imap=(Place("mail.casa.test", 993, "tls"),),
    pop3=(Place("mail.casa.test", 995, "tls"),),
    smtp=(Place("mail.casa.test", 465, "tls"), Place("mail.casa.test", 587, "starttls")),
    choice=Choice(),
)
GOOD: Table = {
    (D, "MX"): ["10 mail.casa.test."],
    (D, "TXT"): ['"v=spf1 include:spf.casa.test ~all"', '"google-site-verification=x"'],
    ("spf.casa.test", "TXT"): ['"v=spf1 ip4:192.0.2.0/28 -all"'],
    (f"k1._domainkey.{D}", "TXT"): ['"v=DKIM1; k=rsa; " "p=MIIB" "IjAN"'],
    (f"_dmarc.{D}", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:x@prueba.test"'],
    (f"autoconfig.{D}", "CNAME"): ["correo.casa.test."],
    (f"autodiscover.{D}", "CNAME"): ["correo.casa.test."],
    (f"_imaps._tcp.{D}", "SRV"): ["5 9 993 mail.casa.test."],
    (f"_imap._tcp.{D}", "SRV"): ["0 0 0 ."],
    (f"_pop3s._tcp.{D}", "SRV"): ["0 1 995 MAIL.casa.test."],
    (f"_submissions._tcp.{D}", "SRV"): ["0 1 465 mail.casa.test."],
    (f"_submission._tcp.{D}", "SRV"): ["0 1 587 mail.casa.test."],
    (f"_autodiscover._tcp.{D}", "SRV"): ["0 1 443 correo.casa.test."],
}


@pytest.fixture(autouse=True)
def _ours(settings: Any) -> None:
    settings.DNS_MX, settings.DNS_SPF = "mail.casa.test", "include:spf.casa.test"
    settings.DKIM_SELECTOR, settings.DKIM_RECORD = "k1", "v=DKIM1; k=rsa; p=MIIBIjAN"
    settings.SITE_URL = "https://correo.casa.test"
    settings.SETUP_IMAP, settings.SETUP_POP3 = ["mail.casa.test:993:tls"], ["mail.casa.test:995:tls"]
    settings.SETUP_SMTP = ["mail.casa.test:465:tls", "mail.casa.test:587:starttls"]


@pytest.fixture
def table() -> Iterator[Table]:
    records: Table = dict(GOOD)
    with name_server(records):
        yield records


def states() -> dict[str, Judged]:
    records = records_for(VALUES)
    found = look_up(records)
    return {f"{one.name} {one.kind}": one.compare(what) for one, what in zip(records, found, strict=True)}


def test_a_domain_that_has_everything_is_well(table: Table) -> None:
    assert {judged.state for judged in states().values()} == {"well"}
    assert len(states()) == 13


def test_a_domain_that_has_nothing_is_told_what_to_enter() -> None:
    with name_server({}):
        judged = states()
    assert judged.pop(f"_imap._tcp.{D} SRV") == Judged("well")  # not offered, and not said to be
    assert judged.pop(f"_pop3._tcp.{D} SRV") == Judged("well")
    assert {one.state for one in judged.values()} == {"missing"}
    assert judged[f"{D} TXT"].change == "v=spf1 include:spf.casa.test ~all"
    assert judged[f"_imaps._tcp.{D} SRV"].change == "0 1 993 mail.casa.test."
    assert judged[f"autoconfig.{D} CNAME"].change == "correo.casa.test."


@pytest.mark.parametrize(
    ("key", "records", "change"),
    [
        ((D, "MX"), ["10 viejo.otra.test."], "10 mail.casa.test."),
        ((D, "MX"), ["10 mail.casa.test.", "20 viejo.otra.test."], "10 mail.casa.test."),
        ((D, "TXT"), ['"v=spf1 a -all"'], "v=spf1 include:spf.casa.test a -all"),
        ((D, "TXT"), ['"v=spf1 a"'], "v=spf1 include:spf.casa.test a ~all"),
        ((D, "TXT"), ['"v=spf1 -all include:spf.casa.test"'], "v=spf1 include:spf.casa.test -all"),
        ((D, "TXT"), ['"v=spf1 include:spf.casa.test +all"'], "v=spf1 include:spf.casa.test ~all"),
        (
            (D, "TXT"),
            ['"v=spf1 include:spf.casa.test ~all"', '"v=spf1 mx -all"'],
            "v=spf1 include:spf.casa.test mx ~all",
        ),
        ((f"k1._domainkey.{D}", "TXT"), ['"v=DKIM1; p=otra"'], "v=DKIM1; k=rsa; p=MIIBIjAN"),
        ((f"_dmarc.{D}", "TXT"), ['"v=DMARC1"'], "v=DMARC1; p=none"),
        (
            (f"_dmarc.{D}", "TXT"),
            ['"v=DMARC1; rua=mailto:yo@x.test; pct=50"'],
            "v=DMARC1; p=none; rua=mailto:yo@x.test; pct=50",
        ),
        (
            (f"_dmarc.{D}", "TXT"),
            ['"v=DMARC1; rua=mailto:yo@x.test; p=reject; sp=none"'],
            "v=DMARC1; p=reject; rua=mailto:yo@x.test; sp=none",
        ),
        ((f"_dmarc.{D}", "TXT"), ['"v=DMARC1; p=qarantine; fo=1"'], "v=DMARC1; p=none; fo=1"),
        (
            (f"_dmarc.{D}", "TXT"),
            [
                '"v=DMARC1; p=reject; rua=mailto:a@x.test"',
                '"v=DMARC1; p=quarantine; rua=mailto:b@x.test,mailto:a@x.test"',
            ],
            "v=DMARC1; p=quarantine; rua=mailto:b@x.test,mailto:a@x.test",
        ),
        ((f"_dmarc.{D}", "TXT"), ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'], "v=DMARC1; p=none"),
        ((f"autoconfig.{D}", "CNAME"), ["otra.test."], "correo.casa.test."),
        ((f"_imap._tcp.{D}", "SRV"), ["0 1 143 mail.casa.test."], "0 0 0 ."),
        ((f"_imaps._tcp.{D}", "SRV"), ["0 1 1993 mail.casa.test."], "0 1 993 mail.casa.test."),
    ],
)
def test_what_differs_is_told_with_what_to_change(
    table: Table, key: tuple[str, str], records: list[str], change: str
) -> None:
    table[key] = records
    judged = states()
    mended = judged[" ".join(key)]
    assert (mended.state, mended.change) == ("differs", change)
    assert [name for name, one in judged.items() if one.state != "well"] == [" ".join(key)]


@pytest.mark.parametrize("text", ["v=spf1 +include:spf.casa.test -all", "V=SPF1 mx Include:SPF.casa.test ?all"])
def test_other_ways_to_write_the_same_are_well(table: Table, text: str) -> None:
    table[D, "TXT"] = [f'"{text}"']
    assert states()[f"{D} TXT"].state == "well"


def test_a_name_server_that_is_silent_is_no_missing_record(table: Table) -> None:
    table[D, "MX"] = []
    start = time.monotonic()
    judged = states()
    assert time.monotonic() - start < BUDGET_S + 2
    assert judged[f"{D} MX"] == Judged("unknown")
    assert judged[f"{D} TXT"].state == "well"


def test_the_resolvers_of_the_settings_are_asked_instead_of_the_systems(settings: Any) -> None:
    with name_server({}) as other, name_server(dict(GOOD)) as asked:
        port = dns.resolver.get_default_resolver().port
        dns.resolver.default_resolver.port = 1  # type: ignore[union-attr]
        settings.DNS_RESOLVERS = [f"127.0.0.1:{port}"]
        assert {judged.state for judged in states().values()} == {"well"}
    assert asked
    assert not other


def test_without_a_key_nothing_is_said_of_signing(settings: Any) -> None:
    settings.DKIM_RECORD = ""
    assert "dkim" not in {record.purpose for record in records_for(VALUES)}


@given(st.lists(st.text(max_size=80), max_size=4))
def test_whatever_stands_there_is_judged(texts: list[str]) -> None:
    from django.test import override_settings

    with override_settings(DNS_MX="m.test", DNS_SPF="mx", DKIM_RECORD="p=x", SITE_URL="https://c.test"):
        for record in records_for(VALUES):
            judged = record.compare(Found(tuple(texts)))
            assert (judged.state == "well") == (judged.change == "")


def test_a_web_host_without_a_name_is_an_address_record(settings: Any) -> None:
    for url, kind, value in (
        ("http://192.0.2.7:8000", "A", "192.0.2.7"),
        ("https://[2001:db8::7]", "AAAA", "2001:db8::7"),
    ):
        settings.SITE_URL = url
        found = [(one.kind, one.value) for one in records_for(VALUES) if one.purpose in {"autoconfig", "autodiscover"}]
        assert found == [(kind, value)] * 2


def test_an_spf_that_is_mended_is_well() -> None:
    spf = next(record for record in records_for(VALUES) if record.purpose == "spf")
    for text in ("v=spf1", "v=spf1 -all", "v=spf1 a mx include:x.test ~all", "v=spf1 redirect=x.test"):
        change = spf.compare(Found((text,))).change
        assert spf.compare(Found((change,))).state == "well"


def test_a_record_of_dmarc_that_is_mended_is_well_and_says_what_is_kept() -> None:
    dmarc = next(record for record in records_for(VALUES) if record.purpose == "dmarc")
    for text in ("v=DMARC1", "v=DMARC1; rua=mailto:a@x.test", "V=dmarc1;P=wrong;;=;adkim"):
        judged = dmarc.compare(Found((text,)))
        assert dmarc.compare(Found((judged.change,))) == Judged("well")
        assert judged.notes == ("dmarc-kept", "dmarc-none")


def test_what_an_spf_record_costs_is_counted_through_its_includes(table: Table) -> None:
    table[D, "TXT"] = [
        '"v=spf1 include:spf.casa.test include:uno.test a mx:otra.test ptr exists:%{i}.x.test ip4:192.0.2.1 ~all"'
    ]
    table["uno.test", "TXT"] = ['"v=spf1 include:dos.test a:nada.test include:nada.test redirect=dos.test"']
    table["dos.test", "TXT"] = ['"other"', '"v=spf1 include:spf.casa.test exists:x.test -all redirect=nada.test"']
    table[D, "A"], table["otra.test", "MX"] = ["192.0.2.1"], ["10 a."]
    cost = ask_spf(D, table[D, "TXT"][0].strip('"'))
    assert (cost.lookups, cost.void, cost.whole) == (6 + 4 + 2 + 2, 2, True)
    row = next(row for row in check_dns(VALUES) if row.record.purpose == "spf")
    assert (row.judged, row.wanted) == (Judged("differs"), "")
    with translation.override("en"):
        assert "takes 14 look-ups" in row.notes[0]
    table["nada.test", "TXT"] = []  # silent: nothing is said of what is not known
    table["uno.test", "TXT"] = ['"v=spf1 include:uno.test -all"']  # itself
    endless = ask_spf(D, "v=spf1 include:uno.test -all")
    assert 10 < endless.lookups <= 31


def test_two_spf_records_and_a_long_key_are_told(table: Table, settings: Any) -> None:
    table[D, "TXT"] = ['"v=spf1 include:spf.casa.test ~all"', '"v=spf1 mx -all"']
    settings.DKIM_RECORD = f"v=DKIM1; k=rsa; p={'A' * 720}"
    rows = {row.record.purpose: row for row in check_dns(VALUES) if row.record.needed}
    with translation.override("en"):
        assert "two SPF records, so none counts" in rows["spf"].notes[0]
    pieces = rows["dkim"].pieces
    assert [len(piece) for piece in pieces.strip('"').split('" "')] == [255, 255, 228]
    assert pieces.replace('" "', "").strip('"') == rows["dkim"].wanted == settings.DKIM_RECORD
    assert rows["spf"].pieces == ""
    table[f"k1._domainkey.{D}", "TXT"] = [pieces]
    assert {row.record.purpose: row.judged.state for row in check_dns(VALUES)}["dkim"] == "well"


# --- the page ----------------------------------------------------------------------------------------------------------


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_the_page_says_what_to_change_and_hostile_records_stay_text(mailbox_factory: Any) -> None:
    client, account = enter(mailbox_factory("ana"))
    domain = account.address.partition("@")[2]
    table: Table = {(name.replace(D, domain), kind): list(records) for (name, kind), records in GOOD.items()}
    with name_server(table) as asked:
        page = client.get(reverse("dns_records", args=[account.pk])).content.decode()
        assert "Everything is as it should be." in page
        assert not any("ana" in name.split(".") for name, _kind in asked)
        table[domain, "TXT"] = ['"<script>alert(1)</script>"', '"\\007bell"']
        del table[f"autoconfig.{domain}", "CNAME"]
        page = client.get(reverse("dns_records", args=[account.pk])).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "1 record that mail needs is missing or different." in page
    assert "v=spf1 include:spf.casa.test ~all" in page


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_the_page_is_the_owners(mailbox_factory: Any) -> None:
    client, account = enter(mailbox_factory("ana"))
    stranger, _own = enter(mailbox_factory("beto"))
    url = reverse("dns_records", args=[account.pk])
    with name_server({}) as asked:
        assert Client().get(url)["Location"].startswith("/accounts/login/")
        assert stranger.get(url).status_code == 404
        assert client.post(url).status_code == 405
        other = MailAccount.objects.create(owner=account.owner, address="a@otra.test", imap_host="x.otra.test")
        assert client.get(reverse("dns_records", args=[other.pk])).status_code == 404
    assert asked == []


def test_a_record_compares_itself() -> None:
    record = Record("mx", "MX", D, "10 a.", True, lambda _record, _found: Judged("well"))
    assert record.compare(Found(answered=False)) == Judged("unknown")


def test_a_dkim_key_is_made_once_and_its_record_is_its_public_half(tmp_path: Path) -> None:
    path = tmp_path / "tls" / "dkim.pem"
    make_dkim_key(path)
    before, record = path.read_bytes(), dkim_record(path)
    make_dkim_key(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (before, 0o600)
    version, kind, public = (part.strip() for part in record.split(";"))
    assert (version, kind, public[:2]) == ("v=DKIM1", "k=rsa", "p=")
    key = serialization.load_der_public_key(base64.b64decode(public[2:]))
    private = serialization.load_pem_private_key(before, None)
    assert isinstance(key, rsa.RSAPublicKey)
    assert isinstance(private, rsa.RSAPrivateKey)
    key.verify(private.sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x", padding.PKCS1v15(), hashes.SHA256())
