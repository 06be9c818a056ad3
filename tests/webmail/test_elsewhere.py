"""Pictures from elsewhere, while one writes: not loaded, not lost, and sent with the address that they came with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from tests.webmail.test_pictures import FETCH, begin, box, media, related, sent
from webmail.markup.elsewhere import give_back, stand_in
from webmail.models import Composing
from webmail.tokens import encode_folder

__all__ = ["box", "media"]

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

REMOTE = "https://cdn.test/a b.png?x=1&y=%C3%A9#z"
KEPT = "https://cdn.test/a%20b.png?x=1&amp;y=%C3%A9#z"
HTML = f'<p>uno <img src="{REMOTE.replace("&", "&amp;")}" width="300" alt="Lienzo"></p>'


def test_what_stands_in_is_given_back_and_nothing_else() -> None:
    shown = stand_in("/static/")(REMOTE)
    assert shown.startswith("/static/img/elsewhere.svg#https%3A%2F%2Fcdn.test%2F")
    text, found = give_back(f'<img src="{shown}"><img src="/static/img/elsewhere.svg#javascript%3Ax">')
    assert text == '<img src="cid:elsewhere-0"><img >'
    assert list(found.values()) == ["https://cdn.test/a%20b.png?x=1&y=%C3%A9#z"]


def test_a_quotation_that_is_taken_in_keeps_its_pictures(box: dict[str, Any], imap: Any) -> None:
    composing = begin(box, imap, related("cita", HTML), "reply")
    url = reverse("compose", args=[box["account"].pk, composing.pk])
    taken = box["client"].get(f"{url}quote/", {"edit": "1"}).content.decode()
    assert "//cdn.test" not in taken
    assert 'src="/static/img/elsewhere.svg#https%3A%2F%2Fcdn.test%2Fa%2520b.png%3F' in taken
    assert 'alt="Lienzo"' in taken
    data = {"plain": "0", "html": f"<p>Respondo</p>{taken}", "drop_quote": "1"}
    box["client"].post(url, {"do": "save", **data}, headers=FETCH)
    draft = Composing.objects.get(pk=composing.pk).draft
    assert draft is not None
    Composing.objects.all().delete()
    of = {"kind": "edit", "folder": encode_folder(draft.folder), "of": f"{draft.validity}.{draft.id}"}
    again = box["client"].get(reverse("compose_new", args=[box["account"].pk]), of).headers["Location"]
    html = Composing.objects.get().html
    assert "elsewhere.svg#https%3A%2F%2Fcdn.test" in html
    box["client"].post(again, {"do": "send", "to": "b@x.test", "plain": "0", "html": html})
    out = sent().get_body(("html",)).get_content()
    assert f'src="{KEPT}"' in out
    assert "elsewhere" not in out


def test_there_is_a_picture_that_stands_in(settings: Any) -> None:
    assert (Path(settings.BASE_DIR) / "static" / "img" / "elsewhere.svg").exists()
