"""The password asked once more, before what would hand a mailbox over for good: a device's password, the address for a new
password, a forward, a filter that forwards, a token of the API. Who has signed in or answered a moment ago is not asked; an
open window alone gives nothing away."""

from __future__ import annotations

import time
from enum import Enum
from typing import Any

from allauth.account.authentication import get_authentication_records
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Mailbox, User
from accounts.provisioning.passwords import check_mailbox_password
from accounts.rates import take
from accounts.services.passwords import Holder

FRESH_S = 600
"""For so long after signing in, or after the last answer, nobody is asked."""
SESSION_KEY = "confirmed"
FIELD = "current"


class Answer(Enum):
    """MANY: there were so many wrong ones that none is looked at."""

    RIGHT = "right"
    WRONG = "wrong"
    MANY = "many"


def password_field(help_text: Any = "") -> forms.CharField:
    """The question."""
    return forms.CharField(
        label=_("Password of the mailbox"),
        max_length=200,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "current-password"}),
        help_text=help_text or _("Because you signed in a while ago."),
    )


def holder_for(request: HttpRequest) -> Holder | None:
    """Whose password the person signs in with: that of their mailbox here, else their own; None for a foreign server's."""
    person = User.objects.get(email=request.user.get_username())
    mailbox = Mailbox.objects.filter(address=person.email, deleted__isnull=True).first()
    return mailbox or (person if person.has_usable_password() else None)


class AskForm(forms.Form):
    """A form of nothing but the question, for a page whose own fields are none of Django's."""


def is_fresh(request: HttpRequest, holder: Holder | None) -> bool:
    """Whether the person has shown just now that they know the password of this mailbox or person."""
    answered: float = request.session.get(SESSION_KEY, {}).get(_key(holder), 0.0)
    if holder is None or str(holder) == request.user.get_username():
        records = get_authentication_records(request, request.user)
        answered = max([answered, *(float(one.get("at") or 0) for one in records)])
    return 0 <= time.time() - answered < FRESH_S


def ask(form: forms.Form, request: HttpRequest, holder: Holder | None) -> None:
    """Puts the question into a form where it is needed; takes it out where it is not."""
    if is_fresh(request, holder):
        form.fields.pop(FIELD, None)
    elif FIELD not in form.fields:
        form.fields[FIELD] = password_field()
        if isinstance(holder, User):
            form.fields[FIELD].label = _("Your password")


def is_answered(form: forms.Form, request: HttpRequest, holder: Holder | None) -> bool:
    """Whether the form's question needs no answer or has the right one; else the form says why not."""
    if FIELD not in form.fields:
        return True
    if holder is None:
        form.add_error(FIELD, _("Sign out and in again first: your password is another server's."))
        return False
    if not knows(form, request, holder):
        return False
    request.session[SESSION_KEY] = request.session.get(SESSION_KEY, {}) | {_key(holder): time.time()}
    return True


def knows(form: forms.Form, request: HttpRequest, holder: Holder) -> bool:
    """Whether what was typed at the form's question is the password; else the form says why not. Few wrong ones are taken."""
    typed = form.cleaned_data.get(FIELD) or ""
    if not typed:
        form.add_error(FIELD, _("Write your password: you signed in a while ago."))
        return False
    found = judge(request, holder, typed)
    if found is Answer.RIGHT:
        return True
    if found is Answer.MANY:
        form.add_error(FIELD, _("Too many wrong passwords. Wait five minutes and try again."))
    elif isinstance(holder, Mailbox):
        form.add_error(FIELD, _("This is not the password of the mailbox."))
    else:
        form.add_error(FIELD, _("This is not your password."))
    return False


def judge(request: HttpRequest, holder: Holder, typed: str) -> Answer:
    """What a password that somebody sent is worth. Wrong ones are counted for each mailbox or person, on pages and by the API
    together."""
    usage = take(request, "confirm", _key(holder))
    if usage is None:
        return Answer.MANY
    right = (
        check_mailbox_password(typed, holder.password) if isinstance(holder, Mailbox) else holder.check_password(typed)
    )
    if right:
        usage.rollback()
    return Answer.RIGHT if right else Answer.WRONG


def _key(holder: Holder | None) -> str:
    return f"{'m' if isinstance(holder, Mailbox) else 'p'}{holder.pk if holder else ''}"
