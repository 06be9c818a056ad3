"""The mail generator: the same seed gives the same bytes, and what it gives is mail as real programs send it."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core.management import call_command

from webmail.imap.folders import decode_name
from webmail.samples import Sample, generate_mailbox, mailbox_folders
from webmail.samples.folders import server_name

UNTIL = datetime(2026, 11, 25, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return list(generate_mailbox("marcela@imprentaquillay.test", 1300, seed=1, until=UNTIL))


def test_the_same_seed_gives_the_same_bytes() -> None:
    once, twice = (list(generate_mailbox("ana@x.test", 60, seed=5, until=UNTIL)) for _ in range(2))
    assert once == twice
    assert once != list(generate_mailbox("ana@x.test", 60, seed=6, until=UNTIL))


def test_as_many_as_asked_for() -> None:
    for count in (1, 7, 100):
        assert sum(1 for _sample in generate_mailbox("ana@x.test", count, seed=3, until=UNTIL)) == count


def test_every_message_is_well_formed(samples: list[Sample]) -> None:
    for sample in samples:
        message = message_from_bytes(sample.raw, policy=policy.default)
        assert not message.defects
        assert message["From"]
        assert message["Subject"]
        assert sample.raw.count(b"\n") == sample.raw.count(b"\r\n")


def test_time_is_spread_over_five_years_and_denser_now(samples: list[Sample]) -> None:
    ages = [(UNTIL - sample.received).days for sample in samples]
    assert max(ages) > 4 * 365
    assert sum(age < 365 for age in ages) > 2 * sum(365 <= age < 730 for age in ages) * 0.5
    assert 4 <= sum(sample.folder == ("INBOX",) and age < 1 for sample, age in zip(samples, ages, strict=True)) <= 20
    assert all(sample.received < UNTIL + timedelta(hours=1) for sample in samples)


def test_sizes_have_a_long_tail(samples: list[Sample]) -> None:
    sizes = sorted(len(sample.raw) for sample in samples)
    assert sizes[len(sizes) // 2] < 8_000
    assert sizes[-1] > 18_000_000
    assert 2 <= sum(size > 1_000_000 for size in sizes) <= 30


def test_threads_cross_the_inbox_and_sent(samples: list[Sample]) -> None:
    ids = {message_from_bytes(sample.raw)["Message-ID"]: sample.folder for sample in samples}
    answers = [message_from_bytes(sample.raw) for sample in samples if sample.folder == ("Sent",)]
    assert len(answers) > 100
    assert all(answer["In-Reply-To"] in ids for answer in answers[5:])


def test_kinds_charsets_and_files_are_real(samples: list[Sample]) -> None:
    kinds: Counter[str] = Counter()
    charsets: set[str] = set()
    for sample in samples:
        for part in message_from_bytes(sample.raw).walk():
            kinds[part.get_content_type()] += 1
            charsets.add(str(part.get_content_charset()))
            data = part.get_payload(decode=True) or b""
            if part.get_content_type() == "application/pdf":
                assert isinstance(data, bytes)
                assert data.startswith(b"%PDF-")
                assert b"%%EOF" in data[-64:]
            if str(part.get_filename()).endswith((".xlsx", ".zip")):
                assert isinstance(data, bytes)
                assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    assert {"text/plain", "text/html", "text/calendar", "application/pdf", "image/png", "image/jpeg"} <= set(kinds)
    assert {"iso-8859-1", "iso-2022-jp", "gb2312", "koi8-r", "utf-8"} <= charsets


def test_folder_names_survive_modified_utf7() -> None:
    for path in mailbox_folders(UNTIL):
        assert tuple(decode_name(name) for name in server_name(path).split("/")) == path


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("via", ["append", "lmtp"])
def test_the_command_fills_a_mailbox(mailbox_factory: Any, imap: Any, via: str, capsys: Any) -> None:
    made = mailbox_factory("ana")
    call_command("make_mail", mailbox=made.address, messages=40, seed=2, via=via)
    assert capsys.readouterr().out.startswith("40 messages")
    client = imap(made.address)
    names = [name for _flags, _delimiter, name in client.list_folders()]
    total = sum(client.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for name in names)
    assert total == 40
