"""Every threshold can be chosen, not the first alone: a percentage becomes the list that it began. Domains are told of too."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.models.usage

FOLLOWED = (90, 95, 100)


def steps_from(first):
    return [first, *(step for step in FOLLOWED if step > first)]


def make_lists(apps, schema_editor):
    for model, old, new in (("Plan", "owner_percent", "owner_steps"), ("Customer", "alert_percent", "alert_steps")):
        rows = apps.get_model("accounts", model).objects
        for first in rows.exclude(**{old: None}).values_list(old, flat=True).distinct():
            rows.filter(**{old: first}).update(**{new: steps_from(first)})
    for limits in apps.get_model("accounts", "UsageLimits").objects.all():
        limits.owner_steps = steps_from(limits.owner_percent)
        limits.disk_steps = steps_from(limits.disk_percent)
        limits.save()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0031_whose_space"),
    ]

    operations = [
        migrations.AddField(
            "plan", "owner_steps", models.JSONField(blank=True, null=True, verbose_name="tell owners at")
        ),
        migrations.AddField(
            "customer",
            "alert_steps",
            models.JSONField(blank=True, null=True, verbose_name="tell of the plan's space at"),
        ),
        migrations.AddField(
            "usagelimits",
            "owner_steps",
            models.JSONField(default=accounts.models.usage.usual_steps, verbose_name="Tell the owner of a mailbox at"),
        ),
        migrations.AddField(
            "usagelimits",
            "disk_steps",
            models.JSONField(
                default=accounts.models.usage.disk_steps, verbose_name="Tell the team when the disk passes"
            ),
        ),
        migrations.RunPython(make_lists, migrations.RunPython.noop),
        migrations.RemoveField("plan", "owner_percent"),
        migrations.RemoveField("customer", "alert_percent"),
        migrations.RemoveField("usagelimits", "owner_percent"),
        migrations.RemoveField("usagelimits", "disk_percent"),
        migrations.AddField("domainspace", "alerted", models.PositiveSmallIntegerField(default=0)),
        migrations.RemoveIndex("spacealert", "alert_of_disk"),
        migrations.AddField(
            "spacealert",
            "domain",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.domain"
            ),
        ),
        migrations.AddIndex(
            "spacealert",
            models.Index(
                condition=models.Q(mailbox__isnull=True, domain__isnull=True, customer__isnull=True),
                fields=["cleared"],
                name="alert_of_disk",
            ),
        ),
    ]
