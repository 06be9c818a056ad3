"""Work that nobody waits for."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.models import Session
from accounts.services import activity, batches, dns, events, purging, reserves, resets
from accounts.services.sending_limit import forget_old as forget_sent
from accounts.services.tokens import forget_replies
from accounts.services.usage.alerts import find_crossings, forget_alerts
from accounts.services.usage.letters import send_alerts
from accounts.services.usage.requota import foretell_fallen
from accounts.services.usage.sampling import take_samples
from accounts.services.usage.shares import sum_domains
from accounts.services.usage.standing import refresh_customers, refresh_domains, refresh_standing
from accounts.services.usage.weekly import send_summaries


@shared_task  # type: ignore[untyped-decorator]
def clear_sessions() -> int:
    """Removes sessions that have ended; gives how many."""
    removed, _by_model = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return removed


@shared_task  # type: ignore[untyped-decorator]
def clear_activity() -> int:
    """Removes what was recorded of programs longer ago than it is kept; gives how many rows."""
    return activity.clear_activity() + events.clear_events()


@shared_task  # type: ignore[untyped-decorator]
def tidy_reserves() -> int:
    """Removes what POP3 programs removed longer ago than it is kept; gives into how many mailboxes was looked."""
    return reserves.tidy_reserves()


@shared_task  # type: ignore[untyped-decorator]
def sum_shares() -> int:
    """Adds up by domain what mailboxes are made of: those that are gone count no more. Gives of how many domains."""
    return sum_domains()


@shared_task  # type: ignore[untyped-decorator]
def refresh_usage() -> int:
    """Brings the figures of all mailboxes up to what is counted, and tells of thresholds that were passed; gives how many had
    changed."""
    changed = refresh_standing()
    foretell_fallen()
    refresh_domains()
    refresh_customers()
    find_crossings()
    send_alerts()
    return changed


@shared_task  # type: ignore[untyped-decorator]
def sample_usage() -> int:
    """The day's sample of every mailbox and domain; gives how many mailboxes."""
    forget_alerts()
    forget_sent()
    return take_samples()


@shared_task  # type: ignore[untyped-decorator]
def summarise_week() -> int:
    """The letter of the week for everybody who wants it and has not got it; gives how many went out."""
    return send_summaries()


@shared_task  # type: ignore[untyped-decorator]
def make_batches() -> int:
    """Makes the mailboxes of every list that waits or whose worker died; gives how many lists."""
    done = 0
    while batch := batches.claim_batch():
        batches.run_batch(batch)
        done += 1
    return done


@shared_task  # type: ignore[untyped-decorator]
def check_dns() -> int:
    """Looks at the DNS of domains that were not looked at for a day; gives how many."""
    return dns.check_due()


@shared_task  # type: ignore[untyped-decorator]
def purge_mailboxes() -> int:
    """Removes for good the mailboxes that were deleted longer ago than they are kept; gives how many."""
    return purging.purge_old()


@shared_task  # type: ignore[untyped-decorator]
def clear_batches() -> int:
    """Forgets old lists of mailboxes and the passwords in them, and what was answered to the API a day ago."""
    forget_replies()
    return batches.clear_batches()


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def send_forgotten(kind: str, pk: int, language: str) -> None:
    """Sends a link for a new password to who has forgotten it, where there is a way to."""
    resets.send_forgotten(kind, pk, language)
