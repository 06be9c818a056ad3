"""Identities: as whom one may write from an account, in which order they stand, and the signature that goes with each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from django.db import transaction
from django.db.models import Max

from accounts.models import Alias, MailAccount
from webmail.mime.recipients import compare_key
from webmail.models import Composing, Identity
from webmail.values import Address

IDENTITIES_LIMIT = 50
SIGNED = "-- \n"
"""What stands above a signature (RFC 3676 section 4.3)."""

_QUOTE = re.compile(r"^(?:>|-{8} .+ -{8}$)", re.MULTILINE)


def allowed_addresses(account: MailAccount) -> list[str]:
    """The addresses that one may write as, the account's own first: with a hosted mailbox also the aliases that lead to it,
    as in the view `mail_senders` by which Postfix judges."""
    aliases = (
        Alias.objects.filter(target=account.mailbox_id, active=True) if account.mailbox_id else Alias.objects.none()
    )
    return [account.address, *aliases.order_by("address").values_list("address", flat=True)]


def allowed_address(account: MailAccount, text: str) -> str | None:
    """The same address as it is kept here; None when one may not write as it."""
    return next((one for one in allowed_addresses(account) if compare_key(one) == compare_key(text)), None)


def usable(account: MailAccount) -> list[Identity]:
    """The identities in their order, without those whose alias was taken away."""
    allowed = set(allowed_addresses(account))
    return [one for one in Identity.objects.filter(account=account) if one.address in allowed]


def default_identity(account: MailAccount) -> Identity | None:
    """As whom one writes without a choice: the first; None where the account has none."""
    return next(iter(usable(account)), None)


def identity_for(account: MailAccount, people: Iterable[Address]) -> Identity | None:
    """The identity that one of these people is, in their order, by address and where two share it by name; else the first."""
    mine = usable(account)
    for person in people:
        same = [one for one in mine if compare_key(one.address) == compare_key(person.email)]
        if same:
            return next((one for one in same if one.name == person.name), same[0])
    return mine[0] if mine else None


# --- Changes -----------------------------------------------------------------------------------------------------------------
@transaction.atomic
def add(identity: Identity) -> bool:
    """Puts a new identity after the others; False when the account has enough of them."""
    others = Identity.objects.filter(account=identity.account)
    if others.count() >= IDENTITIES_LIMIT:
        return False
    last: int | None = others.aggregate(last=Max("position"))["last"]
    identity.position = 0 if last is None else last + 1
    identity.save()
    return True


@transaction.atomic
def shift(identity: Identity, *, by: int) -> None:
    """Moves an identity up (-1) or down (1) among those of its account."""
    place(identity, [one.pk for one in Identity.objects.filter(account=identity.account)].index(identity.pk) + by)


@transaction.atomic
def place(identity: Identity, index: int) -> None:
    """Puts an identity at this place of the order."""
    order = list(Identity.objects.filter(account=identity.account).exclude(pk=identity.pk))
    order.insert(max(0, min(index, len(order))), identity)
    for position, one in enumerate(order):
        one.position = position
    Identity.objects.bulk_update(order, ["position"])


@transaction.atomic
def remove(identity: Identity) -> None:
    """Deletes an identity. What is being written as it goes on as the first of the others, with that one's signature."""
    left = list(Composing.objects.filter(identity=identity, closed=False))
    others = [one for one in usable(identity.account) if one.pk != identity.pk]
    for composing in left:
        change_identity(composing, others[0] if others else None)
        composing.save(update_fields=["identity", "text", "html"])
    identity.delete()


# --- Signatures --------------------------------------------------------------------------------------------------------------
def signature_block(identity: Identity | None) -> str:
    """The signature below its line of dashes; "" without one."""
    return f"{SIGNED}{identity.signature}" if identity and identity.signature else ""


def settle(composing: Composing) -> bool:
    """Takes the first identity where the one of the composer may not be used any more; True when that changed it."""
    if composing.identity is None or allowed_address(composing.account, composing.identity.address):
        return False
    change_identity(composing, default_identity(composing.account))
    return True


def change_identity(composing: Composing, identity: Identity | None) -> None:
    """Goes on writing as another: its signature takes the place of the first one's, where that stands unchanged. It is not
    saved yet."""
    old, new = signature_block(composing.identity), signature_block(identity)
    composing.identity = identity
    if old == new:
        return
    above = composing.account.owner.quote_below or composing.kind == Composing.Kind.FORWARD
    composing.text = swap_signature(composing.text, old, new, above_quote=above)
    if composing.html:
        composing.html = swap_html_signature(composing.html, old, new)


def swap_signature(text: str, old: str, new: str, *, above_quote: bool = True) -> str:
    """A text with the block `new` in the place of `old`; as it is when `old` does not stand in it. With `old` "", `new` goes
    to the end of what one wrote: before the quotation or, not `above_quote`, after it. static/js/signature.js does the same."""
    text = text.replace("\r\n", "\n")
    if not old:
        at = _quote_start(text) if above_quote else len(text)
        own, quote = text[:at].rstrip("\n"), text[at:]
        return f"{own}\n\n{new}" + (f"\n\n{quote}" if quote else "")
    found = list(re.finditer(rf"^{re.escape(old)}$", text, re.MULTILINE))
    return text[: found[-1].start()] + new + text[found[-1].end() :] if found else text


def _quote_start(text: str) -> int:
    """Where the quotation begins, with the line above it that says who wrote it; the end of the text without one."""
    match = _QUOTE.search(text)
    if match is None:
        return len(text)
    at = match.start()
    before = text[:at].rstrip("\n")
    if not match[0].startswith(">") or before != text[: at - 1]:
        return at
    return before.rfind("\n") + 1


def swap_html_signature(html: str, old: str, new: str) -> str:
    """The same for what the editor holds, where each line is a paragraph."""
    if not old:
        return html + _paragraphs(new)
    lines = [escape(line, quote=False) for line in old.split("\n")[1:]]
    pattern = r"<p[^<>]*>--(?: |\xa0|&nbsp;)?(?:<br[^<>]*>)?</p>" + "".join(
        rf"\s*<p[^<>]*>{re.escape(line)}(?:<br[^<>]*>)?</p>" for line in lines
    )
    found = list(re.finditer(pattern, html))
    return html[: found[-1].start()] + _paragraphs(new) + html[found[-1].end() :] if found else html


def _paragraphs(block: str) -> str:
    return "".join(f"<p>{escape(line, quote=False) or '<br>'}</p>" for line in block.split("\n")) if block else ""
