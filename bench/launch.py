"""Every process of Casilla for the benchmark, under one parent: its own Redis, web, worker, watcher. `python bench/launch.py
FOLDER HTTP_PORT REDIS_PORT IMAP_PORT`; ends with SIGTERM. Mailboxes are those of another server, as `MAIL_SERVERS` says, so
that the mail server checks the password, as it does for any other webmail.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

from cryptography.fernet import Fernet  # noqa: E402

from deploy import commands, probes  # noqa: E402

LOOPBACK = "127.0.0.1"
DOMAIN = "bench.example"
PASSED = {"WEB_CONCURRENCY", "WEB_THREADS"}
"""How many web processes there are (uvicorn's own setting), and threads in each."""
START_S = 60.0
STOP_S = 3.0
"""Short: the harness waits fifteen seconds for all of them."""


def environment(root: Path, http: int, redis: int, imap: int) -> dict[str, str]:
    """The settings of config/settings.py for this run, production's but for sign-ins per minute (see bench/settings.py)."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(root),
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "SECRET_KEY": _kept(root / "secret", lambda: secrets.token_urlsafe(50)),
        "VAULT_KEYS": _kept(root / "vault", lambda: Fernet.generate_key().decode()),
        "SITE_URL": f"http://{LOOPBACK}:{http}",
        "STATE_DIR": str(root),
        "STATIC_ROOT": str(root / "static"),
        "SQLITE_PATH": str(root / "casilla.sqlite3"),
        "REDIS_URL": f"redis://{LOOPBACK}:{redis}/0",
        "MAIL_SERVERS": json.dumps({DOMAIN: {"imap": f"{LOOPBACK}:{imap}:none"}}),
        "ALLOW_PRIVATE_SERVERS": "1",
        "LOG_LEVEL": "WARNING",
    } | {name: value for name, value in os.environ.items() if name.startswith("CASILLA_") or name in PASSED}


def _kept(path: Path, make) -> str:  # type: ignore[no-untyped-def]
    if not path.exists():
        path.write_text(make())
    return path.read_text()


def main(root: Path, http: int, redis: int, imap: int) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "redis").mkdir(exist_ok=True)
    env = environment(root, http, redis, imap)
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stopped.append(number))
    processes = [_spawn(commands.redis(root, host=LOOPBACK, port=redis), env)]
    try:
        for command in ("migrate", "build_icons", "collectstatic"):
            _manage(env, root, command)
        python = sys.executable
        for line in (
            commands.worker(python, root),
            commands.watcher(python),
            commands.web(python, host=LOOPBACK, port=http),
        ):
            processes.append(_spawn(line, env))
        until = time.monotonic() + START_S
        while not _answers(http) and time.monotonic() < until:
            time.sleep(0.05)
        (root / "ready").touch()
        while not stopped and all(process.poll() is None for process in processes):
            time.sleep(0.2)
    finally:
        (root / "ready").unlink(missing_ok=True)
        for process in reversed(processes):
            _end(process)


def _manage(env: dict[str, str], root: Path, command: str) -> None:
    """Once for a state of the code: it takes seconds."""
    stamp = root / f"done-{command}"
    newest = max(
        path.stat().st_mtime for folder in ("static", "accounts", "webmail") for path in (BASE / folder).rglob("*.*")
    )
    if stamp.exists() and stamp.stat().st_mtime > newest:
        return
    arguments = [sys.executable, "manage.py", command] + (["--noinput"] if command != "build_icons" else [])
    subprocess.run(arguments, cwd=BASE, env=env, check=True, stdout=subprocess.DEVNULL)
    stamp.touch()


def _answers(http: int) -> bool:
    try:
        return probes.http_answers(http, "/accounts/login/")
    except (OSError, probes.NotReadyError):
        return False


def _spawn(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=BASE, env=env, stdin=subprocess.DEVNULL)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:5]))
