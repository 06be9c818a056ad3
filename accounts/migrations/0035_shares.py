"""What the space of mailboxes and domains is made of, as workers find it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0033_jumps"),
    ]

    operations = [
        migrations.CreateModel(
            name="DomainShares",
            fields=[
                (
                    "domain",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="shares",
                        serialize=False,
                        to="accounts.domain",
                    ),
                ),
                ("mailboxes", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField(null=True)),
                ("shares", models.JSONField(default=dict)),
                ("reserve_bytes", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="MailboxShares",
            fields=[
                (
                    "mailbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="shares",
                        serialize=False,
                        to="accounts.mailbox",
                    ),
                ),
                ("at", models.DateTimeField(null=True)),
                ("tried", models.DateTimeField(null=True)),
                ("asked", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("done", models.PositiveIntegerField(default=0)),
                ("expected", models.PositiveIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=12)),
                ("shares", models.JSONField(default=dict)),
                ("reserve_bytes", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tried"], name="shares_tried"),
                    models.Index(condition=models.Q(("asked__isnull", False)), fields=["asked"], name="shares_asked"),
                ],
            },
        ),
    ]
