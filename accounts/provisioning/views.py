"""The SQL views through which Dovecot and Postfix read Casilla's own rows: the one list of users there is.

The text is the same for SQLite and PostgreSQL. Every view is looked up by a column that is a unique key of the table
below it, so that each lookup is one index search.

SQLite refuses to rebuild a table that a view stands on: a later migration that alters Domain, Mailbox or Alias begins
with `drop_views()` and ends with `create_views()`. Only the last such migration may call `create_views()`: the text here is
today's.
"""

from __future__ import annotations

from django.db import migrations

VIEWS: dict[str, str] = {
    # email, password (as Dovecot writes it), quota_rule, active, and a switch for each protocol.
    # A hash that is not Argon2id becomes NULL, with which no login succeeds.
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
    # From which addresses a login may send: its own, and its aliases.
    "mail_senders": """
        SELECT m.address AS sender, m.address AS login FROM accounts_mailbox m
         UNION ALL
        SELECT a.address, m.address FROM accounts_alias a JOIN accounts_mailbox m ON m.id = a.target_id
         WHERE a.active
    """,
    # Passwords of single devices: the digest, whose they are, and for which protocols.
    "mail_app_passwords": """
        SELECT a.digest, m.address AS email, a.id, a.imap, a.pop3, a.smtp, a.sieve
          FROM accounts_apppassword a JOIN accounts_mailbox m ON m.id = a.mailbox_id
    """,
}


_CREATE = [f"CREATE VIEW {name} AS {' '.join(query.split())}" for name, query in VIEWS.items()]
_DROP = [f"DROP VIEW IF EXISTS {name}" for name in VIEWS]


def create_views() -> migrations.RunSQL:
    """A migration operation that makes every view (and, backwards, drops them)."""
    return migrations.RunSQL(sql=[*_CREATE], reverse_sql=[*_DROP])


def drop_views() -> migrations.RunSQL:
    """A migration operation that drops every view (and, backwards, makes them again)."""
    return migrations.RunSQL(sql=[*_DROP], reverse_sql=[*_CREATE])
