"""A line of the log in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Change, Kind
from accounts.services.limits import size_words

VERBS = {
    "mailbox.create": gettext_lazy("Mailbox created"),
    "mailbox.change": gettext_lazy("Mailbox changed"),
    "mailbox.password": gettext_lazy("New password set"),
    "device.make": gettext_lazy("Password for a device made"),
    "device.revoke": gettext_lazy("Password of a device revoked"),
    "mailbox.link": gettext_lazy("Link for a new password made"),
    "mailbox.enter": gettext_lazy("Link made that signs its owner in"),
    "mailbox.entered": gettext_lazy("Signed in by a link of another panel"),
    "mailbox.suspend": gettext_lazy("Mailbox suspended"),
    "mailbox.resume": gettext_lazy("Mailbox opened again"),
    "mailbox.rename": gettext_lazy("Mailbox renamed"),
    "mailbox.delete": gettext_lazy("Mailbox deleted"),
    "mailbox.restore": gettext_lazy("Mailbox restored"),
    "mailbox.purge": gettext_lazy("Mailbox removed for good"),
    "mailbox.forward": gettext_lazy("Forwards changed"),
    "mailbox.reserve": gettext_lazy("Put back what POP3 removed"),
    "mailbox.mode": gettext_lazy("Where the mail lives"),
    "mailbox.filters": gettext_lazy("Filters changed"),
    "mailbox.download": gettext_lazy("Downloading changed"),
    "mailbox.vacation": gettext_lazy("Vacation reply changed"),
    "brand.change": gettext_lazy("Brand changed"),
    "token.make": gettext_lazy("Token made"),
    "token.revoke": gettext_lazy("Token revoked"),
    "person.password": gettext_lazy("New password set"),
    "alias.create": gettext_lazy("Alias created"),
    "alias.delete": gettext_lazy("Alias deleted"),
    "group.create": gettext_lazy("Group created"),
    "group.change": gettext_lazy("Group changed"),
    "group.delete": gettext_lazy("Group deleted"),
    "domain.create": gettext_lazy("Domain added"),
    "domain.suspend": gettext_lazy("Domain suspended"),
    "domain.resume": gettext_lazy("Domain opened again"),
    "server.create": gettext_lazy("Server added"),
    "server.delete": gettext_lazy("Server removed"),
    "domain.usual": gettext_lazy("Defaults of new mailboxes changed"),
    "domain.delete": gettext_lazy("Domain removed"),
    "customer.move": gettext_lazy("Customer given to another reseller"),
    "customer.delete": gettext_lazy("Customer removed"),
    "reseller.change": gettext_lazy("Reseller changed"),
    "reseller.delete": gettext_lazy("Reseller removed"),
    "domain.catch_all": gettext_lazy("Catch-all changed"),
    "customer.create": gettext_lazy("Customer created"),
    "customer.suspend": gettext_lazy("Customer suspended"),
    "customer.resume": gettext_lazy("Customer opened again"),
    "customer.change": gettext_lazy("Customer changed"),
    "reseller.create": gettext_lazy("Reseller created"),
    "plan.create": gettext_lazy("Plan created"),
    "plan.change": gettext_lazy("Plan changed"),
    "plan.terms": gettext_lazy("Plan changed"),
    "plan.delete": gettext_lazy("Plan removed"),
    "role.invite": gettext_lazy("Invited"),
    "role.accept": gettext_lazy("Invitation accepted"),
    "role.withdraw": gettext_lazy("Role withdrawn"),
    "usage.limits": gettext_lazy("Thresholds changed"),
    "network.name": gettext_lazy("Name of a network changed"),
    "network.own": gettext_lazy("Owner named a network for themselves"),
    "batch.made": gettext_lazy("List of mailboxes imported"),
}
FIELDS = {
    "name": gettext_lazy("Name"),
    "quota": gettext_lazy("Quota"),
    "quota_bytes": gettext_lazy("Quota"),
    "recovery_address": gettext_lazy("Address for a new password"),
    "imap": "IMAP",
    "pop3": "POP3",
    "leave_days": gettext_lazy("Days that copies stay on the server"),
    "smtp": gettext_lazy("Sending (SMTP)"),
    "sieve": gettext_lazy("Filters (ManageSieve)"),
    "active": gettext_lazy("May sign in"),
    "reference": gettext_lazy("Reference in another system"),
    "receives": gettext_lazy("Receives mail"),
    "sends": gettext_lazy("May send"),
    "mode": gettext_lazy("Mode"),
    "keep_days": gettext_lazy("Days that copies stay on the server"),
    "keep": gettext_lazy("On the server"),
    "max_bytes": gettext_lazy("Only messages up to"),
    "every_min": gettext_lazy("Minutes between two downloads"),
    "paused": gettext_lazy("Paused"),
    "filters": gettext_lazy("Filters"),
    "script": gettext_lazy("Script"),
    "vacation": gettext_lazy("Answers"),
    "first": gettext_lazy("From"),
    "last": gettext_lazy("Until"),
    "every_days": gettext_lazy("Days between two answers to the same person"),
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("Text"),
    "reseller": gettext_lazy("Reseller"),
    "server": gettext_lazy("Server"),
    "everywhere": gettext_lazy("Every program and device signed out"),
    "accent": gettext_lazy("Colour"),
    "logo": gettext_lazy("Logo"),
    "support_url": gettext_lazy("Support"),
    "sign_in_text": gettext_lazy("Below the sign-in"),
    "letter_text": gettext_lazy("Below letters that Casilla writes"),
    "token": gettext_lazy("Token"),
    "scopes": gettext_lazy("What it may do"),
    "address": gettext_lazy("Address"),
    "forwards": gettext_lazy("Forward to"),
    "keeps_copy": gettext_lazy("Keep a copy in this mailbox"),
    "target": gettext_lazy("Delivers into the mailbox"),
    "members": gettext_lazy("Members"),
    "catch_all": gettext_lazy("Mail addressed to nobody goes to"),
    "plan": gettext_lazy("Plan"),
    "role": gettext_lazy("Role"),
    "over": gettext_lazy("Over"),
    "mailboxes": gettext_lazy("Mailboxes"),
    "file": gettext_lazy("File"),
    "mailbox_limit": gettext_lazy("Mailboxes"),
    "total_bytes": gettext_lazy("Space in all"),
    "mailbox_quota_bytes": gettext_lazy("Quota of a new mailbox"),
    "largest_mailbox_bytes": gettext_lazy("Largest mailbox"),
    "daily_sending_limit": gettext_lazy("Recipients a mailbox may send to in a day"),
    "owner_steps": gettext_lazy("Tell owners of mailboxes at, in percent"),
    "disk_steps": gettext_lazy("Tell the team when the disk passes, in percent"),
    "promise_percent": gettext_lazy("Promise no more than this of the disk, in percent"),
    "alert_steps": gettext_lazy("Tell of the plan's space at, in percent"),
    "messages": gettext_lazy("Messages"),
    "network": gettext_lazy("Network"),
    "retention_days": gettext_lazy("Days to have a deleted mailbox back"),
}
SIZES = {"quota", "quota_bytes", "total_bytes", "mailbox_quota_bytes", "largest_mailbox_bytes", "max_bytes"}
KEEPS = {
    "delete": gettext_lazy("Delete after download"),
    "days": gettext_lazy("Leave for some days"),
    "always": gettext_lazy("Leave always"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A change as it is shown: what, and (field, before, after) of each value."""

    change: Change
    what: str
    values: list[tuple[str, str, str]]


def line_of(change: Change) -> Line:
    """A change in words: what was done, and each value before and after."""
    names = list(dict.fromkeys([*change.before, *change.after]))
    values = [
        (str(FIELDS.get(name, name)), _words(name, change.before.get(name)), _words(name, change.after.get(name)))
        for name in names
    ]
    return Line(change, str(VERBS.get(change.verb, change.verb)), [row for row in values if row[1] or row[2]])


def _words(name: str, value: Any) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in SIZES and isinstance(value, int):
        return size_words(value)
    if name == "keep":
        return str(KEEPS.get(value, value))
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(Kind(value).label) if name == "role" and value in Kind.values else str(value)
