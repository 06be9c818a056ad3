"""Before signing in: whether we know the server of an address."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.adapter import client_ip
from accounts.models import Domain
from accounts.services.login import clean_address
from webmail.services.places import find_place

LOOKUPS_A_MINUTE = 20


@require_safe
def server_lookup(request: HttpRequest) -> HttpResponse:
    """What is known of the server of the address in `login`: its name and port, that it is ours, or nothing. Whether the
    mailbox exists is told to nobody. 429 after too many."""
    address = clean_address(request.GET.get("login", ""))[:254]
    local, _at, domain = address.rpartition("@")
    if not local or "." not in domain:
        return HttpResponse()
    key = f"lookups:{client_ip(request)}"
    cache.add(key, 0, 60)
    if cache.incr(key) > LOOKUPS_A_MINUTE:
        return HttpResponse(status=429)
    ours = Domain.objects.filter(name=domain).exists()
    place = None if ours else find_place(address)
    return render(request, "account/login.html#found", {"ours": ours, "place": place, "domain": domain})
