"""Who people are, what they own, and how their mail is reached."""

from accounts.models.access import MailAccount
from accounts.models.activity import LogPosition, MailboxEvent, ProgramUse
from accounts.models.hosting import Alias, Customer, Domain, Mailbox, Plan
from accounts.models.passwords import AppPassword
from accounts.models.people import User
from accounts.models.usage import (
    CountedSpace,
    DaySpace,
    DomainSpace,
    MailboxHistory,
    MailboxSpace,
    SpaceAlert,
    UsageLimits,
)

__all__ = [
    "Alias",
    "AppPassword",
    "Customer",
    "Domain",
    "LogPosition",
    "MailAccount",
    "Mailbox",
    "Plan",
    "ProgramUse",
    "CountedSpace",
    "Customer",
    "DaySpace",
    "Domain",
    "DomainSpace",
    "LogPosition",
    "MailAccount",
    "Mailbox",
    "MailboxEvent",
    "MailboxHistory",
    "MailboxSpace",
    "Plan",
    "ProgramUse",
    "SpaceAlert",
    "UsageLimits",
    "User",
]
