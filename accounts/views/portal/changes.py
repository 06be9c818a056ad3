"""The log of changes, as far as it is about what is one's own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import Change, MailAccount
from accounts.services import permissions
from accounts.services.change_words import Line, line_of
from accounts.services.permissions import Action, may
from accounts.views.portal.doors import domain_for, mailbox_for, show

PAGE_SIZE = 50


@login_required
@require_safe
def all_changes(request: HttpRequest) -> HttpResponse:
    """What was changed in anything that the person runs, and in their own mailbox."""
    return _page(request, permissions.changes_of(request.user), {"tab": "all_changes"})


@login_required
@require_safe
def domain_changes(request: HttpRequest, domain_id: int) -> HttpResponse:
    """What was changed in one domain and its mailboxes."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    return _page(request, Change.objects.filter(domain=domain), {"domain": domain, "tab": "changes"})


@login_required
@require_safe
def mailbox_changes(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """What was changed in one mailbox; its owner reads it too."""
    mailbox = mailbox_for(request, mailbox_id, Action.SEE_MAILBOX)
    context = {
        "mailbox": mailbox,
        "section": "changes",
        "tab": "mailboxes",
        "runs": may(request.user, Action.RUN_MAILBOX, mailbox),
        "forward_count": mailbox.forwards.count(),
    }
    changes = Change.objects.filter(mailbox=mailbox)
    if not MailAccount.objects.filter(mailbox=mailbox, owner=request.user.pk).exists():
        changes = changes.exclude(verb__startswith="role.")  # which roles somebody has is their own affair
    return _page(request, changes, context)


def _page(request: HttpRequest, changes: QuerySet[Change], context: dict[str, Any]) -> HttpResponse:
    page = Paginator(changes.order_by("-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    lines: list[Line] = [line_of(one) for one in page.object_list]
    return show(request, "portal/changes.html", context | {"page": page, "lines": lines})
