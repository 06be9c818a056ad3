"""The pages of filters and of the vacation reply, on the real servers, without a script in the browser."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from accounts import confirm
from accounts.models import Alias, MailAccount
from accounts.services.login import account_of_mailbox
from accounts.vault import seal
from deploy.ports import LOOPBACK
from deploy.stack import Stack
from tests.sieve.conftest import count, letter, wait_for
from webmail.filter_forms import read_size
from webmail.models import Download
from webmail.services.access import seal_context
from webmail.services.filter_words import write_size
from webmail.sieve.client import SieveSession, open_session
from webmail.sieve.rules import RULES_LIMIT, About, Condition, Filters, Match, Op, Rule, Vacation, Where
from webmail.sieve.script import JOINED, OWN, read_script, write_script
from webmail.values import Credentials, Endpoint

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

THEIRS = '# Roundcube\nrequire ["fileinto"];\r\nif header :contains "subject" "x" { fileinto "Sent"; }\n'.replace(
    "\r", ""
)
ROW = {
    "name": "Facturas",
    "match": "all",
    "c0-about": "subject",
    "c0-op": "contains",
    "c0-value": "factura",
    "where": "move",
    "folder": "Archive",
}


class Person:
    """The owner of a mailbox at their pages, and the scripts of the mailbox as they stand on the server."""

    def __init__(self, made: Any, client: Client, stack: Stack) -> None:
        self.made, self.client, self._stack = made, client, stack
        self.account: MailAccount = account_of_mailbox(made.mailbox)

    def get(self, page: str, *args: Any, query: str = "", status: int = 200) -> str:
        response = self.client.get(reverse(page, args=[self.account.pk, *args]) + query)
        assert response.status_code == status
        return response.content.decode()

    def post(self, page: str, *args: Any, status: int = 302, seen: str | None = None, **data: Any) -> str:
        """Sends a form with the `seen` that its page has."""
        url = reverse(page, args=[self.account.pk, *args])
        if seen is None:
            found = re.search(
                r'name="seen" value="(\w+)"',
                self.client.get(url + f"?script={data.get('script', '')}").content.decode(),
            )
            seen = found[1] if found else ""
        response = self.client.post(url, {"seen": seen, **data})
        assert response.status_code == status, response.content.decode()[-3000:]
        return str(response.content.decode())

    def add(self, **changed: Any) -> None:
        self.post("filter_new", **(ROW | {"do": "save"} | changed))

    def on_server(self, act: Callable[[SieveSession], Any]) -> Any:
        endpoint = Endpoint("127.0.0.1", self._stack.ports.sieve, "none")
        with open_session(endpoint, Credentials(self.made.address, self.made.password)) as session:
            return act(session)

    def text(self, name: str = OWN) -> str:
        return str(self.on_server(lambda session: session.get(name)))

    def put(self, name: str, text: str, *, active: bool = True) -> None:
        self.on_server(lambda session: (session.put(name, text), active and session.activate(name)))

    @property
    def active(self) -> str:
        return str(self.on_server(lambda session: next((one.name for one in session.scripts() if one.active), "")))

    @property
    def filters(self) -> Filters:
        return read_script(self.text()).filters

    @property
    def names(self) -> list[str]:
        return [rule.name for rule in self.filters.rules]


@pytest.fixture
def ana(sign_in: Any, stack: Stack) -> Person:
    client, made = sign_in()
    return Person(made, client, stack)


def test_a_filter_made_on_the_page_is_applied(ana: Person, deliver: Any, imap: Any) -> None:
    assert "No filters yet" in ana.get("filters")
    ana.add(
        tags=["$label1"],
        read="on",
        star="on",
        stop="on",
        **{"c1-about": "size", "c1-op": "under", "c1-value": "1,5 MB"},
    )
    assert ana.active == OWN
    rule = Rule(
        "Facturas",
        conditions=(
            Condition(About.SUBJECT, Op.CONTAINS, "factura"),
            Condition(About.SIZE, Op.UNDER, size_bytes=1572864),
        ),
        where=Where.MOVE,
        folder="Archive",
        tags=("$label1",),
        read=True,
        star=True,
        stop=True,
    )
    assert ana.filters == Filters((rule,))
    deliver(ana.made.address, letter("x@afuera.test", ana.made.address, "Su factura"))
    deliver(ana.made.address, letter("x@afuera.test", ana.made.address, "Otra cosa"))
    client = imap(ana.made.address)
    assert (count(client, "Archive"), count(client, "INBOX")) == (1, 1)
    page = ana.get("filters")
    assert "Facturas" in page
    assert "moves it to Archive" in page
    form = ana.get("filter", 1)
    assert 'value="1.5 MB"' in form


def test_rows_change_places_and_are_switched(ana: Person) -> None:
    for name in ("uno", "dos", "tres"):
        ana.add(name=name)
    ana.post("filters", do="up", row="2")
    assert ana.names == ["uno", "tres", "dos"]
    ana.post("filters", do="down", row="0")
    assert ana.names == ["tres", "uno", "dos"]
    ana.post("filters", do="order", order="2,0,1")
    assert ana.names == ["dos", "tres", "uno"]
    ana.post("filters", do="off", row="1")
    assert [rule.on for rule in ana.filters.rules] == [True, False, True]
    assert "Switch on: tres" in ana.get("filters")
    ana.post("filters", do="on", row="1")
    assert all(rule.on for rule in ana.filters.rules)


def test_orders_that_are_none_change_nothing(ana: Person) -> None:
    ana.add(name="uno")
    ana.add(name="dos")
    ana.post("filters", do="order", order="0,0", status=409)
    ana.post("filters", do="order", order="x", status=400)
    ana.post("filters", do="nothing", status=400)
    ana.post("filters", do="undo", status=400)
    ana.post("filters", do="delete", row="77")
    assert ana.names == ["uno", "dos"]


def test_a_deleted_row_comes_back_to_its_place(ana: Person) -> None:
    for name in ("uno", "dos", "tres"):
        ana.add(name=name)
    before = ana.filters
    ana.post("filters", do="delete", row="1")
    assert ana.names == ["uno", "tres"]
    assert "“dos” was deleted" in ana.get("filters", query="?focus=delete-1")
    ana.post("filters", do="undo")
    assert ana.filters == before


def test_a_row_is_edited_in_its_form(ana: Person) -> None:
    ana.add()
    ana.post("filter", 1, **(ROW | {"do": "save", "c0-value": "boleta", "where": "inbox", "star": "on"}))
    (rule,) = ana.filters.rules
    assert (rule.conditions[0].value, rule.where, rule.folder, rule.star) == ("boleta", Where.INBOX, "", True)
    ana.get("filter", 2, status=404)
    ana.get("filter", 0, status=404)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"c0-value": ""}, "Fill in a condition"),
        ({"c0-op": "over"}, "Only sizes are compared so"),
        ({"c0-about": "size"}, "over or under"),
        ({"c0-about": "size", "c0-op": "over", "c0-value": "mucho"}, "a size like"),
        ({"c0-value": "x" * 301}, "300"),
        ({"folder": ""}, "Choose a folder"),
        ({"folder": "No hay"}, "Select a valid choice"),
        ({"where": "inbox"}, "Choose something for it to do"),
        ({"where": "away"}, "Write where it is forwarded to"),
        ({"forward": "nadie"}, "is no mail address"),
        ({"forward": "a@b.test\r\nBcc: c"}, "is no mail address"),
        ({"forward": ", ".join(f"a{n}@b.test" for n in range(11))}, "At most 10"),
        ({"tags": ["inventado"]}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(ana: Person, changed: dict[str, Any], words: str) -> None:
    page = ana.post("filter_new", **(ROW | {"do": "save"} | changed), status=422)
    assert words in page
    assert ana.active == ""


def test_nothing_is_forwarded_to_oneself(ana: Person) -> None:
    Alias.objects.create(address=f"otra@{ana.made.address.split('@')[1]}", target=ana.made.mailbox)
    for address in (ana.made.address, ana.made.address.upper(), f"otra@{ana.made.address.split('@')[1]}"):
        assert "the mail would come back" in ana.post(
            "filter_new", **(ROW | {"do": "save", "forward": address}), status=422
        )


def test_all_filters_together_forward_to_so_many_addresses(ana: Person) -> None:
    ana.add(forward=", ".join(f"a{n}@b.test" for n in range(6)))
    page = ana.post(
        "filter_new", **(ROW | {"do": "save", "forward": ", ".join(f"c{n}@b.test" for n in range(6))}), status=409
    )
    assert "too many addresses" in page
    assert len(ana.filters.forwards) == 6


def test_another_condition_keeps_what_was_typed(ana: Person) -> None:
    page = ana.post("filter_new", **(ROW | {"do": "more", "forward": "nadie"}), status=200)
    assert 'value="factura"' in page
    assert 'name="c1-about"' in page
    assert "is no mail address" not in page
    assert ana.active == ""


def test_a_filter_begins_with_a_message(ana: Person) -> None:
    page = ana.get("filter_new", query="?from=eva%40afuera.test")
    assert 'value="eva@afuera.test"' in page


def test_a_filter_is_tried_and_nothing_happens(ana: Person, deliver: Any, imap: Any) -> None:
    for subject in ("Factura 1", "Otra", "factura 2"):
        deliver(ana.made.address, letter("Eva <eva@afuera.test>", ana.made.address, subject))
    page = ana.post("filter_new", **(ROW | {"do": "try", "folder-tried": "INBOX"}), status=200)
    assert "It would match 2 of the last 3 messages." in page
    assert "Factura 1" in page
    assert "Otra" not in page
    assert count(imap(ana.made.address), "INBOX") == 3
    assert ana.active == ""
    with_name = ROW | {"c0-about": "from", "c0-value": "EVA <", "do": "try"}
    assert "It would match 3 of the last 3 messages." in ana.post("filter_new", **with_name, status=200)


def test_a_change_in_the_meantime_is_told_and_kept(ana: Person) -> None:
    ana.add(name="uno")
    seen = re.search(r'name="seen" value="(\w+)"', ana.get("filters"))
    assert seen
    other = write_script(Filters((Rule("de otro lado", match=Match.EVERY, stop=True),)))
    ana.put(OWN, other)
    for name, data in (
        ("filters", {"do": "delete", "row": "0"}),
        ("filter_new", ROW | {"do": "save"}),
        ("vacation", {"on": "on", "text": "x", "days": "7"}),
    ):
        assert "in the meantime" in ana.post(name, seen=seen[1], status=409, **data)
    assert ana.text() == other


def test_a_script_of_another_program_is_left_alone(ana: Person) -> None:
    ana.put("roundcube", THEIRS)
    page = ana.get("filters")
    assert "roundcube" in page
    assert "New filter" not in page
    assert "header :contains" in ana.get("filter_text", query="?script=roundcube")
    ana.post("filters", do="off", row="0", status=409)
    ana.post("vacation", on="on", text="x", days="7", status=409)
    assert ana.client.get(reverse("filter_new", args=[ana.account.pk])).status_code == 302
    assert (ana.active, ana.text("roundcube")) == ("roundcube", THEIRS)


def test_both_run_where_that_was_chosen(ana: Person) -> None:
    ana.put("roundcube", THEIRS)
    ana.post("filters", do="join")
    assert ana.active == JOINED
    ana.add()
    assert (ana.active, ana.text("roundcube")) == (JOINED, THEIRS)
    assert "roundcube" in ana.get("filters")
    assert JOINED not in ana.get("filter_text")
    ana.post("filters", do="only")
    assert (ana.active, ana.text("roundcube")) == (OWN, THEIRS)


def test_two_replies_never_run_together(ana: Person) -> None:
    ana.put("suyo", 'require "vacation";\nvacation "Estoy fuera";\n')
    ana.post("filters", do="join")
    assert "answers already" in ana.post("vacation", on="on", text="x", days="7", status=409)
    ana.post("filters", do="only")
    ana.post("vacation", on="on", text="x", days="7")
    ana.on_server(lambda session: session.activate("suyo"))
    assert "answers already" in ana.post("filters", do="join", status=409)
    assert ana.active == "suyo"


def test_what_was_changed_as_text_stays_until_rows_are_asked_for(ana: Person) -> None:
    ana.add()
    written = ana.text()
    ana.post("filter_text", script=OWN, do="save", text=written + "keep;\n")
    assert ana.text() == written + "keep;\n"
    assert "changed as text" in ana.get("filters")
    ana.post("filters", do="off", row="0", status=409)
    ana.post("filters", do="rows")
    assert ana.text() == written


def test_errors_in_a_text_come_with_their_lines(ana: Person) -> None:
    page = ana.post("filter_text", script=OWN, do="save", text="keep;\nbogus;\n", status=422)
    assert 'data-line="2"' in page
    assert "bogus" in page
    assert ana.active == ""
    assert "understands this script" in ana.post("filter_text", script=OWN, do="check", text="keep;", status=200)
    ana.post("filter_text", script=OWN, do="save", text="keep;\n")
    assert ana.active == OWN


def test_a_text_changed_meanwhile_is_not_overwritten(ana: Person) -> None:
    ana.put("suyo", THEIRS)
    page = ana.post("filter_text", script="suyo", do="save", text="discard;", seen="0" * 32, status=409)
    assert "As it is on the server now" in page
    assert ana.text("suyo") == THEIRS
    ana.post("filter_text", script="no-hay", text="keep;", status=404, seen="")


def test_filters_are_switched_off_and_on_as_a_whole(ana: Person) -> None:
    ana.add()
    ana.post("filters", do="off-all")
    assert ana.active == ""
    assert "Switch them on" in ana.get("filters")
    ana.post("filters", do="only")
    assert ana.active == OWN


def test_a_reply_is_kept_and_answers(ana: Person, stack: Stack, mailbox_factory: Any, imap: Any) -> None:
    bruno = mailbox_factory("bruno")
    ana.client.cookies["zone"] = "America/Santiago"
    ana.post(
        "vacation", on="on", subject="Fuera", text="Vuelvo\r\nel lunes", days="3", first="2026-06-01", last="2027-01-31"
    )
    assert ana.filters.vacation == Vacation(
        True, "Fuera", "Vuelvo\nel lunes", 3, (), date(2026, 6, 1), date(2027, 1, 31), "-0400", "-0300"
    )
    with smtplib.LMTP(LOOPBACK, stack.ports.lmtp) as client:
        client.sendmail(bruno.address, [ana.made.address], letter(bruno.address, ana.made.address))
    assert wait_for(imap(bruno.address), "INBOX", 1) == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"text": ""}, "Write what is answered"),
        ({"first": "2026-12-10", "last": "2026-12-01"}, "before the first"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "99"}, "less than or equal to 30"),
        ({"first": "mañana"}, "valid date"),
        ({"addresses": ["otra@afuera.test"]}, "Select a valid choice"),
        ({"text": "x" * 8001}, "8000"),
    ],
)
def test_a_reply_that_cannot_be_is_told_at_its_field(ana: Person, changed: dict[str, Any], words: str) -> None:
    good = {"on": "on", "text": "Fuera", "days": "7"}
    assert words in ana.post("vacation", **(good | changed), status=422)
    assert ana.active == ""


PAGES = ["filters", "filter_new", "filter_text", "vacation"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_refused_to_others(ana: Person, sign_in: Any, name: str) -> None:
    ana.add()
    stranger, _made = sign_in("eva")
    url = reverse(name, args=[ana.account.pk])
    before = ana.text()
    for client, status in ((stranger, 404), (Client(), 302)):
        assert client.get(url).status_code == status
        assert client.post(url, ROW | {"do": "save", "on": "on", "days": "1", "text": "x"}).status_code == status
    assert ana.client.put(url).status_code == 405
    assert ana.text() == before


@pytest.mark.parametrize("name", PAGES)
def test_a_server_without_filters_is_told(ana: Person, name: str) -> None:
    """Nobody listens for ManageSieve on the port of other people's servers here; a server that is not known has no port."""
    for host in ("", "127.0.0.1"):
        account = MailAccount.objects.create(
            owner=ana.account.owner, address=f"ana@otra{host}.test", imap_host=host, mode=MailAccount.Mode.DOWNLOAD
        )
        Download.objects.create(account=account, sealed=seal("llave", context=seal_context(account.pk)))
        response = ana.client.get(reverse(name, args=[account.pk]))
        assert response.status_code == 200
        assert "does not let Casilla keep filters" in response.content.decode()


