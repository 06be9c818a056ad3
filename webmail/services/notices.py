"""What is told about a message above its text: that its sender asks for a receipt, whom it did not reach and why, who read it.

What a report says of a sent message is remembered in a table of its own when the report is read, so that the sent message
tells it too. The rows of the outbox would not do: they go after a week, know only what was sent from here, and end where
the first server took the message; a search for reports each time that a sent message is opened would look through the
texts of the whole Inbox.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import MailAccount
from webmail.errors import Gone, Refused
from webmail.mime.body import decode_part
from webmail.mime.headers import header_value
from webmail.mime.report import STATUS_LIMIT_BYTES, Failure, first_fields, first_id, read_dsn, read_mdn
from webmail.models import Report, folder_octets
from webmail.models.notices import MESSAGE_ID_LIMIT, RECIPIENT_LIMIT
from webmail.services.identities import allowed_addresses
from webmail.services.reading import SENT_BY_ME, Letter
from webmail.services.receipts import ASKED, ReceiptRequest, find_request, is_answered
from webmail.sources.base import MailSource
from webmail.values import Address, Message, Part, Ref, Role

RETURNED_LIMIT_BYTES = 65_536
OUTCOMES_LIMIT = 50

STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
READING_PARTS = ("message/disposition-notification", "message/global-disposition-notification")
RETURNED_PARTS = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")

_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_ORDER = (Report.Kind.FAILED, Report.Kind.DELAYED, Report.Kind.DELIVERED)

REASONS: dict[str, Promise] = {
    "unknown": gettext_lazy("There is no such address. Check how it is written."),
    "domain": gettext_lazy("No mail server is known for what stands after the @. Check how it is written."),
    "closed": gettext_lazy("That mailbox is closed or takes no mail."),
    "full": gettext_lazy("That mailbox is full."),
    "large": gettext_lazy("The message is too large for that server."),
    "loop": gettext_lazy("The message went round in circles between servers."),
    "refused": gettext_lazy("That server refuses the message: it takes it for spam, or does not let you write there."),
    "gave_up": gettext_lazy("That server could not be reached for so long that the attempts have ended."),
    "other": gettext_lazy("That server did not take the message."),
    "later": gettext_lazy("That server does not answer or asks to wait. It is tried again; you need do nothing."),
    "taken": gettext_lazy("That server has taken it."),
}
_BY_STATUS = {
    "1.2": "domain", "4.4": "domain", "1.7": "refused", "1.8": "refused", "2.1": "closed", "2.2": "full", "2.3": "large",
    "3.4": "large", "4.6": "loop", "4.14": "loop", "4.7": "gave_up",
}  # fmt: skip
_BY_SUBJECT = {"1": "unknown", "7": "refused"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message for one recipient, in words; `reply` are those of the server."""

    recipient: str
    kind: str
    reason: Promise
    reply: str


@dataclass(frozen=True, slots=True)
class Group:
    """Recipients for whom the same became of it, those that are named and how many more; `ref` is the report, if it is not
    the message that is shown and still there."""

    kind: str
    outcomes: list[Outcome]
    more: int = 0
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Somebody's receipt: `kind` is "displayed", "deleted", or else something that a program did."""

    who: str
    kind: str
    when: datetime
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Notices:
    """Everything that is told above a message. `original` is the sent message that a report is about, if it is there;
    `about_shown` whether they are about the message itself, rather than what it, as a report, tells of another."""

    receipt: ReceiptRequest | None = None
    groups: list[Group] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    original: Ref | None = None
    about_shown: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.receipt or self.groups or self.readings)


def notices_of(*, account: MailAccount, source: MailSource, letter: Letter) -> Notices:
    """What there is to tell of an opened message. Raises MailError."""
    message, role = letter.message, letter.folder.role
    status = _part(message.structure, STATUS_PARTS)
    if status is not None and role not in SENT_BY_ME:
        return _bounce(account, source, message, status, trusted=role is not Role.JUNK)
    reading = _part(message.structure, READING_PARTS)
    if reading is not None and role not in SENT_BY_ME:
        return _receipt(account, source, message, reading, trusted=role is not Role.JUNK)
    groups, readings = _known(account, source, message)
    receipt = None
    if header_value(message.headers, ASKED) and not is_answered(account, message.ref, message.summary.message_id):
        receipt = find_request(source.header(message.ref), message.summary.flags, role, allowed_addresses(account))
    return Notices(receipt, groups, readings, about_shown=True)


