"""The command of every process: the demo, the tests and docker-compose.yml start the very same."""

from __future__ import annotations

from pathlib import Path


def dovecot(root: Path) -> list[str]:
    return ["/usr/sbin/dovecot", "-F", "-c", f"{root}/etc/dovecot/dovecot.conf"]


def postfix(root: Path) -> list[str]:
    return ["/usr/lib/postfix/sbin/master", "-c", f"{root}/etc/postfix", "-d"]


def redis(root: Path, *, host: str, port: int) -> list[str]:
    return [
        "redis-server",
        "--bind",
        host,
        "--port",
        str(port),
        "--dir",
        f"{root}/redis",
        "--save",
        "",
        "--appendonly",
        "no",
    ]


def web(python: str, *, host: str, port: int) -> list[str]:
    return [
        python,
        "-m",
        "uvicorn",
        "config.asgi:application",
        "--host",
        host,
        "--port",
        str(port),
        "--lifespan",
        "off",
    ]


def worker(python: str, root: Path) -> list[str]:
    """A Celery worker with the beat inside: there is exactly one of it."""
    schedule = f"{root}/web/beat"
    return [python, "-m", "celery", "-A", "config", "worker", "--beat", "--schedule", schedule, "--concurrency", "2"]
