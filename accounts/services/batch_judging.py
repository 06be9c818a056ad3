"""What a list would do, row by row: the one judge of its preview and of its being applied, so that a list whose preview is
clean is applied, as long as nothing else changes meanwhile.

Rows are done in the order of `in_order`, whatever their order in the file: first what frees room, then what needs it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Alias, Customer, Domain, Group, Mailbox, User
from accounts.services.batch_changes import CHANGE, CREATE, RENAME, SAME, check_change
from accounts.services.batch_rows import EMPTIED
from accounts.services.limits import Taken, check_quota, check_taken, taken_by
from accounts.services.permissions import above, outranks
from accounts.services.promise import promised_on

Row = dict[str, Any]
STATES = ("active", "receives", "sends")


def judge_rows(domain: Domain, customer: Customer, rows: list[Row], person: User) -> str:
    """Adds to the `errors` of each row what the state of the domain makes impossible, and says in `do` of a row that asks for
    nothing whether it makes, changes or leaves a mailbox. Gives what the plan or the disk has no room for, "" when all fits."""
    state = _State(domain, customer, rows, person)
    for row in rows:
        _decide(state, row)
    for row in in_order(rows):
        if not row["errors"]:
            try:
                state.take(row)
            except ValidationError as error:
                row["errors"].extend(error.messages)
    return state.fit(in_order(rows))


def in_order(rows: list[Row]) -> list[Row]:
    """The rows as they are done: deleted and made smaller first, then all that takes no room, then restored, larger, made."""
    return sorted(rows, key=_place)


def adding(row: Row) -> tuple[int, int]:
    """How many mailboxes and how many octets of quota a row takes (below 0: gives back)."""
    if row["do"] == "delete":
        return -1, -row.get("had", 0)
    if row["do"] == "restore":
        return 1, row.get("had", 0)
    if row["do"] == CREATE:
        return 1, row["quota_bytes"]
    return 0, row["set"]["quota_bytes"] - row["had"] if row["do"] == CHANGE and "quota_bytes" in row["set"] else 0


def _place(row: Row) -> int:
    count, octets = adding(row)
    return 0 if count < 0 or octets < 0 else 3 if row["do"] == CREATE else 2 if count or octets else 1


class _State:
    """Mailboxes, addresses and room of a domain as they are after each row."""

    def __init__(self, domain: Domain, customer: Customer, rows: list[Row], person: User) -> None:
        self.domain, self.customer, self.person = domain, customer, person
        found = Mailbox.objects.filter(domain=domain).select_related("domain__customer__plan", "account")
        self.boxes = {one.address: one for one in found}
        ends = f"@{domain.name}"
        self.aliases = dict(Alias.objects.filter(address__endswith=ends).values_list("address", "target"))
        groups = Group.objects.filter(domain=domain).values_list("address", flat=True)
        self.known = self.boxes.keys() | self.aliases.keys() | set(groups)
        concerned = [self.boxes[row["address"]] for row in rows if row["address"] in self.boxes]
        self.above = above(person, concerned) if any(row["do"] not in {SAME, CREATE} for row in rows) else set()
        wanted = [row["to"] if row["do"] == RENAME else row["address"] for row in rows]
        self.signing = set(User.objects.filter(email__in=wanted).values_list("email", flat=True))
        waiting = Mailbox.objects.filter(recovery_address__in=wanted).values_list("recovery_address", flat=True)
        self.held = self.signing | set(waiting)
        self.taken, self.promised = taken_by(customer), promised_on(domain.server)
        self.start = self.taken

    def take(self, row: Row) -> None:
        """Goes on to the state after a row. Raises ValidationError for what it does not allow."""
        address, do = row["address"], row["do"]
        if do == SAME:
            return
        if do == CREATE:
            self._take_address(address)
            check_quota(self.customer, row["quota_bytes"])
        else:
            mailbox = self.boxes[address]
            row["had"] = mailbox.quota_bytes
            check_change(self.person, mailbox, row, above=self.above)
            if do == RENAME:
                self._rename(mailbox, row["to"])
            if do == CHANGE and "quota_bytes" in row["set"]:
                check_quota(self.customer, row["set"]["quota_bytes"])

    def fit(self, rows: list[Row]) -> str:
        """Marks the rows for which no room is left; says in one sentence what the plan or the disk lacks for all together."""
        more = [row for row in rows if not row["errors"] and max(adding(row)) > 0]
        for row in rows:
            count, octets = adding(row)
            if row["errors"] or not (count or octets):
                continue
            try:
                if count > 0 or octets > 0:
                    check_taken(self.customer.plan, self.taken, mailboxes=count, more_bytes=octets)
                    self.promised.check(octets)
            except ValidationError:
                row["errors"].append(_("No room is left for this row."))
                continue
            self.taken = Taken(self.taken.mailboxes + count, self.taken.allotted_bytes + octets)
            self.promised.octets += octets
            if max(count, octets) <= 0:
                self.start = self.taken  # what is free before anything is added
        full = [row for row in more if row["errors"]]
        return self._lacking(more, full) if full else ""

    def _lacking(self, more: list[Row], full: list[Row]) -> str:
        text = ngettext("Not all %(n)d row fits.", "Not all %(n)d rows fit.", len(more)) % {"n": len(more)}
        counts, octets = (sum(values) for values in zip(*map(adding, more), strict=True))
        try:
            check_taken(self.customer.plan, self.start, mailboxes=counts, more_bytes=octets)
            self.promised.check(adding(full[0])[1])
        except ValidationError as error:
            return " ".join([text, *error.messages])
        return text

    def _take_address(self, address: str, *, own: bool = False) -> None:
        if address in self.known and not own:
            raise ValidationError(_("There is a mailbox, an alias or a group with this address."))
        if address in self.held and not outranks(self.person, address):
            raise ValidationError(_("%(address)s is of somebody who runs more than you do.") % {"address": address})
        self.known.add(address)

    def _rename(self, mailbox: Mailbox, to: str) -> None:
        self._take_address(to, own=self.aliases.get(to) == mailbox.pk)
        if to in self.signing:
            raise ValidationError(_("Somebody signs in with this address already."))
        self.aliases.pop(to, None)


def _decide(state: _State, row: Row) -> None:
    """What a row without a word in `do` does; what all of them need to be there."""
    row |= {"set": row.get("set", {}), "gone": row.get("gone")}  # lists of an earlier version have neither
    mailbox = state.boxes.get(row["address"])
    if not row["do"]:
        row["do"] = CREATE if mailbox is None else CHANGE
    if row["do"] not in {CREATE, CHANGE, SAME}:
        if mailbox is None and not row["errors"]:
            row["errors"].append(_("There is no mailbox with this address."))
        return
    if row["do"] == CREATE:
        if row["gone"]:
            row["errors"].append(_("The file says that it is deleted: leave the row or what stands in that cell out."))
        return
    if mailbox is None:
        row["errors"].append(_("There is no mailbox with this address."))
        return
    row["had"] = mailbox.quota_bytes
    was = {name: getattr(mailbox, name) for name in row["set"]}
    row["set"] = {name: value for name, value in row["set"].items() if not _same(was[name], value)}
    row["was"] = {name: was[name] for name in row["set"]}
    row["do"] = CHANGE if row["set"] else SAME
    row |= {
        "name": row["set"].get("name", mailbox.name),
        "quota_bytes": row["set"].get("quota_bytes", mailbox.quota_bytes),
    }
    if row["given"]:
        row["errors"].append(_("A list does not change the password of a mailbox that is there."))
    if row["gone"] is not None and row["gone"] != (mailbox.deleted is not None):
        row["errors"].append(_("To delete or restore it, say so in the column “do”."))


def _same(old: Any, new: Any) -> bool:
    """Whether a cell says what is there: spaces of a name are not told apart, and a hyphen, which empties, may be a name."""
    if isinstance(old, str):
        return " ".join(old.split()) == new or (old == EMPTIED and not new)
    return bool(old == new)
