"""Since when nobody has used a mailbox stands in its row: asked of two tables it had no index."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce


def fill(apps, schema_editor):
    made = apps.get_model("accounts", "Mailbox").objects.filter(pk=OuterRef("pk")).values("created")
    apps.get_model("accounts", "MailboxSpace").objects.update(idle_since=Coalesce("used_at", Subquery(made)))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0045_disk_of_server"),
    ]

    operations = [
        migrations.AddField("mailboxspace", "idle_since", models.DateTimeField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RemoveIndex("mailboxspace", "space_used_at"),
        migrations.AlterField("mailboxspace", "idle_since", models.DateTimeField()),
        migrations.AddIndex("mailboxspace", models.Index(fields=["idle_since"], name="space_idle_since")),
    ]
