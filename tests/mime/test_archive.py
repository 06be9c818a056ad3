"""The zip of all attachments."""

import io
import zipfile

import pytest

from webmail.mime.archive import zip_stream


def opened(*entries) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(zip_stream(entries))))


def test_every_entry_comes_out_as_it_went_in():
    archive = opened(("a.txt", [b"one ", b"two"]), ("ñandú.pdf", [b""]), ("empty", []))
    assert archive.testzip() is None
    assert archive.namelist() == ["a.txt", "ñandú.pdf", "empty"]
    assert archive.read("a.txt") == b"one two"


def test_equal_names_are_told_apart():
    archive = opened(*[("a.txt", [b"x"])] * 3, ("A.TXT", [b"y"]), ("a (2).txt", [b"z"]), ("b", [b""]), ("b", [b""]))
    names = archive.namelist()
    assert names[:3] == ["a.txt", "a (2).txt", "a (3).txt"]
    assert len({name.lower() for name in names}) == len(names) == 7


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\x", "", "...", "a\0b", "C:\\x"])
def test_no_name_leads_out_of_the_folder(name):
    (only,) = opened((name, [b"x"])).namelist()
    assert only
    assert not only.startswith(("/", "."))
    assert ".." not in only
    assert "\\" not in only
    assert ":" not in only


def test_no_entries_are_an_empty_zip():
    assert opened().namelist() == []


def test_a_thousand_equal_names_take_no_time():
    assert len(set(opened(*[("a.txt", [b""])] * 1_000).namelist())) == 1_000


def test_only_a_piece_is_held_at_a_time():
    made = 0

    def pieces():
        nonlocal made
        for _ in range(50):
            made += 1
            yield b"x" * 65_536

    sent = 0
    for chunk in zip_stream([("big.bin", pieces())]):
        sent += len(chunk)
        assert made * 65_536 - sent < 3 * 65_536
    assert sent > 50 * 65_536
