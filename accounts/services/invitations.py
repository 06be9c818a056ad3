"""Roles: offered by mail, taken up with the link in it, taken away."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Customer, Domain, Invitation, Letter, Mailbox, Reseller, Role, User
from accounts.services.addresses import parse_address
from accounts.services.audit import Actor, record_role
from accounts.services.brand import look
from accounts.services.letters import post_letter
from accounts.services.names import clean_name
from accounts.services.passwords import check_password_strength
from accounts.services.permissions import may_grant
from accounts.vault import digest_of

AGE = timedelta(days=7)
Target = Reseller | Customer | Domain | None


def target_fields(target: Target) -> dict[str, Any]:
    """A target as the fields of Role and Invitation."""
    kinds = {"reseller": Reseller, "customer": Customer, "domain": Domain}
    return {name: target if isinstance(target, kind) else None for name, kind in kinds.items()}


@transaction.atomic
def invite(*, address: str, kind: str, target: Target, by: Actor) -> tuple[Invitation, str]:
    """Offers a role to whoever reads this address's mail; gives also the token that goes there (send_invitation), good for a
    week. A second invitation to the same takes the place of the first."""
    if by.person is None:
        raise ValueError("an invitation has somebody who invites")
    address = parse_address(address)
    where = target_fields(target)
    if Role.objects.filter(person__email=address, kind=kind, **where).exists():
        raise ValidationError({"address": _("This person has the role already.")})
    Invitation.objects.filter(address=address, kind=kind, **where).delete()
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        address=address, kind=kind, digest=digest_of(token), inviter=by.person, expires=timezone.now() + AGE, **where
    )
    record_role(by=by, verb="role.invite", role=invitation, address=address)
    return invitation, token


@transaction.atomic
def renew(invitation: Invitation, *, by: Actor) -> str:
    """Another token for an invitation that is there, good for a week from now and as long as who renews it may give the role; the
    one until then opens nothing."""
    if by.person is None:
        raise ValueError("an invitation has somebody who invites")
    token = secrets.token_urlsafe(32)
    invitation.digest, invitation.inviter, invitation.expires = digest_of(token), by.person, timezone.now() + AGE
    invitation.letter, invitation.letter_at = "", None
    invitation.save(update_fields=["digest", "inviter", "expires", "letter", "letter_at"])
    record_role(by=by, verb="role.invite", role=invitation, address=invitation.address)
    return token


def send_invitation(invitation: Invitation, token: str) -> Letter:
    """Sends the letter with the link, and keeps with the invitation what became of it. It is in the language of the person who
    is invited, where they are known, else of who invites."""
    link = settings.SITE_URL + reverse("portal:invitation", args=[token])
    with translation.override(_language_of(invitation) or translation.get_language()):
        subject = _("You are invited to %(site)s") % {"site": look().name}
        context = {"invitation": invitation, "link": link, "site": look().name}
        invitation.letter = post_letter(invitation.address, subject, "portal/mail/invitation.txt", context)
    invitation.letter_at = timezone.now()
    Invitation.objects.filter(pk=invitation.pk, digest=digest_of(token)).update(
        letter=invitation.letter, letter_at=invitation.letter_at
    )
    return Letter(invitation.letter)


def _language_of(invitation: Invitation) -> str:
    """Empty when neither has chosen one."""
    chosen = User.objects.filter(email=invitation.address).values_list("language", flat=True).first()
    return chosen or invitation.inviter.language


def is_given(invitation: Invitation) -> bool:
    """Whether who invited may still give this role; if not, the link opens nothing."""
    return may_grant(invitation.inviter, invitation.kind, invitation.target)


def invitation_of_token(token: str) -> Invitation | None:
    """The invitation of a token that is still good, else None. It is good only as long as who invited may give this role: nobody
    comes back by an invitation that they wrote before their own role was taken away."""
    found = Invitation.objects.filter(digest=digest_of(token), expires__gt=timezone.now())
    offer = found.select_related("inviter", "reseller", "customer__reseller", "domain__customer__reseller").first()
    return offer if offer is not None and is_given(offer) else None


def why_over(token: str) -> str:
    """Why a link opens nothing: "old", "void" (not is_given), or "" for one that is not known (any more)."""
    offer = Invitation.objects.select_related("inviter").filter(digest=digest_of(token)).first()
    if offer is None:
        return ""
    return "old" if offer.expires <= timezone.now() else "" if is_given(offer) else "void"


def needs_sign_in(invitation: Invitation) -> bool:
    """Whether the address is that of somebody who can sign in already; else they choose a password now."""
    address = invitation.address
    return User.objects.filter(email=address).exists() or Mailbox.objects.filter(address=address).exists()


@transaction.atomic
def accept(*, invitation: Invitation, person: User, origin: str) -> Role:
    """Gives the role to a person who is signed in with the address that was invited. Raises ValidationError for another, and
    when the invitation was taken up or withdrawn meanwhile."""
    if person.email != invitation.address:
        raise ValidationError(_("This invitation is for %(address)s.") % {"address": invitation.address})
    taken, _by_model = Invitation.objects.filter(pk=invitation.pk).delete()
    if not taken:
        raise ValidationError(_("This invitation is not good any more."))
    role, _made = Role.objects.get_or_create(person=person, kind=invitation.kind, **target_fields(invitation.target))
    record_role(by=Actor(person, origin), verb="role.accept", role=role, address=person.email)
    return role


@transaction.atomic
def accept_as_new(*, invitation: Invitation, name: str, password: str, origin: str) -> User:
    """Makes the person who was invited, with a password of their own, and gives the role to them."""
    if needs_sign_in(invitation):
        raise ValidationError(_("Somebody with this address is here already: sign in first."))
    check_password_strength(password, known=[invitation.address, name])
    person = User.objects.create_user(invitation.address, password, name=clean_name(name))
    accept(invitation=invitation, person=person, origin=origin)
    return person


@transaction.atomic
def withdraw(*, role: Role | Invitation, by: Actor) -> None:
    """Takes a role away, or an invitation back. The last one who runs everything keeps that role."""
    if isinstance(role, Role):
        others = Role.objects.filter(kind=role.kind).exclude(pk=role.pk).exists()
        if role.target is None and not others and not User.objects.filter(is_superuser=True, is_active=True).exists():
            raise ValidationError(_("Somebody must run this installation: invite another first."))
        address = role.person.email
    else:
        address = role.address
    record_role(by=by, verb="role.withdraw", role=role, address=address)
    role.delete()
