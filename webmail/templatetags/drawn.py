"""Parts that are drawn once for the same values (see `webmail/views/drawing.py`): what each of them needs of a page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from django import template
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from accounts.models import MailAccount
from webmail.services.folders import TreeItem, folder_label
from webmail.services.tags import Tag
from webmail.services.threads import Entry
from webmail.templatetags.casilla import mail_date
from webmail.templatetags.mailpage import senders
from webmail.tokens import encode_folder
from webmail.values import Folder, FolderId, Query, Role
from webmail.views.addresses import message_address
from webmail.views.drawing import draw, render_part
from webmail.views.rows import TagDot, around_of, draw_rows, words_of

register = template.Library()

_MARK = secrets.token_hex(8)
_FOLDER, _PARENT, _LABEL = FolderId(f"{_MARK}folder"), FolderId(f"{_MARK}parent"), f"{_MARK}label"


class Number(NamedTuple):
    """A hosted mailbox, as parts name it."""

    number: int


class Plate(NamedTuple):
    """An account, as parts name it."""

    pk: int
    address: str
    downloads: bool
    mailbox: Number | None


_ANYBODY = Plate(7_000_000_000_000_000 + secrets.randbelow(10**12), "", False, None)
"""Stands for an account in what is drawn for all of them."""


class Place(NamedTuple):
    """A folder, as parts know it."""

    id: FolderId
    role: Role
    selectable: bool
    has_children: bool
    unread: int | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A line of the tree, as it is drawn."""

    folder: Place
    label: str
    icon: str
    level: int
    count: int
    bold: bool
    current: bool
    parent: str
    counts_all: bool


class Waiting(NamedTuple):
    """A downloaded account's line in the tree."""

    waiting: int


@register.simple_tag(takes_context=True)
def message_rows(context: dict[str, Any]) -> SafeString:
    """The rows of the page's list, or what holds their place."""
    if place := context.get("rows_place"):
        return SafeString(place)
    around = around_of(context["account"].pk, context["folder"], context["query"], context.get("places") or {})
    return draw_rows(context["page"].rows, around)


@register.simple_tag(takes_context=True)
def tree(context: dict[str, Any]) -> SafeString:
    """The folder tree."""
    pull, rivals = context.get("pull"), context.get("rivals") or ()
    values = {
        "account": _plate(context["account"]),
        "tree_top": tuple(map(_leaf, context["tree_top"])),
        "tree_own": tuple(map(_leaf, context["tree_own"])),
        "outgoing": context["outgoing"],
        "hidden_folders": context["hidden_folders"],
        "rival": str(folder_label(rivals[0].main)) if rivals else "",
        "accounts": tuple(map(_plate, context["accounts"])),
        "pull": Waiting(pull.waiting) if pull else None,
        "framed": bool(context.get("framed")),
    }
    return draw("webmail/tree.html", values)


@register.simple_tag(takes_context=True)
def tree_item(context: dict[str, Any], item: Leaf) -> SafeString:
    """A line of the tree. It is drawn once for each look that a line can have, whatever the folder: with marks where its name and
    its addresses go, in whose place they are put."""
    look = replace(
        item, folder=item.folder._replace(id=_FOLDER), label=_LABEL, parent=_PARENT if item.parent else FolderId("")
    )
    values = {"account": _ANYBODY, "item": look, "framed": bool(context.get("framed"))}
    text = str(draw("webmail/tree_item.html", values)).replace(str(_ANYBODY.pk), str(context["account"].pk))
    text = text.replace(encode_folder(_FOLDER), encode_folder(item.folder.id))
    if item.parent:
        text = text.replace(encode_folder(_PARENT), encode_folder(FolderId(item.parent)))
    return SafeString(text.replace(_LABEL, escape(item.label)))


class Item(NamedTuple):
    """What is written of another message of a conversation."""

    in_place: str
    url: str
    folder: str
    who: str
    snippet: str
    iso: str
    whole: str
    short: str


@register.simple_tag(takes_context=True)
def thread_item(context: dict[str, Any], entry: Entry) -> SafeString:
    """Another message of a conversation: the template draws it once, with marks where its texts go."""
    one, account, language = entry.summary, context["account"], get_language() or ""
    words = words_of(one.date, timezone.get_current_timezone(), language)
    texts = Item(
        message_address("message_in_place", account.pk, one.ref),
        message_address("message", account.pk, one.ref),
        str(folder_label(entry.folder)),
        senders(one.sender, account.address) or gettext("(no sender)"),
        one.snippet,
        words.iso,
        words.whole,
        mail_date(one.date),
    )
    first, *others = _item_pieces(one.unread and entry.folder.role is not Role.SENT, language)
    return SafeString(first + "".join(f"{escape(texts[slot])}{piece}" for slot, piece in others))


