"""Filters and forwards of a mailbox whose sending is suspended send nothing: two views say so."""

from django.db import migrations

from accounts.provisioning.views import renew_views


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0029_new_mailboxes"),
    ]

    operations = [renew_views()]
