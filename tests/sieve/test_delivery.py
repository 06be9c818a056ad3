"""What filters and replies do to mail that arrives: Dovecot, Pigeonhole and Postfix."""

from __future__ import annotations

import smtplib
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.services.login import account_of_mailbox
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.sieve.conftest import Open, count, letter, wait_for
from webmail.services.access import account_credentials, open_account
from webmail.services.filter_trial import try_rule
from webmail.sieve.rules import About, Condition, Filters, Match, Op, Rule, Vacation, Where
from webmail.sieve.script import JOINED, OWN, write_join, write_script
from webmail.values import FolderId

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

AWAY = Vacation(on=True, subject="Fuera ñ", text='Vuelvo el lunes.\n.\n"Ana" \\', days=7)
EVERY = Rule("todo", match=Match.EVERY)


def deliver(stack: Stack, sender: str, to: str, raw: bytes) -> None:
    """Over LMTP, as Postfix does; it is where filters put it when this returns."""
    with smtplib.LMTP(LOOPBACK, stack.ports.lmtp) as client:
        client.sendmail(sender, [to], raw)


@pytest.fixture
def pair(mailbox_factory: Any) -> tuple[Any, Any]:
    """Who has filters, and who writes."""
    return mailbox_factory("ana"), mailbox_factory("bruno")


@pytest.mark.parametrize(
    ("rule", "meets"),
    [
        (Condition(About.FROM, Op.CONTAINS, "BRUNO"), True),
        (Condition(About.FROM, Op.CONTAINS, "Pérez"), True),
        (Condition(About.FROM, Op.IS, "bruno@afuera.test"), True),
        (Condition(About.FROM, Op.IS, "bruno"), False),
        (Condition(About.FROM, Op.BEGINS, "bruno@"), True),
        (Condition(About.FROM, Op.ENDS, "@afuera.test"), True),
        (Condition(About.FROM, Op.ENDS, "*afuera"), False),
        (Condition(About.TO, Op.IS, "lista@afuera.test"), True),
        (Condition(About.SUBJECT, Op.CONTAINS, "año"), True),
        (Condition(About.SUBJECT, Op.BEGINS, "Factura *"), True),
        (Condition(About.SUBJECT, Op.ENDS, '"2026\\?"'), True),
        (Condition(About.SUBJECT, Op.IS, "Factura"), False),
        (Condition(About.SUBJECT, Op.LACKS, "Factura"), False),
        (Condition(About.SUBJECT, Op.IS_NOT, "Factura"), True),
        (Condition(About.SIZE, Op.OVER, size_bytes=4000), True),
        (Condition(About.SIZE, Op.UNDER, size_bytes=4000), False),
    ],
)
def test_conditions_mean_what_they_say(
    pair: Any, stack: Stack, install: Any, imap: Any, rule: Condition, meets: bool
) -> None:
    ana, _bruno = pair
    install(ana, Filters((Rule("", conditions=(rule,), where=Where.MOVE, folder="Aparte"),)))
    raw = letter(
        "Bruno Pérez <bruno@afuera.test>",
        f"{ana.address}",
        'Factura * del año "2026\\?"',
        size=6000,
        Cc="lista@afuera.test",
    )
    deliver(stack, "bruno@afuera.test", ana.address, raw)
    client = imap(ana.address)
    assert (count(client, "Aparte"), count(client, "INBOX")) == ((1, 0) if meets else (0, 1))
    if rule.about is not About.TO:
        assert tried(ana, "Aparte" if meets else "INBOX", rule) is meets


def tried(made: Any, folder: str, rule: Condition) -> bool:
    """What Casilla says of the one message of a folder, without the server's filters."""
    account = account_of_mailbox(made.mailbox)
    with open_account(account, account_credentials(account)) as source:
        return try_rule(source, FolderId(folder), Rule("", conditions=(rule,))).matched == 1


