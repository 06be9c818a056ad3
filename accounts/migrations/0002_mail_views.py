"""The views that Dovecot and Postfix read, as they were first. Those of today are made by the last migration that calls
`create_views()` of accounts/provisioning/views.py; only one may, or an earlier one would name columns that come later."""

from django.db import migrations

VIEWS = {
    "mail_users": """
        SELECT m.address AS email,
               CASE WHEN substr(m.password, 1, 16) = 'argon2$argon2id$'
                    THEN '{ARGON2ID}' || substr(m.password, 7) END AS password,
               '*:bytes=' || m.quota_bytes AS quota_rule,
               (m.active AND d.active) AS active,
               m.imap, m.pop3, m.smtp, m.sieve
          FROM accounts_mailbox m JOIN accounts_domain d ON d.id = m.domain_id
    """,
    "mail_domains": "SELECT name, active FROM accounts_domain",
    "mail_aliases": """
        SELECT a.address, m.address AS target, (a.active AND m.active AND d.active) AS active
          FROM accounts_alias a JOIN accounts_mailbox m ON m.id = a.target_id
          JOIN accounts_domain d ON d.id = m.domain_id
    """,
    "mail_senders": """
        SELECT m.address AS sender, m.address AS login FROM accounts_mailbox m
         UNION ALL
        SELECT a.address, m.address FROM accounts_alias a JOIN accounts_mailbox m ON m.id = a.target_id
         WHERE a.active
    """,
}


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(
            sql=[f"CREATE VIEW {name} AS {' '.join(query.split())}" for name, query in VIEWS.items()],
            reverse_sql=[f"DROP VIEW IF EXISTS {name}" for name in VIEWS],
        )
    ]
