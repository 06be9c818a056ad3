"""When a message goes out, how times are shown, and what the outbox tells."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.middleware import zone_of
from accounts.models import MailAccount
from tests.webmail.test_changes import signed_in
from webmail.models import Composing, Outgoing
from webmail.services import sending
from webmail.tokens import encode_folder

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def box(mailbox_factory: Any) -> dict[str, Any]:
    made = mailbox_factory("ana", name="Ana")
    client = signed_in(made)
    client.get("/", follow=True)
    account = MailAccount.objects.get(address=made.address)
    url = client.get(reverse("compose_new", args=[account.pk])).headers["Location"]
    return {"made": made, "client": client, "account": account, "url": url}


def send(box: dict[str, Any], at: str = "", **more: str) -> Any:
    data = {"do": "send", "plain": "1", "to": "b@x.test", "subject": "Luego", "text": "t", "send_at": at, **more}
    return box["client"].post(box["url"], data, headers=HTMX)


@pytest.mark.parametrize(
    ("days", "code"),
    [(-1, "past"), (-400, "past"), (400, "far")],
)
def test_a_time_that_is_over_or_too_far_is_refused(box: dict[str, Any], days: int, code: str) -> None:
    answer = send(box, (timezone.now() + timedelta(days=days)).isoformat())
    assert answer.status_code == 422
    assert f'data-problem="{code}"' in answer.content.decode()
    assert not Outgoing.objects.exists()
    assert Composing.objects.get().subject == "Luego"


@pytest.mark.parametrize("text", ["mañana", "2026-13-45T99:99", "0"])
def test_what_is_no_time_is_refused(box: dict[str, Any], text: str) -> None:
    assert 'data-problem="time"' in send(box, text).content.decode()
    assert not Outgoing.objects.exists()


def test_the_minute_that_is_running_is_now(box: dict[str, Any]) -> None:
    assert send(box, (timezone.now() - timedelta(seconds=40)).isoformat()).status_code == 200
    assert Outgoing.objects.get().send_at > timezone.now() - timedelta(seconds=5)


def test_a_time_without_a_zone_is_in_that_of_the_browser(box: dict[str, Any]) -> None:
    box["client"].cookies["zone"] = "Pacific/Auckland"
    there = timezone.now().astimezone(zone_of("Pacific/Auckland")) + timedelta(days=1)
    send(box, there.strftime("%Y-%m-%dT%H:%M"))
    assert abs(Outgoing.objects.get().send_at - there) < timedelta(minutes=1)


def test_times_are_shown_in_the_zone_of_the_browser(box: dict[str, Any]) -> None:
    when = (timezone.now() + timedelta(days=3)).replace(hour=12, minute=34)
    send(box, when.isoformat())
    page = reverse("outbox", args=[box["account"].pk])
    ours = f"{when.astimezone(timezone.get_default_timezone()):%H:%M}"
    for name, shown in (("UTC", "12:34"), ("Asia/Kolkata", "18:04"), ("Pacific/Marquesas", "03:04"), ("Nada", ours)):
        box["client"].cookies["zone"] = name
        assert shown in box["client"].get(page).content.decode()
    assert timezone.get_current_timezone() == timezone.get_default_timezone()


# --- The outbox --------------------------------------------------------------------------------------------------------------
def outgoing(box: dict[str, Any], people: list[str], **more: Any) -> Outgoing:
    made = sending.enqueue(
        account=box["account"],
        raw=b"Subject: Muchos\r\n\r\nx",
        sender=box["made"].address,
        recipients=people,
        subject="Muchos",
        message_id="<m@x.test>",
        send_at=timezone.now() + timedelta(days=1),
    )
    Outgoing.objects.filter(pk=made.pk).update(**more)
    return made


def test_five_hundred_recipients_are_told_in_a_few_lines(box: dict[str, Any]) -> None:
    people = [f"p{index:03}@x.test" for index in range(500)]
    results = {one: [421, "4.7.0 Try later"] for one in people} | {people[7]: [550, "5.1.1 Nobody <here>"]}
    outgoing(box, people, error="deferred", results=results)
    page = box["client"].get(reverse("outbox", args=[box["account"].pk])).content.decode()
    assert page.count("421 4.7.0 Try later") == 1
    assert page.count("550 5.1.1 Nobody &lt;here&gt;") == 1
    assert "y 495 más" in page
    assert "y 494 más" in page
    assert page.count("p499@x.test") == 2


def test_few_recipients_stand_there_whole(box: dict[str, Any]) -> None:
    outgoing(box, ["a@x.test", "b@x.test"])
    page = box["client"].get(reverse("outbox", args=[box["account"].pk])).content.decode()
    assert "a@x.test, b@x.test" in page
    assert "<details" not in page


# --- A draft that was sent ---------------------------------------------------------------------------------------------------
def edit(box: dict[str, Any], draft: Any, **headers: str) -> Any:
    new = reverse("compose_new", args=[box["account"].pk])
    of = {"kind": "edit", "folder": encode_folder(draft.folder), "of": f"{draft.validity}.{draft.id}"}
    return box["client"].get(new, of, headers=headers)


def test_going_on_with_a_draft_that_is_on_its_way_says_so(box: dict[str, Any]) -> None:
    send(box)
    draft = Composing.objects.get().draft
    answer = edit(box, draft, **HTMX)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "ya va en camino" in text
    assert reverse("outbox", args=[box["account"].pk]) in text
    assert 'class="compose"' not in text
    assert edit(box, draft).headers["Location"] == reverse("outbox", args=[box["account"].pk])
    assert Composing.objects.count() == 1


def test_going_on_with_a_draft_that_was_sent_says_so(box: dict[str, Any]) -> None:
    send(box, to=box["made"].address)
    draft = Composing.objects.get().draft
    one = Outgoing.objects.get()
    sending.send_now(outgoing=one)
    sending.deliver(one.pk)
    assert "ya se envió" in edit(box, draft, **HTMX).content.decode()
    page = box["client"].get(box["url"], follow=True)
    assert "ya se envió" in page.content.decode()
    Composing.objects.all().delete()
    answer = edit(box, draft, **HTMX)
    assert answer.status_code == 200
    assert "ya no está" in answer.content.decode()


def test_a_draft_is_gone_on_with_in_its_own_composer(box: dict[str, Any]) -> None:
    data = {"do": "save", "plain": "1", "text": "uno"}
    box["client"].post(box["url"], data, headers={"X-Requested-With": "fetch"})
    composing = Composing.objects.get()
    Composing.objects.update(text="uno, y más que el servidor no tiene", failed="down")
    assert edit(box, composing.draft).headers["Location"] == box["url"]
    assert "el servidor no tiene" in box["client"].get(box["url"]).content.decode()


def test_composers_are_called_by_subject_or_whom_they_go_to(box: dict[str, Any]) -> None:
    from webmail.templatetags.mailpage import composer_title

    assert composer_title(Composing(subject=" Hola ", to="b@x.test")) == "Hola"
    assert composer_title(Composing(to="Beto Núñez <b@x.test>, c@x.test")) == "Beto Núñez"
    assert composer_title(Composing(to="c@x.test")) == "c@x.test"
    assert composer_title(Composing()) == gettext("New message")


def test_without_a_script_the_text_wins_over_what_an_editor_left(box: dict[str, Any]) -> None:
    rich = {"do": "save", "plain": "0", "html": "<p>uno</p>", "text": "uno"}
    box["client"].post(box["url"], rich, headers={"X-Requested-With": "fetch"})
    data = {**rich, "to": "b@x.test", "do": "send", "scriptless": "1", "text": "uno\r\ndos"}
    box["client"].post(box["url"], data)
    assert b"dos" in bytes(Outgoing.objects.get().raw)
