"""Tags that people make: a page of them, and a dialog that makes one and puts it on what is selected."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import MailAccount
from accounts.numbers import read_number
from webmail.models import OwnTag
from webmail.services.access import account_for
from webmail.services.tags import COLOURS, NAME_LIMIT, OWN_LIMIT, TagRefused, change_tag, make_tag, own_tags, tags_for


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tags(request: HttpRequest, account_id: int) -> HttpResponse:
    """The tags of an account. POST makes one (`name`, `colour`); for htmx it is the dialog, and then what makes the page put
    it on what is selected."""
    account = account_for(request, account_id)
    if request.method != "POST":
        return _answer(request, account)
    name = request.POST.get("name", "")
    try:
        made = make_tag(account, name=name, colour=_colour(request))
    except TagRefused as error:
        return _answer(request, account, error=_words(error), name=name, status=422)
    if not request.htmx:  # type: ignore[attr-defined]
        notices.info(request, _("Tag made."))
        return redirect("tags", account_id)
    return render(request, "webmail/tags.html#made", {"made": made, "all_tags": tags_for(account).all})


@login_required
@require_http_methods(["POST"])
def tag_change(request: HttpRequest, account_id: int, tag_id: int) -> HttpResponse:
    """Gives a tag another name and colour, or with `do` forget takes it out of the menus; messages keep it."""
    account = account_for(request, account_id)
    tag = get_object_or_404(OwnTag, account=account, pk=tag_id)
    if request.POST.get("do") == "forget":
        tag.delete()
        notices.info(request, _("The tag is no longer in the menus. Messages that have it keep it."))
        return redirect("tags", account_id)
    try:
        change_tag(tag, name=request.POST.get("name", ""), colour=_colour(request))
    except TagRefused as error:
        return _answer(request, account, error=_words(error), status=422)
    notices.info(request, _("Saved."))
    return redirect("tags", account_id)


def _colour(request: HttpRequest) -> int:
    colour = read_number(request.POST.get("colour", ""), digits=2)
    return 1 if colour is None else colour


def _answer(
    request: HttpRequest, account: MailAccount, *, error: str = "", name: str = "", status: int = 200
) -> HttpResponse:
    own = own_tags(account)
    context: dict[str, Any] = {
        "account": account,
        "tab": "tags",
        "five": tags_for(account).all[: -len(own) or None],
        "own": own,
        "colours": range(1, COLOURS + 1),
        "chosen": len(own) % COLOURS + 1,
        "name_limit": NAME_LIMIT,
        "error": error,
        "name": name,
    }
    part = "#dialog" if request.htmx and not request.htmx.history_restore_request else ""  # type: ignore[attr-defined]
    return render(request, "webmail/tags.html" + part, context | {"in_dialog": bool(part)}, status=status)


def _words(error: TagRefused) -> str:
    return {
        "empty": _("A tag needs a name with at least one letter or digit."),
        "taken": _("There is a tag of this name already."),
        "many": _("There can be at most %(n)d tags.") % {"n": OWN_LIMIT},
    }[error.args[0]]
