"""The demo: everything of Casilla on this machine, as ordinary processes, with all state in one folder.

First start: a database with a small printing house in it, and its mail. Later starts keep both. Whatever goes wrong is
said in one sentence, and what had been started is stopped.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from accounts.provisioning.render import write_file
from deploy import commands, probes
from deploy.dkim import dkim_record, make_dkim_key
from deploy.layout import settle
from deploy.people import PEOPLE, passwords_of
from deploy.ports import LOOPBACK, Ports
from deploy.stack import Stack, StackError

BASE = Path(__file__).resolve().parent.parent
FIRST_PORT = 8480
DKIM_KEY = Path("tls", "dkim.pem")
SEED_TIMEOUT_S = 600.0
WEB_TIMEOUT_S = 60.0
Say = Callable[[str], None]


class StopRequested(BaseException):
    """Ctrl-C, or a signal that asks for the end. Not an error, and never caught by a handler of errors."""


def demo_folder() -> Path:
    """Where the demo is wanted: DEMO_DIR, else var/demo."""
    return Path(os.environ.get("DEMO_DIR") or BASE / "var" / "demo")


def run(say: Say) -> int:
    """Runs the demo until it is told to stop. The exit code: 0 after a wanted end, 1 when something did not come up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _request_stop)
    stack = None
    try:
        stack = _prepare()
        _bring_up(stack, say)
        _announce(stack, say)
        _watch(stack)
    except StopRequested:
        code = 0
    except (StackError, OSError, ValueError) as error:
        say(f"The demo did not start. {error}" if not _is_up(stack) else f"The demo stops. {error}")
        code = 1
    return _shut_down(stack, say, code)


def reset(say: Say) -> int:
    """Removes the demo's state. Refuses while it runs."""
    wanted = demo_folder()
    if running := _running_pid(wanted):
        say(f"The demo runs (process {running}): stop it first, then reset.")
        return 1
    if wanted.is_symlink():
        shutil.rmtree(wanted.resolve(), ignore_errors=True)
        wanted.unlink()
    elif wanted.exists():
        _remove_state(wanted)
    say(f"The demo's state is gone from {wanted}.")
    return 0


def _prepare() -> Stack:
    """The stack on its folder and ports, with a clear StackError where it cannot be had."""
    wanted = demo_folder()
    if running := _running_pid(wanted):
        raise StackError(f"It runs already, as process {running}, with its state in {wanted}.")
    if os.geteuid() != 0:
        raise StackError("Dovecot and Postfix need root to start: use `make demo`, or sudo.")
    first = os.environ.get("DEMO_PORT") or str(FIRST_PORT)
    if not first.isdigit():
        raise StackError(f"DEMO_PORT is {first!r}, which is not a number.")
    root = settle(wanted)
    _stop_leftovers(root)
    if not (root / "filled").exists():
        shutil.rmtree(root / "mail", ignore_errors=True)  # half filled, by a first start that was interrupted
    stack = Stack(root=root, ports=Ports.range_from(int(first)), database=root / "db" / "casilla.sqlite3")
    if taken := stack.ports.taken():
        listed = ", ".join(f"{port} ({name})" for name, port in taken.items())
        raise StackError(f"Taken by another program: port {listed}. DEMO_PORT=N chooses another range of 15 ports.")
    return stack


def _bring_up(stack: Stack, say: Say) -> None:
    first_time = not (stack.root / "filled").exists()
    if stack.root != demo_folder().absolute():
        say(f"State: {stack.root} (a short path that the mail servers may enter; {demo_folder()} leads there).")
    stack.start()
    make_dkim_key(stack.root / DKIM_KEY)
    _manage(stack, "seed_demo", "--rows")
    stack.wait_ready(recipient=PEOPLE[0].address)
    if first_time:
        say("First start: writing the mail. This takes a minute.")
        _manage(stack, "seed_demo", "--mail", "--past")
        (stack.root / "filled").touch()
    _spawn_django(stack, "worker", commands.worker(sys.executable, stack.root))
    _spawn_django(stack, "puller", commands.puller(sys.executable))
    _spawn_django(stack, "collector", commands.collector(sys.executable))
    _spawn_django(stack, "policy", commands.policy(sys.executable, host=LOOPBACK))
    _spawn_django(stack, "watcher", commands.watcher(sys.executable))
    _spawn_django(stack, "web", commands.web(sys.executable, host=LOOPBACK, port=stack.ports.http))
    stack.wait_for("web", lambda: probes.http_answers(stack.ports.http, "/accounts/login/"), WEB_TIMEOUT_S)
    stack.wait_for("policy", lambda: probes.policy_answers(stack.ports.policy), WEB_TIMEOUT_S)
    for name in ("worker", "puller", "watcher"):
        stack.wait_for(name, lambda name=name: " ready." in stack.log_tail(name, 1000), WEB_TIMEOUT_S)  # type: ignore[misc]


