"""The views that Dovecot and Postfix read."""

from django.db import migrations

from accounts.provisioning.views import create_views


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [create_views()]
