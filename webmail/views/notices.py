"""Answering what stands above a message: the request for a receipt."""

from __future__ import annotations

from django.contrib import messages as toasts
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from webmail.errors import LoginRefused, MailError
from webmail.services.access import credentials_for
from webmail.services.receipts import answer_receipt
from webmail.values import FolderId, Ref
from webmail.views.box import Box, open_box
from webmail.views.query import query_of
from webmail.views.states import state_of


@login_required
@require_POST
def receipt_answer(request: HttpRequest, account_id: int, folder_id: FolderId, validity: int, uid: str) -> HttpResponse:
    """`do`: send or decline. What was done takes the place of the note; without htmx the message is shown, with a toast."""
    do = request.POST.get("do", "")
    if do not in {"send", "decline"}:
        return HttpResponseBadRequest()
    ref = Ref(folder_id, validity, uid)
    with open_box(request, account_id) as box:
        secret = None if box.account.hosted else credentials_for(request, box.account).password
        try:
            folder = box.folder(box.folders(), folder_id)
            done = answer_receipt(
                account=box.account, source=box.source, folder=folder, ref=ref, send=do == "send", secret=secret
            )
        except LoginRefused:
            raise
        except MailError as error:
            state = state_of(error)
            return _told(box, ref, str(state.title), status=state.status)
    words = {"send": _("The receipt is on its way."), "decline": _("No receipt is sent.")}
    return _told(box, ref, words[do] if done else _("This was answered already."))


def _told(box: Box, ref: Ref, text: str, *, status: int = 200) -> HttpResponse:
    if box.request.htmx:  # type: ignore[attr-defined]
        context = {"text": text, "account": box.account, "ref": ref, "failed": status >= 400}
        return render(box.request, "webmail/notices.html#answered", context, status=status)
    toasts.info(box.request, text)
    return redirect(box.message_url(ref, query=query_of(box.request)))
