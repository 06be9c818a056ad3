"""Composers: opening, keeping, sending and throwing away what is written, and the files that go with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import MailAccount
from accounts.numbers import read_number
from webmail.errors import Gone, LoginRefused, MailError
from webmail.markup.document import frame_csp
from webmail.models import Composing, ContactGroup
from webmail.services import composing as service
from webmail.services import letters, templates, uploads, written
from webmail.services.access import account_for, open_source
from webmail.services.bodies import RawBody, frame_body
from webmail.services.contacts import as_recipients, expand_groups, members_of, suggest
from webmail.services.identities import signature_block, usable
from webmail.services.inline import IMAGE_LIMIT_BYTES
from webmail.tokens import decode_folder
from webmail.values import PartNumber, Ref
from webmail.views.box import Box, open_box, theme_of
from webmail.views.changes import parse_refs
from webmail.views.parts import ATTACHMENT_CSP
from webmail.views.states import state_of
from webmail.views.writing import (
    begin_again,
    composing_for,
    done,
    secret_for,
    send_moment,
    sent_answer,
    shown_problems,
    told,
    under_way,
)

BODY_CHARS = 2_000
KINDS = {"reply": "reply", "reply_all": "reply_all", "reply_list": "reply_list", "forward": "forward"}


@login_required
@require_safe
def compose_new(request: HttpRequest, account_id: int) -> HttpResponse:
    """Opens a composer: empty, to somebody (`to`) or a `group`, with a `subject` and a text (`body`), or with `kind` (reply,
    reply_all, reply_list, forward, forward_attached, attach with one `part`, edit, new, template) of the message `of`
    (VALIDITY.UID, several for forward_attached) in `folder`. Leads to its page, or is its part for htmx."""
    account = account_for(request, account_id)
    kind = request.GET.get("kind", "")
    if not kind:
        return _shown(request, _begun_empty(request, account))
    try:
        refs = parse_refs(decode_folder(request.GET.get("folder", "")), request.GET.get("of", ""))
    except ValueError:
        return HttpResponseBadRequest()
    if not refs:
        return HttpResponseBadRequest()
    if kind == "edit":
        return _go_on(request, account, refs[0])
    with open_box(request, account_id) as box:
        try:
            composing = _begun(box, kind, refs)
        except ValueError:
            return HttpResponseBadRequest()
        except uploads.TooLarge:
            text = _("Together this is larger than one message may be.")
            return told(request, reverse("account", args=[account_id]), text)
        except Gone as error:
            if not request.htmx:  # type: ignore[attr-defined]
                raise
            state = state_of(error)
            return told(request, reverse("account", args=[account_id]), f"{state.title}. {state.text}")
    return _shown(request, composing)


def _begun_empty(request: HttpRequest, account: MailAccount) -> Composing:
    composing = service.new_composing(account)
    composing.to = request.GET.get("to", "")[:2000]
    if group := _group(account, request):
        composing.to = as_recipients(members_of(group))
    composing.subject = request.GET.get("subject", "")[:500]
    block = signature_block(composing.identity)
    begun = request.GET.get("body", "")[:BODY_CHARS].replace("\0", "").replace("\r\n", "\n")
    composing.text = begun + (f"\n\n{block}" if block else "")
    composing.save()
    return composing


def _begun(box: Box, kind: str, refs: list[Ref]) -> Composing:
    """A composer that begins with messages. Raises ValueError for another kind, TooLarge, MailError."""
    composing = service.new_composing(box.account)
    if kind == "new":
        letters.begin_edit(composing, box.source, refs[0], as_new=True)
    elif kind == "template":
        letters.begin_template(composing, box.source, refs[0])
    elif kind == "forward_attached":
        letters.begin_forward(composing, box.source, refs)
    elif kind == "attach":
        _begin_with_part(composing, box, refs[0])
    elif kind in KINDS:
        letters.begin_answer(composing, box.source, refs[0], KINDS[kind])  # type: ignore[arg-type]
    else:
        raise ValueError("no such kind")
    return composing


def _begin_with_part(composing: Composing, box: Box, ref: Ref) -> None:
    block = signature_block(composing.identity)
    composing.text = f"\n\n{block}" if block else ""
    composing.save()
    try:
        uploads.attach_part(composing, box.source, ref, PartNumber(box.request.GET.get("part", "")))
    except (uploads.TooLarge, MailError):
        composing.delete()
        raise


def _go_on(request: HttpRequest, account: MailAccount, ref: Ref) -> HttpResponse:
    """The composer that a draft comes from, as it stands there, or a new one with what another program wrote; says so when
    the draft was sent or is gone. A draft that was saved anew is known by its Message-ID (`id`)."""
    known = service.composer_of(account, ref)
    if known is None:
        composing = service.new_composing(account)
        try:
            with open_source(request, account) as source:
                letters.begin_edit(composing, source, ref)
            return _shown(request, composing)
        except Gone:
            known = service.composer_named(account, request.GET.get("id", ""))
    if known and service.is_under_way(known):
        return under_way(request, known)
    if known and (known.outgoing or not known.closed):
        return _shown(request, known)
    home = reverse("account", args=[account.pk])
    return told(request, home, _("This draft is not here any more: it was sent, or thrown away."), changed=True)


def _shown(request: HttpRequest, composing: Composing) -> HttpResponse:
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        return render(request, "webmail/compose.html#composer", _context(request, composing))
    return redirect("compose", composing.account_id, composing.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def compose(request: HttpRequest, account_id: int, composing_id: UUID) -> HttpResponse:
    """A composer. POST with `do`: save (the state of the draft, as a part), send, attach (files of a plain form), template
    (kept among the templates), quote (the quotation as plain text), discard, remove:ID (a file). What stands in the fields is
    kept in any case; also when the composer was thrown away by another window: then `again` keeps it, and so does whatever a
    person asks for but save."""
    try:
        composing = composing_for(request, account_id, composing_id)
        return _compose(request, composing)
    except (Http404, Gone):
        if request.method != "POST" or Composing.objects.filter(pk=composing_id).exists():
            raise
    do = request.POST.get("do", "save")
    if do == "discard":
        return done(request, account_id, _("The draft was thrown away."))
    if do == "save" and request.headers.get("X-Requested-With") == "fetch":
        account_for(request, account_id)
        return render(request, "webmail/compose.html#thrown_away", status=410)
    return _compose(request, begin_again(request, account_id, composing_id))


def _compose(request: HttpRequest, composing: Composing) -> HttpResponse:
    account_id = composing.account_id
    if service.is_under_way(composing):
        if request.method == "POST" and request.POST.get("do") == "send":
            return done(request, account_id, _("This message is on its way already."))
        return under_way(request, composing)
    if request.method != "POST":
        return _page(request, composing)
    if composing.closed:
        Composing.objects.filter(pk=composing.pk).update(closed=False)
    changed = service.fill(composing, {key: str(value) for key, value in request.POST.items()})
    do = request.POST.get("do", "save")
    if do == "quote":
        written.quote_as_text(composing)
    service.keep(composing)
    for file in request.FILES.getlist("files"):
        _attach(composing, file)
    if do == "send":
        return _send(request, composing)
    if do == "template":
        return _save_template(request, composing)
    if do == "discard":
        with open_source(request, composing.account) as source:
            service.discard(composing, source)
        return done(request, account_id, _("The draft was thrown away."))
    if do.startswith("remove:"):
        for upload in composing.uploads.filter(pk=read_number(do[7:]) or 0):
            uploads.remove(upload)
    conflict = (
        _save(request, composing) if changed or composing.failed or composing.saved is None or do != "save" else False
    )
    if request.headers.get("X-Requested-With") == "fetch":
        return render(request, "webmail/compose.html#state", {"composing": composing, "conflict": conflict})
    return _page(request, composing, conflict=conflict)


def _save(request: HttpRequest, composing: Composing) -> bool:
    with open_source(request, composing.account) as source:
        return service.save_draft(composing, source)


def _attach(composing: Composing, file: Any) -> None:
    try:
        upload = uploads.announce(composing, name=file.name, media_type=file.content_type or "", size_bytes=file.size)
    except uploads.TooLarge:
        return
    offset = 0
    for chunk in file.chunks(uploads.PIECE_LIMIT_BYTES):
        uploads.add_piece(upload.pk, offset=offset, data=chunk)
        offset += len(chunk)


def _send(request: HttpRequest, composing: Composing) -> HttpResponse:
    for name in ("to", "cc", "bcc"):
        setattr(composing, name, expand_groups(composing.account, getattr(composing, name)))
    undo_s = composing.account.owner.undo_s
    moment = send_moment(request, undo_s)
    found = service.problems(composing)
    if isinstance(moment, service.Problem):
        found.append(moment)
    elif not found:
        found = service.daily_problems(composing.account, len(service.everybody(composing)), moment)
    if found or isinstance(moment, service.Problem):
        context = _context(request, composing) | {"problems": shown_problems(found)}
        part = "#composer" if request.htmx else ""  # type: ignore[attr-defined]
        return render(request, f"webmail/compose.html{part}", context, status=422)
    try:
        _save(request, composing)
    except LoginRefused:
        raise
    except MailError:
        pass  # the text is in the database and goes out from there
    try:
        outgoing = service.send(composing, send_at=moment, secret=secret_for(request, composing.account))
    except service.AlreadySent:
        return done(request, composing.account_id, _("This message is on its way already."))
    return sent_answer(request, composing.account, outgoing, undo_s=undo_s)


def _save_template(request: HttpRequest, composing: Composing) -> HttpResponse:
    """Keeps it among the templates; the composer of a template that was changed is done then, any other stays open."""
    here = reverse("compose", args=[composing.account_id, composing.pk])
    try:
        with open_source(request, composing.account) as source:
            templates.save_template(composing, source)
            if composing.template is None:
                return told(request, here, _("Saved as a template."), changed=True)
            service.discard(composing, source)
    except LoginRefused:
        raise
    except MailError as error:
        return told(request, here, str(state_of(error).title), failed=True)
    return done(request, composing.account_id, _("The template was saved."))


@login_required
@require_safe
def compose_quote(request: HttpRequest, account_id: int, composing_id: UUID) -> HttpResponse:
    """The quoted message of a composer, as the document of its sandboxed frame; with ?edit=1 as a cleaned fragment for the
    editor."""
    composing = composing_for(request, account_id, composing_id)
    if request.GET.get("edit") == "1":
        response = HttpResponse(written.quote_to_edit(composing))
        response["Content-Security-Policy"] = ATTACHMENT_CSP
        return response
    images = {upload.cid: PartNumber(upload.image_url) for upload in composing.uploads.all() if upload.cid}
    framed = frame_body(RawBody(composing.quote, images), lambda url: url, theme=theme_of(request))
    response = HttpResponse(written.embed_images(str(framed.document), composing))
    response["Content-Security-Policy"] = frame_csp(images=request.build_absolute_uri("/mail/"))
    return response


@login_required
@require_safe
def template_list(request: HttpRequest, account_id: int) -> HttpResponse:
    """The templates, to begin a message from: a page, or the lines of a composer's menu for htmx."""
    with open_box(request, account_id) as box:
        context = {"account": box.account, "templates": templates.templates_of(box.source)}
    part = "#lines" if request.htmx else ""  # type: ignore[attr-defined]
    return render(request, f"webmail/templates.html{part}", context)


