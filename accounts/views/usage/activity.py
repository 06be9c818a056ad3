"""Where did my mail go: the timeline of one mailbox, for its owner and for the provider's people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.form_parts import tried
from accounts.models import MailAccount, Mailbox, MailboxSpace
from accounts.network_forms import PlaceForm
from accounts.services.advice import offer_for
from accounts.services.csv_cells import csv_lines
from accounts.services.folder_words import folder_names
from accounts.services.networks import name_network, places_of
from accounts.services.permissions import Action, may, may_take_over
from accounts.services.timeline import PERIODS, Timeline, Words, programs_seen, timeline_of
from accounts.services.usage.permissions import may_see_mailbox, may_see_usage
from accounts.templatetags.timelinepage import said, who_name
from accounts.views.portal.doors import actor_of

PAGE = 100
CHOICES = {str(period) for period in PERIODS}
UNPROCESSABLE = 422


@login_required
@require_safe
def account_activity(request: HttpRequest, account_id: int) -> HttpResponse:
    """The timeline of one's own mailbox; 404 for anybody else's, and for one that is not hosted here."""
    mailbox, context = _own(request, account_id)
    return _answer(request, mailbox, context)


@login_required
@require_POST
def account_place(request: HttpRequest, account_id: int) -> HttpResponse:
    """The owner says what a network is called, for their own eyes, and goes back to the page."""
    mailbox, context = _own(request, account_id)
    form = PlaceForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data

        def name() -> None:
            name_network(target=mailbox, network=data["network"], name=data["name"], by=actor_of(request))

        if tried(form, name):
            messages.info(request, _("Saved"))
            days = request.POST.get("days", "")
            return redirect(
                reverse("account_activity", args=[account_id]) + (f"?days={days}" if days in CHOICES else "")
            )
    return _answer(request, mailbox, context | {"place_form": form}, status=UNPROCESSABLE)


def _own(request: HttpRequest, account_id: int) -> tuple[Mailbox, dict[str, Any]]:
    """The mailbox of one's own account; 404 for anybody else's, and for one that is not hosted here."""
    account = get_object_or_404(MailAccount.objects.select_related("mailbox"), pk=account_id, owner=request.user.pk)
    if account.mailbox is None:
        raise Http404
    return account.mailbox, {"base": "webmail/framed.html", "account": account}


@login_required
@require_safe
def mailbox_activity(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The same for whoever runs the mailbox."""
    mailbox = get_object_or_404(Mailbox, pk=mailbox_id)
    if not may_see_mailbox(request.user, mailbox):
        raise Http404
    own = MailAccount.objects.filter(mailbox=mailbox, owner=request.user.pk).first()
    if own:
        return redirect("account_activity", own.pk)
    context = {"base": "usage/framed.html", "account": None, "provider": may_see_usage(request.user)}
    return _answer(request, mailbox, context)


def _answer(request: HttpRequest, mailbox: Mailbox, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    days = request.GET.get("days", "") or request.POST.get("days", "")
    chosen = int(days) if days in CHOICES else 7
    only_gone = request.GET.get("only") == "gone"
    own = context["account"] is not None
    places = places_of(mailbox, own=own)
    words = Words(folder_names(MailAccount.objects.filter(mailbox=mailbox).first()), places)
    timeline = timeline_of(mailbox, days=chosen, only_gone=only_gone, words=words)
    if request.GET.get("as") == "csv":
        return _csv(mailbox, timeline)
    taken = timeline.answer is not None and timeline.answer.kind == "took"
    context |= {
        "mailbox": mailbox,
        "timeline": timeline,
        "only_gone": only_gone,
        "page": Paginator(timeline.entries, PAGE).get_page(request.GET.get("page")),
        "programs": programs_seen(mailbox, places),
        "jump": MailboxSpace.objects.filter(mailbox=mailbox, jump_on__isnull=False).first(),
        "reserve_url": _reserve_url(request, mailbox, context["account"]),
        "periods": PERIODS,
        "runs_domain": not own and may(request.user, Action.RUN_DOMAIN, mailbox.domain),
        "offer": offer_for(mailbox) if taken and may(request.user, Action.USE_MAILBOX, mailbox) else None,
    }
    return render(request, "usage/activity.html", context, status=status)


def _reserve_url(request: HttpRequest, mailbox: Mailbox, own: MailAccount | None) -> str:
    """Where what POP3 removed is put back, by its owner or by whoever runs the mailbox; "" where there is none."""
    account = own or MailAccount.objects.filter(mailbox=mailbox).first()
    if account and account.downloads:
        return ""
    if own:
        return reverse("reserve", args=[own.pk])
    runs = mailbox.is_open and may(request.user, Action.RUN_MAILBOX, mailbox) and may_take_over(request.user, mailbox)
    return reverse("mailbox_reserve", args=[mailbox.pk]) if runs else ""


def _csv(mailbox: Mailbox, timeline: Timeline) -> HttpResponse:
    rows = _lines(timeline, timezone.get_current_timezone())
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    name = f"activity-{mailbox.number}-{timezone.localdate():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[return-value]


def _lines(timeline: Timeline, zone: tzinfo) -> Iterator[list[Any]]:
    """Times are in the reader's zone, with its offset: it is asked for before, for lines go out when the request is over."""
    yield [_("When"), _("Who"), _("Protocol"), _("Network"), _("Place"), _("What"), _("Bytes")]
    for entry in timeline.entries:
        when = timezone.localtime(entry.at, zone).isoformat(timespec="minutes")
        where = ["", ""] if entry.of_server else [entry.network, entry.place_name]
        yield [when, who_name(entry), entry.way, *where, said(entry), entry.size_bytes]
