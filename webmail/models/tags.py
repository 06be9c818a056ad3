"""Tags that people make."""

from __future__ import annotations

from django.db import models

from accounts.models import MailAccount


class OwnTag(models.Model):
    """A tag beside Thunderbird's five: the keyword that stands on the server, and the name and colour (1 to 8) that it has on
    screen, which the server does not keep."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="own_tags")
    keyword = models.CharField(max_length=100)
    name = models.CharField(max_length=60)
    colour = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "keyword"], name="one_own_tag_per_keyword")]

    def __str__(self) -> str:
        return self.keyword