def is_told_of(account: MailAccount, message_id: str) -> bool:
    """Whether a report that came told of this message. (As SQL, because it is asked at each opening.)"""
    clean = first_id(message_id.encode("utf-8", "replace"))
    if not clean or len(clean) > MESSAGE_ID_LIMIT:
        return False
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(Report._meta.db_table)
        cursor.execute(f"SELECT 1 FROM {table} WHERE account_id = %s AND message_id = %s LIMIT 1", [account.pk, clean])  # noqa: S608
        return cursor.fetchone() is not None


# --- reports that came ------------------------------------------------------------------------------------------------


def _part(structure: Part, media_types: tuple[str, ...]) -> Part | None:
    """A report's part of one of these types (RFC 6522)."""
    children = structure.children if structure.media_type == "multipart/report" else ()
    return next((part for part in children if part.media_type in media_types), None)


def read_start(source: MailSource, ref: Ref, part: Part, limit_bytes: int) -> bytes:
    """The beginning of a part, decoded; no more than `limit_bytes` of it is kept. Raises MailError."""
    raw = bytearray()
    for piece in source.part(ref, part.number):
        raw += piece
        if len(raw) >= limit_bytes:
            break
    return decode_part(part, bytes(raw[:limit_bytes]))


def _bounce(account: MailAccount, source: MailSource, message: Message, part: Part, *, trusted: bool) -> Notices:
    raw = read_start(source, message.ref, part, STATUS_LIMIT_BYTES)
    failures = read_dsn({part.media_type: raw})
    original_id = _returned_id(source, message) or first_id(
        header_value(message.headers, "In-Reply-To").encode("utf-8", "replace")
    )
    original = _find_sent(source, original_id)
    if original is not None and trusted:
        rows = [
            Report(
                recipient=failure.recipient, kind=kind_of(failure), status=status_of(failure), reply=failure.diagnostic
            )
            for failure in failures[:OUTCOMES_LIMIT]
        ]
        _remember(account, message, original_id, rows)
    return Notices(groups=_grouped([outcome_of(failure) for failure in failures]), original=original)


def _receipt(account: MailAccount, source: MailSource, message: Message, part: Part, *, trusted: bool) -> Notices:
    said = read_mdn(read_start(source, message.ref, part, RETURNED_LIMIT_BYTES))
    if said is None:
        return Notices()
    original_id = said.original_id or _returned_id(source, message)
    original = _find_sent(source, original_id)
    sender = message.summary.sender[0] if message.summary.sender else Address("", said.recipient)
    who = sender.email or said.recipient
    if original is not None and trusted and who and said.kind == "displayed":
        _remember(account, message, original_id, [Report(recipient=who, kind=Report.Kind.READ)])
    return Notices(readings=[Reading(sender.display or who, said.kind, message.summary.date)], original=original)


def _returned_id(source: MailSource, message: Message) -> str:
    """The Message-ID in the header that a report gives back, "" without one."""
    part = _part(message.structure, RETURNED_PARTS)
    if part is None:
        return ""
    raw = read_start(source, message.ref, part, RETURNED_LIMIT_BYTES)
    return first_id(first_fields(raw.lstrip(b"\r\n")).get("message-id", b""))


def _find_sent(source: MailSource, message_id: str) -> Ref | None:
    """The message in the folder of sent mail; None when it is not there, or nobody can tell."""
    if not message_id:
        return None
    try:
        folder = next((one.id for one in source.folders() if one.role is Role.SENT and one.selectable), None)
        found = source.find(folder, message_id) if folder is not None else []
    except (Gone, Refused):
        return None
    return found[-1] if found else None


def kind_of(failure: Failure) -> Report.Kind:
    """Whether it failed, is late or was delivered: as the report says, else by the class of its code."""
    by_action = {"failed": "failed", "delayed": "delayed", "delivered": "delivered"}
    by_action |= {"relayed": "delivered", "expanded": "delivered"}
    by_class = {"4": "delayed", "2": "delivered"}
    return Report.Kind(by_action.get(failure.action) or by_class.get(failure.status[:1], "failed"))


