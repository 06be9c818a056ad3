"""Logs hold ids and counts: whatever looks like an address, a secret or a subject is taken out."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from config.logs import Redact, redact


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(Redact())
    logger = logging.Logger("prueba")
    logger.addHandler(handler)
    yield logger, out
    handler.close()


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("login of ana.diaz+x@imprenta.test failed", "imprenta.test"),
        ("<ANA@Imprenta.TEST>: no", "Imprenta"),
        ("user ana@imprenta.test*casilla", "casilla"),
        ("rcpt=marçal@correo.español", "español"),
        ("GET /x?login=ana%40imprenta.test&a=1", "imprenta"),
        ("GET /mail/1/f/SU5CT1g/?q=despido+de+juan", "despido"),
        ("{'password': 'clave secreta', 'n': 3}", "clave secreta"),
        ("password=hunter2 rest", "hunter2"),
        ("Authorization: Bearer abc.def", "Bearer"),
        ('> A1 LOGIN "ana" "clave"', "clave"),
        ("AUTHENTICATE PLAIN AGFuYQBjbGF2ZQ==", "AGFuYQ"),
        ("Subject: Despido de Juan\nnext", "Juan"),
        ("unexpected response: 'Estimada Ana, adjunto el contrato con los cambios que pidió'", "contrato"),
        ('b"* 1 FETCH (BODY[] {123} Estimada Ana, adjunto el contrato nuevo)"', "contrato"),
    ],
)
def test_what_is_private_is_masked(line: str, secret: str) -> None:
    assert secret in line
    assert secret not in redact(line)


@pytest.mark.parametrize(
    "line",
    [
        "pull of account 12: 57 new, 3 removed in 1.8 s",
        "Unreachable in message_show",
        "Not Found: /mail/3/f/SU5CT1g/m/17.4/",
        "listening on http://127.0.0.1:8000 (Press CTRL+C to quit)",
        "Task accounts.tasks.clear_sessions[0f1d] succeeded in 0.02s: 4",
    ],
)
def test_ids_and_counts_stay(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize("name", ["portal:new_password", "portal:invitation", "portal:enter"])
@pytest.mark.django_db
def test_the_secret_of_an_address_is_in_no_log(client: Client, name: str, caplog: pytest.LogCaptureFixture) -> None:
    secret = "MTI:1abcDE:x-Y_z0123456789"
    where = reverse(name, args=[secret])
    assert client.get(where).status_code == 404
    masked = where.replace(secret, "[secret]")
    assert [one.getMessage() for one in caplog.records if one.name == "django.request"] == [f"Not Found: {masked}"]
    for line in (f"Internal Server Error: {where}", f'"GET {where}?next=/ HTTP/1.1" 500', f"referer {where}"):
        assert secret in line
        assert secret not in redact(line)


def test_arguments_are_masked_too(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = log
    logger.info("login of %s failed %d times", "ana@imprenta.test", 3)
    logger.info("%(who)s", {"who": "beto@imprenta.test"})
    assert out.getvalue() == "login of [address] failed 3 times\n[address]\n"


def test_tracebacks_are_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = log
    try:
        raise ValueError("no mailbox ana@imprenta.test")
    except ValueError:
        logger.exception("failed", stack_info=True)
    assert "imprenta" not in out.getvalue()
    assert "ValueError: no mailbox [address]" in out.getvalue()


def test_a_line_whose_arguments_do_not_fit_is_logged_all_the_same(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = log
    logger.info("%d of %d", "many")
    assert "%d of %d" in out.getvalue()


@given(
    st.from_regex(r"[a-z0-9._+-]{1,20}@[a-z0-9-]{1,20}\.[a-z]{2,8}", fullmatch=True),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_no_address_survives_among_any_text(address: str, before: str, after: str) -> None:
    assert address not in redact(f"{before} {address} {after}")


@pytest.mark.parametrize(
    "line",
    ["a@" * 10_000, "a" * 20_000, '"' * 10_000 + "\\" * 10_000, "password" * 2_000 + ":" * 10_000, "'" + "a" * 20_000],
)
def test_masking_a_long_line_takes_no_long_time(line: str) -> None:
    start = time.perf_counter()
    redact(line)
    assert time.perf_counter() - start < 1
