"""Mailboxes of other servers that a person adds, and where such a mailbox is downloaded from."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import Alias, MailAccount
from accounts.services.login import Server
from webmail.models import Download
from webmail.services.access import account_credentials, pop3_for
from webmail.services.downloads import Policy, ServerReport, probe_server, set_secret, start_download
from webmail.services.schedule import credentials_of
from webmail.values import Credentials


@dataclass(frozen=True, slots=True)
class Source:
    """Where a mailbox is downloaded from: server, user name, password or token ("" = the one that is kept)."""

    server: Server
    login: str
    secret: str = ""
    auth: str = Download.Auth.PASSWORD


def known_account(owner_id: int, address: str) -> MailAccount | None:
    """The account that this person has of this address already."""
    return MailAccount.objects.filter(owner=owner_id, address=address).first()


def own_mailbox(owner_id: int, *names: str) -> MailAccount | None:
    """The person's mailbox here that one of these names (addresses, user names) stands for, by whatever server it is reached:
    downloading it into itself would empty it."""
    wanted = {name.strip().lower() for name in names if name.strip()}
    targets = Alias.objects.filter(address__in=wanted).values("target")
    hosted = MailAccount.objects.filter(owner=owner_id, mailbox__isnull=False)
    return hosted.filter(Q(address__in=wanted) | Q(mailbox__in=targets)).first()


def probe_source(account: MailAccount, source: Source | None, download: Download | None = None) -> ServerReport:
    """What the server of a source can do, before anything of it is saved; without a source, that of the account as it is.
    Raises the MailError that says why it does not work."""
    if source is None:
        credentials = account_credentials(account) if download is None else credentials_of(download)
        return probe_server(pop3_for(account), credentials, oauth2=bool(download and _oauth2(download.auth)))
    trial = _with_server(MailAccount(pk=account.pk, address=account.address), source)
    credentials = _credentials(trial, source, download)
    return probe_server(pop3_for(trial), credentials, oauth2=_oauth2(source.auth))


def _credentials(trial: MailAccount, source: Source, download: Download | None) -> Credentials:
    if source.secret or download is None:
        return account_credentials(trial, secret=source.secret)
    kept = credentials_of(download)
    return Credentials(trial.login, kept.password)


def _oauth2(auth: str) -> bool:
    return auth == Download.Auth.OAUTH2


def add_account(*, owner_id: int, address: str, source: Source, policy: Policy, smtp: Server | None) -> MailAccount:
    """A mailbox of another server, in download mode, due at once. Asked twice at the same time, it is added once."""
    account = _with_server(MailAccount(owner_id=owner_id, address=address), source)
    if smtp:
        account.smtp_host, account.smtp_port, account.smtp_tls = smtp
    try:
        with transaction.atomic():
            account.save()
            start_download(account=account, policy=policy, secret=source.secret, auth=source.auth)
    except IntegrityError:
        return MailAccount.objects.get(owner=owner_id, address=address)
    return account


@transaction.atomic
def change_source(download: Download, source: Source) -> None:
    """Another server, user or password for an account that is downloaded. What is known of the copies stays: the same mail
    under other unique-ids is told by its content."""
    account = _with_server(download.account, source)
    account.save(update_fields=["login", "pop3_host", "pop3_port", "pop3_tls"])
    Download.objects.filter(pk=download.pk).update(digest="", pipelining=False, auth=source.auth)
    if source.secret:
        set_secret(download, source.secret, auth=source.auth)


def _with_server(account: MailAccount, source: Source) -> MailAccount:
    account.pop3_host, account.pop3_port, account.pop3_tls = source.server
    account.login = source.login
    return account