def status_of(failure: Failure) -> str:
    """The code that says most: that of the remote server's words where the report's own is a general one, as Exim's is."""
    if failure.status and not failure.status.endswith(".0.0"):
        return failure.status
    found = _CODE.search(failure.diagnostic)
    return found[1] if found else failure.status


def outcome_of(failure: Failure) -> Outcome:
    """The same in plain words."""
    kind = kind_of(failure)
    return Outcome(failure.recipient, kind, reason_of(kind, status_of(failure)), failure.diagnostic)


def reason_of(kind: str, status: str) -> Promise:
    """Why, by the code (RFC 3463)."""
    if kind == Report.Kind.DELIVERED:
        return REASONS["taken"]
    klass, _dot, detail = status.partition(".")
    code = _BY_STATUS.get(detail, _BY_SUBJECT.get(detail.partition(".")[0], ""))
    if kind == Report.Kind.DELAYED:
        return REASONS["full" if code == "full" else "later"]
    if klass == "4" and code != "full":
        return REASONS["gave_up"]
    return REASONS[code or "other"]


def _grouped(outcomes: Sequence[Outcome], refs: Mapping[str, Ref] | None = None) -> list[Group]:
    """By what became of them, the bad news first."""
    groups = []
    for kind in _ORDER:
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
        if of_kind:
            more = max(0, len(of_kind) - OUTCOMES_LIMIT)
            groups.append(Group(kind, of_kind[:OUTCOMES_LIMIT], more, (refs or {}).get(kind)))
    return groups


# --- what a sent message is known of ----------------------------------------------------------------------------------


def _remember(account: MailAccount, report: Message, message_id: str, rows: Sequence[Report]) -> None:
    """Keeps what a report says, the last word of each kind for each recipient."""
    if len(message_id) > MESSAGE_ID_LIMIT:
        return
    ref, when = report.ref, report.summary.date
    there = {(row.recipient, row.kind): row for row in Report.objects.filter(account=account, message_id=message_id)}
    fresh: dict[tuple[str, str], Report] = {}
    for row in rows:
        row.account, row.message_id, row.reported = account, message_id, when
        row.folder, row.validity, row.uid = folder_octets(ref.folder), ref.validity, ref.id
        row.recipient = row.recipient[:RECIPIENT_LIMIT]
        old = there.get((row.recipient, row.kind))
        if old is None or (old.reported <= when and old.ref != ref):
            fresh[row.recipient, row.kind] = row
    if fresh:
        Report.objects.bulk_create(
            fresh.values(),
            update_conflicts=True,
            unique_fields=["account", "message_id", "recipient", "kind"],
            update_fields=["status", "reply", "reported", "folder", "validity", "uid"],
        )


def _known(account: MailAccount, source: MailSource, message: Message) -> tuple[list[Group], list[Reading]]:
    """What reports said of this message: the last of each recipient, and who read it."""
    message_id = first_id(message.summary.message_id.encode("utf-8", "replace"))
    if not is_told_of(account, message.summary.message_id):
        return [], []
    rows = list(Report.objects.filter(account=account, message_id=message_id).order_by("reported", "pk"))
    there = _still_there(source, {row.ref for row in rows})
    last = {row.recipient: row for row in rows if row.kind != Report.Kind.READ}
    outcomes = [Outcome(row.recipient, row.kind, reason_of(row.kind, row.status), row.reply) for row in last.values()]
    refs = {row.kind: row.ref for row in last.values() if row.ref in there}
    readings = [
        Reading(row.recipient, "displayed", row.reported, row.ref if row.ref in there else None)
        for row in rows
        if row.kind == Report.Kind.READ
    ]
    return _grouped(outcomes, refs), readings[:OUTCOMES_LIMIT]


def _still_there(source: MailSource, refs: set[Ref]) -> set[Ref]:
    """Those of a few messages that are where they were."""
    found: set[Ref] = set()
    for folder in {ref.folder for ref in refs}:
        with suppress(Gone, Refused):
            found |= set(source.flags([ref for ref in refs if ref.folder == folder]))
    return found
