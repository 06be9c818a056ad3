"""The portal on PostgreSQL, the database of production: limits under threads, lookups by index, and a role for the mail servers
that sees the views and nothing else."""

from __future__ import annotations

import subprocess

import pytest

from accounts.provisioning.render import Postgres
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.test_postgres import manage, production  # noqa: F401 - a fixture

pytestmark = [pytest.mark.server, pytest.mark.slow]

AT_ONCE = """
import threading
from django.core.exceptions import ValidationError
from django.db import connection
from accounts.models import Customer, Domain, Mailbox, Plan
from accounts.services.audit import SYSTEM
from accounts.services.mailboxes import create_mailbox
GB = 10**9
for limits, field in (({"mailbox_limit": 3}, "address"), ({"total_bytes": 12 * GB}, "quota")):
    plan = Plan.objects.create(name=field, mailbox_quota_bytes=4 * GB, **limits)
    domains = [
        Domain.objects.create(name=f"{field}{n}.test", customer=customer)
        for customer in [Customer.objects.create(name=field, plan=plan)]
        for n in range(2)
    ]
    begin, outcomes = threading.Barrier(8), []

    def work(number):
        begin.wait()
        try:
            create_mailbox(domain=domains[number % 2], local=f"caja{number}", by=SYSTEM)
            outcomes.append("made")
        except ValidationError as error:
            outcomes.append(next(iter(error.message_dict)))
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert sorted(outcomes) == sorted(["made"] * 3 + [field] * 5), outcomes
numbers = list(Mailbox.objects.values_list("number", flat=True))
assert len(set(numbers)) == len(numbers)
"""

# Several customers at once hold different rows: only the numbers could collide, and a domain or a person that all of them want.
NUMBERS = """
import threading
from django.core.exceptions import ValidationError
from django.db import connection
from accounts.models import Customer, Domain, Mailbox, Plan
from accounts.services.audit import SYSTEM
from accounts.services.customers import create_domain
from accounts.services.login import account_of_mailbox
from accounts.services.mailboxes import create_mailbox
plan = Plan.objects.create(name="n")
domains = [
    Domain.objects.create(name=f"n{n}.test", customer=Customer.objects.create(name=str(n), plan=plan)) for n in range(8)
]
begin, wrong, made, owners = threading.Barrier(8), [], [], []

def work(number):
    begin.wait()
    try:
        try:
            create_domain(customer=domains[number].customer, name="mismo.test", by=SYSTEM)
            made.append(number)
        except ValidationError:
            pass
        owners.append(account_of_mailbox(Mailbox.objects.get(address="bob@prueba.test")).owner_id)
        for at in range(5):
            create_mailbox(domain=domains[number], local=f"caja{at}", by=SYSTEM)
    except Exception as error:
        wrong.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
[thread.start() for thread in threads]
[thread.join(60) for thread in threads]
assert not wrong, wrong
assert (len(made), len(owners), len(set(owners))) == (1, 8, 1), (made, owners)
assert Mailbox.objects.filter(domain__in=domains).count() == 40
"""

CLEARINGS = """
import threading
from django.db import connection
from accounts.models import Clearing, Mailbox
from accounts.services.login import account_of_mailbox
from webmail.services.clearing import ask_clearing
from webmail.services.space import Share
from webmail.values import Folder, FolderId, Ref
account = account_of_mailbox(Mailbox.objects.get(address="bob@prueba.test"))
folder = FolderId("Trash")
begin, wrong = threading.Barrier(8), []

def work(number):
    begin.wait()
    try:
        refs = [Ref(folder, 1, str(number + 1))]
        ask_clearing(account, Folder(id=folder, path=("Trash",)), refs, Share(1, 1), days=7)
    except Exception as error:
        wrong.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
[thread.start() for thread in threads]
[thread.join(60) for thread in threads]
assert not wrong, wrong
assert sorted(Clearing.objects.values_list("state", flat=True)) == ["cancelled"] * 7 + ["waiting"]
"""

