"""Programs that configure themselves: autoconfig and autodiscover, by their documented forms, and what they do not tell."""

from __future__ import annotations

import contextlib
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import Domain, MailAccount, Mailbox
from accounts.services.hosting import create_customer_with_domain, create_mailbox
from accounts.services.login import account_of_mailbox
from accounts.services.setup import expect_program
from accounts.setup.autodiscover import OUTLOOK, REQUEST_LIMIT_BYTES, RESPONSE, BadRequest, parse_request

pytestmark = pytest.mark.django_db
HOME, STRANGER = "198.51.100.7", "203.0.113.9"
AUTOCONFIG = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
REQUEST = (
    '<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">'
    "<Request><EMailAddress>%s</EMailAddress><AcceptableResponseSchema>"
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    "</AcceptableResponseSchema></Request></Autodiscover>"
)


@pytest.fixture
def domain(settings: Any) -> str:
    settings.SETUP_IMAP = ["mail.casa.test:993:tls"]
    settings.SETUP_POP3 = ["mail.casa.test:995:tls"]
    settings.SETUP_SMTP = ["mail.casa.test:465:tls", "mail.casa.test:587:starttls"]
    settings.SITE_URL = "https://correo.casa.test"
    create_customer_with_domain(customer="Prueba", domain="prueba.test")
    return "prueba.test"


def box(local: str, domain: str, *, downloads: bool = False, days: int = 14, **switches: bool) -> MailAccount:
    mailbox = create_mailbox(address=f"{local}@{domain}", password="clave")
    for name, value in switches.items():
        setattr(mailbox, name, value)
    mailbox.save()
    account = account_of_mailbox(mailbox)
    account.mode = MailAccount.Mode.DOWNLOAD if downloads else MailAccount.Mode.IMAP
    account.leave_days = days
    account.save()
    return account


def config(client: Client, address: str, path: str = AUTOCONFIG[0], *, origin: str = STRANGER) -> Element:
    headers = {"Host": f"autoconfig.{address.rpartition('@')[2]}"}
    answer = client.get(path, {"emailaddress": address}, headers=headers, REMOTE_ADDR=origin)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/xml; charset=utf-8"
    assert not answer.cookies
    return fromstring(answer.content)


def post(client: Client, body: str | bytes, path: str = "/autodiscover/autodiscover.xml") -> Element:
    answer = client.post(path, body, content_type="text/xml", headers={"Host": "autodiscover.prueba.test"})
    assert answer.status_code == 200
    return fromstring(answer.content)


def at_home(*accounts: MailAccount) -> None:
    """Their owners are known to sit at HOME."""
    for account in accounts:
        expect_program(account.mailbox, origin=HOME)


def order(root: Element) -> list[tuple[str, str, str]]:
    servers = [*root.iter("incomingServer"), *root.iter("outgoingServer")]
    return [(one.get("type", ""), one.findtext("port", ""), one.findtext("socketType", "")) for one in servers]


@pytest.mark.parametrize("path", AUTOCONFIG)
def test_autoconfig_has_every_server_in_the_documented_form(client: Client, domain: str, path: str) -> None:
    box("ana", domain)
    root = config(client, f"ana@{domain}", path)
    assert (root.tag, root.get("version")) == ("clientConfig", "1.1")
    provider = root.find("emailProvider")
    assert provider is not None
    assert (provider.get("id"), provider.findtext("domain")) == (domain, domain)
    assert [child.tag for child in provider][:3] == ["domain", "displayName", "displayShortName"]
    assert order(root) == [
        ("imap", "993", "SSL"), ("pop3", "995", "SSL"), ("smtp", "465", "SSL"), ("smtp", "587", "STARTTLS"),
    ]  # fmt: skip
    wanted = ["hostname", "port", "socketType", "authentication", "username"]
    for server in [*root.iter("incomingServer"), *root.iter("outgoingServer")]:
        assert [child.tag for child in server][:5] == wanted
        assert server.findtext("hostname") == "mail.casa.test"
        assert server.findtext("username") == "%EMAILADDRESS%"
        assert server.findtext("authentication") == "password-cleartext"


