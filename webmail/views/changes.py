"""Acting on messages: one address for every action on one message, a selection or everything that a list shows."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from webmail.errors import FolderRenewed, Gone, LoginRefused, MailError
from webmail.services import organising, undo
from webmail.services.composing import new_composing
from webmail.services.folders import folder_label
from webmail.services.letters import FORWARD_LIMIT, begin_forward
from webmail.services.organising import MARKS, Change
from webmail.services.reading import find_folder
from webmail.services.space import forget as forget_space
from webmail.services.tags import Tag
from webmail.services.uploads import TooLarge
from webmail.services.whereabouts import COPIES, decide, whereabouts
from webmail.tokens import decode_folder
from webmail.values import Folder, FolderId, Query, Ref
from webmail.views.box import Box, open_box
from webmail.views.drawing import draw
from webmail.views.live import letter_state, place_of
from webmail.views.query import query_of
from webmail.views.states import state_of

REFS_LIMIT = 20_000
"""Messages that may be named one by one; for more, the list is named whole."""
GONE_LIMIT = 500
"""Messages that the page is told of one by one when they left."""

_REF = re.compile(r"([0-9]{1,10})\.([0-9A-Za-z]{1,64})(\*?)")
_KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|~]{1,100}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done: the action, its folder or tag, and to which messages. `known` are folders as they were listed
    a short while ago; with none of them the server is asked."""

    box: Box
    refs: Sequence[Ref]
    data: Mapping[str, str]
    known: Sequence[Folder] = ()

    def folder(self) -> Folder:
        """The folder that `to` names. Raises FolderGone, and ValueError when it names none."""
        wanted = decode_folder(self.data.get("to", ""))
        if any(folder.id == wanted for folder in self.known):
            return find_folder(self.known, wanted)
        return find_folder(self.box.source.folders(), wanted)

    def keyword(self) -> str:
        """The tag's keyword. Raises ValueError when it is none."""
        keyword = self.data.get("tag", "")
        if not _KEYWORD.fullmatch(keyword):
            raise ValueError("no keyword")
        return keyword


def _mark(name: str) -> Callable[[Wish], Change]:
    add, remove = MARKS[name]
    return lambda wish: organising.mark(wish.box.source, wish.refs, add=add, remove=remove)


def _decide(name: str) -> Callable[[Wish], Change]:
    return lambda wish: decide(wish.box.account, wish.refs, what=name)


ACTIONS: dict[str, Callable[[Wish], Change]] = {
    **{name: _mark(name) for name in MARKS},
    "tag": lambda wish: organising.mark(wish.box.source, wish.refs, add=[wish.keyword()]),
    "untag": lambda wish: organising.mark(wish.box.source, wish.refs, remove=[wish.keyword()]),
    "move": lambda wish: organising.move(wish.box.source, wish.refs, wish.folder()),
    "copy": lambda wish: organising.copy(wish.box.source, wish.refs, wish.folder()),
    "archive": lambda wish: organising.archive(
        wish.box.source, wish.refs, by=wish.box.account.owner.archive_by, known=wish.known
    ),
    "junk": lambda wish: organising.junk(wish.box.source, wish.refs, known=wish.known),
    "ham": lambda wish: organising.not_junk(wish.box.source, wish.refs),
    "delete": lambda wish: organising.delete(wish.box.source, wish.refs, known=wish.known),
    "purge": lambda wish: organising.purge(wish.box.source, wish.refs),
    **{name: _decide(name) for name in COPIES},
}
QUIET = frozenset({*MARKS, "tag", "untag", *COPIES})
"""Actions that leave the messages where they are."""
UNCOUNTED = frozenset({"star", "unstar", "tag", "untag", *COPIES})
"""Actions after which every folder has the same counts."""


