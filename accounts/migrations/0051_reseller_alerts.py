"""Resellers are told of their customers' space by thresholds of their own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0050_shares_anew"),
    ]

    operations = [
        migrations.AddField("customerspace", "seller_alerted", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField(
            "reseller",
            "alert_steps",
            models.JSONField(blank=True, null=True, verbose_name="tell of customers' space at"),
        ),
        migrations.AddField(
            "spacealert",
            "reseller",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.reseller"
            ),
        ),
    ]
