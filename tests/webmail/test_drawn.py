"""What is drawn once and kept must be what its template draws."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template.defaultfilters import date as format_date
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import MailAccount, Mailbox, User
from webmail.services.folders import folder_label
from webmail.services.reading import Row, RowPage
from webmail.services.tags import FIVE, Tag
from webmail.services.threads import Conversation, Entry
from webmail.services.whereabouts import Whereabouts
from webmail.templatetags.casilla import day_heading, mail_date
from webmail.templatetags.drawn import Item, Leaf, Place, Plate, draw_item, person_menu, thread_item, tree_item
from webmail.templatetags.mailpage import senders
from webmail.values import Address, Folder, FolderId, Page, Query, Ref, Role, Summary, Thread
from webmail.views.drawing import PLACE, Drawn, draw, drawn, render_part
from webmail.views.folders import draw_alone
from webmail.views.rows import Around, _day, draw_row, draw_rows, look_of, setting_of, texts_of, words_of

FOLDER = FolderId("Obra & <b>Ñandú</b>")
TEXT = st.text(max_size=40) | st.sampled_from(["", "<script>\"'&amp;", "%s %(n)d {{ x }} {% now %}", "\x02\x03\u2028"])
MOMENTS = st.integers(10**7, 4 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC))
FLAGS = st.frozensets(
    st.sampled_from(["\\Seen", "\\Answered", "\\Flagged", "$Forwarded", "$label1", "own<tag>", "Junk"]), max_size=7
)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    ref = Ref(FOLDER, draw(st.integers(1, 2**32 - 1)), str(draw(st.integers(1, 2**32 - 1))))
    flags = draw(FLAGS)
    summary = Summary(
        ref=ref,
        subject=draw(TEXT),
        sender=(Address(draw(TEXT), "a@b.test"),),
        recipients=(),
        sent=draw(MOMENTS | st.none()),
        received=draw(MOMENTS),
        size_bytes=draw(st.integers(0, 10**10)),
        flags=flags,
        snippet=draw(TEXT),
        has_attachment=draw(st.booleans()),
        defects=draw(st.sampled_from([(), ("date",)])),
    )
    count = draw(st.sampled_from([0, 1, 2, 1500]))
    tags = [tag for tag in [*FIVE, Tag("own<tag>", "Propia <i>", "tag--own3")] if tag.keyword in flags]
    thread = Thread((ref,) * count, unread=True) if count else None
    return Row(summary, draw(st.integers(-1, 10**6)), tags, None, draw(TEXT), draw(st.booleans()), thread)


@given(
    row=rows(),
    sort=st.sampled_from(["date", "from", "subject", "size"]),
    query=st.sampled_from(["", "?sort=from&dir=asc", "?q=%22%3C&unread=1"]),
    confirm=st.booleans(),
    placed=st.booleans(),
    language=st.sampled_from(["es", "en"]),
    zone=st.sampled_from(["UTC", "America/Santiago", "Asia/Kathmandu"]),
)
@settings(max_examples=100, deadline=None)
def test_a_row_is_what_its_template_draws(
    row: Row, sort: str, query: str, confirm: bool, placed: bool, language: str, zone: str
) -> None:
    places = {row.summary.ref: Whereabouts("until", timezone.now() + timedelta(days=2), 45)} if placed else {}
    around = Around(7, FOLDER, sort, query, confirm, places)  # type: ignore[arg-type]
    others = [
        replace(row, position=row.position + 7 if row.position >= 0 else -1),
        replace(row, who=row.who + "x"),
        row,
    ]
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        for one in (row, *others):  # kept by then, in other places
            assert draw_rows([one], around) == draw_row(
                look_of(one, around, language), texts_of(one, around, setting_of(around))
            )


@given(moment=MOMENTS, language=st.sampled_from(["es", "en"]), zone=st.sampled_from(["UTC", "America/Santiago"]))
@settings(max_examples=40, deadline=None)
def test_a_moment_and_a_day_are_told_as_templates_tell_them(moment: datetime, language: str, zone: str) -> None:
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        local = timezone.localtime(moment)
        words = words_of(moment, ZoneInfo(zone), language)
        assert (words.iso, words.clock) == (format_date(local, "c"), format_date(local, "H:i"))
        assert words.whole == format_date(local, "DATETIME_FORMAT")
        heading = {"heading": day_heading(local.date())}
        assert _day(local.date(), language, timezone.localdate()).decode() == render_part(
            "webmail/row_day.html", heading
        )


@given(row=rows(), role=st.sampled_from([Role.SENT, Role.NONE]), language=st.sampled_from(["es", "en"]))
@settings(max_examples=40, deadline=None)
def test_another_message_of_a_conversation_is_what_its_template_draws(row: Row, role: Role, language: str) -> None:
    account, one = (
        SimpleNamespace(pk=7, address="a@b.test"),
        replace(row.summary, sender=row.summary.sender * row.count),
    )
    entry = Entry(one, Folder(FOLDER, ("Obra <b>",), role=role))
    with translation.override(language), timezone.override(ZoneInfo("America/Santiago")):
        texts = Item(
            reverse("message_in_place", args=[7, FOLDER, one.ref.validity, one.ref.id]),
            reverse("message", args=[7, FOLDER, one.ref.validity, one.ref.id]),
            str(folder_label(entry.folder)),
            senders(one.sender, "a@b.test") or gettext("(no sender)"),
            one.snippet,
            format_date(timezone.localtime(one.date), "c"),
            format_date(timezone.localtime(one.date), "DATETIME_FORMAT"),
            mail_date(one.date),
        )
        assert thread_item({"account": account}, entry) == draw_item(texts, one.unread and role is not Role.SENT)


@given(many=st.lists(rows(), max_size=3))
@settings(max_examples=20, deadline=None)
def test_rows_alone_go_out_as_their_template_draws_them(many: list[Row]) -> None:
    account = SimpleNamespace(pk=7, downloads=False)
    folder, page = Folder(FOLDER, (), role=Role.TRASH), RowPage(many, Page((), 0, len(many), 1, Query()))
    box: Any = SimpleNamespace(account=account)
    context = {"account": account, "folder": folder, "query": Query(), "page": page}
    assert draw_alone(box, folder, page, Query()).content == render_to_string("webmail/rows.html", context).encode()


def test_a_part_is_drawn_anew_for_other_values_alone() -> None:
    drawn.forget()
    assert "Martes" in draw("webmail/row_day.html", {"heading": "Martes"})
    assert "<b>" not in draw("webmail/row_day.html", {"heading": "<b>"})
    assert drawn.get(("webmail/row_day.html", translation.get_language(), "Martes")) is not None


def test_parts_that_nobody_uses_make_room() -> None:
    kept = Drawn(limit_chars=10)
    for name in "abc":
        kept.keep(name, name * 4)
        kept.get("a")
    assert [kept.get(name) for name in "abc"] == ["aaaa", None, "cccc"]
    kept.keep("a", "a" * 11)
    assert kept.get("a") is None


@pytest.mark.server
def test_each_page_has_a_token_of_its_own(sign_in: Any) -> None:
    client, _made = sign_in()
    home = client.get("/", follow=True).redirect_chain[-1][0]
    pages = [client.get(home).content.decode() for _turn in range(2)]
    tokens = [set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)) for page in pages]
    assert all(len(token) == 64 for found in tokens for token in found)
    assert tokens[0]
    assert tokens[0].isdisjoint(tokens[1])
    assert PLACE not in pages[0]


FOLDERS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=20).map(FolderId)


@given(
    folder=st.builds(Place, FOLDERS, st.sampled_from(Role), st.booleans(), st.booleans(), st.none()),
    label=TEXT,
    level=st.integers(1, 5),
    count=st.sampled_from([0, 1, 2, 12_345]),
    switches=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    parent=FOLDERS | st.just(FolderId("")),
    framed=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_a_line_of_the_tree_is_the_octets_of_the_template(
    folder: Place, label: str, level: int, count: int, switches: tuple[bool, ...], parent: FolderId, framed: bool
) -> None:
    bold, current, counts_all = switches
    leaf = Leaf(folder, label, "folder", level, count, bold, current, parent, counts_all)
    values = {"account": Plate(17, "a@b.test", False, None), "item": leaf, "framed": framed}
    with translation.override("es"):
        drawn_so = tree_item({"account": values["account"], "framed": framed}, leaf)
        assert drawn_so == render_part("webmail/tree_item.html", values)


@pytest.mark.parametrize(("mailbox", "runs", "leads"), [(7, False, True), (None, True, True), (None, False, False)])
def test_the_menu_leads_to_the_portal_who_has_something_there(mailbox: int | None, runs: bool, leads: bool) -> None:
    hosted = Mailbox(pk=mailbox, number=2047) if mailbox else None
    account = MailAccount(pk=1, address="ana@x.test", mailbox=hosted)
    context = {"account": account, "request": SimpleNamespace(user=User(name="Ana")), "ui": {"portal": runs}}
    assert ("/portal/" in person_menu(context)) is leads


def test_the_menu_of_a_conversation_is_of_its_own_message() -> None:
    for validity, uid, here, role in ((7, "12", 2, Role.INBOX), (7, "13", 2, Role.INBOX), (8, "1", 1_500, Role.TRASH)):
        context = {
            "conversation": Conversation(here=here),
            "folder": Folder(id=FolderId("x"), path=("x",), role=role),
            "ref": Ref(FolderId("x"), validity, uid),
            "change_url": f"/mail/1/?q=<{uid}>&a",
            "csrf_token": f"token{uid}",
        }
        drawn = render_to_string("webmail/conversation.html#menu", context)
        assert f'name="ref" value="{validity}.{uid}"' in drawn
        assert f'action="/mail/1/?q=&lt;{uid}&gt;&amp;a"' in drawn
        assert f'name="csrfmiddlewaretoken" value="token{uid}"' in drawn
        assert drawn.count(f'data-whole="{here}"') == 7
        assert ("data-confirm" in drawn) is (role is Role.TRASH)
