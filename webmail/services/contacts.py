"""The people that one writes to and hears from, ranked by use."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F, Q

from accounts.models import MailAccount
from webmail.mime.recipients import compare_key
from webmail.models import Contact
from webmail.values import Address

SUGGESTIONS = 8


def remember(account: MailAccount, people: Iterable[Address], *, written: bool) -> None:
    """Notes people; `written` counts a message to them."""
    for person in list(people)[:200]:
        key = compare_key(person.email) if person.email else ""
        if not key or len(key) > 254:
            continue
        contact, _made = Contact.objects.get_or_create(account=account, email=key, defaults={"name": person.name[:200]})
        changes: dict[str, object] = {"written": F("written") + 1} if written else {}
        if person.name and not contact.name:
            changes["name"] = person.name[:200]
        if changes:
            for name, value in changes.items():
                setattr(contact, name, value)
            contact.save()


def suggest(account: MailAccount, words: str) -> list[Contact]:
    """Those whose name or address begins with, or else contains, these words."""
    words = words.strip()[:100]
    if not words:
        return []
    found = Contact.objects.filter(account=account).filter(Q(name__icontains=words) | Q(email__icontains=words))
    return list(found.order_by("-written", "-last_used")[:SUGGESTIONS])
