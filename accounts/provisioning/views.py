"""The SQL views through which Dovecot and Postfix read Casilla's own rows: the one list of users there is.

The text is the same for SQLite and PostgreSQL. Every view is looked up by a column that is a unique key of the table
below it, so that each lookup is one index search.

SQLite refuses to rebuild a table that a view stands on: a later migration that does so begins with `drop_views()`, and one
that changes the text below ends with `create_views()`. Only the last such migration may call it, as the text is today's: an
earlier one would name what comes later.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VIEWS: dict[str, str] = {
    # email, password (as Dovecot writes it), quota_rule, home (below the mail folder), whether one may sign in (active),
    # whether mail is taken in (receives), a switch for each protocol: the mailbox's own and its plan's; whether filters may
    # send (sends); the folder of the server where its mail lies (root; NULL: the installation's own); and how many times its
    # password was changed (rounds).
    # A hash that is not Argon2id becomes NULL, with which no login succeeds.
    "mail_users": """
        SELECT m.address AS email,
               CASE WHEN substr(m.password, 1, 16) = 'argon2$argon2id$'
                    THEN '{ARGON2ID}' || substr(m.password, 7) END AS password,
               '*:bytes=' || m.quota_bytes AS quota_rule,
               COALESCE(m.home, substr(m.address, length(m.address) - length(d.name) + 1) || '/'
                        || substr(m.address, 1, length(m.address) - length(d.name) - 1)) AS home,
               (m.active AND d.active AND c.suspended IS NULL AND m.deleted IS NULL) AS active,
               (m.receives AND d.active AND c.suspended IS NULL AND m.deleted IS NULL) AS receives,
               (m.imap AND p.imap) AS imap, (m.pop3 AND p.pop3) AS pop3,
               (m.smtp AND p.smtp) AS smtp, (m.sieve AND p.sieve) AS sieve,
               (m.sends AND d.active AND c.suspended IS NULL) AS sends,
               (SELECT s.path FROM accounts_mailserver s WHERE s.id = d.server_id) AS root,
               COALESCE(m.rounds, 0) AS rounds
          FROM accounts_mailbox m JOIN accounts_domain d ON d.id = m.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id JOIN accounts_plan p ON p.id = c.plan_id
    """,
    "mail_domains": "SELECT name, active FROM accounts_domain",
    # Where mail for an address goes: a mailbox to itself and to where it is forwarded, an alias to its mailbox, a group to
    # its members, "@domain" to who catches the rest. Postfix follows the targets until they lead to themselves. While sending is
    # suspended nothing is forwarded, and all is kept.
    "mail_aliases": """
        SELECT a.address, m.address AS target,
               (a.active AND m.receives AND d.active AND c.suspended IS NULL AND m.deleted IS NULL) AS active
          FROM accounts_alias a JOIN accounts_mailbox m ON m.id = a.target_id
          JOIN accounts_domain d ON d.id = m.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id
         UNION ALL
        SELECT m.address, m.address, (m.deleted IS NULL AND (m.keeps_copy OR NOT m.receives OR NOT m.sends OR NOT d.active
               OR c.suspended IS NOT NULL OR NOT EXISTS (SELECT 1 FROM accounts_forward f WHERE f.mailbox_id = m.id)))
          FROM accounts_mailbox m JOIN accounts_domain d ON d.id = m.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id
         UNION ALL
        SELECT m.address, f.address, (m.receives AND m.sends AND d.active AND c.suspended IS NULL AND m.deleted IS NULL)
          FROM accounts_mailbox m JOIN accounts_forward f ON f.mailbox_id = m.id
          JOIN accounts_domain d ON d.id = m.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id
         UNION ALL
        SELECT g.address, n.address, (d.active AND c.suspended IS NULL)
          FROM accounts_group g JOIN accounts_groupmember n ON n.group_id = g.id
          JOIN accounts_domain d ON d.id = g.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id
    """,
    # Who gets what is addressed to nobody in a domain.
    "mail_catch_alls": """
        SELECT d.name AS domain, m.address AS target
          FROM accounts_domain d JOIN accounts_mailbox m ON m.id = d.catch_all_id
          JOIN accounts_customer c ON c.id = d.customer_id
         WHERE d.active AND c.suspended IS NULL AND m.receives AND m.deleted IS NULL
    """,
    # What is refused as closed (550 5.2.1), not as unknown: its owner has not gone.
    "mail_closed": """
        SELECT m.address FROM accounts_mailbox m JOIN accounts_domain d ON d.id = m.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id
         WHERE m.deleted IS NULL AND NOT (m.receives AND d.active AND c.suspended IS NULL)
         UNION ALL
        SELECT a.address FROM accounts_alias a JOIN accounts_mailbox m ON m.id = a.target_id
          JOIN accounts_domain d ON d.id = m.domain_id JOIN accounts_customer c ON c.id = d.customer_id
         WHERE a.active AND m.deleted IS NULL AND NOT (m.receives AND d.active AND c.suspended IS NULL)
         UNION ALL
        SELECT g.address FROM accounts_group g JOIN accounts_domain d ON d.id = g.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id WHERE NOT (d.active AND c.suspended IS NULL)
    """,
    # From which addresses a login may send: its own, and its aliases; and whether it may at all, which Postfix asks at each
    # message, also in a session that was open before.
    "mail_senders": """
        SELECT m.address AS sender, m.address AS login,
               (m.sends AND m.active AND m.smtp AND p.smtp AND d.active AND c.suspended IS NULL
               AND m.deleted IS NULL) AS sends
          FROM accounts_mailbox m JOIN accounts_domain d ON d.id = m.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id JOIN accounts_plan p ON p.id = c.plan_id
         UNION ALL
        SELECT a.address, m.address, (m.sends AND m.active AND m.smtp AND p.smtp AND d.active AND c.suspended IS NULL
               AND m.deleted IS NULL)
          FROM accounts_alias a JOIN accounts_mailbox m ON m.id = a.target_id
          JOIN accounts_domain d ON d.id = m.domain_id
          JOIN accounts_customer c ON c.id = d.customer_id JOIN accounts_plan p ON p.id = c.plan_id
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


def create_views() -> migrations.RunPython:
    """A migration operation that makes every view as it is today. Columns are only ever added at a view's end, so that
    PostgreSQL replaces those that are there, and what the mail servers' role was granted stays."""
    return migrations.RunPython(_create, migrations.RunPython.noop)


def _create(_apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    replace = [one.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1) for one in _CREATE]
    for statement in replace if editor.connection.vendor == "postgresql" else [*_DROP, *_CREATE]:
        editor.execute(statement)


def drop_views() -> migrations.RunSQL:
    """A migration operation that drops every view (and, backwards, makes none: those before it did)."""
    return migrations.RunSQL(sql=[*_DROP], reverse_sql=migrations.RunSQL.noop)
