"""Work that nobody waits for."""

from __future__ import annotations

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.services import activity


@shared_task  # type: ignore[untyped-decorator]
def clear_sessions() -> int:
    """Removes sessions that have ended; gives how many."""
    removed, _by_model = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return removed


@shared_task  # type: ignore[untyped-decorator]
def clear_activity() -> int:
    """Removes what was recorded of programs longer ago than it is kept; gives how many rows."""
    return activity.clear_activity()
