"""Which folder is for what: a page of choices, and two folders for the same thing made one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webmail.errors import Refused
from webmail.services.folders import ROLE_NAMES
from webmail.services.special import CHOOSABLE, Merged, choose_folder, find_rivals, leave_apart, merge_folder
from webmail.tokens import decode_folder, encode_folder
from webmail.values import Role
from webmail.views.box import Box, open_box


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def special_folders(request: HttpRequest, account_id: int) -> HttpResponse:
    """The special folders of an account. POST with `do`: save (a folder's token for each role, "" = as the server says), merge
    or apart (`folder` is the one that looks like a special one); a merge goes on with each POST until nothing is left."""
    with open_box(request, account_id) as box:
        do = request.POST.get("do", "save")
        if request.method != "POST":
            return _page(box)
        try:
            if do == "save":
                _save(box)
                return redirect("special_folders", account_id)
            rival = next(
                one
                for one in find_rivals(box.account, box.source.folders())
                if encode_folder(one.other.id) == request.POST.get("folder")
            )
            if do == "apart":
                leave_apart(box.account, rival.other.id)
                return redirect("special_folders", account_id)
            if do == "merge":
                return _page(box, merged=merge_folder(box.source, rival), token=encode_folder(rival.other.id))
        except (StopIteration, ValueError):
            pass
        except Refused:
            return _page(box, refused=True)
        return HttpResponseBadRequest()


def _save(box: Box) -> None:
    for role in CHOOSABLE:
        token = box.request.POST.get(role.value)
        if token is not None:
            choose_folder(box.account, box.source, role, decode_folder(token) if token else None)


def _page(box: Box, *, merged: Merged | None = None, token: str = "", refused: bool = False) -> HttpResponse:
    folders = [folder for folder in box.source.folders() if folder.selectable]
    now = {folder.role: folder for folder in folders}
    choices = []
    for role in CHOOSABLE:
        own = [folder for folder in folders if folder.role in {Role.NONE, role}]
        chosen = box.account.downloads or role.value in box.account.special_folders
        options = [
            (encode_folder(folder.id), "/".join(folder.path), bool(chosen) and folder.role is role) for folder in own
        ]
        choices.append({"role": role.value, "label": ROLE_NAMES[role], "options": options, "now": now.get(role)})
    context = {
        "account": box.account,
        "tab": "special",
        "choices": choices,
        "rivals": [(one, encode_folder(one.other.id)) for one in find_rivals(box.account, folders)],
        "merged": merged,
        "token": token,
        "refused": refused,
    }
    return render(box.request, "webmail/special.html", context, status=422 if refused else 200)
