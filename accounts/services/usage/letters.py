"""Alerts by mail, in the language of whoever gets them."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Customer, Domain, Kind, MailAccount, Mailbox, Reseller, SpaceAlert, User
from accounts.services.letters import notify
from accounts.services.permissions import providers

ROUND = 500
FAILURES = 20
"""After so many letters that a server did not answer to, a round leaves the others of their kind."""
FRESH = timedelta(days=2)
"""What could not be written for so long is written no more."""

log = logging.getLogger(__name__)


def send_alerts(*, now: datetime | None = None) -> int:
    """Writes to whom nobody has written yet; gives how many letters were taken. Each alert is claimed before its letters go out,
    so that nobody is written to twice. Where the server answered to none of them it is let go of, for the next round; who
    alone could not be written to is left out, and holds nobody else back."""
    now = now or timezone.now()
    sent = 0
    failures = {True: 0, False: 0}  # of owners, whom our own server takes letters for, and of people anywhere
    due = SpaceAlert.objects.filter(mailed__isnull=True, cleared__isnull=True, at__gte=now - FRESH).select_related(
        "mailbox__domain", "domain", "customer", "server", "reseller"
    )  # of what is over already nobody is told
    for alert in due.order_by("at")[:ROUND]:
        of_owner = alert.mailbox_id is not None
        if failures[of_owner] >= FAILURES:
            continue
        if not SpaceAlert.objects.filter(pk=alert.pk, mailed__isnull=True).update(mailed=now):
            continue
        answers = [_answer(letter) for letter in _letters(alert)]
        sent += answers.count(True)
        failures[of_owner] += answers.count(None)
        if answers and set(answers) == {None}:
            SpaceAlert.objects.filter(pk=alert.pk).update(mailed=None)
            continue
        SpaceAlert.objects.filter(pk=alert.pk).update(taken=answers.count(True))
        if alert.mailbox and answers == [False]:
            sent += _tell_others(alert, alert.mailbox)
    return sent


def _tell_others(alert: SpaceAlert, mailbox: Mailbox) -> int:
    """A mailbox did not take the letter, as it is full: its owner is written to at the address for a new password, and those who
    run the mailbox are told in any case; gives how many letters were taken."""
    elsewhere = bool(mailbox.recovery_address) and bool(
        _answer(partial(_tell_owner, alert, mailbox, mailbox.recovery_address))
    )
    if elsewhere:
        SpaceAlert.objects.filter(pk=alert.pk).update(taken=1)
    people = [one for one in people_over(mailbox.domain) if one.email != mailbox.address]
    tell = partial(_tell_over_mailbox, alert, mailbox, elsewhere)
    return int(elsewhere) + sum(bool(_answer(partial(tell, person))) for person in people)


def _answer(letter: Callable[[], bool]) -> bool | None:
    """Whether a letter was taken; None when the server did not answer."""
    try:
        return letter()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("alerts: %s", type(error).__name__)
        return None


def propose_mode(mailbox: Mailbox) -> bool:
    """Writes to the owner of a mailbox that its mail could be downloaded, and where that is set; whether our server took the
    letter. Raises OSError and SMTPException when it does not answer."""
    account = _account_of(mailbox)
    with translation.override(_language(account.owner.language if account else "")):
        where = reverse("mode", args=[account.pk]) if account else "/"
        lines = [
            _(
                "Your provider proposes that the mail of %(address)s is downloaded, so that it takes less space on the server."
            )
            % {"address": mailbox.address},
            _("Here you see what would change for your programs, and you decide:"),
            settings.SITE_URL + where,
        ]
        return notify(mailbox.address, _("A proposal for your mailbox"), lines)


def people_of(customer: Customer) -> list[User]:
    """Those who hold the role of this customer."""
    return list(User.objects.filter(roles__kind=Kind.CUSTOMER, roles__customer=customer, is_active=True).distinct())


def people_selling(reseller: Reseller) -> list[User]:
    """Those who hold the role of this reseller."""
    return list(User.objects.filter(roles__kind=Kind.RESELLER, roles__reseller=reseller, is_active=True).distinct())


def people_over(domain: Domain) -> list[User]:
    """Those who hold the role of this domain, or of its customer."""
    over = Q(roles__kind=Kind.DOMAIN, roles__domain=domain) | Q(
        roles__kind=Kind.CUSTOMER, roles__customer=domain.customer_id
    )
    return list(User.objects.filter(over, is_active=True).distinct())


def _letters(alert: SpaceAlert) -> list[Callable[[], bool]]:
    """The letters of one alert, each to be handed over by calling it."""
    if alert.mailbox:
        return [partial(_tell_owner, alert, alert.mailbox)]
    if alert.domain:
        return [partial(_tell_domain, alert, alert.domain, person) for person in people_over(alert.domain)]
    if alert.reseller:
        tell = partial(_tell_reseller, alert, alert.reseller)
        return [partial(tell, person) for person in people_selling(alert.reseller)]
    if alert.customer:
        return [partial(_tell_customer, alert, alert.customer, person) for person in people_of(alert.customer)]
    return [partial(_tell_provider, alert, person) for person in providers()]


def _tell_owner(alert: SpaceAlert, mailbox: Mailbox, to: str = "") -> bool:
    account = _account_of(mailbox)
    with translation.override(_language(account.owner.language if account else "")):
        where = reverse("space", args=[account.pk]) if account else "/"
        if alert.percent >= 100:
            subject = _("Your mailbox is full")
            what = _("The mailbox %(address)s is full. Mail for it is refused until there is room again.")
        else:
            subject = _("Your mailbox is %(percent)s %% full") % {"percent": alert.percent}
            what = _(
                "The mailbox %(address)s has passed %(percent)s %% of its space. When it is full, mail for it is refused."
            )
        how = _("To make room: empty the trash, delete large messages, or ask for more space.")
        lines = [what % {"address": mailbox.address, "percent": alert.percent}, how, settings.SITE_URL + where]
        return notify(to or mailbox.address, subject, [*lines, _once()])


def _tell_over_mailbox(alert: SpaceAlert, mailbox: Mailbox, elsewhere: bool, person: User) -> bool:
    with translation.override(_language(person.language)):
        values = {"address": mailbox.address, "percent": alert.percent}
        subject = _("The mailbox %(address)s is full") % values
        lines = [
            _("The mailbox %(address)s took no letter that says so. Mail for it is refused until there is room again.")
            % values,
            _("Its owner was written to at another address.") if elsewhere else _("Its owner was not reached by mail."),
            _("Here you see what can be done:"),
            f"{settings.SITE_URL}{reverse('usage')}?least=0&q={quote(mailbox.address)}",
        ]
        return notify(person.email, subject, [*lines, _once()])


def _tell_domain(alert: SpaceAlert, domain: Domain, person: User) -> bool:
    with translation.override(_language(person.language)):
        values = {"domain": domain.name, "percent": alert.percent}
        subject = _("The mailboxes of %(domain)s are %(percent)s %% full") % values
        lines = [
            _("The mailboxes of %(domain)s together have passed %(percent)s %% of what they may take.") % values,
            _("Here you see which of them take how much, and what can be done:"),
            settings.SITE_URL + reverse("usage") + f"?least=0&q=%40{domain.name}",
        ]
        return notify(person.email, subject, [*lines, _once()])


def _tell_customer(alert: SpaceAlert, customer: Customer, person: User) -> bool:
    with translation.override(_language(person.language)):
        values = {"customer": customer.name, "percent": alert.percent}
        subject = _("%(customer)s uses %(percent)s %% of its space") % values
        lines = [
            _("The mailboxes of %(customer)s together have passed %(percent)s %% of the space of the plan.") % values,
            _("Here you see which of them take how much, and what can be done:"),
            settings.SITE_URL + reverse("usage") + f"?customer={customer.pk}",
        ]
        return notify(person.email, subject, [*lines, _once()])


def _tell_reseller(alert: SpaceAlert, reseller: Reseller, person: User) -> bool:
    if alert.customer:
        return _tell_customer(alert, alert.customer, person)
    with translation.override(_language(person.language)):
        values = {"reseller": reseller.name, "percent": alert.percent}
        subject = _("The mailboxes of %(reseller)s's customers are %(percent)s %% full") % values
        lines = [
            _("The customers of %(reseller)s together have passed %(percent)s %% of what their mailboxes may take.")
            % values,
            _("Here you see which of them take how much, and what can be done:"),
            settings.SITE_URL + reverse("usage") + f"?reseller={reseller.pk}",
        ]
        return notify(person.email, subject, [*lines, _once()])


def _tell_provider(alert: SpaceAlert, person: User) -> bool:
    with translation.override(_language(person.language)):
        values = {"percent": alert.percent, "server": alert.server}
        where = settings.SITE_URL + reverse("usage")
        if alert.server:
            subject = _("The disk of %(server)s has passed %(percent)s %%") % values
            what = _("The mail on %(server)s takes more than %(percent)s %% of its disk.") % values
            where += f"?server={alert.server.pk}"
        else:
            subject = _("The mail disk has passed %(percent)s %%") % values
            what = _("The mail takes more than %(percent)s %% of its disk.") % values
        return notify(person.email, subject, [what, where])


def _once() -> str:
    return _("You are told once for each threshold, and again only after there was room.")


def _account_of(mailbox: Mailbox) -> MailAccount | None:
    return MailAccount.objects.filter(mailbox=mailbox).select_related("owner").first()


def _language(wanted: str) -> str:
    return wanted or settings.LANGUAGE_CODE
