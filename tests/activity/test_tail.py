"""A log that grows, is cut anywhere, renamed, cut short, written anew: every whole line once, in order."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.activity import tail as module
from accounts.activity.tail import LINE_MAX_BYTES, Position, Tail


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "dovecot.log"


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def all_of(tail: Tail) -> list[str]:
    found = [line.decode() for lines in iter(tail.read, []) for line in lines]
    return [line for line in found if line]


def again(path: Path, tail: Tail) -> Tail:
    """The reader after a restart, with nothing but its position."""
    tail.close()
    return Tail(path, tail.position)


STEPS = st.lists(st.sampled_from(["write", "cut", "read", "restart", "rename", "copytruncate"]), max_size=30)


@settings(max_examples=120, deadline=None)
@given(STEPS, st.data())
def test_each_line_comes_once_whatever_happens(steps: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _play(Path(folder) / "dovecot.log", steps, data)


def _play(log: Path, steps: list[str], data: st.DataObject) -> None:
    write(log, "line 0")  # what was turned away before the reader came first is not its matter
    tail, written, rest, turned = Tail(log, Position()), ["line 0"], "", 0
    read = all_of(tail)
    for step in [*steps, "write"]:
        if step in {"write", "cut"}:
            line = f"line {len(written)}"
            text = rest + line[len(rest) :] + "\n" if rest else f"{line}\n"
            already = len(rest)
            until = data.draw(st.integers(already, len(text) - 1)) if step == "cut" else len(text)
            with log.open("a") as file:
                file.write(text[already:until])
            rest = text[:until] if step == "cut" else ""
            written += [line] if step == "write" else []
        elif step == "read":
            read += all_of(tail)
        elif step == "restart":
            tail = again(log, tail)
        elif log.exists() and not rest:
            turned += 1
            _turn(log, step, turned)
    tail_end = all_of(tail)
    tail.close()
    assert read + tail_end == written


def _turn(log: Path, how: str, number: int) -> None:
    old = log.with_name(f"{log.name}.{number}")
    if how == "rename":
        log.rename(old)
        log.touch()
    else:
        shutil.copy(log, old)
        os.truncate(log, 0)
    os.utime(old, (number, number))  # one second after the one before, as they would be


def test_a_log_that_is_not_there_yet_is_waited_for(log: Path) -> None:
    tail = Tail(log, Position())
    assert tail.read() == []
    write(log, "a")
    assert all_of(tail) == ["a"]


def test_a_renamed_log_is_read_on_while_its_writer_stays_in_it(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_S", 60.0)
    tail = Tail(log, Position())
    write(log, "a")
    assert all_of(tail) == ["a"]
    old = log.rename(log.with_name("dovecot.log.1"))
    write(log, "c")
    assert all_of(tail) == []
    write(old, "b")
    assert all_of(tail) == ["b"]
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    assert all_of(tail) == ["c"]


def test_a_log_that_was_packed_meanwhile_is_followed_by_the_new_one(log: Path) -> None:
    tail = Tail(log, Position())
    write(log, "a")
    assert all_of(tail) == ["a"]
    log.rename(log.with_name("dovecot.log.1.gz"))
    write(log, "b", "c")
    assert all_of(again(log, tail)) == ["b", "c"]


def test_another_log_in_its_place_is_read_from_the_beginning_though_it_is_longer(log: Path) -> None:
    tail = Tail(log, Position())
    write(log, "a")
    assert all_of(tail) == ["a"]
    log.write_text("b\nc\nd\n")
    assert all_of(tail) == ["b", "c", "d"]


def test_a_line_without_end_is_passed_over_and_none_hides_in_it(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 20_000)
    tail = Tail(log, Position())
    write(log, "a", "x" * 50_000, "b", "y" * (LINE_MAX_BYTES + 1), "c")
    assert all_of(tail) == ["a", "b", "c"]
    write(log, "d")
    assert all_of(again(log, tail)) == ["d"]


@pytest.fixture
def open_files() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.usefixtures("open_files")
def test_no_file_stays_open(log: Path) -> None:
    tail = Tail(log, Position())
    for number in range(5):
        write(log, f"{number}")
        assert all_of(tail) == [f"{number}"]
        log.rename(log.with_name(f"dovecot.log.{number}"))
    write(log, "end")
    assert all_of(tail) == ["end"]
    tail.close()
