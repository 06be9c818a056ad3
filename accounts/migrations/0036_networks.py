"""Networks may have a name: for everybody, a customer, a domain, or the owner of a mailbox."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0035_shares"),
    ]

    operations = [
        migrations.CreateModel(
            name="NamedNetwork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("network", models.CharField(max_length=43, verbose_name="network")),
                ("name", models.CharField(max_length=40, verbose_name="name")),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="networks",
                        to="accounts.customer",
                    ),
                ),
                (
                    "domain",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="networks",
                        to="accounts.domain",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="networks",
                        to="accounts.mailbox",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("customer__isnull", True), ("domain__isnull", True), ("mailbox__isnull", True)
                        ),
                        fields=("network",),
                        name="one_name_per_network",
                    ),
                    models.UniqueConstraint(fields=("customer", "network"), name="one_name_per_network_of_customer"),
                    models.UniqueConstraint(fields=("domain", "network"), name="one_name_per_network_of_domain"),
                    models.UniqueConstraint(fields=("mailbox", "network"), name="one_name_per_network_of_mailbox"),
                ],
            },
        ),
    ]
