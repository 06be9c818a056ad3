"""Sums of thousands of domains stand ready."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0038_devices"),
    ]

    operations = [
        migrations.CreateModel(
            name="SumShares",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("mailboxes", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField(null=True)),
                ("shares", models.JSONField(default=dict)),
                ("reserve_bytes", models.BigIntegerField(default=0)),
            ],
        ),
    ]