def test_all_any_and_every(pair: Any, stack: Stack, install: Any, imap: Any) -> None:
    ana, _bruno = pair
    yes, no = Condition(About.SUBJECT, Op.CONTAINS, "hola"), Condition(About.SUBJECT, Op.CONTAINS, "nada")
    rows = (
        Rule("", match=Match.ALL, conditions=(yes, no), where=Where.COPY, folder="all"),
        Rule("", match=Match.ANY, conditions=(yes, no), where=Where.COPY, folder="any"),
        Rule("", match=Match.EVERY, where=Where.COPY, folder="every"),
        Rule("", on=False, match=Match.EVERY, where=Where.COPY, folder="off"),
    )
    install(ana, Filters(rows))
    deliver(stack, "x@afuera.test", ana.address, letter("x@afuera.test", ana.address))
    client = imap(ana.address)
    assert [count(client, one) for one in ("all", "any", "every", "off", "INBOX")] == [0, 1, 1, 0, 1]


def test_marks_folder_and_stop(pair: Any, stack: Stack, install: Any, imap: Any) -> None:
    ana, _bruno = pair
    first = replace(
        EVERY, where=Where.MOVE, folder="Año/Más & más", tags=("$label1", "propia"), read=True, star=True, stop=True
    )
    install(ana, Filters((first, replace(EVERY, where=Where.MOVE, folder="Nunca"))))
    deliver(stack, "x@afuera.test", ana.address, letter("x@afuera.test", ana.address))
    client = imap(ana.address)
    assert (count(client, "INBOX"), count(client, "Nunca")) == (0, 0)
    client.select_folder("Año/Más & más")
    flags = client.get_flags(client.search())
    assert set(next(iter(flags.values()))) >= {rb"\Seen", rb"\Flagged", b"$label1", b"propia"}


def test_deleted_is_in_the_trash(pair: Any, stack: Stack, install: Any, imap: Any) -> None:
    ana, _bruno = pair
    install(ana, Filters((replace(EVERY, where=Where.TRASH, folder="Trash"),)))
    deliver(stack, "x@afuera.test", ana.address, letter("x@afuera.test", ana.address))
    client = imap(ana.address)
    assert (count(client, "INBOX"), count(client, "Trash")) == (0, 1)


@pytest.mark.parametrize("where", [Where.INBOX, Where.AWAY])
def test_forwarding_keeps_a_copy_unless_it_is_told_not_to(
    pair: Any, stack: Stack, install: Any, imap: Any, where: Where
) -> None:
    ana, bruno = pair
    install(ana, Filters((replace(EVERY, where=where, forward=(bruno.address,)),)))
    deliver(stack, "x@afuera.test", ana.address, letter("x@afuera.test", ana.address, "Reenviado"))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1
    assert count(imap(ana.address), "INBOX") == (1 if where is Where.INBOX else 0)
    client = imap(bruno.address)
    client.select_folder("INBOX")
    (message,) = client.fetch(client.search(), ["BODY.PEEK[HEADER]"]).values()
    assert f"Return-Path: <{ana.address}>".encode() in message[b"BODY[HEADER]"]


def test_two_mailboxes_that_forward_to_each_other_end(pair: Any, stack: Stack, install: Any, imap: Any) -> None:
    ana, bruno = pair
    install(ana, Filters((replace(EVERY, forward=(bruno.address,)),)))
    install(bruno, Filters((replace(EVERY, forward=(ana.address,)),)))
    deliver(stack, "x@afuera.test", ana.address, letter("x@afuera.test", ana.address))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1
    assert wait_for(imap(ana.address), "INBOX", 9, within_s=1.5) <= 2
    assert count(imap(bruno.address), "INBOX") == 1


def answers(client: Any) -> list[bytes]:
    """The raw answers in an inbox."""
    client.select_folder("INBOX")
    found = client.fetch(client.search(["HEADER", "Auto-Submitted", "auto-replied"]), ["BODY.PEEK[]"])
    return [one[b"BODY[]"] for one in found.values()]


