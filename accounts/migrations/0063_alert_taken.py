"""How many letters of an alert were taken; of those that are there it is not known. Mailboxes between 99 and 100 percent, which
may be full by now, are brought up by the next round."""

from django.db import migrations, models


def look_anew(apps, schema_editor):
    nearly = apps.get_model("accounts", "MailboxSpace").objects.filter(permille__gte=990, permille__lt=1000)
    nearly.update(quota_bytes=-1)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0062_other_bytes"),
    ]

    operations = [
        migrations.AddField("spacealert", "taken", models.PositiveSmallIntegerField(null=True)),
        migrations.RunPython(look_anew, migrations.RunPython.noop),
    ]
