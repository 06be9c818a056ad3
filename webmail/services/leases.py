"""The ownership of a job that goes on for long: a row that a worker has claimed."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.utils import timezone

from webmail.models import Comparison, Import, Transfer
from webmail.services.claims import LeaseLost


class Stopped(Exception):
    """Its owner has asked the job to stop."""


class JobLease:
    """The ownership of one row of `job`, by a token that only this worker knows."""

    job: ClassVar[type[Transfer] | type[Import] | type[Comparison]]

    def __init__(self, pk: int, token: str) -> None:
        self.pk, self.token = pk, token
        self.renewed = time.monotonic()

    def hold(self, **fields: object) -> None:
        """Makes it last, in the transaction at hand, with whatever else there is to write. Raises LeaseLost, and Stopped when
        its owner wants it to stop."""
        until = timezone.now() + timedelta(seconds=settings.PULL_LEASE_S)
        mine = self.job._default_manager.filter(pk=self.pk, lease_token=self.token)
        if not mine.update(lease_until=until, **fields):
            raise LeaseLost
        self.renewed = time.monotonic()
        if mine.filter(stopping=True).exists():
            raise Stopped

    def beat(self) -> None:
        """The same when a third of it is over."""
        if time.monotonic() - self.renewed > settings.PULL_LEASE_S / 3:
            self.hold()

    def release(self, **fields: object) -> None:
        """Gives it back."""
        mine = self.job._default_manager.filter(pk=self.pk, lease_token=self.token)
        mine.update(lease_until=None, lease_token="", **fields)
