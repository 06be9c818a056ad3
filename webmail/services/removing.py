"""A mailbox of another server is taken out of Casilla: what lives here goes, its server is left alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import MailAccount
from webmail.models import Composing, Download, Import, LedgerEntry, LocalBody, LocalMessage, Outgoing, Transfer
from webmail.services.import_jobs import remove_files
from webmail.services.sending import pending
from webmail.services.switch_figures import size_here
from webmail.services.transfer import last_transfer


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes with a mailbox: messages that live here, their size, texts being written, messages on their way."""

    messages: int
    size_bytes: int
    drafts: int
    outgoing: int


class Working(Exception):
    """A pull, a change of where the mail lives, an import or a sending is under way."""


def loss_of(account: MailAccount) -> Loss:
    """What removing an account would take away."""
    return Loss(
        messages=LocalMessage.objects.filter(account=account).count(),
        size_bytes=size_here(account),
        drafts=Composing.objects.filter(account=account, closed=False).count(),
        outgoing=pending(account).count(),
    )


def remove_mailbox(account: MailAccount) -> None:
    """Removes a mailbox that somebody added, with all that is here of it; the octets go with the next sweep of the store.
    Raises Working, and then nothing is removed."""
    with transaction.atomic():
        last = last_transfer(account)
        if last is not None and last.is_open:
            raise Working
        download = Download.objects.select_for_update().filter(account=account).first()
        if download is not None and download.lease_until and download.lease_until > timezone.now():
            raise Working
        if Outgoing.objects.filter(account=account, state__in=["sending", "handing"]).exists():
            raise Working
        if Import.objects.filter(account=account, lease_until__gt=timezone.now()).exists():
            raise Working
        remove_files(account)
        _remove_rows(account)
        account.delete()


def _remove_rows(account: MailAccount) -> None:
    """A hundred thousand rows in a few statements: nothing but what goes before them hangs on them, so that Django need not
    load them to find out."""
    LedgerEntry.objects.filter(account=account).delete()
    Transfer.objects.filter(account=account).delete()
    rows = LocalMessage.objects.filter(account=account)
    for doomed in (LocalBody.objects.filter(message__in=rows.values("pk")), rows):
        doomed._raw_delete(doomed.db)


def is_added(account: MailAccount) -> bool:
    """Whether a person added the mailbox to the one that they sign in with."""
    return not account.hosted and account.address != account.owner.email
