"""Work that nobody waits for."""

from __future__ import annotations

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone


@shared_task  # type: ignore[untyped-decorator]
def clear_sessions() -> int:
    """Removes sessions that have ended; gives how many."""
    removed, _by_model = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return removed
