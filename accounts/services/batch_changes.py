"""Rows of a list that change a mailbox which is there: another address, other values, shut or open, deleted, restored."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Domain, Mailbox, User
from accounts.services import mailboxes
from accounts.services.audit import Actor
from accounts.services.limits import size_words

CREATE, RENAME = "create", "rename"
CHANGE, SAME = "change", "same"
"""What a row does that says nothing in `do` about a mailbox which is there."""
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
FIELDS = {
    "name": gettext_lazy("name"),
    "quota_bytes": gettext_lazy("quota"),
    "recovery_address": gettext_lazy("address for a new password"),
    "active": gettext_lazy("sign in"),
    "receives": gettext_lazy("receives"),
    "sends": gettext_lazy("sends"),
}
"""What a row changes in a mailbox that is there."""
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
    do = row.get("do", CREATE)
    if do == RENAME and not row.get("to"):
        return str(_("gets another address; the old one goes on to deliver"))
    if do == CHANGE:
        return "; ".join(_change_words(name, row["was"].get(name), value) for name, value in row["set"].items())
    return str(WORDS[do] if do in WORDS else _("nothing to change")) % {"to": row.get("to", "")}


def _change_words(name: str, old: Any, new: Any) -> str:
    values = {"what": FIELDS[name], "old": _value_words(name, old), "new": _value_words(name, new)}
    return _("%(what)s: %(old)s becomes %(new)s") % values


def _value_words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name == "quota_bytes":
        return size_words(int(value or 0))
    return f"“{value}”" if value else str(_("nothing"))


def apply_change(domain: Domain, row: dict[str, Any], by: Actor) -> None:
    """Does what a judged row says, in the transaction of its list. Raises ValidationError for what is no longer so."""
    assert by.person
    mailbox = (
        Mailbox.objects.select_related("domain__customer__plan").filter(domain=domain, address=row["address"]).first()
    )
    if mailbox is None:
        text = _("Meanwhile %(address)s is gone: nothing of the list was done.")
        raise ValidationError(text % {"address": row["address"]})
    check_change(by.person, mailbox, row, above=())
    if row["do"] == RENAME:
        mailboxes.rename(mailbox=mailbox, local=row["to"], by=by)
    elif row["do"] == CHANGE:
        states = {name: getattr(mailbox, name) for name in mailboxes.SUSPENDED}
        values = {name: value for name, value in row["set"].items() if name not in states}
        if values:
            mailboxes.change_mailbox(mailbox=mailbox, by=by, **values)
        mailboxes.suspend(mailbox=mailbox, by=by, **states | {n: v for n, v in row["set"].items() if n in states})
    else:
        mailboxes.SELECTION[row["do"]](mailbox, by)


def check_change(person: User, mailbox: Mailbox, row: dict[str, Any], *, above: Collection[int]) -> None:
    """Raises ValidationError for what this person may not do to a mailbox (`above`: the keys of those of people who run more), or
    what makes no sense for it."""
    do = row["do"]
    if mailbox.pk in above:
        raise ValidationError(_("%(address)s is of somebody who runs more than you do.") % {"address": mailbox.address})
    if (mailbox.deleted is not None) != (do == "restore"):
        raise ValidationError(_("It is not deleted.") if do == "restore" else _("It is deleted: restore it first."))
    account = getattr(mailbox, "account", None)
    shuts = do in SHUTS_OUT or (do == CHANGE and row["set"].get("active") is False)
    if shuts and account is not None and account.owner_id == person.pk:
        text = _("%(address)s is your own mailbox: you would shut yourself out.")
        raise ValidationError(text % {"address": mailbox.address})
