"""Finding other providers' servers: SRV records from a scripted name server on loopback, and autoconfig documents."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dns.message
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from accounts.setup.discovery import Servers, discover, is_domain, parse_autoconfig
from webmail.services.places import parse_servers

Records = dict[str, list[str]]


@pytest.fixture
def name_server() -> Iterator[Callable[[Records], list[str]]]:
    """Answers SRV questions from a table, over UDP; gives the questions that were asked. A name with no entry does not exist;
    an empty list is never answered."""
    stream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stream.bind(("127.0.0.1", 0))
    table: Records = {}
    asked: list[str] = []

    def run() -> None:
        while True:
            try:
                data, peer = stream.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            name = query.question[0].name
            asked.append(name.to_text(omit_final_dot=True))
            reply = dns.message.make_response(query)
            records = table.get(asked[-1])
            if records:
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", *records))
            if records != []:
                stream.sendto(reply.to_wire(), peer)

    threading.Thread(target=run, daemon=True).start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = stream.getsockname()[1]
    before = dns.resolver.default_resolver
    dns.resolver.default_resolver = resolver

    def use(records: Records) -> list[str]:
        table.update(records)
        return asked

    yield use
    dns.resolver.default_resolver = before
    stream.close()


def test_implicit_tls_is_preferred_and_priority_counts(name_server: Any) -> None:
    name_server(
        {
            "_imaps._tcp.casa.test": [
                "20 0 993 tarde.casa.test.",
                "10 1 993 poco.casa.test.",
                "10 5 1993 imap.casa.test.",
            ],
            "_imap._tcp.casa.test": ["0 0 143 claro.casa.test."],
            "_submission._tcp.casa.test": ["0 0 587 smtp.casa.test."],
        }
    )
    assert discover("casa.test") == Servers(("imap.casa.test", 1993, "tls"), ("smtp.casa.test", 587, "starttls"))


def test_a_service_that_is_not_offered_falls_back_to_the_next(name_server: Any) -> None:
    name_server({"_imaps._tcp.casa.test": ["0 0 0 ."], "_imap._tcp.casa.test": ["0 0 143 imap.casa.test."]})
    assert discover("casa.test") == Servers(("imap.casa.test", 143, "starttls"), None)


def test_a_domain_that_tells_nothing_has_no_server_and_no_address_was_named(name_server: Any) -> None:
    asked = name_server({})
    assert discover("casa.invalid") is None
    assert asked == ["_imaps._tcp.casa.invalid", "_imap._tcp.casa.invalid"]


def test_a_name_server_that_is_silent_is_left_in_time(name_server: Any) -> None:
    name_server({"_imaps._tcp.mudo.invalid": [], "_imap._tcp.mudo.invalid": []})
    start = time.monotonic()
    assert discover("mudo.invalid") is None
    assert time.monotonic() - start < 5.5


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "localhost",
        "[127.0.0.1]",
        "a..b",
        "a b.test",
        "casa.test/x",
        "casa.test:80",
        "ñ.test",
        "x" * 64 + ".test",
        "a." * 130 + "b",
    ],
)
def test_what_is_no_domain_is_asked_nowhere(name_server: Any, domain: str) -> None:
    asked = name_server({})
    assert discover(domain) is None
    assert asked == []


# --- autoconfig -------------------------------------------------------------------------------------------------------

DOCUMENT = """<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="casa.test"><domain>casa.test</domain>
<incomingServer type="pop3"><hostname>pop.casa.test</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>claro.casa.test</hostname><port>143</port><socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>IMAP.%EMAILDOMAIN%</hostname><port> 993 </port><socketType>SSL</socketType>
<username>{username}</username></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.casa.test</hostname><port>587</port><socketType>STARTTLS</socketType></outgoingServer>
</emailProvider></clientConfig>"""


@pytest.mark.parametrize(
    ("username", "login"),
    [
        ("%EMAILADDRESS%", "ana@casa.test"),
        ("%EMAILLOCALPART%", "ana"),
        ("%EMAILLOCALPART%.%EMAILDOMAIN%", "ana.casa.test"),
        ("", "ana@casa.test"),
    ],
)
def test_the_first_encrypted_imap_server_and_its_user_name_are_taken(username: str, login: str) -> None:
    found = parse_autoconfig(DOCUMENT.format(username=username).encode(), "casa.test")
    assert found is not None
    assert (found.incoming, found.smtp) == (("imap.casa.test", 993, "tls"), ("smtp.casa.test", 587, "starttls"))
    assert found.login_for("ana@casa.test") == login


@pytest.mark.parametrize(
    "change",
    [
        ("SSL", "plain"),
        ("993", "0"),
        ("993", "99999"),
        ("993", "９９３"),
        ("993", "-1"),
        ("IMAP.%EMAILDOMAIN%", "a/b?c.test"),
        ("IMAP.%EMAILDOMAIN%", "localhost"),
        ('type="imap"', 'type="exchange"'),
        ("<?xml", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><?xml"),
    ],
)
def test_documents_without_a_usable_server_give_nothing(change: tuple[str, str]) -> None:
    assert parse_autoconfig(DOCUMENT.replace(*change).encode(), "casa.test") is None


def test_pop3_is_found_by_its_own_records_and_tls_from_the_start_comes_first(name_server: Any) -> None:
    asked = name_server(
        {
            "_imaps._tcp.casa.test": ["0 0 993 imap.casa.test."],
            "_pop3s._tcp.casa.test": ["0 0 1995 pop.casa.test."],
            "_pop3._tcp.casa.test": ["0 0 110 claro.casa.test."],
            "_submissions._tcp.casa.test": ["0 0 465 smtp.casa.test."],
        }
    )
    assert discover("casa.test", "pop3") == Servers(("pop.casa.test", 1995, "tls"), ("smtp.casa.test", 465, "tls"))
    assert "_imaps._tcp.casa.test" not in asked


def test_pop3_with_starttls_is_taken_where_there_is_nothing_better(name_server: Any) -> None:
    name_server({"_pop3s._tcp.casa.test": ["0 0 0 ."], "_pop3._tcp.casa.test": ["0 0 110 pop.casa.test."]})
    assert discover("casa.test", "pop3") == Servers(("pop.casa.test", 110, "starttls"), None)


def test_the_pop3_server_of_an_autoconfig_document_is_taken_when_it_is_asked_for() -> None:
    found = parse_autoconfig(DOCUMENT.encode(), "casa.test", "pop3")
    assert found == Servers(("pop.casa.test", 995, "tls"), ("smtp.casa.test", 587, "starttls"))
    assert parse_autoconfig(DOCUMENT.replace('type="pop3"', 'type="nntp"').encode(), "casa.test", "pop3") is None


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "imap.casa.test">]>' + DOCUMENT.partition("?>")[2].replace(
        "IMAP.%EMAILDOMAIN%", "&a;"
    )
    assert parse_autoconfig(bomb.encode(), "casa.test") is None


@given(st.binary(max_size=300))
def test_no_document_crashes_it(data: bytes) -> None:
    assert parse_autoconfig(data) is None


@given(st.text(max_size=80))
def test_a_domain_is_only_letters_digits_hyphens_and_dots(text: str) -> None:
    if is_domain(text):
        assert set(text.lower()) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert "." in text


# --- the provider's own list ------------------------------------------------------------------------------------------


def test_the_list_of_servers_is_read() -> None:
    text = json.dumps(
        {"Casa.test": {"imap": "imap.casa.test:993:tls", "smtp": "[::1]:465:tls"}, "*": {"imap": "x:143:none"}}
    )
    table = parse_servers(text)
    assert table["casa.test"] == {"imap": ("imap.casa.test", 993, "tls"), "smtp": ("::1", 465, "tls")}
    assert table["*"] == {"imap": ("x", 143, "none")}
    assert parse_servers("") == parse_servers("{}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "nada",
        "[]",
        "3",
        '{"a": 1}',
        '{"a": {}}',
        '{"a": {"imap": "x"}}',
        '{"a": {"imap": "x:1:ssl"}}',
        '{"a": {"imap": "x:y:tls"}}',
    ],
)
def test_a_list_that_cannot_be_read_is_a_fault_of_the_settings(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="MAIL_SERVERS"):
        parse_servers(text)
