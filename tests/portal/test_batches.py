"""Lists of mailboxes: every shape of CSV, the preview, all or nothing, progress, and what is written."""

from __future__ import annotations

import csv
import io
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import Batch, Mailbox, Plan
from accounts.provisioning.passwords import check_mailbox_password, hash_batch_password
from accounts.services.audit import SYSTEM
from accounts.services.batches import claim_batch, clear_batches, run_batch, start_batch, take_passwords
from accounts.services.mailboxes import create_mailbox
from accounts.tasks import make_batches
from accounts.vault import unseal
from tests.portal.conftest import World

pytestmark = pytest.mark.django_db


def upload(world: World, data: bytes | str) -> Any:
    """The answer to a file, brought by whoever runs the domain."""
    raw = data.encode() if isinstance(data, str) else data
    client = world.client(world.one.people["domain"])
    file = SimpleUploadedFile("lista.csv", raw, "text/csv")
    return client.post(reverse("portal:batch_new", args=[world.one.domain.pk]), {"file": file})


def brought(world: World, data: bytes | str) -> Batch:
    answer = upload(world, data)
    assert answer.status_code == 302, answer.content.decode()
    return Batch.objects.latest("pk")


ROWS = "address,name,quota,password,recovery\neva,Eva Ñu,2 GB,,eva@afuera.example\nluis@uno.test,Luis,500,tres-faroles-rojos-9,\n"


@pytest.mark.parametrize(
    "data",
    [
        ROWS,
        b"\xef\xbb\xbf" + ROWS.encode(),
        ROWS.encode("utf-16"),
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS.replace("\n", "\r\n"),
        "\n" + ROWS,
        ROWS.replace("address,name,quota,password,recovery", '"Dirección", Nombre ,CUOTA,Contraseña,Recuperación'),
        ROWS.encode("cp1252"),
        ROWS.replace("2 GB", '"2,0 GB"'),
    ],
    ids=["plain", "bom", "utf16", "semicolons", "tabs", "crlf", "blank line first", "spanish", "cp1252", "quoted"],
)
def test_every_shape_of_file_is_read(world: World, data: bytes | str) -> None:
    batch = brought(world, data)
    assert (batch.total, batch.wrong) == (2, 0), batch.rows
    eva, luis = batch.rows
    assert (eva["address"], eva["name"], eva["quota_bytes"], eva["given"]) == (
        "eva@uno.test",
        "Eva Ñu",
        2 * 10**9,
        False,
    )
    assert (luis["address"], luis["quota_bytes"], luis["given"]) == ("luis@uno.test", 500_000_000, True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "is empty"),
        ("address\n", "no rows below"),
        ("nombre,cuota\nAna,5\n", "No column “address”"),
        ("address:name\nana:Ana\n", "No column “address”"),
        ("address,address\na,b\n", "is there twice"),
        (b"PK\x03\x04\x00\x00address,name\n", "no text file"),
        ("address\n" + "".join(f"a{n}\n" for n in range(10_001)), "more than 10,000 rows"),
        (b"address\n" + b"x" * 4_100_000, "larger than 4 MB"),
    ],
)
def test_what_is_no_list_is_refused_at_the_file(world: World, data: bytes | str, message: str) -> None:
    answer = upload(world, data)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert message in text
    assert 'id="id_file_error"' in text
    assert not Batch.objects.filter(domain=world.one.domain, name="lista.csv", total__gt=1).exists()


def test_each_row_says_what_is_wrong_with_it_and_nothing_is_made(world: World) -> None:
    rows = [
        "address,name,quota,password,recovery",
        "bien,Bien,1 GB,,",
        "ana,,,,",
        "ventas,,,,",
        "doble,,,,",
        "DOBLE@uno.test,,,,",
        "a b,,,,",
        "x@otro.test,,,,",
        "cuota,,grande,,",
        "clave,,,corta,",
        "recupera,,,,nadie",
        "de-mas,a,1,,,b,c",
    ]
    before = Mailbox.objects.count()
    batch = brought(world, "\n".join(rows))
    assert (batch.total, batch.wrong) == (11, 8), batch.rows
    client = world.client(world.one.people["domain"])
    page = client.get(reverse("portal:batch", args=[batch.pk])).content.decode()
    assert "8 rows cannot be done, so nothing of the list can." in page
    assert "The same address is in line 5" in page
    client.post(reverse("portal:batch_apply", args=[batch.pk]))
    make_batches()
    assert Mailbox.objects.count() == before
    assert Batch.objects.get(pk=batch.pk).state == "checked"


