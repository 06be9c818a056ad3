"""Both languages are complete: every string that the code marks has a Spanish translation, and English is the source."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "locale" / "es" / "LC_MESSAGES" / "django.po"
SOURCES = ["accounts", "config", "templates", "webmail"]


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """(context, msgid) of every string that the code marks, found anew by makemessages in a copy."""
    copy = tmp_path_factory.mktemp("locale")
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "-l", "es", "--no-location", "-v", "0"]
    subprocess.run(command, cwd=copy, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin"})
    return {(entry.msgctxt or "", entry.msgid) for entry in polib.pofile(str(copy / "locale/es/LC_MESSAGES/django.po"))}


def test_every_string_is_translated_into_spanish(marked: set[tuple[str, str]]) -> None:
    done = {
        (entry.msgctxt or "", entry.msgid)
        for entry in polib.pofile(str(CATALOGUE))
        if entry.translated() and not entry.obsolete
    }
    assert sorted(marked - done) == []


def test_no_translation_is_fuzzy_or_left_over(marked: set[tuple[str, str]]) -> None:
    catalogue = polib.pofile(str(CATALOGUE))
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    left_over = {(entry.msgctxt or "", entry.msgid) for entry in catalogue if not entry.obsolete} - marked
    assert sorted(left_over) == []


def test_placeholders_are_the_same_in_both_languages() -> None:
    import re

    pattern = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
    for entry in polib.pofile(str(CATALOGUE)):
        texts = [entry.msgstr] if not entry.msgid_plural else list(entry.msgstr_plural.values())
        wanted = set(pattern.findall(entry.msgid)) | set(pattern.findall(entry.msgid_plural or ""))
        for text in texts:
            assert set(pattern.findall(text)) <= wanted, entry.msgid
