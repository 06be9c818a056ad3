"""Set-up guides: for each program and protocol the steps with their exact values, on the screen and on paper; and the profile for
Apple's devices."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import confirm
from accounts.adapter import client_ip
from accounts.password_forms import DeviceForm
from accounts.rates import take_both
from accounts.services.app_passwords import TooMany
from accounts.services.guide_letters import send_guide
from accounts.services.owned import is_own, own_account, run_account, settings_account
from accounts.services.profiles import make_profile
from accounts.services.recommend import advise, look_at
from accounts.services.setup import expect_program, values_of
from accounts.setup.guide_parts import leave_words, security_name
from accounts.setup.guides import steps_for
from accounts.setup.profile import CONTENT_TYPE
from accounts.setup.programs import PROGRAMS, Program, find_program
from accounts.setup.qr import draw_qr
from accounts.setup.values import PROTOCOLS, Protocol, SetupValues
from accounts.views.entrance import UNPROCESSABLE
from accounts.views.portal.doors import actor_of

TICKET_S = 600
SALT = "accounts.profile"
PHONES = (("iPhone", "iphone"), ("iPad", "iphone"), ("Android", "thunderbird-android"), ("Macintosh", "apple-mail"))


@login_required
@require_safe
def guide_home(request: HttpRequest, account_id: int) -> HttpResponse:
    """Leads to the guide of the program that is likely on this device, for the same `protocol`."""
    settings_account(request, account_id)
    agent = request.headers.get("User-Agent", "")
    slug = next((slug for word, slug in PHONES if word in agent), "thunderbird")
    protocol = request.GET.get("protocol", "")
    query = f"?protocol={protocol}" if protocol in PROTOCOLS else ""
    return redirect(reverse("guide", args=[account_id, slug]) + query)


@login_required
@require_safe
def guide(request: HttpRequest, account_id: int, program: str) -> HttpResponse:
    """The guide of a program; `protocol` is imap or pop3, by default the mailbox's own."""
    return render(request, "accounts/guide.html", _context(request, account_id, program))


@login_required
@require_safe
def guide_print(request: HttpRequest, account_id: int, program: str) -> HttpResponse:
    """The same on one sheet of paper."""
    return render(request, "accounts/guide_print.html", _context(request, account_id, program))


@login_required
@require_POST
def guide_send(request: HttpRequest, account_id: int, program: str) -> HttpResponse:
    """Sends the owner of a mailbox that one runs a letter with the way to the guide: to the address for a new password, else to
    the mailbox itself."""
    account, found = run_account(request, account_id), _program(program)
    protocol = _protocol(request.POST.get("protocol", ""), values_of(account))
    if protocol is None or account.mailbox is None:
        raise Http404
    to = account.mailbox.recovery_address or account.address
    if not take_both(request, "invite", request.user.pk, to):
        said = _("There were many letters already. Wait an hour and try again.")
    elif send_guide(account, found, protocol, to):
        said = _("The way to the guide was sent to %(address)s.")
    else:
        said = _("The mail server did not take the letter to %(address)s. Try again later.")
    notices.info(request, said % {"address": to})
    return redirect(reverse("guide", args=[account_id, program]) + f"?protocol={protocol}")


@login_required
@require_POST
def profile_make(request: HttpRequest, account_id: int, program: str) -> HttpResponse:
    """Leads to the profile: a plain download by GET is what devices know how to install. The way there holds for ten minutes
    and once."""
    account, found = own_account(request, account_id, hosted=True), _program(program)
    values = values_of(account)
    protocol = _protocol(request.POST.get("protocol", ""), values)
    if not found.profile or protocol is None or not values.smtp:
        raise Http404
    question = DeviceForm({"device": found.device} | request.POST.dict())
    confirm.ask(question, request, account.mailbox)
    if not (question.is_valid() and confirm.is_answered(question, request, account.mailbox)):
        return render(
            request, "accounts/guide.html", _context(request, account_id, program, question), status=UNPROCESSABLE
        )
    ticket = signing.dumps([account.pk, protocol, question.cleaned_data["device"], secrets.token_urlsafe(8)], salt=SALT)
    return redirect("profile", account_id, ticket)


