"""What is believed of what stands in the header about the way a message came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.frank import Authentication, list_unsubscribe, read_authentication, transport_tls
from webmail.mime.headers import parse_headers
from webmail.values import Header

OURS = {"MX.example.org"}


def results(*values: str) -> Authentication:
    return read_authentication([Header("Authentication-Results", value) for value in values], OURS)


def test_results_of_our_own_server_are_read():
    read = results("mx.example.org 1; spf=pass smtp.mailfrom=a@b; dkim=fail (bad) header.d=b; dmarc=none")
    assert read == Authentication("pass", "fail", "none")


def test_results_over_several_fields_of_ours_add_up():
    assert results("mx.example.org; spf=pass", "mx.example.org; dkim=pass") == Authentication("pass", "pass", "")


def test_one_good_signature_is_enough():
    assert results("mx.example.org; dkim=fail; dkim=pass; dkim=none").dkim == "pass"


@pytest.mark.parametrize(
    "value",
    [
        "mx.evil.example; spf=pass; dkim=pass; dmarc=pass",
        "mx.example.org.evil.example; dmarc=pass",
        "mx.example.org",
        "mx.example.org; none",
        'mx.example.org; spf=none reason="x; dmarc=pass"',
        "mx.example.org; (dmarc=pass; dmarc=pass)",
        "mx.example.org; (x (y; dmarc=pass) z) spf=none",
        "mx.example.org; (unclosed; dmarc=pass",
        "mx.example.org; unclosed); dmarc=pass",
        "mx.example.org; x-dmarc=pass; arc=pass dmarc=pass",
        "mx.example.org; dmarc=passed",
        "",
        ";;;",
    ],
)
def test_nothing_that_a_sender_can_write_becomes_a_pass(value):
    assert "pass" not in results(value).dmarc


def test_a_forged_field_below_another_servers_is_not_believed():
    assert results("mx.evil.example; spf=none", "mx.example.org; dmarc=pass") == Authentication()


def test_a_forged_field_below_a_received_is_not_believed():
    headers, _ = parse_headers(
        b"Authentication-Results: mx.example.org; spf=fail\r\n"
        b"Received: from evil by mx.example.org\r\n"
        b"Authentication-Results: mx.example.org; dmarc=pass\r\n\r\n"
    )
    assert read_authentication(headers, OURS) == Authentication("fail", "", "")


def test_an_encoded_word_in_a_sender_forges_nothing():
    headers, _ = parse_headers(
        b"Authentication-Results: mx.example.org; spf=none smtp.mailfrom==?utf-8?q?x=3B_dmarc=3Dpass?=@evil.example\r\n\r\n"
    )
    assert read_authentication(headers, OURS) == Authentication("none", "", "")


def test_without_any_id_of_ours_nothing_is_believed():
    assert read_authentication([Header("Authentication-Results", "mx.example.org; dmarc=pass")], []) == Authentication()


POSTFIX = "from a (a [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)) by mx with ESMTPS"
CLEAR = "from a (a [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 1"
LMTP = "from mx by store with LMTP id 2 for <a@example.org>"


@pytest.mark.parametrize(
    ("received", "tls"),
    [
        ([POSTFIX, CLEAR], "TLS 1.3"),
        ([LMTP, POSTFIX, CLEAR], "TLS 1.3"),
        ([CLEAR, POSTFIX], ""),
        (["from a by mx with esmtps (TLS1.2) tls TLS_ECDHE (Exim 4.96)"], "TLS 1.2"),
        (["from a by mx with ESMTPS id x (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128)"], "TLS 1.3"),
        (["from TLSv1.3 (TLS1.3 [192.0.2.1]) by mx with SMTP"], ""),
        ([], ""),
    ],
)
def test_encryption_is_what_our_own_server_says(received, tls):
    assert transport_tls([Header("Received", value) for value in received]) == tls


@pytest.mark.parametrize(
    ("value", "post", "found"),
    [
        (
            "<mailto:u@example.org?subject=out>, <https://example.org/u?1>",
            "",
            ("mailto:u@example.org?subject=out", "https://example.org/u?1", False),
        ),
        ("<https://example.org/u>", "List-Unsubscribe=One-Click", ("", "https://example.org/u", True)),
        ("<mailto:u@example.org>", "List-Unsubscribe=One-Click", ("mailto:u@example.org", "", False)),
        ("<http://example.org/u>", "List-Unsubscribe=One-Click", ("", "", False)),
        ("<javascript:alert(1)>, <data:text/html,x>, <//x>, <file:///x>", "", ("", "", False)),
        ("<https://>, <https://bank.example@evil.example/>, <https:///x>", "", ("", "", False)),
        ("<mailto:u@example.org?subject=x%0D%0ABcc:v@example.org>", "", ("", "", False)),
        ("<https://exam\r\n ple.org/u>", "", ("", "https://example.org/u", False)),
        ("https://example.org/u", "", ("", "", False)),
        ("", "", ("", "", False)),
    ],
)
def test_only_safe_ways_to_unsubscribe_are_offered(value, post, found):
    assert list_unsubscribe([Header("List-Unsubscribe", value), Header("List-Unsubscribe-Post", post)]) == found


@given(st.text(max_size=300))
def test_any_value_is_survived(value):
    names = ("Authentication-Results", "Received", "List-Unsubscribe", "List-Unsubscribe-Post")
    headers = [Header(name, value) for name in names]
    read_authentication(headers, OURS)
    transport_tls(headers)
    list_unsubscribe(headers)
