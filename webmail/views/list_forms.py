"""A folder's list as a page that is open asks for it, drawn once for the same values: the template draws it with marks where its
rows and the CSRF token go, and it is kept by everything else that it is drawn of. What is seldom (a list that is being sorted, a
search that goes on, notes above it, an account that is downloaded) is drawn each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.translation import get_language

from accounts.services.brand import look
from webmail.services.folders import COUNTS_ALL
from webmail.services.reading import RowPage
from webmail.services.special import APART
from webmail.sources.recent import Recent
from webmail.values import Folder
from webmail.views.box import Box
from webmail.views.listed import Listed, context_of
from webmail.views.rows import around_of, row_octets

TEMPLATE = "webmail/mail.html#folder_change"
FORMS_BYTES = 12 * 1024 * 1024
"""What is kept in one process; a list has some 30 kB without its rows."""
_ROWS, _TOKEN = secrets.token_hex(16), f"t{secrets.token_hex(16)}"

_Form = tuple[tuple[bytes, ...], tuple[bytes, ...]]
"""What stands before the rows and after them (nothing where there are none), each in pieces with a token between them."""
_forms: Recent[_Form] = Recent(FORMS_BYTES, lambda form: 500 + sum(map(len, (*form[0], *form[1]))))


def draw_list(box: Box, listed: Listed) -> HttpResponse:
    """The list with its head, the tree, the field to search in and an empty reader."""
    page = listed.page
    if page is None or not _is_usual(box, listed, page):
        return HttpResponse(render_to_string(TEMPLATE, context_of(box, listed), box.request))
    key = _key(box, listed, page)
    form = _forms.get(key)
    if form is None:
        form = _draw(box, listed)
        _forms.keep(key, form)
    before, after = form
    token = get_token(box.request).encode()
    rows = row_octets(page.rows, around_of(box.account.pk, listed.folder, listed.query, {}))
    return HttpResponse(b"".join((token.join(before), rows, token.join(after))))


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


def _draw(box: Box, listed: Listed) -> _Form:
    context = context_of(box, listed) | {"rows_place": _ROWS, "csrf_token": _TOKEN}
    before, _place, after = render_to_string(TEMPLATE, context, box.request).encode().partition(_ROWS.encode())
    return tuple(before.split(_TOKEN.encode())), tuple(after.split(_TOKEN.encode()))
