"""Every mailbox is weighed anew: who sent what takes the space, and how big the biggest messages are, was not asked before."""

from django.db import migrations


def ask(apps, schema_editor):
    apps.get_model("accounts", "MailboxShares").objects.update(tried=None)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0047_session_of_person"),
    ]

    operations = [
        migrations.RunPython(ask, migrations.RunPython.noop),
    ]