def test_the_servers_stand_in_the_order_of_the_mailbox_and_pop3_says_how_long_mail_stays(
    client: Client, domain: str
) -> None:
    at_home(box("ana", domain, downloads=True, days=30), box("beto", domain, downloads=True, days=0))
    root = config(client, f"ana@{domain}", origin=HOME)
    assert [kind for kind, *_rest in order(root)][:2] == ["pop3", "imap"]
    block = root.find(".//incomingServer[@type='pop3']/pop3")
    assert block is not None
    assert (block.findtext("leaveMessagesOnServer"), block.findtext("daysToLeaveMessagesOnServer")) == ("true", "30")
    gone = config(client, f"beto@{domain}", origin=HOME).find(".//pop3")
    assert gone is not None
    assert (gone.findtext("leaveMessagesOnServer"), gone.find("daysToLeaveMessagesOnServer")) == ("false", None)


def test_a_protocol_that_is_shut_for_the_mailbox_is_not_offered(client: Client, domain: str) -> None:
    at_home(box("ana", domain, pop3=False), box("beto", domain, imap=False))
    for local, kinds in (("ana", ["imap", "smtp", "smtp"]), ("beto", ["pop3", "smtp", "smtp"])):
        assert [kind for kind, *_rest in order(config(client, f"{local}@{domain}", origin=HOME))] == kinds


def test_without_an_address_the_domain_of_the_host_is_answered_for(client: Client, domain: str) -> None:
    box("ana", domain, downloads=True)
    box("beto", domain)
    box("eva", domain)
    for host in (f"autoconfig.{domain}", domain, f"AUTOCONFIG.{domain}:8080"):
        answer = client.get(AUTOCONFIG[0], headers={"Host": host})
        assert answer.status_code == 200
        assert order(fromstring(answer.content))[0][0] == "imap"


@pytest.mark.parametrize("address", ["ana@otra.test", "ana", "@", "", "a@b@", "x" * 300 + "@prueba.test", "ana@\x00.test",
                                     "ana@" + "ñ" * 80 + ".test", "ana@..test"])  # fmt: skip
def test_what_is_not_hosted_here_is_not_answered_for(client: Client, domain: str, address: str) -> None:
    answer = client.get(AUTOCONFIG[0], {"emailaddress": address}, headers={"Host": "autoconfig.otra.test"})
    assert answer.status_code == 404


def test_an_international_domain_is_found_however_it_is_written(client: Client, settings: Any) -> None:
    create_customer_with_domain(customer="Peña", domain="peña.test")
    for text in ("ana@peña.test", "ana@xn--pea-8ma.test", "Ana@PEÑA.test"):
        answer = client.get(AUTOCONFIG[0], {"emailaddress": text})
        assert answer.status_code == 200


def test_it_answers_before_hosts_are_checked_and_others_are_still_refused(client: Client, domain: str) -> None:
    assert client.get(AUTOCONFIG[0], headers={"Host": f"autoconfig.{domain}"}).status_code == 200
    assert client.get("/accounts/login/", headers={"Host": f"autoconfig.{domain}"}).status_code == 400


@pytest.mark.parametrize("path", [*AUTOCONFIG, "/autodiscover/autodiscover.json"])
def test_only_reading_is_possible(client: Client, domain: str, path: str) -> None:
    for method in ("post", "put", "delete"):
        assert getattr(client, method)(path).status_code == 405
    assert client.put("/autodiscover/autodiscover.xml").status_code == 405


# --- what is not told ---------------------------------------------------------------------------------------------------