def test_a_list_that_is_larger_than_the_plan_is_refused_as_a_whole(world: World) -> None:
    Plan.objects.update(mailbox_limit=2)
    batch = brought(world, "address\nuno\ndos\n")
    assert "has 2 mailboxes, and 1" in batch.problem
    client = world.client(world.one.people["domain"])
    assert "has 2 mailboxes, and 1" in client.get(reverse("portal:batch", args=[batch.pk])).content.decode()
    client.post(reverse("portal:batch_apply", args=[batch.pk]))
    assert make_batches() == 0


def test_a_list_is_made_whole_and_its_passwords_are_good(world: World) -> None:
    batch = brought(world, ROWS)
    client = world.client(world.one.people["domain"])
    client.post(reverse("portal:batch_apply", args=[batch.pk]))
    assert make_batches() == 1
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.sealed) == ("done", 2, "")
    luis = Mailbox.objects.get(address="luis@uno.test")
    assert check_mailbox_password("tres-faroles-rojos-9", luis.password)
    [(address, password)] = take_passwords(batch)
    assert check_mailbox_password(password, Mailbox.objects.get(address=address).password)
    written = b"".join(client.get(reverse("portal:batch_passwords", args=[batch.pk])).streaming_content)
    assert f"{address},{password}" in written.decode()
    client.post(reverse("portal:batch_apply", args=[batch.pk]))
    assert make_batches() == 0
    Batch.objects.update(finished=timezone.now() - timedelta(days=2))
    clear_batches()
    assert take_passwords(Batch.objects.get(pk=batch.pk)) == []


def test_nothing_is_made_when_one_address_was_taken_meanwhile(world: World) -> None:
    batch = brought(world, ROWS)
    client = world.client(world.one.people["domain"])
    client.post(reverse("portal:batch_apply", args=[batch.pk]))
    create_mailbox(domain=world.one.domain, local="luis", by=SYSTEM)
    make_batches()
    batch.refresh_from_db()
    assert batch.state == "failed"
    assert not Mailbox.objects.filter(address="eva@uno.test").exists()
    assert "luis@uno.test" in client.get(reverse("portal:batch", args=[batch.pk])).content.decode()


def test_nothing_is_made_for_somebody_whose_role_was_taken_away_meanwhile(world: World) -> None:
    batch = brought(world, "address\neva\n")
    world.client(world.one.people["domain"]).post(reverse("portal:batch_apply", args=[batch.pk]))
    world.one.role.delete()
    make_batches()
    batch.refresh_from_db()
    assert batch.state == Batch.State.FAILED
    assert batch.problem
    assert not Mailbox.objects.filter(address="eva@uno.test").exists()


def test_a_list_whose_worker_died_is_made_by_the_next(world: World) -> None:
    batch = brought(world, ROWS)
    Batch.objects.filter(pk=batch.pk).update(state="waiting")
    assert claim_batch() is not None
    assert claim_batch() is None
    Batch.objects.update(lease=timezone.now() - timedelta(seconds=1))
    again = claim_batch()
    assert again is not None
    run_batch(again)
    assert Mailbox.objects.filter(address="eva@uno.test").exists()


def test_no_cell_that_is_written_is_a_formula(world: World) -> None:
    Mailbox.objects.update(name='=HYPERLINK("http://mal.example","ver")', recovery_address="+eva@afuera.example")
    client = world.client(world.one.people["domain"])
    written = b"".join(client.get(reverse("portal:export", args=[world.one.domain.pk])).streaming_content).decode()
    rows = list(csv.reader(io.StringIO(written.lstrip("\ufeff"))))
    assert rows[1][0] == "ana@uno.test"
    assert rows[1][1] == '\'=HYPERLINK("http://mal.example","ver")'
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    back = brought(world, written.replace("ana@uno.test", "otra@uno.test"))
    assert back.rows[0]["name"] == '=HYPERLINK("http://mal.example","ver")'


