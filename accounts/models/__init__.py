"""Who people are, what they own, and how their mail is reached."""

from accounts.models.access import MailAccount
from accounts.models.activity import LogPosition, MailboxEvent, ProgramUse
from accounts.models.batches import Batch
from accounts.models.brand import Brand
from accounts.models.hosting import (
    Alias,
    Customer,
    DnsCheck,
    Domain,
    Forward,
    Group,
    GroupMember,
    Mailbox,
    MailServer,
    Plan,
    Reseller,
)
from accounts.models.networks import NamedNetwork
from accounts.models.passwords import AppPassword
from accounts.models.people import User
from accounts.models.roles import Change, Invitation, Kind, Letter, Role
from accounts.models.sending import SentToday
from accounts.models.sessions import Session
from accounts.models.shares import DomainShares, MailboxShares, SumShares
from accounts.models.tokens import ApiReply, ApiToken
from accounts.models.usage import (
    AlertSeen,
    Clearing,
    CustomerSpace,
    DaySpace,
    DomainSpace,
    MailboxHistory,
    MailboxSpace,
    MailboxUsage,
    PartSpace,
    ServerSpace,
    SpaceAlert,
    UsageLimits,
    WeeklySummary,
)

__all__ = [
    "AlertSeen",
    "Alias",
    "ApiReply",
    "ApiToken",
    "AppPassword",
    "Batch",
    "Brand",
    "Change",
    "Clearing",
    "Customer",
    "CustomerSpace",
    "DaySpace",
    "DnsCheck",
    "Domain",
    "DomainShares",
    "DomainSpace",
    "Forward",
    "Group",
    "GroupMember",
    "Invitation",
    "Kind",
    "Letter",
    "LogPosition",
    "MailAccount",
    "MailServer",
    "Mailbox",
    "MailboxEvent",
    "MailboxHistory",
    "MailboxShares",
    "MailboxSpace",
    "MailboxUsage",
    "NamedNetwork",
    "PartSpace",
    "Plan",
    "ProgramUse",
    "Reseller",
    "Role",
    "SentToday",
    "ServerSpace",
    "Session",
    "SpaceAlert",
    "SumShares",
    "UsageLimits",
    "User",
    "WeeklySummary",
]
