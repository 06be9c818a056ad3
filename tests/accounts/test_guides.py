"""Set-up guides: every program in both protocols and languages, with the values of the one object and no password."""

from __future__ import annotations

import plistlib
import re
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import AppPassword, MailAccount, Mailbox, MailboxUsage, ProgramUse
from accounts.services.login import account_of_mailbox
from accounts.services.recommend import Seen, advise
from accounts.setup.guides import steps_for
from accounts.setup.programs import PROGRAMS, find_program
from accounts.setup.qr import draw_qr
from accounts.setup.values import Choice, Place, SetupValues
from tests.accounts.test_app_password_pages import enter

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def values(**choice: Any) -> SetupValues:
    return SetupValues(
        domain="prueba.test",
        provider="Correo Prueba",
        imap=(Place("in.casa.test", 993, "tls"),),
        pop3=(Place("pop.casa.test", 995, "tls"),),
        smtp=(Place("out.casa.test", 465, "tls"), Place("out.casa.test", 587, "starttls")),
        choice=Choice(**choice),
    )


def text_of(slug: str, protocol: Any, **choice: Any) -> str:
    program = find_program(slug)
    assert program
    with translation.override("en"):
        steps = steps_for(program, protocol, values(**choice), "ana@prueba.test", profile=True)
    assert steps
    return "\n".join([step.text + "".join(f" [{one.label}: {one.value}]" for one in step.fields) for step in steps])


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda one: one.slug)
def test_every_guide_has_its_exact_values(program: Any, protocol: str) -> None:
    text = text_of(program.slug, protocol)
    assert "ana@prueba.test" in text
    assert "password" in text
    assert "above" not in text  # it stands on paper too
    if program.slug != "thunderbird":  # which finds them
        host, port = ("in.casa.test", "993") if protocol == "imap" else ("pop.casa.test", "995")
        assert host in text
        assert "out.casa.test" in text
        if program.slug != "apple-mail":  # which has no place for them
            assert port in text
            assert "465" in text
    assert ("pop.casa.test" in text) == (protocol == "pop3" and program.slug != "thunderbird")
    assert "%(" not in text


def test_how_long_copies_stay_is_said_as_each_program_can() -> None:
    assert "[For at most: 30]" in text_of("thunderbird", "pop3", leave_days=30)
    assert "“Leave messages on server” is off" in text_of("thunderbird", "pop3", leave_days=0)
    assert "[Days: 30]" in text_of("outlook", "pop3", leave_days=30)
    assert "Take the tick off" in text_of("outlook", "pop3", leave_days=0)
    for days, words in (
        (0, "Right away"),
        (1, "After one day"),
        (5, "After one week"),
        (14, "After one month"),
        (60, "When moved"),
    ):
        assert words in text_of("apple-mail", "pop3", leave_days=days)
    for days, words in ((0, "When removed from Inbox"), (7, "Seven days"), (14, "Never")):
        assert words in text_of("iphone", "pop3", leave_days=days)
    for slug in ("gmail", "thunderbird-android"):
        assert "cannot leave copies for some days" in text_of(slug, "pop3")
    assert "Leave copies for 1 day," in text_of("other", "pop3", leave_days=1)
    for program in PROGRAMS:
        assert "server” is o" not in text_of(program.slug, "imap")


def test_a_protocol_that_is_shut_has_no_guide() -> None:
    program = find_program("other")
    assert program
    assert steps_for(program, "pop3", values(pop3=False), "a@b.test", profile=False) is None


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page_is_there_on_screen_and_on_paper(mailbox_factory: Any, language: str) -> None:
    client, account = enter(mailbox_factory("ana"), language)
    for program in PROGRAMS:
        for protocol in ("imap", "pop3"):
            for name in ("guide", "guide_print"):
                answer = client.get(reverse(name, args=[account.pk, program.slug]), {"protocol": protocol})
                page = answer.content.decode()
                assert answer.status_code == 200
                assert answer.context["protocol"] == protocol
                assert "localhost" in page
                assert account.address in page
                assert 'class="qr"' in page


def test_the_guide_follows_the_mode_of_the_mailbox_until_another_is_chosen(mailbox_factory: Any) -> None:
    client, account = enter(mailbox_factory("ana"))
    account.mode, account.leave_days = MailAccount.Mode.DOWNLOAD, 9
    account.save()
    url = reverse("guide", args=[account.pk, "outlook"])
    page = client.get(url).content.decode()
    assert "[Days" not in page
    assert ">9<" in page
    assert client.get(url, {"protocol": "imap"}).context["protocol"] == "imap"
    assert client.get(url, {"protocol": "smtp"}).context["protocol"] == "pop3"


