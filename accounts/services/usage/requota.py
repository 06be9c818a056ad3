"""A quota was changed: what pages, the bell and the forecast say of the mailbox and of its domain follows at once."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.models import DomainSpace, Mailbox, MailboxHistory, MailboxSpace
from accounts.services.usage.alerts import find_crossings_of
from accounts.services.usage.sampling import look_ahead
from accounts.services.usage.standing import permille_of, refresh_mailbox
from accounts.usage.series import Sample, add, unpack

FALLEN_BATCH = 200


def follow_quota(mailbox: Mailbox) -> None:
    """Brings up how full the mailbox and its domain are, when they will be full, and which thresholds are passed: what is not
    any more is over, and shown to nobody. A deleted mailbox stands nowhere."""
    if mailbox.deleted is not None:
        return
    with transaction.atomic():
        space = refresh_mailbox(mailbox=mailbox)
        kept = MailboxHistory.objects.filter(pk=mailbox.pk).first()
        _foretell(space, bytes(kept.samples) if kept else b"")
        find_crossings_of(space)
        domain = DomainSpace.objects.filter(pk=mailbox.domain_id).first()
        if domain:
            _follow_domain(domain)


def foretell_fallen(*, today: date | None = None) -> int:
    """Foretells anew when those mailboxes will be full that lost much of what they held since they were looked at (their row has
    no day on which they are full, but still the one from which on they may be); gives how many. What is said of them today need
    not wait for the next sample."""
    day = (today or timezone.localdate()).toordinal()
    fallen = MailboxSpace.objects.filter(full_on__isnull=True, full_early__isnull=False)
    done = 0
    while batch := list(fallen.order_by("pk")[:FALLEN_BATCH]):
        kept = dict(MailboxHistory.objects.filter(pk__in=[one.pk for one in batch]).values_list("pk", "samples"))
        for space in batch:
            ahead = look_ahead(unpack(add(bytes(kept.get(space.pk, b"")), Sample(day, space.bytes))), space.quota_bytes)
            space.full_on, space.full_early, space.full_late = ahead.full_on, ahead.full_early, ahead.full_late
        MailboxSpace.objects.bulk_update(batch, ["full_on", "full_early", "full_late"])
        done += len(batch)
    return done


def _follow_domain(domain: DomainSpace) -> None:
    """Of many mailboxes that were changed together the first brings their domain up, and the others find it so."""
    rows = MailboxSpace.objects.filter(domain=domain.pk)
    sums = rows.aggregate(number=Count("pk"), promised=Sum("quota_bytes", default=0), used=Sum("bytes", default=0))
    if (domain.bytes, domain.quota_bytes, domain.mailboxes) == (sums["used"], sums["promised"], sums["number"]):
        return
    domain.bytes, domain.quota_bytes, domain.mailboxes = sums["used"], sums["promised"], sums["number"]
    domain.permille = permille_of(domain.bytes, domain.quota_bytes)
    domain.save(update_fields=["bytes", "quota_bytes", "mailboxes", "permille"])
    _foretell(domain, bytes(domain.samples))
    find_crossings_of(domain)


def _foretell(space: MailboxSpace | DomainSpace, series: bytes) -> None:
    """When it will be full by the quota of now; nothing where there is no history yet."""
    samples = unpack(series)
    if not samples:
        return
    ahead = look_ahead(samples, space.quota_bytes, judged=isinstance(space, DomainSpace))
    space.full_on, space.full_early, space.full_late = ahead.full_on, ahead.full_early, ahead.full_late
    space.save(update_fields=["full_on", "full_early", "full_late"])