def asked_about(client: Client, local: str, domain: str, origin: str = STRANGER) -> list[Any]:
    """What each service answers about an address, and which questions the database was asked; the address left out."""
    address = f"{local}@{domain}"
    found: list[Any] = []
    with CaptureQueriesContext(connection) as asked:
        for path in (*AUTOCONFIG, "/autodiscover/autodiscover.json", f"/autodiscover/autodiscover.json/v1.0/{address}"):
            query = {"emailaddress": address, "Email": address, "Protocol": "AutodiscoverV1"}
            found.append(client.get(path, query, headers={"Host": f"autoconfig.{domain}"}, REMOTE_ADDR=origin))
        body = REQUEST % address
        found.append(client.post("/autodiscover/autodiscover.xml", body, content_type="text/xml", REMOTE_ADDR=origin))
    answers = [
        (one.status_code, sorted(one.headers.items()), one.content.replace(address.encode(), b"?")) for one in found
    ]
    answers = [(code, [pair for pair in heads if pair[0] != "Content-Length"], body) for code, heads, body in answers]
    return [answers, [one["sql"].replace(address, "?") for one in asked]]


def test_from_elsewhere_an_address_that_is_there_is_answered_like_one_that_is_not(client: Client, domain: str) -> None:
    """Whatever its owner chose, and whatever they change: what differs would tell that there is a mailbox."""
    ana = box("ana", domain, downloads=True, days=23, pop3=False)
    beto, eva, leo = (box(local, domain) for local in ("beto", "eva", "leo"))
    at_home(ana, beto)
    before = asked_about(client, "nadie", domain)
    for local in ("ana", "beto", "eva", "zz"):
        assert asked_about(client, local, domain) == before, local
    MailAccount.objects.filter(pk=eva.pk).update(mode=MailAccount.Mode.DOWNLOAD)
    Mailbox.objects.filter(pk=beto.mailbox_id).update(imap=False)
    Mailbox.objects.filter(pk=leo.mailbox_id).update(deleted=timezone.now())
    box("nueva", domain, downloads=True, days=9)
    after = asked_about(client, "nadie", domain)
    for local in ("ana", "beto", "eva", "leo", "nueva"):
        assert asked_about(client, local, domain) == after, local


def test_a_program_gets_the_mailboxs_own_settings_where_its_owner_is(client: Client, domain: str) -> None:
    """By a guide that was opened, or by signing in; and nobody else's, from there or from anywhere."""
    ana = box("ana", domain, downloads=True, days=30)
    for local in ("beto", "eva"):
        box(local, domain)
    places = ("198.51.100.21", "198.51.100.22", "2001:db8:1:2::5", "198.51.100.23")
    for origin in places:
        assert order(config(client, f"ana@{domain}", origin=origin))[0][0] == "imap"
    signed = Client(headers={"accept-language": "en"})
    form = {"login": f"ana@{domain}", "password": "clave"}
    assert signed.post("/accounts/login/", form, REMOTE_ADDR=places[0]).status_code == 302
    assert signed.get(reverse("guide", args=[ana.pk, "thunderbird"]), REMOTE_ADDR=places[1]).status_code == 200
    assert signed.get(reverse("guide", args=[ana.pk, "thunderbird"]), REMOTE_ADDR=places[2]).status_code == 200
    for origin in (*places[:2], "2001:db8:1:2:ffff::9"):
        assert order(config(client, f"ana@{domain}", origin=origin))[0][0] == "pop3"
        assert order(config(client, f"beto@{domain}", origin=origin))[0][0] == "imap"
    for origin in (places[3], "2001:db8:1:3::5", "::1", ""):
        assert order(config(client, f"ana@{domain}", origin=origin))[0][0] == "imap"


def test_a_domain_is_answered_as_most_of_its_mailboxes(client: Client, domain: str) -> None:
    for number in range(5):
        box(f"p{number}", domain, downloads=number < 3, days=30)
    Mailbox.objects.create(address=f"nunca@{domain}", number=9, domain=Domain.objects.get(), password="!")
    assert order(config(client, f"zz@{domain}"))[0][0] == "pop3"
    MailAccount.objects.update(mode=MailAccount.Mode.IMAP)
    assert order(config(client, f"zz@{domain}"))[0][0] == "imap"


