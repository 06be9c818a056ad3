"""How many times a mailbox's password was changed, by which Postfix knows a session that hands mail in; the views tell it."""

from django.db import migrations, models

from accounts.provisioning.views import create_views


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0080_sending"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="rounds",
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
        create_views(),
    ]
