"""The pane of an opened message, drawn quickly: the template draws what stands around a message once for each form that it can
have, with marks where the message's own words and addresses go; then only those are put in."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from webmail.services.folders import folder_label
from webmail.services.opened import Opened
from webmail.services.tags import Tag
from webmail.tokens import encode_folder
from webmail.values import Flag, Folder, FolderId, Ref

FORMS_KEPT = 1_000

_SEED = secrets.randbelow(10**9)
_WORDS = ("subject", "who", "message_id", "label", "n", "total", "position", "part", "csrf", "change", "back", "before",
          "after", "conversation", "compose", "sender")  # fmt: skip
_MARKS: dict[str, str] = {name: f"zq{_SEED:09}{name.replace('_', '')}qz" for name in _WORDS}
_ACCOUNT, _VALIDITY, _UID = (7_000_000_000_000_000 + place * 1_000_000_000 + _SEED for place in (1, 2, 3))
_FOLDER = FolderId(f"zq{_SEED:09}folder")
_NAMES = {
    **{mark: name for name, mark in _MARKS.items()},
    str(_ACCOUNT): "account",
    str(_VALIDITY): "validity",
    str(_UID): "uid",
    encode_folder(_FOLDER): "folder",
}
_PATTERN = re.compile("(" + "|".join(map(re.escape, _NAMES)) + ")")


@dataclass(frozen=True, slots=True)
class Around:
    """Where an opened message stands: addresses of its list and of what is done with it, place ("" where it has none)."""

    account_id: int
    folder: Folder
    ref: Ref
    flags: frozenset[str]
    tags: list[Tag]
    all_tags: list[Tag]
    position: int
    total: int
    change: str
    back: str
    before: str
    after: str
    conversation: str
    compose: str
    images: str


def draw_letter(request: HttpRequest, opened: Opened, around: Around) -> SafeString:
    """The whole pane, byte for byte what templates/webmail/letter.html draws of the same."""
    ref = around.ref
    values: dict[str, str] = {
        "subject": escape(opened.subject or _("(no subject)")),
        "who": escape(opened.who or "…"),
        "sender": escape(quote(opened.sender, safe="")),
        "message_id": escape(quote(opened.message_id, safe="")),
        "label": escape(str(folder_label(around.folder))),
        "n": escape(number_format(around.position + 1)),
        "total": escape(number_format(around.total)),
        "position": str(around.position),
        "part": opened.part.replace(opened.mark, escape(around.images)),
        "csrf": get_token(request),
        "change": escape(around.change),
        "back": escape(around.back),
        "before": escape(around.before),
        "after": escape(around.after),
        "conversation": escape(around.conversation),
        "compose": escape(around.compose),
        "account": str(around.account_id),
        "validity": str(ref.validity),
        "uid": ref.id,
        "folder": encode_folder(ref.folder),
    }
    pieces = _form(around, opened.is_list)
    return SafeString("".join(values[piece] if at % 2 else piece for at, piece in enumerate(pieces)))


_forms: OrderedDict[tuple[Any, ...], list[str]] = OrderedDict()


def _form(around: Around, is_list: bool) -> list[str]:
    """The text around, by turns with the name of what goes between. One is drawn for each form: language, kind of folder,
    marks, whether there is a message before and after."""
    flags = around.flags
    state = tuple(flag in flags for flag in (Flag.SEEN, Flag.FLAGGED, Flag.ANSWERED, Flag.FORWARDED))
    tags, offered = tuple(map(_tag_key, around.tags)), tuple(map(_tag_key, around.all_tags))
    there = (bool(around.before), bool(around.after), around.position >= 0, is_list)
    key = (get_language(), around.folder.role, state, tags, offered, there)
    form = _forms.get(key)
    if form is None:
        context = _marked_context(
            around, dict(zip(("seen", "flagged", "answered", "forwarded"), state, strict=True)), there
        )
        pieces = _PATTERN.split(render_to_string("webmail/letter.html", context))
        form = [_NAMES[piece] if at % 2 else piece for at, piece in enumerate(pieces)]
        _forms[key] = form
        while len(_forms) > FORMS_KEPT:
            _forms.popitem(last=False)
    return form


def _tag_key(tag: Tag) -> tuple[str, str, str]:
    """What a tag is drawn by; the name of one of Thunderbird's follows from its keyword and the language."""
    return tag.keyword.lower(), tag.name if isinstance(tag.name, str) else "", tag.css


def _marked_context(around: Around, state: Mapping[str, bool], there: tuple[bool, bool, bool, bool]) -> dict[str, Any]:
    """The context of the template with marks in place of words and addresses."""
    before, after, placed, is_list = there
    folder = Folder(id=_FOLDER, path=(_MARKS["label"],), role=around.folder.role)
    sender = SimpleNamespace(display=_MARKS["who"], email=_MARKS["sender"])
    summary = SimpleNamespace(
        subject=_MARKS["subject"],
        sender=[sender],
        message_id=_MARKS["message_id"],
        flagged=state["flagged"],
        answered=state["answered"],
        forwarded=state["forwarded"],
    )
    return {
        "account": SimpleNamespace(pk=str(_ACCOUNT)),
        "letter": SimpleNamespace(folder=folder, tags=around.tags, position=0 if placed else -1),
        "place_n": _MARKS["n"],
        "place_total": _MARKS["total"],
        "place_at": _MARKS["position"],
        "summary": summary,
        "ref": SimpleNamespace(folder=_FOLDER, validity=str(_VALIDITY), id=str(_UID)),
        "seen": state["seen"],
        "part": SafeString(_MARKS["part"]),
        "csrf_token": _MARKS["csrf"],
        "change_url": _MARKS["change"],
        "back_url": _MARKS["back"],
        "before_url": _MARKS["before"] if before else "",
        "after_url": _MARKS["after"] if after else "",
        "conversation_url": _MARKS["conversation"],
        "compose_url": _MARKS["compose"],
        "is_list": is_list,
        "all_tags": around.all_tags,
    }
