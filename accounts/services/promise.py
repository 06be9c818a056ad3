"""How much more of a disk may be promised in quotas: as much of it as the provider has agreed to (UsageLimits)."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import Mailbox, MailServer
from accounts.services.usage.report import read_limits
from accounts.services.usage.standing import disk_of


class TooMuchPromised(ValidationError):
    """More than was agreed: `percent` of the disk would be promised."""

    def __init__(self, percent: int) -> None:
        super().__init__({"quota": _("No more space can be promised on this disk: the provider has set a limit.")})
        self.percent = percent


@dataclass(slots=True)
class Promised:
    """What of a disk is promised in quotas. `disk_bytes` is None where nobody knows it: it holds whatever is promised."""

    disk_bytes: int | None
    octets: int
    percent: int

    def check(self, more_bytes: int) -> None:
        """Raises TooMuchPromised when so many more octets are more than was agreed."""
        if more_bytes <= 0 or not self.disk_bytes:
            return
        octets = self.octets + more_bytes
        if octets * 100 > self.disk_bytes * self.percent:
            raise TooMuchPromised(octets * 100 // self.disk_bytes)


def promised_on(server: MailServer | None) -> Promised:
    """What is promised on the disk of a server (None: the installation's own)."""
    disk = disk_of(server)
    if disk is None:
        return Promised(None, 0, 0)
    rows = Mailbox.objects.filter(deleted__isnull=True)
    if server or MailServer.objects.exists():
        rows = rows.filter(domain__server=server)
    return Promised(
        disk.size_bytes, rows.aggregate(total=Sum("quota_bytes"))["total"] or 0, read_limits().promise_percent
    )


def check_promise(server: MailServer | None, more_bytes: int) -> None:
    """Raises TooMuchPromised when so many more octets of quota on the disk of a server (None: the installation's own) are more
    than was agreed. Two who ask at the same moment may pass it together: it is an agreement about averages, not the end of a
    disk."""
    if more_bytes > 0:
        promised_on(server).check(more_bytes)
