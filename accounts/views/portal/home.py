"""Where the portal begins, and its search."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.models import Mailbox
from accounts.services import listing, permissions
from accounts.views.portal.doors import show


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The domains that one runs; the only one at once, and for who runs none their own mailbox."""
    held = permissions.held_by(request.user)
    domains = permissions.domains_of(request.user)
    if not held:
        own = Mailbox.objects.filter(account__owner=request.user.pk, deleted__isnull=True).order_by("pk").first()
        return redirect("portal:mailbox", own.pk) if own else show(request, "portal/nothing.html")
    if not (held.provider or held.resellers) and "q" not in request.GET:
        first = list(domains.values_list("pk", flat=True)[:2])
        if len(first) == 1:
            return redirect("portal:domain", first[0])
    text = request.GET.get("q", "").strip()[:100]
    page = listing.domain_page(domains, text=text, page=request.GET.get("page"))
    return show(request, "portal/domains.html", {"page": page, "q": text, "tab": "domains"})


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Domains, mailboxes and aliases by a few letters, among what one may see."""
    text = request.GET.get("q", "").strip()[:100]
    domains, mailboxes = listing.find_everywhere(
        permissions.domains_of(request.user), permissions.mailboxes_of(request.user), text
    )
    most = listing.FOUND_MOST
    context = {"domains": domains, "mailboxes": mailboxes, "q": text, "most": most}
    context["more"] = len(domains) == most or len(mailboxes) == most
    return show(request, "portal/search.html", context)
