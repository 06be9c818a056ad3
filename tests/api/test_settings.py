"""A mailbox's own settings by the API, on the real servers: vacation reply, filters, where the mail lives."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Change, User
from accounts.services.login import account_of_mailbox
from tests.api.conftest import call, conforms, token_of
from tests.conftest import PASSWORD
from webmail.models import Transfer

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def test_a_panel_sets_vacation_and_filters_and_moves_the_mail(mailbox_factory: Any, deliver: Any, imap: Any) -> None:
    box = mailbox_factory().mailbox
    boss = User.objects.create(email="jefa@casilla.example", is_superuser=True)
    token, where = token_of(boss), f"/mailboxes/{box.pk}"

    def ask(method: str, path: str, data: Any = None, status: int = 200) -> Any:
        answer = call(token, method, where + path, data)
        assert answer.status_code == status, answer.content
        assert not conforms(method, "/mailboxes/{mailbox_id}" + path.partition("?")[0], answer)
        return answer.json()

    # --- the reply
    fresh = ask("GET", "/vacation")
    assert (fresh["on"], fresh["phase"], fresh["own"]) == (False, "off", [box.address])
    bare = {"on": True, "subject": "", "text": "", "days": 7, "addresses": None, "first": None, "last": None}
    away = bare | {"text": "Vuelvo.", "first": "2031-01-12", "last": "2031-02-02", "zone": "America/Santiago"}
    assert ask("PUT", "/vacation", away)["phase"] == "before"
    assert "-0300" in ask("GET", "/filters/script")["text"]
    for wrong, field in (
        (bare, "text"),
        ({"on": False}, "last"),
        (away | {"last": "2030-01-01"}, "last"),
        (away | {"zone": "Marte"}, "zone"),
        (away | {"addresses": ["otra@otra.test"]}, "addresses"),
        (away | {"days": 0}, "days"),
    ):
        assert field in ask("PUT", "/vacation", wrong, 422)["errors"]
    assert "meantime" in ask("PUT", "/vacation", away | {"seen": fresh["seen"]}, 409)["detail"]
    off = ask("PATCH", "/vacation", {"on": False})
    assert (off["on"], off["text"], off["first"], off["last"]) == (False, "Vuelvo.", "2031-01-12", "2031-02-02")
    assert "text" in ask("PATCH", "/vacation", {"on": True, "text": " "}, 422)["errors"]
    assert "meantime" in ask("PATCH", "/vacation", {"on": True, "seen": fresh["seen"]}, 409)["detail"]
    assert ask("PATCH", "/vacation", {"on": True, "subject": "Fuera"})["phase"] == "before"
    assert "-0300" in ask("GET", "/filters/script")["text"]  # days stay in the zone in which they were given

    # --- the rows
    bills = {
        "name": "Facturas",
        "conditions": [{"about": "subject", "op": "contains", "value": "factura"}],
        "where": "move",
        "folder": "Archive",
    }
    large = {"match": "any", "conditions": [{"about": "size", "op": "over", "size_bytes": 5_000_001}], "star": True}
    made = ask("PUT", "/filters", {"rows": [bills, large]})
    assert [row["name"] for row in made["rows"]] == ["Facturas", ""]
    assert made["rows"][1]["conditions"][0]["size_bytes"] == 5_000_001
    assert (made["state"], made["editable"]) == ("own", True)
    assert ask("GET", "/vacation")["on"] is True  # it is in the same script
    for change, field in (
        ({"folder": "Nirgends"}, "rows.1.folder"),
        ({"conditions": []}, "rows.1.conditions"),
        ({"conditions": [{"about": "subject", "op": "over", "value": "1"}]}, "rows.1.conditions.0.op"),
        ({"conditions": [{"about": "from", "op": "is", "value": ""}]}, "rows.1.conditions.0.value"),
        ({"forward": ["no es una dirección"]}, "rows.1.forward"),
        ({"forward": [box.address]}, "rows.1.forward"),
        ({"where": "luna"}, "rows.1.where"),
        ({"tags": ["$nadie"]}, "rows.1.tags"),
    ):
        assert set(ask("PUT", "/filters", {"rows": [large, bills | change]}, 422)["errors"]) == {field}
    assert len(ask("GET", "/filters")["rows"]) == 2
    # --- where mail would go somewhere new, its owner shows the password; whoever runs it is not asked
    owner = token_of(User.objects.get(email=box.address))
    sends_on = {"rows": [large, bills | {"forward": ["yo@afuera.example"]}]}
    script = {"text": 'redirect "yo@afuera.example";\n'}
    for path, data in (("/filters", sends_on), ("/filters/script", script)):
        refused = call(owner, "PUT", where + path, data)
        assert (refused.status_code, set(refused.json()["errors"])) == (422, {"current_password"})
    assert call(owner, "PUT", where + "/filters", {"rows": [bills, large]}).status_code == 200
    answered = call(owner, "PUT", where + "/filters", sends_on | {"current_password": PASSWORD})
    assert answered.status_code == 200, answered.content
    assert ask("PUT", "/filters", sends_on)["rows"][1]["forward"] == ["yo@afuera.example"]
    ask("PUT", "/filters", {"rows": [bills, large]})
    assert ask("POST", "/filters/choice", {"do": "off"})["state"] == "off"
    assert ask("POST", "/filters/choice", {"do": "only"})["state"] == "own"
    line = ask("PUT", "/filters/script", {"text": "keep;\nfile into;\n"}, 422)["errors"]["script"]
    assert "2" in line[0]
    assert ask("PUT", "/filters/script", {"text": "keep;\n", "only_check": True})["warnings"] == []
    assert "factura" in ask("GET", "/filters/script")["text"]
    assert ask("PUT", "/filters/script", {"text": "keep;\n"})["text"] == "keep;\n"
    assert ask("PUT", "/filters", {"rows": []}, 409)["status"] == 409  # changed by hand: rows are left alone
    ask("GET", "/filters/script?name=ajeno", None, 404)

    # --- where it lives
    assert ask("GET", "/mode")["mode"] == "imap"
    deliver(box.address, b"From: a@afuera.test\r\nSubject: 1\r\n\r\n" + b"0123456789\r\n" * 1000)
    figures = ask("GET", "/mode/figures?days=30")
    assert (figures["days"], figures["messages"], figures["stays"], figures["leaves"]) == (30, 1, 1, 1)
    assert figures["stays_bytes"] > 12_000
    assert [one["ahead"] for one in figures["points"]].count(False) >= 12
    assert max(one["imap_bytes"] for one in figures["points"]) >= figures["stays_bytes"]
    ask("GET", "/mode/figures?days=3651", None, 422)
    assert ask("POST", "/mode", {"mode": "imap"}, 409)["status"] == 409
    assert "keep_days" in ask("POST", "/mode", {"mode": "pop3", "keep_days": 0}, 422)["errors"]
    to_pop3 = {"mode": "pop3", "keep": "days", "keep_days": 9}
    begun = [call(token, "POST", where + "/mode", to_pop3, **{"Idempotency-Key": "m-1"}) for _time in range(2)]
    assert [one.status_code for one in begun] == [200, 200]
    assert begun[0].json() == begun[1].json()
    moving = begun[0].json()["transfer"]
    assert (moving["to"], moving["state"]) == ("pop3", "waiting")
    assert Transfer.objects.get().policy["keep_days"] == 9
    ask("POST", "/mode/do", {"do": "stop"})
    assert ask("POST", "/mode/do", {"do": "cancel"})["transfer"]["state"] == "cancelled"
    ask("POST", "/mode/do", {"do": "undo"}, 409)
    ask("PUT", "/mode/policy", {"keep": "always", "keep_days": 14, "max_bytes": None, "every_min": None}, 409)
    for _time in range(2):  # the second is answered as the first was: one letter
        proposed = call(token, "POST", where + "/mode/propose", **{"Idempotency-Key": "p-1"})
        assert (proposed.status_code, proposed.json()) == (200, {"sent": True})
    client = imap(box.address)
    client.select_folder("INBOX")
    assert len(client.search(["HEADER", "Auto-Submitted", "auto-generated"])) == 1
    verbs = set(Change.objects.filter(mailbox=box, actor=boss).values_list("verb", flat=True))
    assert verbs == {"mailbox.vacation", "mailbox.filters", "mailbox.mode"}
    assert account_of_mailbox(box).owner != boss
