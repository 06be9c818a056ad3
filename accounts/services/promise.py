"""How much more of a disk may be promised in quotas: as much of it as the provider has agreed to (UsageLimits)."""

from __future__ import annotations

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


def check_promise(server: MailServer | None, more_bytes: int) -> None:
    """Raises TooMuchPromised when so many more octets of quota on the disk of a server (None: the installation's own) are more
    than was agreed. A disk of unknown size holds whatever is promised. Two who ask at the same moment may pass it together: it
    is an agreement about averages, not the end of a disk."""
    disk = disk_of(server) if more_bytes > 0 else None
    if disk is None:
        return
    rows = Mailbox.objects.filter(deleted__isnull=True)
    if server or MailServer.objects.exists():
        rows = rows.filter(domain__server=server)
    promised = (rows.aggregate(total=Sum("quota_bytes"))["total"] or 0) + more_bytes
    if promised * 100 > disk.size_bytes * read_limits().promise_percent:
        raise TooMuchPromised(promised * 100 // disk.size_bytes)