@pytest.mark.parametrize("language", ["en", "es"])
@given(st.integers(1, 2 * 1024**3))
def test_a_size_is_read_as_it_was_written(language: str, size_bytes: int) -> None:
    with override(language):
        assert read_size(write_size(size_bytes)) == size_bytes


def test_sizes_as_people_type_them() -> None:
    assert [
        read_size(one) for one in ("500", "2 MB", "1,5 mb", "1.5m", "3 GB", "1.500 KB", "-1", "0", "mucho", "")
    ] == [
        512000,
        2097152,
        1572864,
        1572864,
        0,
        0,
        0,
        0,
        0,
        0,
    ]


def test_a_new_row_can_be_sent_again_after_a_change_elsewhere(ana: Person) -> None:
    ana.add(name="uno")
    page = ana.post("filter_new", seen="0" * 32, status=409, **(ROW | {"do": "save", "name": "dos"}))
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found
    ana.post("filter_new", seen=found[1], **(ROW | {"do": "save", "name": "dos"}))
    assert ana.names == ["uno", "dos"]


def test_there_is_an_end_to_rows(ana: Person) -> None:
    rows = tuple(Rule(f"{n}", match=Match.EVERY, read=True) for n in range(RULES_LIMIT))
    ana.put(OWN, write_script(Filters(rows)))
    assert "no room for another" in ana.get("filters")
    assert "no room for another" in ana.post("filter_new", status=409, **(ROW | {"do": "save"}))
    assert len(ana.filters.rules) == RULES_LIMIT


