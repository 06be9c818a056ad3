"""A customer is suspended as a whole by one column that the views read (made by a later migration, as they are today); and
what another panel calls a customer, a domain, a mailbox."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0070_unknown_columns"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="reference",
            field=models.CharField(blank=True, max_length=120, null=True),
        ),
        migrations.AddField(
            model_name="customer",
            name="suspended",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="domain",
            name="reference",
            field=models.CharField(blank=True, max_length=120, null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="reference",
            field=models.CharField(blank=True, max_length=120, null=True),
        ),
        migrations.AddIndex(
            model_name="domain",
            index=models.Index(
                condition=models.Q(("reference__isnull", False)), fields=["reference"], name="domain_reference"
            ),
        ),
        migrations.AddIndex(
            model_name="mailbox",
            index=models.Index(
                condition=models.Q(("reference__isnull", False)), fields=["reference"], name="mailbox_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference__isnull", False), ("reseller__isnull", False)),
                fields=("reseller", "reference"),
                name="customer_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference__isnull", False), ("reseller__isnull", True)),
                fields=("reference",),
                name="own_customer_reference",
            ),
        ),
    ]
