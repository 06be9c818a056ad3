"""One mailbox: made, set, forwarded; and its password, by whoever runs it, by its owner, or by a link."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import confirm, once
from accounts.adapter import client_ip
from accounts.form_parts import tried
from accounts.mailbox_forms import (
    ForwardsForm,
    MailboxForm,
    MailboxNewForm,
    OwnMailboxForm,
    OwnPasswordForm,
    PasswordForm,
)
from accounts.models import Domain, Mailbox, MailboxUsage
from accounts.numbers import read_number
from accounts.provisioning.passwords import check_mailbox_password
from accounts.rates import take_both
from accounts.services import forwards, mailboxes, resets
from accounts.services.addresses import parse_local
from accounts.services.audit import Actor
from accounts.services.entering import enter
from accounts.services.login import account_of_mailbox
from accounts.services.passwords import generate_password, holder_of_token
from accounts.services.permissions import Action, may, may_take_over, outranks
from accounts.services.references import set_reference
from accounts.services.sending_limit import allowance_of
from accounts.views.entrance import TOO_MANY, UNPROCESSABLE
from accounts.views.portal.doors import actor_of, domain_for, mailbox_for, show, status_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_new(request: HttpRequest, domain_id: int) -> HttpResponse:
    """Makes a mailbox. Its password, when Casilla made it, is on the page that answers, and nowhere afterwards."""
    domain = domain_for(request, domain_id, Action.RUN_DOMAIN)
    usual = domain.usual_quota_bytes
    form = MailboxNewForm(request.POST if request.method == "POST" else None, usual=usual, prefix="new")
    if request.method == "POST" and form.is_valid():
        data, made = form.cleaned_data, []

        def make() -> None:
            with suppress(ValidationError):  # what is no address is said by the service, with all else that is wrong
                if not outranks(request.user, parse_local(data["address"], domain)):
                    raise PermissionDenied
            made.append(
                mailboxes.create_mailbox(
                    domain=domain,
                    local=data["address"],
                    by=actor_of(request),
                    name=data["name"],
                    password=data["password"],
                    quota_bytes=data["quota"],
                    recovery_address=data["recovery_address"],
                )
            )

        again = _made_already(request, domain)
        if again or tried(form, make):
            mailbox, password = again or made[0]
            shown = "" if data["password"] else password
            once.keep(request, f"mailbox {domain.pk}", f"{mailbox.pk} {password}")
            return show(request, "portal/mailbox_made.html", {"mailbox": mailbox, "domain": domain, "password": shown})
    return show(
        request, "portal/mailbox_new.html", {"domain": domain, "form": form, "tab": "mailboxes"}, status=status_of(form)
    )


def _made_already(request: HttpRequest, domain: Domain) -> tuple[Mailbox, str] | None:
    """What this very form has made, if it is as it was made."""
    key, _blank, password = (once.recall(request, f"mailbox {domain.pk}") or "").partition(" ")
    mailbox = Mailbox.objects.filter(domain=domain, pk=read_number(key) or 0, deleted__isnull=True).first()
    return (mailbox, password) if mailbox and check_mailbox_password(password, mailbox.password) else None


def _deleted(request: HttpRequest, mailbox: Mailbox) -> HttpResponse:
    """Nothing of a deleted mailbox is set: it is had back, or removed for good."""
    messages.info(request, _("This mailbox is deleted: have it back first."))
    return redirect("portal:mailbox_state", mailbox.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_page(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """What can be set of a mailbox: all of it by whoever runs it, name and address for a new password by its owner."""
    posted = request.method == "POST"
    mailbox = mailbox_for(request, mailbox_id, Action.USE_MAILBOX if posted else Action.SEE_MAILBOX)
    if mailbox.deleted:
        return _deleted(request, mailbox)
    runs = may(request.user, Action.RUN_MAILBOX, mailbox)
    data = request.POST if posted else None
    form: MailboxForm | OwnMailboxForm
    if runs:
        form = MailboxForm.of(mailbox, data, sells=may(request.user, Action.CHANGE_DOMAIN, mailbox.domain))
    else:
        form = OwnMailboxForm(data, initial={"name": mailbox.name, "recovery_address": mailbox.recovery_address})
    mine = _is_mine(request, mailbox)
    if mine or not runs:
        confirm.ask(form, request, mailbox)
    if posted and form.is_valid():
        values = form.chosen()
        if "reference" not in form.data:  # a form that did not show it leaves it as it is
            values.pop("reference", None)
        moved = values.get("recovery_address", mailbox.recovery_address) != mailbox.recovery_address
        if moved and not may_take_over(request.user, mailbox):
            raise PermissionDenied  # a link for a new password would go there
        if "quota" in values:
            values["quota_bytes"] = values.pop("quota")
        if mine and not values.get("imap", True):
            form.add_error("imap", _("You would shut yourself out: ask somebody else who runs this mailbox."))
            return _page(request, "portal/mailbox.html", mailbox, "general", form=form)
        ready = not moved or (runs and not mine) or confirm.is_answered(form, request, mailbox)
        if ready and tried(form, lambda: _change(mailbox, values, actor_of(request))):
            messages.info(request, _("Saved"))
            return redirect("portal:mailbox", mailbox.pk)
    usage = MailboxUsage.objects.filter(username=mailbox.address).first()
    return _page(
        request, "portal/mailbox.html", mailbox, "general", form=form, usage=usage, allowance=allowance_of(mailbox)
    )


@transaction.atomic
def _change(mailbox: Mailbox, values: dict[str, Any], by: Actor) -> None:
    if "reference" in values:
        set_reference(thing=mailbox, reference=values.pop("reference"), by=by)
    mailboxes.change_mailbox(mailbox=mailbox, by=by, **values)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_forwards(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Where its mail is sent on to, and whether a copy stays; the aliases that lead to it."""
    mailbox = mailbox_for(request, mailbox_id, Action.USE_MAILBOX)
    if mailbox.deleted:
        return _deleted(request, mailbox)
    if request.method == "POST" and not may_take_over(request.user, mailbox):
        raise PermissionDenied
    addresses = "\n".join(mailbox.forwards.order_by("address").values_list("address", flat=True))
    initial = {"forwards": addresses, "keeps_copy": mailbox.keeps_copy}
    form = ForwardsForm(request.POST if request.method == "POST" else None, initial=initial)
    own = _is_mine(request, mailbox) or not may(request.user, Action.RUN_MAILBOX, mailbox)
    if own:
        confirm.ask(form, request, mailbox)
    if request.method == "POST" and form.is_valid() and (not own or confirm.is_answered(form, request, mailbox)):
        data = form.cleaned_data
        change = {"addresses": data["forwards"], "keeps_copy": data["keeps_copy"]}
        if tried(form, lambda: forwards.set_forwards(mailbox=mailbox, by=actor_of(request), **change)):
            messages.info(request, _("Saved"))
            return redirect("portal:mailbox_forwards", mailbox.pk)
    aliases = list(mailbox.aliases.order_by("address"))
    return _page(request, "portal/mailbox_forwards.html", mailbox, "forwards", form=form, aliases=aliases)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mailbox_password(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Sets a new password. Its owner has to know the one that counts until now."""
    mailbox = mailbox_for(request, mailbox_id, Action.USE_MAILBOX)
    if mailbox.deleted:
        return _deleted(request, mailbox)
    if not may_take_over(request.user, mailbox):
        raise PermissionDenied
    own = _is_mine(request, mailbox) or not may(request.user, Action.RUN_MAILBOX, mailbox)
    data = request.POST if request.method == "POST" else None
    form = OwnPasswordForm(data) if own else PasswordForm(data)
    if data is not None and form.is_valid() and (not own or confirm.knows(form, request, mailbox)):
        change = {name: form.cleaned_data[name] for name in ("password", "everywhere")}
        if tried(form, lambda: mailboxes.set_password(mailbox=mailbox, by=actor_of(request), **change)):
            messages.info(request, _("The new password counts from now on, in every program too."))
            return redirect("portal:mailbox_password", mailbox.pk)
    return _page(request, "portal/mailbox_password.html", mailbox, "password", form=form, own=own)


@login_required
@require_POST
def password_made(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Sets a password that Casilla makes, and shows it this once; `everywhere` signs out devices too. Reloading the page shows it
    again."""
    mailbox = mailbox_for(request, mailbox_id, Action.RUN_MAILBOX)
    if mailbox.deleted:
        return _deleted(request, mailbox)
    if not may_take_over(request.user, mailbox):
        raise PermissionDenied
    if _is_mine(request, mailbox):
        raise PermissionDenied  # one's own needs the one that counts until now
    password = once.recall(request, f"password {mailbox.pk}") or ""
    if not check_mailbox_password(password, mailbox.password):
        password = generate_password()
        everywhere = "everywhere" in request.POST
        mailboxes.set_password(mailbox=mailbox, password=password, by=actor_of(request), everywhere=everywhere)
        once.keep(request, f"password {mailbox.pk}", password)
    return _page(request, "portal/mailbox_password.html", mailbox, "password", form=PasswordForm(), made=password)


@login_required
@require_POST
def password_link(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Makes a link with which a new password can be set once; sends it to the address that is kept for that (`send`), or shows
    it."""
    mailbox = mailbox_for(request, mailbox_id, Action.RUN_MAILBOX)
    if mailbox.deleted:
        return _deleted(request, mailbox)
    if not may_take_over(request.user, mailbox):
        raise PermissionDenied
    if _is_mine(request, mailbox):
        raise PermissionDenied
    context: dict[str, Any] = {"form": PasswordForm()}
    if not take_both(request, "link", request.user.pk, mailbox.pk):
        return _page(request, "portal/mailbox_password.html", mailbox, "password", late=True, **context)
    send = "send" in request.POST and bool(mailbox.recovery_address)
    sent, link = resets.offer_link(mailbox=mailbox, by=actor_of(request), send=send)
    context |= {"sent": sent, "failed": not sent} if send else {"link": link}
    return _page(request, "portal/mailbox_password.html", mailbox, "password", **context)


@never_cache
@require_safe
def mailbox_enter(request: HttpRequest, ticket: str) -> HttpResponse:
    """Signs the owner of a mailbox in, by a link that another panel asked for; once. What only looks at the address, as what a
    browser fetches before it is wanted, uses nothing up."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return HttpResponse(status=204)
    owner = enter(ticket, origin=client_ip(request))
    if owner is None:
        return show(request, "portal/link_over.html", {"entrance": True}, status=404)
    login(request, owner, backend="accounts.backends.HostedMailboxBackend")
    return redirect("/")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link sets a new password, once."""
    holder = holder_of_token(token)
    if holder is None:
        return show(request, "portal/link_over.html", status=404)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if not isinstance(holder, Mailbox):
        del form.fields["everywhere"]  # a person without a mailbox has no programs
    if request.method == "POST" and form.is_valid():
        by = Actor(None, client_ip(request))
        change = {name: value for name, value in form.cleaned_data.items() if name in {"password", "everywhere"}}
        if tried(form, lambda: resets.set_new_password(holder=holder, by=by, **change)):
            messages.info(request, _("The new password counts from now on, in every program too."))
            return redirect("account_login")
    return show(request, "portal/new_password.html", {"address": str(holder), "form": form}, status=status_of(form))


def _is_mine(request: HttpRequest, mailbox: Mailbox) -> bool:
    """Whether one signs in with it: then the password is asked for, whatever else one runs."""
    return mailbox.address == request.user.get_username()


PAGES = {"mode": "mode", "vacation": "vacation", "filters": "filters", "guides": "guide_home"}


@login_required
@require_safe
def mailbox_use(request: HttpRequest, mailbox_id: int, page: str) -> HttpResponse:
    """Leads to a page of the mailbox's own settings, also where nobody has signed in to it yet."""
    mailbox = mailbox_for(request, mailbox_id, Action.RUN_MAILBOX)
    if mailbox.deleted:
        return _deleted(request, mailbox)
    if page not in PAGES or not mailbox.is_open:
        raise Http404
    if not may_take_over(request.user, mailbox):
        raise PermissionDenied
    return redirect(PAGES[page], account_of_mailbox(mailbox).pk)


def _page(request: HttpRequest, template: str, mailbox: Mailbox, tab: str, **context: Any) -> HttpResponse:
    context |= {
        "mailbox": mailbox,
        "runs": may(request.user, Action.RUN_MAILBOX, mailbox) and may_take_over(request.user, mailbox),
        "section": tab,
        "tab": "mailboxes",
        "forward_count": mailbox.forwards.count(),
    }
    status = TOO_MANY if context.get("late") else UNPROCESSABLE if context["form"].errors else 200
    return show(request, template, context, status=status)
