"""The command of every process: the demo, the tests and docker-compose.yml start the very same."""

from __future__ import annotations

from pathlib import Path


def dovecot(root: Path) -> list[str]:
    return ["/usr/sbin/dovecot", "-F", "-c", f"{root}/etc/dovecot/dovecot.conf"]


def postfix(root: Path) -> list[str]:
    return ["/usr/lib/postfix/sbin/master", "-c", f"{root}/etc/postfix", "-d"]


def redis(root: Path, *, host: str, port: int) -> list[str]:
    """Redis, with nothing kept on disk: what must last is in the database. Only the network it is bound to keeps
    strangers away."""
    where = ["--bind", host, "--port", str(port), "--dir", f"{root}/redis"]
    return ["redis-server", *where, "--save", "", "--appendonly", "no", "--protected-mode", "no"]


def web(python: str, *, host: str, port: int) -> list[str]:
    """The web application. Streams that stay open do not hold up its end for more than three seconds."""
    where = ["--host", host, "--port", str(port)]
    manner = ["--lifespan", "off", "--no-access-log", "--timeout-graceful-shutdown", "3"]
    return [python, "-m", "uvicorn", "config.asgi:application", *where, *manner]


def worker(python: str, root: Path) -> list[str]:
    """A Celery worker with the beat inside: there is exactly one of it."""
    manner = ["--schedule", f"{root}/web/beat", "--concurrency", "2", "--loglevel", "INFO"]
    return [python, "-m", "celery", "-A", "config", "worker", "--beat", *manner]


def puller(python: str) -> list[str]:
    """A Celery worker for pulls, which wait for other servers most of their time: many threads. Any number of it may run."""
    manner = ["--pool", "threads", "--concurrency", "64", "--hostname", "pull@%h", "--loglevel", "INFO"]
    return [python, "-m", "celery", "-A", "config", "worker", "--queues", "pull", *manner]


def watcher(python: str) -> list[str]:
    """Watches the mailboxes that are open in a browser, for their pages to change at once. Any number of it may run."""
    return [python, "manage.py", "watch"]


def collector(python: str) -> list[str]:
    """Counts from Dovecot's log which programs use a mailbox. There is exactly one of it for a log."""
    return [python, "manage.py", "collect_activity"]


def policy(python: str, *, host: str) -> list[str]:
    """Counts for Postfix to how many recipients each mailbox sends in a day."""
    return [python, "manage.py", "sending_policy", "--host", host]