@login_required
@require_safe
def people(request: HttpRequest, account_id: int) -> HttpResponse:
    """People and groups whose name or address fits `q`: [{name, email, group, note}], a group with its id and how many it
    has. With `group` (an id) its members: [{name, email}]."""
    account = account_for(request, account_id)
    if "group" in request.GET:
        group = _group(account, request)
        members = members_of(group) if group else []
        return JsonResponse({"people": [{"name": one.name, "email": one.email} for one in members]})
    found = suggest(account, request.GET.get("q", ""))
    return JsonResponse(
        {
            "people": [
                {
                    "name": one.name,
                    "email": one.email,
                    "group": one.group,
                    "note": _size_words(one.size) if one.group else "",
                }
                for one in found
            ]
        }
    )


def _group(account: MailAccount, request: HttpRequest) -> ContactGroup | None:
    """The group of the account that the address names."""
    number = request.GET.get("group", "")[:18]
    return ContactGroup.objects.filter(account=account, pk=int(number)).first() if number.isdecimal() else None


def _size_words(size: int) -> str:
    return ngettext("group, %(n)d person", "group, %(n)d people", size) % {"n": size}


def _page(request: HttpRequest, composing: Composing, *, conflict: bool = False) -> HttpResponse:
    part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    return render(
        request,
        "webmail/compose.html" + ("#composer" if part else ""),
        _context(request, composing) | {"conflict": conflict},
    )


def _context(request: HttpRequest, composing: Composing) -> dict[str, Any]:
    account = composing.account
    return {
        "composing": composing,
        "account": account,
        "identities": usable(account),
        "files": composing.uploads.all(),
        "limit_bytes": uploads.FILE_LIMIT_BYTES,
        "piece_bytes": uploads.PIECE_LIMIT_BYTES,
        "image_bytes": IMAGE_LIMIT_BYTES,
        "write_below": written.writes_below(composing),
        "zone": timezone.get_current_timezone_name(),
        "alone": not request.htmx,  # type: ignore[attr-defined]
    }