@login_required
@require_safe
def profile(request: HttpRequest, account_id: int, ticket: str) -> HttpResponse:
    """The signed profile, with a password for this device in it."""
    account = own_account(request, account_id, hosted=True)
    made_for, protocol, device = _opened(ticket)
    if made_for != account.pk:
        raise Http404
    if not values_of(account).places(protocol):
        raise Http404
    if request.method == "HEAD":
        return HttpResponse(content_type=CONTENT_TYPE)
    if not cache.add(f"profile:{ticket}", 1, TICKET_S):
        notices.info(request, _("That profile was downloaded already. Make another one."))
        return redirect("guide", account_id, "iphone")
    try:
        made = make_profile(account, protocol, device=device, by=actor_of(request))
    except TooMany:
        notices.info(request, _("There are too many devices' passwords. Revoke one that is not used any more."))
        return redirect("app_passwords", account_id)
    response = HttpResponse(made.data, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = 'attachment; filename="mail.mobileconfig"'
    response["Cache-Control"] = "no-store, private"
    return response


def _context(request: HttpRequest, account_id: int, slug: str, question: forms.Form | None = None) -> dict[str, Any]:
    """`question` asks for the password before a profile is made, which its owner alone can."""
    account, program = settings_account(request, account_id), _program(slug)
    own = is_own(request, account)
    question = question or DeviceForm(initial={"device": program.device})
    if account.mailbox and own:
        confirm.ask(question, request, account.mailbox)
    expect_program(account.mailbox, origin=client_ip(request))
    values = values_of(account)
    protocol = _protocol(request.GET.get("protocol", "") or request.POST.get("protocol", ""), values)
    profile = account.hosted and own
    steps = None
    if protocol:
        steps = steps_for(program, protocol, values, account.address, profile=profile, hosted=account.hosted)
    advice = advise(look_at(account.mailbox))
    url = settings.SITE_URL + reverse("guide", args=[account.pk, program.slug])
    return {
        "account": account,
        "question": question,
        "tab": "guides",
        "own": own,
        "programs": PROGRAMS,
        "program": program,
        "protocol": protocol,
        "protocols": values.protocols,
        "steps": steps,
        "rows": _rows(values, protocol),
        "login": values.login_for(account.address),
        "url": url,
        "send_url": "" if own or not steps else reverse("guide_send", args=[account.pk, program.slug]),
        "send_to": account.mailbox.recovery_address if account.mailbox else "",
        "qr": draw_qr(f"{url}?protocol={protocol}"),
        "signed": bool(settings.PROFILE_CERT_FILE),
        "advice": advice if advice.protocol in values.protocols else None,
    }


def _rows(values: SetupValues, protocol: Protocol | None) -> list[dict[str, Any]]:
    """Every place as a row of the table; `chosen` is the one that belongs to the choice."""
    rows: list[dict[str, Any]] = []
    for kind, place in values.incoming:
        note = leave_words(values.choice.leave_days) if kind == "pop3" else ""
        rows.append({"kind": kind, "place": place, "chosen": kind == protocol, "note": note})
    for number, place in enumerate(values.smtp):
        note = _("If the network blocks the first one") if number else ""
        rows.append({"kind": "smtp", "place": place, "chosen": False, "note": note})
    return [row | {"security": security_name(row["place"])} for row in rows]


def _program(slug: str) -> Program:
    program = find_program(slug)
    if program is None:
        raise Http404
    return program


def _protocol(wanted: str, values: SetupValues) -> Protocol | None:
    """The protocol that was asked for if it is offered, else the mailbox's own; None when there is none."""
    if wanted in PROTOCOLS and wanted in values.protocols:
        return wanted
    return next(iter(values.protocols), None)


def _opened(ticket: str) -> tuple[int, Protocol, str]:
    try:
        account, protocol, device, _nonce = signing.loads(ticket, salt=SALT, max_age=TICKET_S)
    except signing.BadSignature as error:
        raise Http404 from error
    return int(account), protocol, device
