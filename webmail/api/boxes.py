"""A mailbox's account, for its settings and never for its mail; and what forms find wrong, as the API says it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.api.callers import caller_of
from accounts.api.loading import use_mailbox
from accounts.api.problems import Problem
from accounts.models import MailAccount, Mailbox
from accounts.services.login import account_of_mailbox


def settings_box(request: HttpRequest, mailbox_id: int) -> MailAccount:
    """The account of one's own mailbox, or of one that one runs, made where nobody has signed in yet. Raises Problem 409 for one
    that is suspended or deleted."""
    mailbox = use_mailbox(caller_of(request), mailbox_id)
    if not mailbox.is_open:
        raise Problem(409, _("The mailbox is suspended or deleted."))
    account = account_of_mailbox(mailbox)
    account.mailbox = mailbox
    return account


def mailbox_of(account: MailAccount) -> Mailbox:
    """The mailbox of what `settings_box` gave."""
    assert account.mailbox
    return account.mailbox


def require_valid(form: forms.BaseForm, *, prefix: str = "") -> None:
    """Raises ValidationError with what the form finds wrong, each at its field."""
    if not form.is_valid():
        raise ValidationError(wrong_of(form, prefix=prefix))


def wrong_of(form: forms.BaseForm, *, prefix: str = "") -> dict[str, Any]:
    """What is wrong in a form: field to messages."""
    return {f"{prefix}{name}": list(texts) for name, texts in form.errors.items()}
