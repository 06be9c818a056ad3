"""What was promised in the past is kept of parts too, with what each part by which the dashboard is narrowed used; and the days
between which something is full."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0051_reseller_alerts"),
    ]

    operations = [
        *(
            migrations.AddField(model, "promised", models.BinaryField(default=b""))
            for model in ("customerspace", "domainspace", "serverspace")
        ),
        *(
            migrations.AddField(model, name, models.DateField(null=True))
            for model in ("domainspace", "mailboxspace")
            for name in ("full_early", "full_late")
        ),
        migrations.CreateModel(
            name="PartSpace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reseller", models.PositiveIntegerField(default=0)),
                ("plan", models.PositiveIntegerField(default=0)),
                ("server", models.PositiveIntegerField(default=0)),
                ("mode", models.CharField(choices=[("imap", "IMAP"), ("pop3", "POP3")], max_length=4)),
                ("samples", models.BinaryField(default=b"")),
                ("promised", models.BinaryField(default=b"")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["reseller", "plan", "server", "mode"], name="part_space_once")
                ]
            },
        ),
    ]
