"""Mail of a domain is power over whoever has an address in it: links for new passwords go there. Who takes in such mail must
outrank them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Mailbox, User
from accounts.services.audit import Actor
from accounts.services.permissions import held_by, may_take_over, outranks


def check_claim(domain: str, by: Actor, *, field: str) -> None:
    """Raises ValidationError at a field where mail for addresses of this domain that are no mailboxes would lead `by` into what
    is above them: to people who sign in from outside with such an address, or to mailboxes whose links for a new password go
    to one. Casilla itself and the provider may claim any."""
    person = by.person
    if person is None or held_by(person).provider:
        return
    ends = f"@{domain}"
    here = set(Mailbox.objects.filter(address__endswith=ends).values_list("address", flat=True))
    others = User.objects.filter(email__endswith=ends).exclude(pk=person.pk).exclude(email__in=here)
    elsewhere = others.filter(mail_accounts__isnull=False, mail_accounts__mailbox__isnull=True)
    waiting = Mailbox.objects.filter(recovery_address__endswith=ends).exclude(recovery_address__in=here)
    if (
        elsewhere.exists()
        or not all(outranks(person, one.email) for one in others)
        or not all(may_take_over(person, one) for one in waiting.select_related("domain__customer"))
    ):
        text = _("People whom you do not run have addresses in this domain. The provider can do this.")
        raise ValidationError({field: text})