# --- Outlook ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"])
def test_autodiscover_has_every_protocol_in_the_documented_form(client: Client, domain: str, path: str) -> None:
    box("ana", domain)
    root = post(client, REQUEST % f"ana@{domain}", path)
    assert root.tag == f"{{{RESPONSE}}}Autodiscover"
    account = root.find(f"{{{OUTLOOK}}}Response/{{{OUTLOOK}}}Account")
    assert account is not None
    texts = {child.tag.rpartition("}")[2]: child.text for child in account if not len(child)}
    assert texts == {"AccountType": "email", "Action": "settings"}
    protocols = [
        {child.tag.rpartition("}")[2]: child.text for child in node} for node in account.iter(f"{{{OUTLOOK}}}Protocol")
    ]
    common = {"LoginName": f"ana@{domain}", "DomainRequired": "off", "SPA": "off", "AuthRequired": "on"}
    common["Server"] = "mail.casa.test"
    sending = {"UsePOPAuth": "off", "SMTPLast": "off"}
    assert protocols == [
        common | {"Type": "IMAP", "Port": "993", "SSL": "on", "Encryption": "SSL"},
        common | {"Type": "POP3", "Port": "995", "SSL": "on", "Encryption": "SSL"},
        common | sending | {"Type": "SMTP", "Port": "465", "SSL": "on", "Encryption": "SSL"},
        common | sending | {"Type": "SMTP", "Port": "587", "SSL": "off", "Encryption": "TLS"},
    ]


HOSTILE = [
    "",
    "<",
    "no xml",
    "<a/>",
    REQUEST % "ana",
    REQUEST.replace("outlook/responseschema/2006a", "mobilesync/responseschema/2006") % "ana@prueba.test",
    REQUEST % ("a" * 250 + "@prueba.test"),
    '<!DOCTYPE a [<!ENTITY x "y">]>' + (REQUEST % "&x;@prueba.test").partition("?>")[2],
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + (REQUEST % "&x;@prueba.test").partition("?>")[2],
    '<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd">' + (REQUEST % "ana@prueba.test").partition("?>")[2],
    "<!DOCTYPE l [<!ENTITY a 'x'>" + "".join(f"<!ENTITY a{n} '{'&a' + str(n - 1 or '') + ';'}'>" for n in range(1, 9)) + "]>"
    + (REQUEST % "&a8;@prueba.test").partition("?>")[2],
    "<a>" * 5000,
    "\x00" * 100,
    REQUEST.replace("1.0", '1.0" encoding="martian') % "ana@prueba.test",
    REQUEST % "ana@prueba.test" + " " * REQUEST_LIMIT_BYTES,
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_request_is_answered_alike(client: Client, domain: str, body: str) -> None:
    box("ana", domain)
    root = post(client, body)
    assert root.findtext(f".//{{{RESPONSE}}}ErrorCode") == "600"
    assert root.find(f".//{{{OUTLOOK}}}Account") is None


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.binary(max_size=400))
def test_no_octets_break_the_parser(data: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert "@" in parse_request(data).address


def test_a_plain_get_leads_to_the_name_with_a_certificate(client: Client, domain: str) -> None:
    path = "/autodiscover/autodiscover.xml"
    answer = client.get(path, headers={"Host": f"autodiscover.{domain}"})
    assert (answer.status_code, answer["Location"]) == (302, f"https://correo.casa.test{path}")
    there = client.get(path, headers={"Host": "correo.casa.test"})
    assert b"<ErrorCode>600</ErrorCode>" in there.content


def test_the_json_service_points_at_the_other_one(client: Client, domain: str) -> None:
    url = {"Protocol": "AutodiscoverV1", "Url": "https://correo.casa.test/autodiscover/autodiscover.xml"}
    for path in ("/autodiscover/autodiscover.json", f"/Autodiscover/Autodiscover.json/v1.0/ana@{domain}"):
        answer = client.get(path, {"Email": f"ana@{domain}", "Protocol": "AutodiscoverV1"})
        assert (answer.status_code, answer.json()) == (200, url)
    for wrong in ("ActiveSync", "", "ews"):
        answer = client.get("/autodiscover/autodiscover.json", {"Protocol": wrong})
        assert (answer.status_code, answer.json()["ErrorCode"]) == (400, "InvalidProtocol")