def _manage(stack: Stack, *arguments: str) -> None:
    """Runs one management command to its end. Raises StackError with the end of its output when it fails."""
    name = "-".join(argument.strip("-") for argument in arguments)
    _spawn_django(stack, name, [sys.executable, str(BASE / "manage.py"), *arguments])
    code = stack.processes[name].wait(SEED_TIMEOUT_S)
    del stack.processes[name]
    if code:
        raise StackError(f"`manage.py {' '.join(arguments)}` failed:\n{stack.log_tail(name)}")


def _spawn_django(stack: Stack, name: str, command: list[str]) -> None:
    keep = {key: value for key, value in os.environ.items() if key not in {"TESTING", "DJANGO_SETTINGS_MODULE"}}
    environment = keep | stack.environment() | {"DEBUG": "0", "CASILLA_DEMO_DIR": str(stack.root)}
    environment["DKIM_RECORD"] = dkim_record(stack.root / DKIM_KEY)
    stack.spawn(name, command, env=environment, cwd=BASE)


def _announce(stack: Stack, say: Say) -> None:
    """Writes demo.json and tells the person where to go."""
    passwords = passwords_of(stack.root)
    address = stack.environment()["SITE_URL"]
    state = {
        "url": address,
        "ports": _port_names(stack.ports),
        "users": [
            {"address": person.address, "password": passwords[person.address], "role": person.role} for person in PEOPLE
        ],
        "pids": {"demo": os.getpid(), **stack.pids()},
        "ca_file": str(stack.ca_file),
    }
    write_file(stack.root / "demo.json", json.dumps(state, indent=2) + "\n", mode=0o600)
    if caller := os.environ.get("SUDO_UID"):
        os.chown(stack.root / "demo.json", int(caller), -1)
    say(f"\nCasilla is at {address}")
    say("")
    for person in PEOPLE:
        say(f"  {person.address:<32} {passwords[person.address]:<20} {_remark(person.local)}")
    ports = stack.ports
    say(f"\nMail programs: IMAP {ports.imap}, POP3 {ports.pop3}, SMTP {ports.submission}, ManageSieve {ports.sieve}")
    say(f"on {LOOPBACK} with the same addresses and passwords. Logs: {stack.root}/log. Ctrl-C stops everything.")


def _remark(local: str) -> str:
    return {
        "marcela": "the main mailbox; runs the domain",
        "bodega": "nearly full",
        "josefa": "new, nearly empty",
        "admin": "runs everything: the portal",
    }.get(local, "")


def _port_names(ports: Ports) -> dict[str, int]:
    """By the names that scripts use: "smtp" is where programs hand in mail, "smtp_in" where other servers would."""
    names = {name: int(getattr(ports, name)) for name in ("http", "imap", "pop3", "lmtp", "sieve", "redis")}
    more = {name: int(getattr(ports, name)) for name in ("imaps", "pop3s", "submissions", "quota")}
    return names | {"smtp": ports.submission, "smtp_in": ports.smtp} | more


def _watch(stack: Stack) -> None:
    """Returns never: raises StackError when a process ends by itself."""
    while True:
        for name, process in stack.processes.items():
            if process.poll() is not None:
                raise StackError(f"{name} ended by itself (exit {process.returncode}).\n{stack.log_tail(name)}")
        time.sleep(0.5)


def _shut_down(stack: Stack | None, say: Say, code: int) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if stack is None:
        return code
    if stack.processes:
        say("Stopping ...")
    (stack.root / "demo.json").unlink(missing_ok=True)
    stack.stop()
    say("Stopped.")
    return code


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequested


def _is_up(stack: Stack | None) -> bool:
    return stack is not None and (stack.root / "demo.json").exists()


def _state_of(wanted: Path) -> dict[str, Any]:
    file = wanted / "demo.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _running_pid(wanted: Path) -> int | None:
    """The process that runs the demo of this folder, if one does."""
    pid = _state_of(wanted).get("pids", {}).get("demo")
    return pid if pid and "manage.py" in _command_of(pid) else None


def _stop_leftovers(root: Path) -> None:
    """Ends what a demo of this folder that was killed left running; only what demo.json names and still is the same."""
    left = [pid for pid in _state_of(root).get("pids", {}).values() if _is_ours(pid, root)]
    for pid in left:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 10
    while any(_command_of(pid) for pid in left) and time.monotonic() < until:
        time.sleep(0.05)
    (root / "demo.json").unlink(missing_ok=True)


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _is_ours(pid: int, root: Path) -> bool:
    """Whether the process works in this folder: by its command, its environment, or (Redis hides both) where it is."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        place = Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return False
    marked = f"CASILLA_DEMO_DIR={root}\0".encode() in environment
    return marked or f"{root}/" in _command_of(pid) or place.is_relative_to(root)


def _remove_state(folder: Path) -> None:
    """Removes what a demo makes and nothing else, then the folder when nothing is left in it."""
    if not (folder / "secrets.json").exists():
        return
    for name in ("db", "etc", "log", "mail", "redis", "run", "spool", "state", "tls", "web"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("secrets.json", "people.json", "filled", "demo.json"):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
