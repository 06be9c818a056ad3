"""The watcher's own connection, cut before, in and after each of its commands: the account is watched all the same, and what was
missed is read again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from accounts.models import MailAccount, User
from accounts.vault import seal
from tests.contract.test_source import letter
from tests.imap.proxy import Fault, How, Proxy, proxied
from tests.live.conftest import AT_ONCE_S, Live, live, watcher
from webmail.live.events import Kind, State

__all__ = ["live", "watcher"]
pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

_numbers = itertools.count(1)


@pytest.fixture(params=[pytest.param((), id="notify"), pytest.param(("NOTIFY",), id="idle", marks=pytest.mark.faults)])
def proxy(request: Any, stack: Any) -> Iterator[Proxy]:
    with proxied("127.0.0.1", stack.ports.imap, hide=request.param) as proxy:
        yield proxy


def account_behind(proxy: Proxy, made: Any) -> tuple[MailAccount, str]:
    """An account of a mailbox behind the proxy, and its sealed password."""
    where = {"imap_host": "127.0.0.1", "imap_port": proxy.port, "imap_tls": "none"}
    owner = User.objects.create_user(f"vigia{next(_numbers)}@x.test")
    account = MailAccount.objects.create(owner=owner, address=made.address, login=made.address, **where)
    return account, seal(json.dumps([made.address, made.password]), context=f"live:{account.pk}")


@pytest.mark.parametrize("how", [pytest.param(how, marks=pytest.mark.faults) for how in get_args(How)])
def test_a_cut_costs_a_moment_and_nothing_is_missed(
    live: Live, watcher: Callable[[], Any], proxy: Proxy, mailbox_factory: Any, deliver: Any, how: How
) -> None:
    watcher()
    made = mailbox_factory("ana")
    watched = State.PARTLY if proxy.hide else State.LIVE
    lines = 5 if proxy.hide else 4  # CAPABILITY, LOGIN, CAPABILITY, then NOTIFY, or EXAMINE and IDLE
    for after in range(lines):
        account, secret = account_behind(proxy, made)
        ear = live.listen(account.pk)
        proxy.fault = Fault(after, how)
        live.wish(account.pk, secret=secret)
        ear.kind(Kind.ALL)
        live.until(lambda account=account: live.state(account.pk) is watched)  # type: ignore[misc]
        assert proxy.fault is None, f"{how} {after} did not happen"
        while not ear.quiet(0.7):
            pass
        deliver(made.address, letter(f"{how} {after}"))
        ear.kind(Kind.NEW, folder="INBOX", timeout_s=AT_ONCE_S)
        ear.redis.close()


def test_a_connection_that_is_lost_later_is_made_anew(
    live: Live, watcher: Callable[[], Any], proxy: Proxy, mailbox_factory: Any, deliver: Any
) -> None:
    watcher()
    made = mailbox_factory("ana")
    account, secret = account_behind(proxy, made)
    ear = live.watched(account.pk, secret=secret, state=State.PARTLY if proxy.hide else State.LIVE)
    proxy.cut_all()
    deliver(made.address, letter("en el intervalo"))
    ear.kind(Kind.ALL)
    while not ear.quiet(0.7):
        pass
    deliver(made.address, letter("después"))
    ear.kind(Kind.NEW, folder="INBOX", timeout_s=AT_ONCE_S)