def test_the_first_guide_is_that_of_the_device(mailbox_factory: Any) -> None:
    client, account = enter(mailbox_factory("ana"))
    for agent, slug in (("Mozilla/5.0 (iPhone; CPU)", "iphone"), ("Mozilla/5.0 (Linux; Android 15)", "thunderbird-android"),
                        ("Mozilla/5.0 (Macintosh)", "apple-mail"), ("curl", "thunderbird")):  # fmt: skip
        answer = client.get(reverse("guide_home", args=[account.pk]), headers={"User-Agent": agent})
        assert answer["Location"] == reverse("guide", args=[account.pk, slug])


def test_a_mailbox_without_programs_and_one_of_another_server_say_so(mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    client, account = enter(ana)
    ana.mailbox.pop3 = False
    ana.mailbox.save()
    page = client.get(reverse("guide", args=[account.pk, "other"]), {"protocol": "pop3"})
    assert (page.context["protocol"], page.context["protocols"]) == ("imap", ("imap",))
    other = MailAccount.objects.create(
        owner=account.owner, address="a@otra.test", imap_host="imap.otra.test", login="ana"
    )
    text = client.get(reverse("guide", args=[other.pk, "other"])).content.decode()
    assert "does not know where this provider takes mail" in text
    other.smtp_host = "smtp.otra.test"
    other.save()
    text = client.get(reverse("guide", args=[other.pk, "iphone"])).content.decode()
    assert "imap.otra.test" in text
    assert "smtp.otra.test" in text
    assert "Make the profile" not in text
    assert "Devices' passwords" not in client.get(reverse("guide_print", args=[other.pk, "other"])).content.decode()


# --- the QR code -------------------------------------------------------------------------------------------------------


def test_the_code_leads_to_the_guide_and_nowhere_else(tmp_path: Path) -> None:
    """Drawn by Chromium's own decoder it cannot be; the drawing is turned back into modules and compared with what it says."""
    import segno

    url = "https://correo.example.org/mail/12/setup/thunderbird-android/?protocol=pop3"
    drawing = draw_qr(url)
    matrix = segno.make_qr(url, error="m").matrix
    dark = set()
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", drawing.path):
        dark |= {(int(x) + step - 4, int(y) - 4) for step in range(int(length))}
    assert dark == {(x, y) for y, row in enumerate(matrix) for x, cell in enumerate(row) if cell}
    assert drawing.size == len(matrix) + 8


# --- the profile -------------------------------------------------------------------------------------------------------


def profile_of(client: Client, account: MailAccount, **data: str) -> Any:
    url = reverse("profile_make", args=[account.pk, "iphone"])
    return client.post(url, {"protocol": "imap", "device": "iPhone de Ana"} | data, follow=True)


def test_the_profile_is_signed_and_its_password_opens_the_mailbox(mailbox_factory: Any, stack: Any, imap: Any) -> None:
    ana = mailbox_factory("ana", name="Ana Díaz")
    client, account = enter(ana)
    answer = profile_of(client, account)
    assert answer["Content-Type"] == "application/x-apple-aspen-config"
    assert answer["Cache-Control"] == "no-store, private"
    verify = [
        "openssl",
        "cms",
        "-verify",
        "-inform",
        "DER",
        "-binary",
        "-CAfile",
        str(stack.ca_file),
        "-purpose",
        "any",
    ]
    found = subprocess.run(verify, input=answer.content, capture_output=True)
    assert found.returncode == 0, found.stderr
    mail = plistlib.loads(found.stdout)["PayloadContent"][0]
    assert (mail["EmailAddress"], mail["EmailAccountName"]) == (ana.address, "Ana Díaz")
    imap(ana.address, mail["IncomingPassword"])
    row = AppPassword.objects.get()
    assert (row.name, row.imap, row.pop3, row.smtp, row.sieve) == ("iPhone de Ana", True, False, True, False)


def test_the_way_to_a_profile_holds_once_and_for_one_account(mailbox_factory: Any) -> None:
    client, account = enter(mailbox_factory("ana"))
    way = client.post(reverse("profile_make", args=[account.pk, "iphone"]), {"protocol": "pop3"})["Location"]
    assert client.head(way).status_code == 200
    assert not AppPassword.objects.exists()
    assert client.get(way).status_code == 200
    assert client.get(way, follow=True).redirect_chain[0][0] == reverse("guide", args=[account.pk, "iphone"])
    assert AppPassword.objects.count() == 1
    stranger, own = enter(mailbox_factory("beto"))
    other = client.post(reverse("profile_make", args=[account.pk, "iphone"]), {"protocol": "imap"})["Location"]
    assert stranger.get(other).status_code == 404
    assert stranger.get(other.replace(f"/mail/{account.pk}/", f"/mail/{own.pk}/")).status_code == 404
    assert client.get(other[:-3] + "x/").status_code == 404
    assert Client().get(other)["Location"].startswith("/accounts/login/")
    assert AppPassword.objects.count() == 1


def test_a_device_that_comes_again_gets_another_password(mailbox_factory: Any) -> None:
    client, account = enter(mailbox_factory("ana"))
    for _time in range(2):
        assert profile_of(client, account).status_code == 200
    assert sorted(AppPassword.objects.values_list("name", flat=True)) == ["iPhone de Ana", "iPhone de Ana 2"]


def test_strangers_and_wrong_methods(mailbox_factory: Any) -> None:
    _client, account = enter(mailbox_factory("ana"))
    stranger, _own = enter(mailbox_factory("beto"))
    for name, args in (("guide_home", []), ("guide", ["other"]), ("guide_print", ["other"])):
        url = reverse(name, args=[account.pk, *args])
        assert stranger.get(url).status_code == 404
        assert Client().get(url)["Location"].startswith("/accounts/login/")
        assert stranger.post(url).status_code == 405
    assert stranger.post(reverse("profile_make", args=[account.pk, "iphone"])).status_code == 404
    assert stranger.get(reverse("profile_make", args=[account.pk, "iphone"])).status_code == 405
    client, account = enter(mailbox_factory("eva"))
    for url in (reverse("guide", args=[account.pk, "pine"]), reverse("guide_print", args=[account.pk, "x"])):
        assert client.get(url).status_code == 404
    assert client.post(reverse("profile_make", args=[account.pk, "gmail"]), {"protocol": "imap"}).status_code == 404


def test_a_device_without_a_good_name_gets_no_profile(mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    client, account = enter(ana)
    url = reverse("profile_make", args=[account.pk, "iphone"])
    for device in ("", "   ", "x" * 61, "iPhone\0", "a\u202eb", "a\nb"):
        answer = client.post(url, {"protocol": "imap", "device": device, "current": ana.password})
        assert answer.status_code == 422
        assert answer.context["question"].errors["device"]
        assert 'id="id_device_error"' in answer.content.decode()
    assert not AppPassword.objects.exists()


# --- the recommendation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "protocol", "words"),
    [
        (Seen(), "imap", "shows everywhere"),
        (Seen(imap=1), "imap", "shows everywhere"),
        (Seen(imap=3), "imap", "3 programs"),
        (Seen(imap=1, pop3=1, removes=True, full=0.99), "imap", "2 programs"),
        (Seen(pop3=1, removes=True), "pop3", "one program"),
        (Seen(pop3=1), "imap", "shows everywhere"),
        (Seen(imap=3, full=0.97), "imap", "97 % of the space is taken, so make room"),
        (Seen(full=0.953), "pop3", "POP3: 95 %"),
        (Seen(full=1.0, most_days=0), "pop3", "without copies: the mailbox is full"),
        (Seen(full=0.96, most_days=5), "pop3", "for 5 days at most: 96 %"),
        (Seen(full=0.96, most_days=3650, every_days=True), "pop3", "POP3: 96 %"),
        (Seen(full=0.4, full_on=date(2020, 12, 3), most_days=1), "pop3", "for 1 day at most: as it goes on"),
        (Seen(full=0.4, full_on=date(2999, 12, 3)), "imap", "shows everywhere"),
        (Seen(imap=1, full=0.89), "imap", "shows everywhere"),
    ],
)
def test_the_recommendation_and_its_reason(seen: Seen, protocol: str, words: str) -> None:
    with translation.override("en"):
        advice = advise(seen)
    assert advice.protocol == protocol
    assert words in advice.sentence


def test_the_page_recommends_room_to_a_full_mailbox_and_nothing_that_is_shut(mailbox_factory: Any) -> None:
    ana = mailbox_factory("ana")
    client, account = enter(ana)
    page = reverse("guide", args=[account.pk, "thunderbird"])
    MailboxUsage.objects.update_or_create(
        username=ana.address, defaults={"bytes": ana.mailbox.quota_bytes * 96 // 100, "messages": 9}
    )
    assert client.get(page).context["advice"].protocol == "pop3"
    Mailbox.objects.filter(pk=ana.mailbox.pk).update(pop3=False)
    answer = client.get(page)
    assert answer.context["advice"] is None
    assert b"Recom" not in answer.content


def test_the_page_recommends_by_what_was_seen(mailbox_factory: Any) -> None:
    from django.utils import timezone

    from accounts.models import LogPosition

    ana = mailbox_factory("ana")
    client, account = enter(ana)
    now = timezone.now()
    LogPosition.objects.create(path="x", began=now, checked=now)
    ProgramUse.objects.create(
        mailbox=ana.mailbox, protocol="pop3", network="192.0.2.0/24", first_at=now, last_at=now, deleted=4
    )
    assert account_of_mailbox(ana.mailbox) == account
    page = client.get(reverse("guide", args=[account.pk, "other"])).content.decode()
    assert "POP3: one program downloads this mailbox and removes what it has" in page
