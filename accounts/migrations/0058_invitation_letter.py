"""What became of an invitation's letter stands with it; those that are there went out."""

from django.db import migrations, models
from django.db.models import F


def went_out(apps, schema_editor):
    apps.get_model("accounts", "Invitation").objects.update(letter="sent", letter_at=F("created"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0052_parts"),
    ]

    operations = [
        migrations.AddField(
            "invitation",
            "letter",
            models.CharField(
                blank=True,
                default="",
                max_length=8,
                choices=[("sent", "Sent"), ("refused", "Refused"), ("away", "Away")],
            ),
            preserve_default=False,
        ),
        migrations.AddField("invitation", "letter_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunPython(went_out, migrations.RunPython.noop),
    ]