@login_required
@require_POST
def messages_change(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Does `do` to the messages named by `ref` (VALIDITY.UID, repeated) or `refs` (joined by commas), or with `all` to all of
    the list that the address names, but for `except` and for those that came after it was drawn (`all` is VALIDITY.UID of
    the message that would have been next). A star after a ref means all that its row stands for, `whole` the whole
    conversation in this folder. `open` is the message that the page shows. Answers with a toast and what it changes."""
    do, _space, tag = request.POST.get("do", "").partition(" ")
    if do == "forward_attached":
        return _forward_attached(request, account_id, folder_id)
    action = ACTIONS.get(do)
    if action is None:
        return HttpResponseBadRequest()
    with open_box(request, account_id) as box:
        try:
            refs = _refs(box, folder_id)
            data = request.POST.dict() | ({"tag": tag} if tag else {})
            change = _done(action, Wish(box, refs, data, box.known_folders())) if refs else Change(0)
        except ValueError:
            return HttpResponseBadRequest()
        except LoginRefused:
            raise
        except MailError as error:
            return _answer(box, folder_id, str(state_of(error).title), status=state_of(error).status)
        token = undo.keep(request.user.pk or 0, account_id, change.undo) if change.undo and change.count else ""
        left = set(refs) if do not in QUIET and change.count else set()
        return _answer(
            box,
            folder_id,
            _words(do, change),
            token=token,
            left=left,
            nothing=not change.count,
            flags=change.flags or None,
            recount=do not in UNCOUNTED,
            marks=do in MARKS,
        )


def _done(action: Callable[[Wish], Change], wish: Wish) -> Change:
    """Does it; once more with the folders of now, when one of those that were known may be the one that is not there."""
    try:
        return action(wish)
    except Gone:
        if not wish.known:
            raise
        return action(replace(wish, known=()))


def _forward_attached(request: HttpRequest, account_id: int, folder_id: FolderId) -> HttpResponse:
    """Opens a composer with the messages as its attachments; says so when they are too many or too large for one."""
    with open_box(request, account_id) as box:
        try:
            refs = _refs(box, folder_id)
        except ValueError:
            return HttpResponseBadRequest()
        composing = new_composing(box.account)
        try:
            begin_forward(composing, box.source, refs)
        except ValueError:
            text = _("At most %(n)d messages can be passed on in one.") % {"n": FORWARD_LIMIT}
            return _answer(box, folder_id, text, nothing=True)
        except TooLarge:
            text = _("Together these messages are larger than one message may be.")
            return _answer(box, folder_id, text, nothing=True)
        except Gone as error:
            return _answer(box, folder_id, str(state_of(error).title), status=410)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("compose", account_id, composing.pk)
    return render(request, "webmail/compose.html#reopened", {"composing": composing, "account": composing.account})


@login_required
@require_POST
def change_undo(request: HttpRequest, account_id: int, token: str) -> HttpResponse:
    """Takes back what a toast told of; `from` is the folder that the page shows."""
    with open_box(request, account_id) as box:
        try:
            folder_id = decode_folder(request.POST.get("from", ""))
        except ValueError:
            return HttpResponseBadRequest()
        if not folder_id:
            return HttpResponseBadRequest()
        kept = undo.take(request.user.pk or 0, account_id, token)
        if kept is None:
            return _answer(box, folder_id, _("This can no longer be undone."), status=410)
        try:
            count = organising.take_back(box.source, kept)
        except LoginRefused:
            raise
        except MailError as error:
            return _answer(box, folder_id, str(state_of(error).title), status=state_of(error).status)
        text = ngettext("Undone: %(n)d message is as it was.", "Undone: %(n)d messages are as they were.", count)
        space = reverse("space", args=[account_id])
        if urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")).path == space:
            forget_space(box.account)
            notices.info(request, text % {"n": count})  # its list of big messages is read anew
            return HttpResponseClientRedirect(space) if request.htmx else redirect(space)  # type: ignore[attr-defined]
        return _answer(box, folder_id, text % {"n": count})


def _refs(box: Box, folder_id: FolderId) -> list[Ref]:
    """The messages that the request names. Raises ValueError for what is no ref."""
    data = box.request.POST
    if data.get("all"):
        limit = parse_refs(folder_id, data["all"])[0]
        out = set(_expanded(box, folder_id, data.get("except", "")))
        found = box.source.refs(folder_id, query_of(box.request))
        if any(ref.validity != limit.validity for ref in found[:1]):
            raise FolderRenewed("the folder was made anew")
        newest = int(limit.id) or sys.maxsize
        return [ref for ref in found if ref not in out and int(ref.id) < newest]
    refs = _expanded(box, folder_id, ",".join([data.get("refs", ""), *data.getlist("ref")]))
    return box.source.conversations(refs, Query()) if data.get("whole") and refs else refs


def _expanded(box: Box, folder_id: FolderId, text: str) -> list[Ref]:
    """The refs of a text; one with a star stands for all messages of the list that are in its conversation."""
    words = text.split(",")
    if len(words) > REFS_LIMIT:
        raise ValueError("too many")
    refs = parse_refs(folder_id, text)
    heads = parse_refs(folder_id, ",".join(word for word in words if word.endswith("*")))
    behind = box.source.conversations(heads, query_of(box.request)) if heads else []
    return list(dict.fromkeys([*refs, *behind]))


def parse_refs(folder_id: FolderId, text: str) -> list[Ref]:
    """Messages of a folder from VALIDITY.UID, joined by commas; stars are let go. Raises ValueError."""
    refs = []
    for word in filter(None, text.split(",")):
        match = _REF.fullmatch(word)
        if match is None:
            raise ValueError("no ref")
        refs.append(Ref(folder_id, int(match[1]), match[2]))
    return list(dict.fromkeys(refs))


def _answer(
    box: Box,
    folder_id: FolderId,
    text: str,
    *,
    token: str = "",
    left: Collection[Ref] = (),
    nothing: bool = False,
    status: int = 200,
    flags: Mapping[Ref, frozenset[str]] | None = None,
    recount: bool = True,
    marks: bool = False,
) -> HttpResponse:
    """The toast, a sign that the tree's counts have changed, and the state of the open message, from the `flags` that messages
    have now where they are told; with `marks` nothing but marks has changed. Without htmx the list, with the toast."""
    undo_url = _undo_url(box.account.pk, token) if token else ""
    if not box.request.htmx:  # type: ignore[attr-defined]
        notices.info(box.request, text, extra_tags=undo_url)
        query = box.request.META.get("QUERY_STRING", "")
        return redirect(box.url("folder", folder_id) + (f"?{query}" if query else ""))
    shown = _open_ref(box, folder_id)
    context = {
        "text": text,
        "undo_url": undo_url,
        "from_folder": folder_id,
        "left": bool(left),
        "gone": _told_gone(left, shown),
        "nothing": nothing,
        "failed": status >= 400,
        "open": letter_state(box, None if shown in left else shown, flags),
        "open_at": place_of(shown) if shown else "",
        "recount": recount,
        "marks": marks,
        **_open_place(box, folder_id),
    }
    if box.account.downloads:
        return render(box.request, CHANGED, context, status=status)
    return HttpResponse(draw_changed(context, get_token(box.request)), status=status)


class Open(NamedTuple):
    """How the message is marked that the page shows, as `letter_state` tells it."""

    folder: Folder
    tags: tuple[Tag, ...]
    seen: bool
    flagged: bool
    answered: bool
    forwarded: bool


def draw_changed(context: Mapping[str, Any], csrf_token: str) -> str:
    """The answer, drawn once for what it says and what is marked: with marks where an address and refs go."""
    shown, undo_url, gone = context["open"], context["undo_url"], context["gone"]
    at = context["open_at"] if shown else ""
    places = {"undo_url": _UNDO if undo_url else "", "gone": _GONE if gone else "", "open_at": _AT if at else ""}
    shown = Open(**(shown | {"tags": tuple(shown["tags"])})) if shown else None
    text = draw(CHANGED, {**context, **places, "open": shown}, csrf_token=csrf_token)
    return text.replace(_UNDO, escape(undo_url)).replace(_GONE, escape(gone)).replace(_AT, escape(at))


def _undo_url(account_id: int, token: str) -> str:
    before, _mark, after = _undo_pieces(account_id, get_script_prefix())
    return before + token + after


@lru_cache(maxsize=1_000)
def _undo_pieces(account_id: int, _prefix: str) -> tuple[str, str, str]:
    return reverse("change_undo", args=[account_id, _UNDO]).partition(_UNDO)


CHANGED = "webmail/mail.html#changed"
_UNDO, _GONE, _AT = secrets.token_hex(12), secrets.token_hex(12), secrets.token_hex(12)


def _told_gone(left: Collection[Ref], shown: Ref | None) -> str:
    """The messages that left the list, for the page to take away; of very many only the one that it shows."""
    told = left if len(left) <= GONE_LIMIT else {shown} & set(left)
    return ",".join(f"{ref.validity}.{ref.id}" for ref in told if ref)


def _open_ref(box: Box, folder_id: FolderId) -> Ref | None:
    """The message that the page shows, None when it shows none."""
    try:
        return next(iter(parse_refs(folder_id, box.request.POST.get("open", ""))), None)
    except ValueError:
        return None


def _open_place(box: Box, folder_id: FolderId) -> dict[str, Any]:
    """Where the message lives that the page shows; nothing for an account that is read on its server."""
    if not box.account.downloads:
        return {}
    ref = _open_ref(box, folder_id)
    try:
        found = box.source.summaries([ref]) if ref else []
    except MailError:
        return {}
    if not found:
        return {}
    change_url = box.url("messages_change", folder_id, query_of(box.request))
    place = whereabouts(box.account, [found[0].ref])[found[0].ref]
    return {"ref": found[0].ref, "place": place, "arrival": found[0].received, "change_url": change_url}


def _words(do: str, change: Change) -> str:
    """What was done, in words."""
    n = change.count
    if do in COPIES:
        return _copy_words(do, n)
    if not n:
        return _("Nothing was changed: the messages are not here any more.")
    to = folder_label(change.to) if change.to else ""
    form = _FORMS.get("purge" if do == "delete" and not change.to else do, _moved)
    return form(n) % {"n": n, "to": to}


def _moved(n: int) -> str:
    return ngettext("%(n)d message moved to %(to)s", "%(n)d messages moved to %(to)s", n)


_FORMS: dict[str, Callable[[int], str]] = {
    "read": lambda n: ngettext("%(n)d message marked as read", "%(n)d messages marked as read", n),
    "unread": lambda n: ngettext("%(n)d message marked as unread", "%(n)d messages marked as unread", n),
    "star": lambda n: ngettext("%(n)d message starred", "%(n)d messages starred", n),
    "unstar": lambda n: ngettext("%(n)d star taken away", "%(n)d stars taken away", n),
    "tag": lambda n: ngettext("%(n)d message tagged", "%(n)d messages tagged", n),
    "untag": lambda n: ngettext("Tag taken from %(n)d message", "Tag taken from %(n)d messages", n),
    "copy": lambda n: ngettext("%(n)d message copied to %(to)s", "%(n)d messages copied to %(to)s", n),
    "archive": lambda n: ngettext("%(n)d message archived", "%(n)d messages archived", n),
    "junk": lambda n: ngettext("%(n)d message marked as spam", "%(n)d messages marked as spam", n),
    "ham": lambda n: ngettext("%(n)d message is no spam", "%(n)d messages are no spam", n),
    "purge": lambda n: ngettext("%(n)d message deleted for good", "%(n)d messages deleted for good", n),
}


def _copy_words(do: str, n: int) -> str:
    """What was decided about copies on the server, in words."""
    forms = {
        "keep_copy": ngettext("%(n)d copy stays on the server", "%(n)d copies stay on the server", n),
        "drop_copy": ngettext(
            "%(n)d copy leaves the server with the next download; the message stays here",
            "%(n)d copies leave the server with the next download; the messages stay here",
            n,
        ),
        "policy_copy": ngettext("%(n)d copy follows the policy again", "%(n)d copies follow the policy again", n),
    }
    return forms[do] % {"n": n} if n else _("Nothing was changed: there is no copy on the server to decide about.")
