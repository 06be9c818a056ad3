"""How many of the messages that a POP3 program removed were put back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0036_networks"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailboxevent",
            name="back",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
