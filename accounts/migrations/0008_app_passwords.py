"""Passwords of single devices, and the view in which Dovecot finds them."""

import django.db.models.deletion
from django.db import migrations, models

VIEW = """
    CREATE VIEW mail_app_passwords AS
    SELECT a.digest, m.address AS email, a.id, a.imap, a.pop3, a.smtp, a.sieve
      FROM accounts_apppassword a JOIN accounts_mailbox m ON m.id = a.mailbox_id
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_leave_days")]
    operations = [
        migrations.CreateModel(
            name="AppPassword",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("imap", models.BooleanField(default=True, verbose_name="IMAP")),
                ("pop3", models.BooleanField(default=False, verbose_name="POP3")),
                ("smtp", models.BooleanField(default=True, verbose_name="sending")),
                ("sieve", models.BooleanField(default=False, verbose_name="filters")),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("last_at", models.DateTimeField(blank=True, null=True)),
                ("last_protocol", models.CharField(blank=True, max_length=8)),
                ("last_network", models.CharField(blank=True, max_length=43)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="app_passwords",
                        to="accounts.mailbox",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("mailbox", "name"), name="one_app_password_per_name")]
            },
        ),
        migrations.RunSQL(sql=" ".join(VIEW.split()), reverse_sql="DROP VIEW IF EXISTS mail_app_passwords"),
    ]
