"""A mailbox's standing says itself whose it is, so that a page about a large part of all of them joins nothing."""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
    UPDATE accounts_mailboxspace
       SET domain_id = d.id, customer_id = c.id, plan_id = c.plan_id, reseller_id = c.reseller_id, server_id = d.server_id
      FROM accounts_mailbox m JOIN accounts_domain d ON d.id = m.domain_id JOIN accounts_customer c ON c.id = d.customer_id
     WHERE m.id = accounts_mailboxspace.mailbox_id
"""


def copy_of(model, *, index=False, null=False):
    return models.ForeignKey(
        db_constraint=False,
        db_index=index,
        null=null,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=f"accounts.{model}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0030_mail_servers"),
    ]

    operations = [
        migrations.AddField("mailboxspace", "domain", copy_of("domain", index=True, null=True)),
        migrations.AddField("mailboxspace", "customer", copy_of("customer", index=True, null=True)),
        migrations.AddField("mailboxspace", "plan", copy_of("plan", null=True)),
        migrations.AddField("mailboxspace", "reseller", copy_of("reseller", null=True)),
        migrations.AddField("mailboxspace", "server", copy_of("mailserver", null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("mailboxspace", "domain", copy_of("domain", index=True)),
        migrations.AlterField("mailboxspace", "customer", copy_of("customer", index=True)),
        migrations.AlterField("mailboxspace", "plan", copy_of("plan")),
    ]
