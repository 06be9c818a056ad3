"""Rows of a list that change a mailbox which is there: another address, shut or open in each way, deleted, restored."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Domain, Mailbox, User
from accounts.services import mailboxes
from accounts.services.addresses import parse_local
from accounts.services.audit import Actor
from accounts.services.permissions import may_take_over, outranks

CREATE, RENAME = "create", "rename"
NAMES: dict[str, tuple[str, ...]] = {
    CREATE: ("", "create", "crear"),
    RENAME: ("rename", "renombrar"),
    "suspend": ("suspend", "suspender"),
    "resume": ("resume", "reabrir"),
    "sign_in_off": ("sign in off", "entrar no"),
    "sign_in_on": ("sign in on", "entrar sí", "entrar si"),
    "receive_off": ("receive off", "recibir no"),
    "receive_on": ("receive on", "recibir sí", "recibir si"),
    "send_off": ("send off", "enviar no"),
    "send_on": ("send on", "enviar sí", "enviar si"),
    "pop3_off": ("pop3 off", "pop3 no"),
    "pop3_on": ("pop3 on", "pop3 sí", "pop3 si"),
    "delete": ("delete", "eliminar"),
    "restore": ("restore", "restaurar"),
}
"""What may stand in the column `do`, in either language; but for the first two they are those of a selection."""
WORDS = {
    CREATE: gettext_lazy("is made"),
    RENAME: gettext_lazy("gets the address %(to)s; the old one goes on to deliver"),
    "suspend": gettext_lazy("is suspended"),
    "resume": gettext_lazy("is opened again"),
    "sign_in_off": gettext_lazy("may not sign in any more"),
    "sign_in_on": gettext_lazy("may sign in"),
    "receive_off": gettext_lazy("receives nothing any more"),
    "receive_on": gettext_lazy("receives mail"),
    "send_off": gettext_lazy("may not send any more"),
    "send_on": gettext_lazy("may send"),
    "pop3_off": gettext_lazy("POP3 is switched off"),
    "pop3_on": gettext_lazy("POP3 is switched on"),
    "delete": gettext_lazy("is deleted; it can be restored for a while"),
    "restore": gettext_lazy("is restored"),
}
SHUTS_OUT = {"suspend", "sign_in_off", "delete"}


def read_do(text: str) -> str:
    """What a cell asks for. Raises ValidationError for what is none of NAMES."""
    wanted = " ".join(text.lower().replace("_", " ").split())
    for do, names in NAMES.items():
        if wanted in names:
            return do
    known = ", ".join(names[0] or names[1] for names in NAMES.values())
    raise ValidationError(_("“%(text)s” is nothing that can be done: %(known)s.") % {"text": text[:40], "known": known})


def words_of(row: dict[str, Any]) -> str:
    """What would happen by a row."""
    text = str(WORDS[row.get("do", CREATE)])
    return text % {"to": row["to"]} if row.get("to") else text


class Changing:
    """Judges rows about mailboxes of one domain, for the person who brought the list."""

    def __init__(self, domain: Domain, person: User, known: set[str]) -> None:
        self._domain, self._person, self._known = domain, person, known
        self._boxes: dict[str, Mailbox] | None = None
        self._targets: set[str] = set()

    def judge(self, line: int, do: str, address: str, new: str, errors: list[str]) -> dict[str, Any]:
        """The row as it is kept; what is wrong with it is added to `errors`."""
        to = ""
        try:
            mailbox = self._box(address)
            _check(self._person, mailbox, do)
            if do == RENAME:
                to = self._target(new)
        except ValidationError as error:
            errors.extend(error.messages)
        row = {"line": line, "address": address[:254], "name": "", "quota_bytes": 0, "recovery": "", "given": False}
        return row | {"do": do, "to": to, "errors": errors}

    def _box(self, address: str) -> Mailbox:
        if self._boxes is None:
            rows = Mailbox.objects.filter(domain=self._domain).select_related("domain__customer__plan", "account")
            self._boxes = {one.address: one for one in rows}
        if address not in self._boxes:
            raise ValidationError(_("There is no mailbox with this address."))
        return self._boxes[address]

    def _target(self, new: str) -> str:
        to = parse_local(new, self._domain)
        if to in self._known or to in self._targets:
            raise ValidationError(_("There is a mailbox, an alias or a group with this address."))
        if not outranks(self._person, to):
            raise ValidationError(_("%(address)s is of somebody who runs more than you do.") % {"address": to})
        self._targets.add(to)
        return to


def apply_change(domain: Domain, row: dict[str, Any], by: Actor) -> None:
    """Does what a judged row says, in the transaction of its list. Raises ValidationError for what is no longer so."""
    assert by.person
    mailbox = (
        Mailbox.objects.select_related("domain__customer__plan").filter(domain=domain, address=row["address"]).first()
    )
    if mailbox is None:
        text = _("Meanwhile %(address)s is gone: nothing of the list was done.")
        raise ValidationError(text % {"address": row["address"]})
    _check(by.person, mailbox, row["do"])
    if row["do"] == RENAME:
        if not outranks(by.person, row["to"]):
            raise ValidationError(_("%(address)s is of somebody who runs more than you do.") % {"address": row["to"]})
        mailboxes.rename(mailbox=mailbox, local=row["to"], by=by)
    else:
        mailboxes.SELECTION[row["do"]](mailbox, by)


def _check(person: User, mailbox: Mailbox, do: str) -> None:
    """Raises ValidationError for what this person may not do to a mailbox, or what makes no sense for it."""
    if not may_take_over(person, mailbox):
        raise ValidationError(_("%(address)s is of somebody who runs more than you do.") % {"address": mailbox.address})
    if (mailbox.deleted is not None) != (do == "restore"):
        raise ValidationError(_("It is not deleted.") if do == "restore" else _("It is deleted: restore it first."))
    account = getattr(mailbox, "account", None)
    if do in SHUTS_OUT and account is not None and account.owner_id == person.pk:
        text = _("%(address)s is your own mailbox: you would shut yourself out.")
        raise ValidationError(text % {"address": mailbox.address})
