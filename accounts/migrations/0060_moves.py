"""What was moved is told by the log, message by message; what POP3 removed is known by its numbers in the reserve, and who put it
back."""

from django.db import migrations, models

KINDS = [
    ("fetched", "downloaded"),
    ("taken", "removed by POP3"),
    ("read", "read"),
    ("removed", "deleted"),
    ("copied", "copied"),
    ("moved", "moved"),
    ("saved", "stored"),
    ("arrived", "arrived"),
    ("refused", "refused"),
    ("back", "put back"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0059_dns_check")]

    operations = [
        migrations.AlterField("mailboxevent", "kind", models.CharField(choices=KINDS, max_length=8)),
        migrations.AddField("mailboxevent", "reserve", models.TextField(blank=True, db_default="")),
        migrations.AddField("mailboxevent", "back_run", models.BigIntegerField(db_default=0, default=0)),
    ]
