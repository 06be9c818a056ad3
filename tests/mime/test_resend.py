"""A message sent on: what stands on top, and that nothing else changes (RFC 5322 section 3.6.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.headers import header_value, parse_headers
from webmail.mime.resend import resend_message
from webmail.values import Address

ANA, LUIS, EVA = Address("Ana Núñez", "ana@x.test"), Address("", "luis@y.test"), Address("Eva", "eva@z.test")
RAW = (
    b"Received: by x\r\nFrom: Beto <beto@x.test>\r\nTo: ana@x.test\r\nSubject: Hola\r\nMessage-ID: <m1@x.test>\r\n\r\n"
    b".\r\nBcc: texto\r\n\xff\x00"
)


def resent(raw: bytes = RAW, **more: Any) -> bytes:
    given = {"sender": ANA, "to": [LUIS], "date": datetime(2026, 3, 1, 9, tzinfo=UTC), "message_id": "<r1@x.test>"}
    return resend_message(raw, **(given | more))


def test_the_fields_stand_on_top_and_the_octets_below_are_the_same() -> None:
    raw = resent(cc=[EVA])
    assert raw.endswith(RAW)
    names = [header.name for header in parse_headers(raw[: -len(RAW)])[0]]
    assert names == ["Resent-Date", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Message-ID"]
    headers = parse_headers(raw.partition(b"\r\n\r\n")[0])[0]
    assert header_value(headers, "Resent-From") == "Ana Núñez <ana@x.test>"
    assert header_value(headers, "Message-ID") == "<m1@x.test>"


def test_one_that_was_sent_on_before_keeps_the_older_block_below() -> None:
    again = resent(resent(), message_id="<r2@x.test>")
    assert again.index(b"<r2@x.test>") < again.index(b"<r1@x.test>")
    assert again.endswith(RAW)


@pytest.mark.parametrize(
    "head",
    [
        b"Bcc: eva@z.test\r\nA: b\r\n",
        b"A: b\r\nbCC : eva@z.test,\r\n\teva@z.test\r\n",
        b"A: b\nBcc:\n eva@z.test\n",
        b"A: b\r\nResent-Bcc: eva@z.test\r\n",
    ],
)
def test_hidden_recipients_of_the_original_stay_hidden(head: bytes) -> None:
    raw = resent(head + b"\r\ntext")
    assert b"eva@z.test" not in raw
    assert raw.endswith(b"\ntext")
    assert b"\nA: b" in raw


def test_nobody_but_hidden_recipients_is_said_as_such() -> None:
    assert b"Resent-To: undisclosed-recipients:;\r\n" in resent(to=[])
    assert b"Resent-To" not in resent(to=[], cc=[EVA])


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": "no id"},
        {"message_id": "<a@b> <c@d>"},
        {"date": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"to": [Address("", "nobody")]},
        {"sender": Address("a\r\nBcc: x", "ana@x.test")},
    ],
)
def test_what_would_break_the_header_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        resent(**wrong)


@given(st.binary(max_size=200))
def test_any_octets_come_below_fields_that_can_be_read(raw: bytes) -> None:
    made = resent(raw)
    head = made[: made.index(b"Resent-Message-ID: <r1@x.test>\r\n") + 32]
    assert parse_headers(head)[0][0].name == "Resent-Date"
    rest = made[len(head) :]
    assert not rest.startswith((b" ", b"\t"))
