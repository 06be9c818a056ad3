"""Programs are told by the device too, by whose password they came."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0037_put_back"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="programuse",
            name="one_use_per_program_and_network",
        ),
        migrations.AddField(
            model_name="mailboxevent",
            name="device",
            field=models.CharField(blank=True, db_default="", max_length=60),
        ),
        migrations.AddField(
            model_name="programuse",
            name="device",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddConstraint(
            model_name="programuse",
            constraint=models.UniqueConstraint(
                fields=("mailbox", "protocol", "program", "device", "network"),
                name="one_use_per_program_device_network",
            ),
        ),
    ]