def test_a_reply_goes_out_once_to_each_sender(
    pair: Any, stack: Stack, install: Any, imap: Any, mailbox_factory: Any
) -> None:
    ana, bruno = pair
    carla = mailbox_factory("carla")
    install(ana, Filters(vacation=AWAY))
    for number in range(3):
        deliver(stack, bruno.address, ana.address, letter(bruno.address, ana.address, f"Carta {number}"))
    deliver(stack, carla.address, ana.address, letter(carla.address, ana.address))
    assert wait_for(imap(carla.address), "INBOX", 1) == 1
    assert wait_for(imap(bruno.address), "INBOX", 2, within_s=1.0) == 1
    assert count(imap(ana.address), "INBOX") == 4
    (raw,) = answers(imap(bruno.address))
    assert b"Vuelvo el lunes." in raw
    assert b'"Ana" \\' in raw
    assert b"=?" in raw.split(b"Subject:")[1].split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("bruno", {"List_Id": "<avisos.afuera.test>"}),
        ("bruno", {"Precedence": "bulk"}),
        ("bruno", {"Auto_Submitted": "auto-generated"}),
        ("bruno", {"X_Spam_Flag": "YES"}),
        ("ana", {}),
        ("", {}),
    ],
    ids=["list", "bulk", "automatic", "spam", "oneself", "no sender"],
)
def test_some_get_no_reply(
    pair: Any, stack: Stack, install: Any, imap: Any, sender: str, headers: dict[str, str]
) -> None:
    """The last letter is an ordinary one of somebody else: when its answer is there, those of the others would be too."""
    ana, bruno = pair
    install(ana, Filters(vacation=AWAY))
    envelope = {"ana": ana.address, "bruno": bruno.address, "": ""}[sender]
    deliver(stack, envelope, ana.address, letter(envelope or "mailer-daemon@afuera.test", ana.address, **headers))
    control = bruno.address.replace("bruno@", "bruno+otro@")
    deliver(stack, control, ana.address, letter(control, ana.address, "Control"))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1
    assert len(answers(imap(bruno.address))) == 1
    assert b"bruno+otro" in answers(imap(bruno.address))[0]
    assert answers(imap(ana.address)) == []


def test_a_reply_without_a_subject_has_that_of_the_message(pair: Any, stack: Stack, install: Any, imap: Any) -> None:
    ana, bruno = pair
    install(ana, Filters(vacation=replace(AWAY, subject="")))
    deliver(stack, bruno.address, ana.address, letter(bruno.address, ana.address, "Pedido"))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1
    assert b"Subject: Auto: Pedido" in answers(imap(bruno.address))[0]


def test_what_a_filter_throws_away_gets_no_reply(pair: Any, stack: Stack, install: Any, imap: Any) -> None:
    ana, bruno = pair
    rule = Rule("", conditions=(Condition(About.SUBJECT, Op.CONTAINS, "oferta"),), where=Where.TRASH, folder="Trash")
    install(ana, Filters((rule,), AWAY))
    deliver(stack, bruno.address, ana.address, letter(bruno.address, ana.address, "Gran oferta"))
    assert wait_for(imap(bruno.address), "INBOX", 1, within_s=0.7) == 0
    deliver(stack, bruno.address, ana.address, letter(bruno.address, ana.address, "Hola"))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1


def test_an_alias_is_answered_for_where_it_was_chosen(pair: Any, stack: Stack, install: Any, imap: Any) -> None:
    ana, bruno = pair
    other = ana.address.replace("ana@", "ventas@")
    install(ana, Filters(vacation=AWAY))
    deliver(stack, bruno.address, ana.address, letter(bruno.address, other))
    assert wait_for(imap(bruno.address), "INBOX", 1, within_s=0.7) == 0
    install(ana, Filters(vacation=replace(AWAY, addresses=(other,))))
    deliver(stack, bruno.address, ana.address, letter(bruno.address, other))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1


