"""The mail generator: the same seed gives the same bytes, and what it gives is mail as real programs send it."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

import pytest
from django.core.management import call_command
from PIL import Image

from webmail.imap.folders import decode_name
from webmail.samples import Sample, generate_mailbox, mailbox_folders
from webmail.samples.abroad import ABROAD, SPAM
from webmail.samples.folders import server_name
from webmail.samples.images import draw_gif, draw_jpeg, draw_png, draw_tiff
from webmail.samples.life import LIFE
from webmail.samples.trade import TRADE

pytestmark = pytest.mark.slow  # whole mailboxes: `make check` leaves them to `make test`

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
        assert message["Message-ID"]
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
    ours = [message_from_bytes(sample.raw) for sample in samples if sample.folder == ("Sent",)]
    answers = [message for message in ours if message["In-Reply-To"]]
    assert len(answers) > 100
    assert len(answers) > len(ours) * 0.6
    assert all(answer["In-Reply-To"] in ids for answer in answers)
    assert any(ids[answer["In-Reply-To"]] == ("INBOX",) for answer in answers)
    assert max(len(answer["References"].split()) for answer in answers) > 3
    assert sum("escribió:" in _words(answer) for answer in answers) > 50


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
                assert b"/Type /Page " in data
                assert data[int(data.rsplit(b"startxref", 1)[1].split()[0]) :].startswith(b"xref")
            if str(part.get_filename()).endswith((".xlsx", ".zip")):
                assert isinstance(data, bytes)
                assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    assert {"text/plain", "text/html", "text/calendar", "application/pdf", "image/png", "image/jpeg"} <= set(kinds)
    assert {"iso-8859-1", "iso-2022-jp", "gb2312", "koi8-r", "utf-8"} <= charsets


def test_folder_names_survive_modified_utf7() -> None:
    for path in mailbox_folders(UNTIL):
        assert tuple(decode_name(name) for name in server_name(path).split("/")) == path


def test_what_is_unread_is_new(samples: list[Sample]) -> None:
    inbox = [sample for sample in samples if sample.folder == ("INBOX",)]
    unread = [number for number, sample in enumerate(inbox) if "\\Seen" not in sample.flags]
    assert 10 <= len(unread) <= 16
    assert len([number for number in unread if number >= len(inbox) - 40]) >= 8
    junk = [sample for sample in samples if sample.folder == ("Junk",)]
    assert sum("\\Seen" not in sample.flags for sample in junk) == 7
    assert all("Junk" in sample.flags for sample in junk)


def test_three_drafts_are_begun_and_unread(samples: list[Sample]) -> None:
    assert [sample.flags for sample in samples if sample.folder == ("Drafts",)] == [("\\Draft",)] * 3


def test_an_answered_message_has_its_answer_in_sent(samples: list[Sample]) -> None:
    answered = {message_from_bytes(sample.raw)["In-Reply-To"] for sample in samples if sample.folder == ("Sent",)}
    marked = [sample for sample in samples if "\\Answered" in sample.flags]
    assert len(marked) > 50
    assert all(message_from_bytes(sample.raw)["Message-ID"] in answered for sample in marked)


def test_today_and_yesterday_have_a_handful(samples: list[Sample]) -> None:
    days = Counter((UNTIL - sample.received).days for sample in samples if sample.folder == ("INBOX",))
    assert 5 <= days[0] <= 7
    assert 5 <= days[1] <= 7


def test_nothing_comes_from_the_future_early_in_the_morning() -> None:
    until = datetime(2026, 11, 25, 3, 10, tzinfo=UTC)
    found = list(generate_mailbox("marcela@imprentaquillay.test", 200, seed=1, until=until))
    assert max(sample.received for sample in found) <= until + timedelta(seconds=10)
    assert sum(sample.received.date() == until.date() for sample in found) >= 5


def test_a_new_mailbox_is_an_inbox_and_nothing_else() -> None:
    found = list(generate_mailbox("josefa@imprentaquillay.test", 3, seed=1, until=UNTIL))
    assert {sample.folder for sample in found} == {("INBOX",)} == set(mailbox_folders(UNTIL, 3))


def test_a_mailbox_for_the_inbox_alone_has_only_what_others_wrote() -> None:
    found = list(generate_mailbox("ana@x.test", 300, seed=4, until=UNTIL, inbox_only=True))
    assert len(found) == 300
    assert {sample.folder for sample in found} == {("INBOX",)}
    assert not any(message_from_bytes(sample.raw)["From"].endswith("<ana@x.test>") for sample in found)


def test_mail_is_varied_and_mostly_spanish(samples: list[Sample]) -> None:
    parser = BytesHeaderParser(policy=policy.default)
    subjects = Counter(str(parser.parsebytes(sample.raw)["Subject"]) for sample in samples)
    assert len(subjects) > 500
    assert max(subjects.values()) < 20
    english = sum(" the " in _words(message_from_bytes(sample.raw)) for sample in samples)
    assert 0.1 < english / len(samples) < 0.3


def test_every_header_line_has_the_length_that_mail_allows(samples: list[Sample]) -> None:
    for sample in samples:
        head = sample.raw.partition(b"\r\n\r\n")[0]
        assert head.isascii()
        assert max(map(len, head.split(b"\r\n"))) <= 200
    assert all(len(line) <= 998 for sample in samples if len(sample.raw) < 60_000 for line in sample.raw.split(b"\r\n"))


def test_our_server_vouches_for_most_and_not_for_spam(samples: list[Sample]) -> None:
    theirs = [sample for sample in samples if sample.folder not in {("Sent",), ("Drafts",)}]
    passed = [b"mail.imprentaquillay.test;\r\n\tspf=pass" in sample.raw for sample in theirs]
    assert 0.9 < sum(passed) / len(passed) < 1
    assert sum(b"(using TLSv1.3" in sample.raw for sample in theirs) > len(theirs) * 0.7


def test_newsletters_have_remote_pictures_and_a_way_out(samples: list[Sample]) -> None:
    letters = [message_from_bytes(sample.raw) for sample in samples if b"List-Unsubscribe-Post:" in sample.raw]
    pages = [_words(letter) for letter in letters if letter.get_content_type() == "text/html"]
    assert len(pages) > 30
    for page in pages:
        assert "<style" in page
        assert 'src="https://t.' in page
        assert page.count("<img ") >= 3


def test_an_invitation_is_for_the_day_that_its_letter_names() -> None:
    found = generate_mailbox("ana@x.test", 3000, seed=9, until=UNTIL)
    invitations = [message_from_bytes(sample.raw) for sample in found if b"method=REQUEST" in sample.raw]
    assert len(invitations) > 10
    for message in invitations:
        event = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
        text = event.get_payload(decode=True)
        assert isinstance(text, bytes)
        day = re.search(rb"DTSTART:\d{6}(\d\d)", text)
        named = re.search(
            r"(?:lunes|martes|miércoles|jueves|viernes) (\d+)", str(make_header(decode_header(message["Subject"])))
        )
        assert day
        assert named
        assert int(day[1]) == int(named[1])


def test_every_phrase_of_every_theme_can_be_said() -> None:
    for kind in (*TRADE, *LIFE, *ABROAD, SPAM):
        numbers = range(len(kind.subjects))
        assert all(kind.options("o", number) for number in numbers)
        for phrases in kind.phrases.values():
            assert all(not one.subjects or max(one.subjects) <= len(kind.subjects) for one in phrases)


def test_pictures_are_read_by_a_library_that_is_not_ours() -> None:
    for data, name in (
        (draw_jpeg(3, 20, 15), "JPEG"),
        (draw_png(4), "PNG"),
        (draw_gif(), "GIF"),
        (draw_tiff(20, 30, b"abc"), "TIFF"),
    ):
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            assert picture.format == name


def _words(message: Message) -> str:
    """The first text part, decoded."""
    part = next(part for part in message.walk() if part.get_content_maintype() == "text")
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode(part.get_content_charset() or "ascii")


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_the_command_encrypts_and_appends_in_order(mailbox_factory: Any, imap: Any, stack: Any, settings: Any) -> None:
    settings.IMAP_TLS, settings.MAIL_CA_FILE, settings.IMAP_HOST = "starttls", str(stack.ca_file), "localhost"
    made = mailbox_factory("ana")
    call_command("make_mail", mailbox=made.address, messages=120, seed=2, until="2026-11-25", stdout=io.StringIO())
    client = imap(made.address)
    client.select_folder("INBOX")
    found = client.fetch(client.search(), ["INTERNALDATE", "FLAGS"])
    dates = [found[uid][b"INTERNALDATE"] for uid in sorted(found)]
    assert len(dates) > 20
    assert dates == sorted(dates)
    assert any(b"\\Seen" not in found[uid][b"FLAGS"] for uid in found)
    assert "Clientes/Viña Aromo" in {name for _flags, _delimiter, name in client.list_sub_folders()}


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
