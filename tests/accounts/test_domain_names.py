"""Names of domains: IDNA 2008 in both directions, and addresses that no mail should be sent to."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.domain_names import u_labels
from accounts.services.addresses import known_address, parse_address, parse_domain


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.ORG.", "example.org"),
        ("straße.test", "xn--strae-oqa.test"),
        ("strasse.test", "strasse.test"),
        ("ÑANDÚ.test", "xn--and-6ma2c.test"),
        ("βόλος.test", "xn--nxasmm1c.test"),
        ("ab--cd.test", "ab--cd.test"),
    ],
)
def test_a_domain_is_kept_as_its_a_labels_and_read_back(text: str, name: str) -> None:
    assert parse_domain(text) == name
    assert parse_domain(u_labels(name)) == name
    assert known_address(f"Ana@{text.rstrip('.')}") == parse_address(f"ana@{text.rstrip('.')}") == f"ana@{name}"


@pytest.mark.parametrize("text", ["☕.test", "xn--53h.test", "xn--zzzzzz99.test", "xn--.test", "a\u200db.test"])
def test_labels_that_no_domain_may_have_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_domain(text)
    assert "a label that no domain may have" in caught.value.message_dict["name"][0]
    assert u_labels("xn--zzzzzz99.test") == "xn--zzzzzz99.test"
    with pytest.raises(ValidationError):
        parse_address(f"ana@{text}")


@pytest.mark.parametrize("host", ["[127.0.0.1]", "[IPv6:::1]", "localhost", "127.0.0.1", "10.0.0.123", "1234"])
def test_machines_are_no_addresses(host: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_address(f"ana@{host}", field="forwards")
    assert "names a machine" in caught.value.message_dict["forwards"][0]


@pytest.mark.parametrize("host", ["test", "a..test", "-a.test", "a_b.test", "a.99", "x" * 64 + ".test"])
def test_what_is_no_domain_is_refused(host: str) -> None:
    with pytest.raises(ValidationError):
        parse_domain(host)
    with pytest.raises(ValidationError):
        parse_address(f"ana@{host}")
