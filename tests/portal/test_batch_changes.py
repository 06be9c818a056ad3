"""Lists that change mailboxes which are there: renamed, shut or open in each way, deleted, restored; all or nothing."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Alias, Batch, Change, Kind, Mailbox
from accounts.services.batch_changes import NAMES, WORDS, read_do
from accounts.services.batches import claim_batch, run_batch
from accounts.services.login import account_of_mailbox
from accounts.services.mailboxes import SELECTION
from tests.portal.conftest import World, give, make_mailbox
from tests.portal.test_batches import brought

pytestmark = pytest.mark.django_db


def run(world: World, batch: Batch) -> Batch:
    world.client(world.one.people["domain"]).post(reverse("portal:batch_apply", args=[batch.pk]))
    claimed = claim_batch()
    assert claimed
    run_batch(claimed)
    batch.refresh_from_db()
    return batch


def test_every_way_of_a_selection_is_one_of_a_list() -> None:
    assert set(NAMES) == set(WORDS) == {"create", "rename"} | set(SELECTION)
    for do, names in NAMES.items():
        assert {read_do(name.upper()) for name in names} == {do}


def test_a_list_renames_shuts_deletes_restores_and_makes_at_once(world: World) -> None:
    domain = world.one.domain
    old = {name: make_mailbox(domain, name) for name in ("bruno", "carla", "dario", "elsa", "fede")}
    Mailbox.objects.filter(pk=old["elsa"].pk).update(deleted="2026-01-01T00:00Z")
    batch = brought(
        world,
        "Dirección;acción;nueva;quota\nbruno;renombrar;bruno.soto;\ncarla;enviar no;;\n"
        "dario;eliminar;;\nelsa;restaurar;;\nfede;suspender;;\nnueva.persona;;;700 MB\n",
    )
    assert (batch.state, batch.wrong, batch.problem) == ("checked", 0, "")
    page = world.client(world.one.people["domain"]).get(reverse("portal:batch", args=[batch.pk])).content.decode()
    for words in (
        "gets the address bruno.soto@uno.test",
        "may not send any more",
        "is deleted",
        "is restored",
        "is made",
    ):
        assert words in page
    assert "6 rows would be applied" in page
    assert not Change.objects.filter(verb="mailbox.rename").exists()
    assert run(world, batch).state == "done"
    now = {one.number: one for one in Mailbox.objects.filter(domain=domain)}
    of = {name: now[one.number] for name, one in old.items()}
    assert of["bruno"].address == "bruno.soto@uno.test"
    assert Alias.objects.filter(address="bruno@uno.test", target=of["bruno"]).exists()
    assert (of["carla"].active, of["carla"].receives, of["carla"].sends) == (True, True, False)
    assert of["dario"].deleted
    assert of["elsa"].deleted is None
    assert (of["fede"].active, of["fede"].receives, of["fede"].sends) == (False, False, False)
    made = Mailbox.objects.get(address="nueva.persona@uno.test")
    assert made.quota_bytes == 700 * 10**6
    assert Change.objects.get(verb="mailbox.create", thing=str(made)).after["quota_bytes"] == 700 * 10**6
    assert set(batch.rows[0]) >= {"do", "to"}


def test_each_row_says_why_it_cannot_be(world: World) -> None:
    make_mailbox(world.one.domain, "bruno")
    gone = make_mailbox(world.one.domain, "carla")
    Mailbox.objects.filter(pk=gone.pk).update(deleted="2026-01-01T00:00Z")
    boss = make_mailbox(world.one.domain, "jefa")
    give(account_of_mailbox(boss).owner, Kind.PROVIDER)
    batch = brought(
        world,
        "address,do,new\nnadie,delete,\nbruno,rename,ana\nbruno@dos.test,delete,\ncarla,suspend,\njefa,delete,\nana,explode,\n",
    )
    told = {row["address"]: " ".join(row["errors"]) for row in batch.rows}
    assert "There is no mailbox" in told["nadie@uno.test"]
    assert "There is a mailbox, an alias or a group" in told["bruno@uno.test"]
    assert "restore it first" in told["carla@uno.test"]
    assert "runs more than you do" in told["jefa@uno.test"]
    assert "nothing that can be done" in told["ana@uno.test"]
    assert batch.wrong == 6
    assert Mailbox.objects.filter(deleted__isnull=False).count() == 1


def test_nothing_is_done_when_one_row_is_no_longer_so(world: World) -> None:
    make_mailbox(world.one.domain, "bruno")
    carla = make_mailbox(world.one.domain, "carla")
    batch = brought(world, "address,do\nbruno,delete\ncarla,send off\n")
    Mailbox.objects.filter(pk=carla.pk).delete()
    batch = run(world, batch)
    assert (batch.state, batch.wrong) == ("failed", 0)
    assert "carla@uno.test" in batch.problem
    assert not Mailbox.objects.filter(deleted__isnull=False).exists()


def test_a_selection_is_shut_in_one_way_alone(world: World) -> None:
    bruno = make_mailbox(world.one.domain, "bruno")
    client = world.client(world.one.people["domain"])
    page = reverse("portal:selection", args=[world.one.domain.pk])
    for do, expected in (
        ("send_off", (True, True, False)),
        ("sign_in_off", (False, True, False)),
        ("send_on", (False, True, True)),
        ("receive_off", (False, False, True)),
        ("sign_in_on", (True, False, True)),
        ("receive_on", (True, True, True)),
    ):
        assert client.post(page, {"mailbox": bruno.pk, "do": do}).status_code == 302
        bruno.refresh_from_db()
        assert (bruno.active, bruno.receives, bruno.sends) == expected, do
