"""A folder's page, and its list as a page that is open asks for it, drawn once for the same values: the template draws it with
marks where its rows, the CSRF token and the policy's nonce go, and it is kept by everything else that it is drawn of. What is
seldom (a list that is being sorted, a search that goes on, notes above it, an account that is downloaded) is drawn each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable

from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.translation import get_language

from accounts.context import runs_anything
from accounts.services.brand import look
from accounts.services.usage.thresholds import steps_of
from accounts.views.usage.notices import notices_of
from webmail.services.folders import COUNTS_ALL
from webmail.services.reading import RowPage
from webmail.services.special import APART
from webmail.sources.recent import Recent
from webmail.templatetags.mailpage import filled
from webmail.values import Folder
from webmail.views.box import Box
from webmail.views.listed import Listed, context_of
from webmail.views.rows import around_of, row_octets

LIST, PAGE = "webmail/mail.html#folder_change", "webmail/mail.html"
FORMS_BYTES = 12 * 1024 * 1024
"""What is kept in one process; a list has some 30 kB without its rows, a page twice that."""
_ROWS, _TOKEN, _NONCE = (f"t{secrets.token_hex(16)}" for _mark in range(3))

_Form = tuple[bytes, ...]
"""What stands before the rows and after them (nothing where there are none), with marks for tokens and nonce."""
_forms: Recent[_Form] = Recent(FORMS_BYTES, lambda form: 500 + sum(map(len, form)))


def draw_list(box: Box, listed: Listed) -> HttpResponse:
    """The list with its head, the tree, the field to search in and an empty reader."""
    if listed.page is None or not _is_usual(box, listed, listed.page):
        return HttpResponse(render_to_string(LIST, context_of(box, listed), box.request))
    return HttpResponse(_drawn(box, listed, listed.page, LIST, _key(box, listed, listed.page)))


def draw_page(box: Box, listed: Listed) -> HttpResponse:
    """The whole page."""
    page, request = listed.page, box.request
    if page is None or not _is_usual(box, listed, page) or len(get_messages(request)) or notices_of(request):
        return HttpResponse(render_to_string(PAGE, context_of(box, listed), request))
    user, mailbox = box.request.user, box.account.mailbox
    person = (getattr(user, "name", ""), getattr(user, "theme", ""), getattr(user, "single_keys", True))
    quota = box.quota()
    percent = filled(quota, box.account) if quota else 0
    around = (quota, percent, steps_of(mailbox), mailbox is not None or runs_anything(request))
    key = (PAGE, person, around, _key(box, listed, page))
    return HttpResponse(_drawn(box, listed, page, PAGE, key))


def _drawn(box: Box, listed: Listed, page: RowPage, template: str, key: Hashable) -> bytes:
    form = _forms.get(key)
    if form is None:
        form = _draw(box, listed, template)
        _forms.keep(key, form)
    token = get_token(box.request).encode()
    before, after = (piece.replace(_TOKEN.encode(), token) for piece in form)
    if template == PAGE:
        before = before.replace(_NONCE.encode(), str(box.request.csp_nonce).encode())  # type: ignore[attr-defined]
    rows = row_octets(page.rows, around_of(box.account.pk, listed.folder, listed.query, {}), page.drawn)
    return b"".join((before, rows, after))


def _is_usual(box: Box, listed: Listed, page: RowPage) -> bool:
    """Whether the list has nothing that is seldom there."""
    seldom = page.page.unsorted or page.page.searched or listed.ended or listed.rescue
    return not (seldom or box.account.downloads or box.beside.others)


def _key(box: Box, listed: Listed, page: RowPage) -> Hashable:
    """Everything that the list is drawn of, but for its rows and the token."""
    account, user, query, can = box.account, box.request.user, listed.query, box.source.can
    here = page.page
    return (
        (get_language(), get_script_prefix(), look(), getattr(user, "density", "")),
        (account.pk, account.address, account.mailbox and account.mailbox.number),
        (query, here.query.grouped, here.start, page.end, here.total, here.validity, here.next_id, not page.rows),
        (can.threads, can.threads_limit, box.tags.own, box.beside.outgoing, box.hidden),
        (_line(listed.folder), listed.folder.total, tuple(account.special_folders.get(APART, ()))),
        tuple(map(_line, listed.folders)),
    )


def _line(folder: Folder) -> Hashable:
    """What is drawn of a folder anywhere."""
    return (
        folder.id,
        folder.path,
        folder.parent,
        folder.role,
        folder.selectable,
        folder.has_children,
        folder.unread,
        folder.total if folder.role in COUNTS_ALL else None,
    )


def _draw(box: Box, listed: Listed, template: str) -> _Form:
    context = context_of(box, listed) | {"rows_place": _ROWS, "csrf_token": _TOKEN}
    text = str(render_to_string(template, context, box.request))
    if template == PAGE:
        text = text.replace(str(box.request.csp_nonce), _NONCE)  # type: ignore[attr-defined]
    before, _place, after = text.encode().partition(_ROWS.encode())
    return before, after