# A table of a few rows is read whole whatever indexes it has, so each that a view stands on gets 1,000; of mail servers there are
# never many.
INDEXED = """
import json
from django.db import connection
from accounts.models import Alias, AppPassword, Customer, Domain, Forward, Group, GroupMember, Mailbox, Plan
from tests.lookups import lookups
some = range(1000)

def many(rows):
    rows = list(rows)
    return type(rows[0]).objects.bulk_create(rows, 1000)

plans = many(Plan(name=f"i{n}") for n in some)
customers = many(Customer(name=f"i{n}", plan=plans[n]) for n in some)
domains = many(Domain(name=f"indices{n or ''}.test", customer=customers[n]) for n in some)
boxes = many(
    Mailbox(address=f"a{n}@indices.test", number=90_000 + n, domain=domains[n % 2 and n], password="!") for n in some
)
many(Alias(address=f"b{n}@indices.test", target=boxes[n]) for n in some)
many(Forward(address=f"f{n}@otra.example", mailbox=boxes[n]) for n in some)
groups = many(Group(address=f"g{n}@indices.test", domain=domains[n]) for n in some)
many(GroupMember(address="a1@indices.test", group=groups[n]) for n in some)
many(AppPassword(mailbox=boxes[n], name="x", digest=f"{n:064}", imap=True) for n in some)
for at, domain in enumerate(domains):
    domain.catch_all = boxes[-1 - at]
Domain.objects.bulk_update(domains, ["catch_all"], 1000)

def nodes(plan):
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)

with connection.cursor() as cursor:
    cursor.execute("ANALYZE")
    for name, query in lookups().items():
        cursor.execute("EXPLAIN (FORMAT JSON) " + query)
        found = cursor.fetchone()[0]
        for node in nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]):
            whole = node["Node Type"] == "Seq Scan" and node["Relation Name"] != "accounts_mailserver"
            blind = node["Node Type"] in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
            assert not (whole or blind), (name, node)
"""


def test_limits_hold_when_many_ask_at_once(production: Stack) -> None:  # noqa: F811
    manage(production, "shell", "-v", "0", "-c", AT_ONCE)
    manage(production, "shell", "-v", "0", "-c", NUMBERS)
    manage(production, "shell", "-v", "0", "-c", CLEARINGS)


def test_every_question_of_the_mail_servers_goes_by_an_index(production: Stack) -> None:  # noqa: F811
    manage(production, "shell", "-v", "0", "-c", INDEXED)


def test_the_mail_servers_role_sees_the_views_and_nothing_else(production: Stack) -> None:  # noqa: F811
    """The fixture's Dovecot and Postfix have come up with it: sign-ins and deliveries need no more."""
    database = production.mail_database
    assert isinstance(database, Postgres)
    assert database.user == "casilla_mail"

    def ask(query: str) -> subprocess.CompletedProcess[str]:
        where = ["-h", LOOPBACK, "-p", str(database.port), "-U", database.user, "-d", database.name]
        return subprocess.run(["psql", *where, "-tAc", query], capture_output=True, text=True)

    assert ask("SELECT email FROM mail_users").stdout.strip() == "bob@prueba.test"
    assert ask("INSERT INTO mail_usage (username, bytes) VALUES ('x', 1)").returncode == 0
    for refused in (
        "SELECT * FROM accounts_mailbox",
        "SELECT * FROM accounts_user",
        "SELECT * FROM accounts_session",
        "UPDATE mail_domains SET active = FALSE",
        "DELETE FROM mail_domains",
        "DELETE FROM mail_usage",
        "CREATE TABLE mine (a int)",
        "DROP VIEW mail_users",
    ):
        answer = ask(refused)
        assert answer.returncode != 0, refused
        assert "permission denied" in answer.stderr or "must be owner" in answer.stderr, answer.stderr