@pytest.mark.parametrize(
    ("first", "last", "answered"),
    [(-3, 3, True), (-3, None, True), (None, 3, True), (2, 5, False), (-5, -2, False)],
)
def test_a_reply_keeps_to_its_days(
    pair: Any, stack: Stack, install: Any, imap: Any, first: int | None, last: int | None, answered: bool
) -> None:
    ana, bruno = pair
    today = date.today()  # noqa: DTZ011 - two days away from either end, any zone will do

    def day(days: int | None) -> date | None:
        return None if days is None else today + timedelta(days)

    install(ana, Filters(vacation=replace(AWAY, first=day(first), last=day(last))))
    deliver(stack, bruno.address, ana.address, letter(bruno.address, ana.address))
    assert count(imap(ana.address), "INBOX") == 1
    assert wait_for(imap(bruno.address), "INBOX", 1, within_s=6.0 if answered else 0.7) == int(answered)


def test_filters_run_together_with_those_of_another_program(pair: Any, stack: Stack, sieve: Open, imap: Any) -> None:
    ana, bruno = pair
    theirs = 'require ["fileinto", "mailbox"];\nif header :contains "subject" "suyo" { fileinto :create "Suyo"; }\n'
    ours = Rule("", conditions=(Condition(About.SUBJECT, Op.CONTAINS, "nuestro"),), where=Where.MOVE, folder="Nuestro")
    with sieve(ana) as session:
        session.put("roundcube", theirs)
        session.put(OWN, write_script(Filters((ours,), AWAY)))
        session.put(JOINED, write_join(["roundcube"]))
        session.activate(JOINED)
    for subject in ("nuestro", "suyo", "de nadie"):
        deliver(stack, bruno.address, ana.address, letter(bruno.address, ana.address, subject))
    client = imap(ana.address)
    assert [count(client, one) for one in ("Nuestro", "Suyo", "INBOX")] == [1, 1, 1]
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1


def test_while_sending_is_suspended_filters_send_nothing_and_all_is_kept(
    pair: Any, stack: Stack, sieve: Open, install: Any, imap: Any, mailbox_factory: Any
) -> None:
    """Forwards with a copy and without, an answer, `reject`; what else the filters do is done."""
    ana, bruno = pair
    carla = mailbox_factory("carla")
    apart = Rule("", conditions=(Condition(About.SUBJECT, Op.CONTAINS, "aparte"),), where=Where.MOVE, folder="Aparte")
    sent = Condition(About.SUBJECT, Op.CONTAINS, "fuera")
    away = Rule("", conditions=(sent,), where=Where.AWAY, forward=(bruno.address,))
    both = Rule("", conditions=(Condition(About.SUBJECT, Op.CONTAINS, "copia"),), forward=(bruno.address,))
    install(ana, Filters((apart, away, both), AWAY))
    ana.mailbox.sends = False
    ana.mailbox.save()
    for subject in ("aparte", "fuera", "copia"):
        deliver(stack, carla.address, ana.address, letter(carla.address, ana.address, subject))
    client = imap(ana.address)
    assert (count(client, "Aparte"), count(client, "INBOX")) == (1, 2)
    with sieve(ana) as session:
        session.put("no", 'require ["reject"];\nreject "No.";\n')
        session.activate("no")
    deliver(stack, carla.address, ana.address, letter(carla.address, ana.address, "rechazo"))
    assert count(client, "INBOX") == 3
    ana.mailbox.sends = True
    ana.mailbox.save()
    install(ana, Filters((away,)))
    deliver(stack, carla.address, ana.address, letter(carla.address, ana.address, "fuera"))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1
    assert count(imap(carla.address), "INBOX") == 0
    assert count(client, "INBOX") == 3


def test_nobody_but_the_mail_server_hands_over_without_a_login(stack: Stack) -> None:
    text = (stack.root / "etc" / "postfix" / "master.cf").read_text()
    assert f"127.0.0.1:{stack.ports.filtered} inet n - n - - smtpd" in text
    assert "mynetworks=127.0.0.1\n" in text
