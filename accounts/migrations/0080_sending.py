"""When and from where each device's password last sent, and sending among the uses and events."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0072_customer_suspended"),
    ]

    operations = [
        migrations.AddField(
            model_name="apppassword",
            name="sent_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apppassword",
            name="sent_network",
            field=models.CharField(blank=True, max_length=43, null=True),
        ),
        migrations.AlterField(
            model_name="mailboxevent",
            name="kind",
            field=models.CharField(
                choices=[
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
                    ("sent", "sent"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="programuse",
            name="protocol",
            field=models.CharField(choices=[("imap", "IMAP"), ("pop3", "POP3"), ("smtp", "SMTP")], max_length=4),
        ),
    ]
