"""How many letters of an alert were taken; of those that are there it is not known."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0058_invitation_letter"),
    ]

    operations = [
        migrations.AddField("spacealert", "taken", models.PositiveSmallIntegerField(null=True)),
    ]
