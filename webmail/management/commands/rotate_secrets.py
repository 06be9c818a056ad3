"""`manage.py rotate_secrets`: every stored secret sealed anew with the newest key, so that the old ones can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Model

from accounts.vault import SealBroken, reseal
from webmail.models import Download, Import, Outgoing, Transfer

SEALED: tuple[type[Model], ...] = (Download, Import, Outgoing, Transfer)
"""The models with a field `sealed`."""


class Command(BaseCommand):
    """Exit status 1 when a secret could not be opened; the others are sealed anew all the same."""

    help = (
        "Seals every stored password and token anew with the first of VAULT_KEYS; the other keys can be removed then."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = broken = 0
        for model in SEALED:
            rows = model._default_manager.exclude(sealed="")
            for pk, sealed in list(rows.values_list("pk", "sealed")):  # read to its end before anything is written
                try:
                    # only if nobody gave it another secret in the meantime
                    done += rows.filter(pk=pk, sealed=sealed).update(sealed=reseal(sealed))
                except SealBroken:
                    broken += 1
        self.stdout.write(f"{done} secrets sealed anew, {broken} that no key opens.")
        if broken:
            raise SystemExit(1)
