"""A pytest plugin, loaded before the settings: each pytest process gets a folder, ports and servers of its own.

Loaded by `-p tests.stack` (pyproject.toml). Nothing is started here; the fixtures of conftest.py start what a test asks
for. Workers of pytest-xdist load it through PYTEST_PLUGINS, so that each of them chooses anew.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from deploy.layout import settle
from deploy.ports import reserve_range
from deploy.stack import Stack

_folder = Path(tempfile.mkdtemp(prefix="casilla-"))
_ports, _guard = reserve_range()
_root = settle(_folder)
DATABASE = _root / "db" / "casilla.sqlite3"
STACK = Stack(root=_root, ports=_ports, database=DATABASE)

os.environ.update(STACK.environment())
os.environ["TESTING"] = "1"
os.environ["PYTEST_PLUGINS"] = "tests.stack"


def _clean_up() -> None:
    STACK.stop()
    _guard.close()
    for path in {_root, _folder}:
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)


atexit.register(_clean_up)
