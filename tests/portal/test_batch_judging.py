"""The preview of a list is the truth: what it shows clean is applied, what it refuses no single change would do; and a
list that was written is read in again."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Batch, Mailbox, Plan
from accounts.services import mailboxes
from accounts.services.audit import Actor
from accounts.services.batch_changes import apply_change
from accounts.services.batch_judging import in_order
from accounts.services.batches import claim_batch, read_batch, run_batch, start_batch
from accounts.services.forwards import create_alias
from accounts.services.mailboxes import create_mailbox
from tests.portal.conftest import World, make_mailbox
from tests.portal.test_batches import brought

pytestmark = pytest.mark.django_db
GB = 10**9
LOCALS = ("bruno", "carla", "dario", "elsa")
OTHERS = ("uno", "dos", "ventas", "otra")


class Undone(Exception):
    """Takes back what was tried."""


def random_list(dice: random.Random) -> str:
    """A list of a few rows in which anything may meet."""
    lines = ["address,do,new,quota,name"]
    for local in dice.sample([*LOCALS, *OTHERS], dice.randint(1, 3)):
        do = dice.choice(["", "", "", "rename", "delete", "restore", "send off", "create"])
        new = dice.choice([*LOCALS, *OTHERS]) if do == "rename" else ""
        lines.append(f"{local},{do},{new},{dice.choice(['', '1 GB', '2 GB', '4 GB'])},{dice.choice(['', 'Nombre'])}")
    return "\n".join(lines) + "\n"


def one_by_one(world: World, batch: Batch) -> bool:
    """Whether the services of single mailboxes do all of a list, which is taken back."""
    domain, by = world.one.domain, Actor(world.one.people["domain"])
    domain.refresh_from_db()
    try:
        with transaction.atomic():
            for row in in_order(batch.rows):
                if row["do"] == "create":
                    local, name, quota = row["address"].partition("@")[0], row["name"], row["quota_bytes"]
                    create_mailbox(domain=domain, local=local, by=by, name=name, quota_bytes=quota)
                elif row["do"] != "same":
                    apply_change(domain, row, by)
            raise Undone
    except ValidationError:
        return False
    except Undone:
        return True


def applied(batch: Batch) -> str:
    """The state of a list that was applied, which is taken back."""
    with transaction.atomic():
        assert start_batch(batch)
        claimed = claim_batch()
        assert claimed
        run_batch(claimed)
        batch.refresh_from_db()
        transaction.set_rollback(True)
    return batch.state


def test_a_preview_is_clean_where_the_list_can_be_applied_and_nowhere_else(world: World) -> None:
    Plan.objects.update(mailbox_limit=6, total_bytes=13 * GB, largest_mailbox_bytes=5 * GB, mailbox_quota_bytes=GB)
    Mailbox.objects.update(quota_bytes=GB)
    made = {local: make_mailbox(world.one.domain, local, quota_bytes=2 * GB) for local in LOCALS}
    mailboxes.delete(mailbox=made["dario"], by=Actor(None))
    create_alias(domain=world.one.domain, local="otra", target=made["bruno"], by=Actor(None))
    by, seen = Actor(world.one.people["domain"]), {True: 0, False: 0}
    for seed in range(25):
        text = random_list(random.Random(seed))
        batch = read_batch(domain=world.one.domain, data=text.encode(), name="azar.csv", by=by)
        clean = not batch.wrong
        assert not (clean and batch.problem)
        assert one_by_one(world, batch) == clean, (seed, text, batch.rows)
        seen[clean] += 1
        if clean:
            assert applied(batch) == Batch.State.DONE, (seed, text)
    assert min(seen.values()) >= 5, seen


def test_what_is_deleted_makes_room_and_what_does_not_fit_is_marked(world: World) -> None:
    Plan.objects.update(mailbox_limit=3)
    bruno = make_mailbox(world.one.domain, "bruno")
    mailboxes.delete(mailbox=make_mailbox(world.one.domain, "carla"), by=Actor(None))
    fits = brought(world, "address,do\ncarla,restore\nuno,\nana,\nbruno,delete\n")
    assert (fits.wrong, fits.problem) == (0, "")
    batch = brought(world, "address,do\ncarla,restore\nuno,\ndos,\nbruno,send off\n")
    assert [bool(row["errors"]) for row in batch.rows] == [False, True, True, False]
    assert batch.wrong == 2
    assert "Not all 3 rows fit. The plan Taller has 3 mailboxes, and 2 are taken" in batch.problem
    page = world.client(world.one.people["domain"]).get(reverse("portal:batch", args=[batch.pk])).content.decode()
    assert "2 rows are marked below" in page
    assert "No room is left for this row" in page
    assert bruno.sends


def written(world: World) -> list[list[str]]:
    client = world.client(world.one.people["domain"])
    answer: Any = client.get(reverse("portal:export", args=[world.one.domain.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return [line.split(",") for line in text.splitlines()]


def test_a_list_that_was_written_changes_nothing_until_it_is_edited(world: World) -> None:
    names = ["=1+1", "'=1", "-", "Eva  Ñu", "@x"]
    for at, name in enumerate(names):
        make_mailbox(world.one.domain, f"caja{at}", name=name, quota_bytes=1_234_000_000 + at, active=at != 2)
    mailboxes.delete(mailbox=Mailbox.objects.get(address="caja4@uno.test"), by=Actor(None))
    rows = written(world)
    same = brought(world, "\n".join(",".join(row) for row in rows))
    assert {row["do"] for row in same.rows} == {"same"}, same.rows
    assert (same.wrong, same.unknown) == (0, [])
    page = reverse("portal:batch", args=[same.pk])
    client = world.client(world.one.people["domain"])
    assert "Nothing to change" in client.get(page).content.decode()
    rows[2] = [rows[2][0], "Otra", "2 GB", "eva@afuera.example", rows[2][4], "yes", "yes", "no", ""]
    edited = brought(world, "\n".join(",".join(row) for row in rows))
    assert [row["do"] for row in edited.rows].count("change") == 1
    page = client.get(reverse("portal:batch", args=[edited.pk])).content.decode()
    for words in ("quota: 1.23\u00a0GB becomes 2\u00a0GB", "sends: yes becomes no", "1 row would be applied"):
        assert words in page
    client.post(reverse("portal:batch_apply", args=[edited.pk]))
    claimed = claim_batch()
    assert claimed
    run_batch(claimed)
    one = Mailbox.objects.get(address="caja0@uno.test")
    assert (one.name, one.quota_bytes, one.sends) == ("Otra", 2 * GB, False)
    assert one.recovery_address == "eva@afuera.example"
    assert Mailbox.objects.get(address="caja3@uno.test").name == "Eva  Ñu"


def test_columns_that_mean_nothing_are_told_and_have_to_be_let_go(world: World) -> None:
    client = world.client(world.one.people["domain"])
    batch = brought(world, "address,quotta,Teléfono,\neva,9 GB,123,\n")
    assert batch.unknown == [{"name": "quotta", "near": "quota"}, {"name": "Teléfono", "near": ""}]
    page = client.get(reverse("portal:batch", args=[batch.pk])).content.decode()
    assert "is “quota” meant?" in page
    apply = reverse("portal:batch_apply", args=[batch.pk])
    client.post(apply)
    assert claim_batch() is None
    client.post(apply, {"ignore": "on"})
    assert claim_batch() is not None


def test_a_rename_without_an_address_is_told_in_words(world: World) -> None:
    make_mailbox(world.one.domain, "bruno")
    batch = brought(world, "address,do,new\nbruno,rename,\n")
    page = world.client(world.one.people["domain"]).get(reverse("portal:batch", args=[batch.pk])).content.decode()
    assert "1 row cannot be done" in page
    assert "%(to)s" not in page