@lru_cache(maxsize=20)
def _item_pieces(unread: bool, language: str) -> tuple[Any, ...]:
    """What the template draws: the beginning, and for each text its number in `Item` and what stands after it."""
    first, *others = draw_item(Item._make(f"{_MARK}{slot}" for slot in range(len(Item._fields))), unread).split(_MARK)
    return first, *((int(other[0]), other[1:]) for other in others)


def draw_item(one: Item, unread: bool) -> str:
    """The same as the template draws it."""
    return render_part("webmail/thread_item.html", {"one": one, "unread": unread})


@register.simple_tag(takes_context=True)
def conversation_menu(context: dict[str, Any]) -> SafeString:
    """What can be done with a whole conversation, drawn once for so many messages in such a folder."""
    ref = context["ref"]
    values = {"here": context["conversation"].here, "role": context["folder"].role, "change_url": _LABEL, "ref": _MARK}
    text = str(draw("webmail/conversation_menu.html", values, csrf_token=str(context.get("csrf_token", ""))))
    return SafeString(
        text.replace(_LABEL, escape(context["change_url"])).replace(_MARK, escape(f"{ref.validity}.{ref.id}"))
    )


@register.simple_tag(takes_context=True)
def list_head(context: dict[str, Any]) -> SafeString:
    """The bars and menus above a list."""
    page, query = context["page"], context["query"]
    language = get_language() or ""
    values = {
        "account": _plate(context["account"]),
        "folder": _place(context["folder"]),
        "label": str(context["label"]),
        "query": query,
        "filtered": context["filtered"],
        "grouped": context["grouped"],
        "total": page.total,
        "mark": f"{page.page.validity}.{page.page.next_id}",
        "change_url": context["change_url"],
        "all_tags": tuple(_dot(tag, language) for tag in context["all_tags"]),
        "sorts": tuple(context["sorts"]),
        "threads": context["threads"],
        "filters": tuple(context["filters"]),
    }
    return draw("webmail/list_head.html", values, csrf_token=str(context.get("csrf_token", "")))


@register.simple_tag(takes_context=True)
def search_box(context: dict[str, Any]) -> SafeString:
    """The field to search in the open folder."""
    folder = context.get("folder")
    query: Query = context.get("query") or Query()
    values = {
        "account": _plate(context["account"]),
        "folder": _place(folder) if folder else None,
        "label": str(context.get("label", "")),
        "text": query.text,
        "sort": query.sort,
        "in_body": query.in_body,
    }
    return draw("webmail/search_box.html", values)


@register.simple_tag(takes_context=True)
def part(context: dict[str, Any], name: str) -> SafeString:
    """A part that depends on the account alone."""
    return draw(
        f"webmail/{name}.html", {"account": _plate(context["account"])}, csrf_token=str(context.get("csrf_token", ""))
    )


@register.simple_tag(takes_context=True)
def person_menu(context: dict[str, Any]) -> SafeString:
    """The menu of who is signed in."""
    account = context["account"]
    portal = account.mailbox_id is not None or bool(context["ui"]["portal"])
    values = {"account": _plate(account), "name": context["request"].user.name, "portal": portal}
    return draw("webmail/person_menu.html", values, csrf_token=str(context.get("csrf_token", "")))


@register.simple_tag(takes_context=True)
def live_word(context: dict[str, Any]) -> SafeString:
    """How closely the account is watched, to be told by the browser."""
    return draw("webmail/live_word.html", {"account": _plate(context["account"]), "beside": bool(context.get("pull"))})


@register.simple_tag(takes_context=True)
def wall(context: dict[str, Any]) -> SafeString:
    """The wall of boxes beside the door."""
    return draw("parts/wall.html", {"wall": _ui(context, "wall")})


@register.simple_tag(takes_context=True)
def stylesheets(context: dict[str, Any]) -> SafeString:
    """The links to the style sheets."""
    return draw("parts/stylesheets.html", {"stylesheets": _ui(context, "stylesheets")})


@register.simple_tag(takes_context=True)
def import_map(context: dict[str, Any]) -> SafeString:
    """Where the modules are."""
    return draw("parts/import_map.html", {"modules": _ui(context, "modules")})


def _ui(context: dict[str, Any], name: str) -> tuple[Any, ...]:
    """A list of files; a page that is drawn without a request has none."""
    files: tuple[Any, ...] = (context.get("ui") or {}).get(name, ())
    return files


def _plate(account: MailAccount) -> Plate:
    mailbox = account.mailbox
    return Plate(account.pk, account.address, account.downloads, Number(mailbox.number) if mailbox else None)


def _place(folder: Folder) -> Place:
    return Place(folder.id, folder.role, folder.selectable, folder.has_children, folder.unread)


def _leaf(item: TreeItem) -> Leaf:
    folder = _place(item.folder)._replace(unread=None)
    return Leaf(
        folder,
        str(item.label),
        item.icon,
        item.level,
        item.count,
        item.bold,
        item.current,
        item.parent,
        item.counts_all,
    )


def _dot(tag: Tag, language: str) -> TagDot:
    return TagDot(tag.keyword, str(tag.name), tag.css)
