"""Workers to be killed: loads Django once, then forks one worker for every line on its input and prints its id."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time


def main() -> None:
    import django

    django.setup()
    from webmail import tasks

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(tasks)
        print(pid, flush=True)


def work(tasks: object) -> None:
    """What a Celery worker with a beat does, only faster, until the end."""
    while True:
        try:
            tasks.send_due()  # type: ignore[attr-defined]
        except Exception:
            logging.exception("a round was cut short")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