def test_in_download_mode_a_filter_is_tried_on_what_is_here(boxed: Any, stack: Stack) -> None:
    boxed.pull()
    boxed.imap.select_folder("INBOX")
    boxed.imap.delete_messages(boxed.imap.search())
    boxed.imap.expunge()
    ana = Person(boxed.made, boxed.client, stack)
    row = ROW | {"c0-value": "carta", "do": "try"}
    assert "It would match 3 of the last 3 messages." in ana.post("filter_new", status=200, **row)
    assert "is not downloaded" in ana.get("filters")


def test_what_forwards_asks_for_the_password_of_an_old_session(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that was left open sends nobody's mail away: neither by a row nor as text."""
    ana.add(name="Solo mueve")
    monkeypatch.setattr(confirm, "FRESH_S", 0)
    row = ROW | {"do": "save", "name": "Afuera", "forward": "espia@afuera.test"}
    assert "Write your password" in ana.post("filter_new", **row, status=422)
    assert "not the password" in ana.post("filter_new", **row, current="otra", status=422)
    assert not ana.filters.forwards
    ana.post("filter_new", **row, current=ana.made.password)
    assert list(ana.filters.forwards) == ["espia@afuera.test"]
    ana.post("filter", 2, **(row | {"name": "Se llama distinto"}))
    assert [rule.name for rule in ana.filters.rules] == ["Solo mueve", "Se llama distinto"]
    text = {"do": "save", "script": OWN, "text": 'redirect "otra@afuera.test";'}
    assert "Write your password" in ana.post("filter_text", **text, status=422)
    ana.post("filter_text", **text, current=ana.made.password)
    assert "otra@afuera.test" in ana.text()
