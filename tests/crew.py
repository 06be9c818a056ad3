"""Workers to be killed. As a program: loads Django once, then forks one worker for every line on its input and prints its
id; each does one task over and over."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent


class Workers:
    """A few workers; those that are killed are replaced at once."""

    def __init__(self, nursery: subprocess.Popen[str], count: int) -> None:
        self._nursery = nursery
        self._pids = [self._fork() for _ in range(count)]

    def kill_one(self) -> None:
        at = random.randrange(len(self._pids))
        os.kill(self._pids[at], signal.SIGKILL)
        self._pids[at] = self._fork()

    def end(self) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)

    def _fork(self) -> int:
        assert self._nursery.stdin
        assert self._nursery.stdout
        self._nursery.stdin.write("one more\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


@contextmanager
def workers(task: str, environment: dict[str, str], log: Path, *, count: int = 2) -> Iterator[Workers]:
    """So many workers that do this task of webmail.tasks over and over."""
    command = [sys.executable, "-m", "tests.crew", task]
    with log.open("wb") as errors:
        nursery = subprocess.Popen(
            command, env=environment, cwd=BASE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        crew = Workers(nursery, count)
        try:
            yield crew
        finally:
            crew.end()
            nursery.kill()
            nursery.communicate()


def main() -> None:
    import django

    django.setup()
    from webmail import tasks

    task = getattr(tasks, sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(task)
        print(pid, flush=True)


def work(task: object) -> None:
    """What a Celery worker with a beat does, only faster, until the end."""
    while True:
        try:
            task()  # type: ignore[operator]
        except Exception:
            logging.exception("a round was cut short")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