def test_many_passwords_are_judged_by_a_worker(world: World) -> None:
    rows = [f"persona{n},faroles-dormidos-{n}-molino" for n in range(12)] + ["flaca,12345678"]
    batch = brought(world, "address,password\n" + "\n".join(rows))
    assert batch.state == "reading"
    client = world.client(world.one.people["domain"])
    Batch.objects.filter(pk=batch.pk).update(done=6)
    page = client.get(reverse("portal:batch", args=[batch.pk])).content.decode()
    assert "are being judged" in page
    assert "6 of 13" in page
    assert 'aria-valuenow="46"' in page
    client.post(reverse("portal:batch_apply", args=[batch.pk]))
    assert make_batches() == 1
    batch.refresh_from_db()
    assert (batch.state, batch.wrong) == ("checked", 1)
    assert "Too easy to guess" in batch.rows[12]["errors"][0]
    assert unseal(batch.sealed, context=f"batch:{batch.pk}") == "{}"  # what cannot be made is not hashed
    batch = brought(world, "address,password\n" + "\n".join(rows[:12]))
    assert make_batches() == 1
    client.post(reverse("portal:batch_apply", args=[batch.pk]))
    assert make_batches() == 1
    made = Mailbox.objects.get(address="persona7@uno.test")
    assert check_mailbox_password("faroles-dormidos-7-molino", made.password)


def test_passwords_of_a_list_cost_what_owasp_asks_and_are_read_as_any_other(settings: Any) -> None:
    settings.ARGON2_MEMORY_KIB = 102_400
    encoded = hash_batch_password("faroles-dormidos-7-molino")
    assert encoded.startswith("argon2$argon2id$v=19$m=7168,t=5,p=1$")
    assert check_mailbox_password("faroles-dormidos-7-molino", encoded)
    assert not check_mailbox_password("faroles-dormidos-7-molina", encoded)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_five_thousand_mailboxes_are_made_in_under_a_minute(world: World, settings: Any) -> None:
    settings.ARGON2_MEMORY_KIB = 102_400
    data = "address,name\n" + "".join(f"persona{n},Persona {n}\n" for n in range(5000))
    batch = brought(world, data)
    Batch.objects.filter(pk=batch.pk).update(state="waiting")
    began = time.monotonic()
    cpu = time.process_time()
    claimed = claim_batch()
    assert claimed is not None
    run_batch(claimed)
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    print(f"5,000 mailboxes: {took:.1f} s, {cpu:.1f} s of processor")
    assert Batch.objects.filter(pk=batch.pk, state="done").exists()
    assert Mailbox.objects.filter(address__startswith="persona").count() == 5000
    assert took < 60


@pytest.mark.slow
@pytest.mark.variants
@pytest.mark.timeout(300)
def test_five_thousand_passwords_are_judged_and_taken_in_under_a_minute(world: World, settings: Any) -> None:
    """On two processors that have nothing else to do."""
    settings.ARGON2_MEMORY_KIB = 102_400
    names = ["molino", "faro", "lluvia", "bodega", "timbre", "cerro", "arena", "puerto", "nogal", "viento"]
    words = [
        f"{names[n % 10]}-{names[(n % 10 + 1 + n // 10 % 9) % 10]}-{n * 7919 % 99_991}-quilla" for n in range(5000)
    ]
    data = "address,name,password\n" + "".join(f"persona{n},Persona {n},{word}\n" for n, word in enumerate(words))
    batch = brought(world, data)
    began, cpu = time.monotonic(), time.process_time()
    for state in (Batch.State.CHECKED, Batch.State.DONE):
        claimed = claim_batch()
        assert claimed is not None
        run_batch(claimed)
        batch.refresh_from_db()
        assert (batch.state, batch.wrong) == (state, 0)
        start_batch(batch)
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    print(f"5,000 mailboxes with passwords: {took:.1f} s, {cpu:.1f} s of processor")
    assert Mailbox.objects.filter(address__startswith="persona").count() == 5000
    assert took < 60
