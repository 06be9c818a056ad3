"""The answer to a change is what its template draws, whoever asked before."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from webmail.services.tags import FIVE, Tag
from webmail.values import Folder, FolderId, Ref, Role
from webmail.views.changes import CHANGED, draw_changed
from webmail.views.live import place_of

WORDS = st.sampled_from(["", "1 & <b>", "/mail/7/undo/a_-b/?x=1&y"])
OPEN = st.fixed_dictionaries(
    {
        "folder": st.sampled_from(
            [Folder(FolderId("INBOX"), ("INBOX",), role=Role.INBOX), Folder(FolderId("x"), ("<x>",))]
        ),
        "tags": st.lists(st.sampled_from([*FIVE, Tag("own<", "Propia <i>", "tag--own3")]), max_size=2),
    }
    | dict.fromkeys(("seen", "flagged", "answered", "forwarded"), st.booleans())
)
CONTEXTS = st.fixed_dictionaries(
    {"text": WORDS, "undo_url": WORDS, "gone": WORDS, "from_folder": st.sampled_from(["INBOX", "Ñ & <x>"])}
    | dict.fromkeys(("left", "nothing", "failed", "recount", "marks"), st.booleans())
    | {"open": st.none() | OPEN, "open_at": st.sampled_from([place_of(Ref(FolderId("Ñ"), 7, "3")), "[x='<&']"])}
)


@given(context=CONTEXTS, language=st.sampled_from(["es", "en"]))
@settings(max_examples=60, deadline=None)
def test_it_is_what_the_template_draws(context: dict[str, Any], language: str) -> None:
    with translation.override(language):
        whole = render_to_string(CHANGED, context | {"csrf_token": "t" * 64})
        for _turn in range(2):
            assert draw_changed(context, "t" * 64) == whole
