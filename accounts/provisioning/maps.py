"""What Postfix asks Casilla's database: a question for each of its maps, the same for SQLite and PostgreSQL.

In a question %s is the address, domain or login that is asked about, quoted by Postfix, and %% a percent sign. The login of
somebody who sends is what Dovecot says (deploy/dovecot/sql-app.conf): the mailbox's address, and behind a `#`, which stands in
no address here, the number of the device's password by which they signed in; 0 is Casilla itself, and behind `#-` stands how
many times the mailbox's own password was changed before. So each may send as the mailbox may, and one that was revoked or
changed may not, in a session that is open neither.
"""

from __future__ import annotations

LOGIN_MARK = "#"

_MAILBOX = "CASE WHEN '%s' LIKE '%%@%%#%%' THEN rtrim(rtrim(lower('%s'), '-0123456789'), '#') ELSE lower('%s') END"
"""The mailbox of a login."""
_COUNTS = (
    "('%s' NOT LIKE '%%#%%' OR '%s' LIKE '%%#0' OR EXISTS (SELECT 1 FROM mail_app_passwords a "
    "WHERE a.email = {mailbox} AND a.smtp AND a.email || '#' || a.id = lower('%s')) OR EXISTS (SELECT 1 FROM mail_users u "
    "WHERE u.email = {mailbox} AND u.email || '#-' || u.rounds = lower('%s')))"
)
"""Whether that by which somebody signed in still counts; Casilla, which Dovecot has let in, does."""

MAPS = {
    "domains": "SELECT name FROM mail_domains WHERE name = lower('%s')",
    "mailboxes": "SELECT email FROM mail_users WHERE email = lower('%s') AND receives",
    "aliases": "SELECT target FROM mail_aliases WHERE address = lower('%s') AND active UNION ALL "
    "SELECT target FROM mail_catch_alls WHERE domain = substr(lower('%s'), 2) AND substr('%s', 1, 1) = '@'",
    "closed": "SELECT '550 5.2.1 This mailbox is closed' FROM mail_closed WHERE address = lower('%s')",
    # Every login of each mailbox that may send from this address: Postfix joins the rows by commas.
    "senders": "SELECT login FROM mail_senders WHERE sender = lower('%s') UNION ALL "
    "SELECT login || '#0' FROM mail_senders WHERE sender = lower('%s') UNION ALL "
    "SELECT u.email || '#-' || u.rounds FROM mail_users u "
    "WHERE u.email IN (SELECT login FROM mail_senders WHERE sender = lower('%s')) UNION ALL "
    "SELECT a.email || '#' || a.id FROM mail_app_passwords a "
    "WHERE a.smtp AND a.email IN (SELECT login FROM mail_senders WHERE sender = lower('%s'))",
    "silenced": "SELECT CASE WHEN sends THEN '550 5.7.1 This password may not send any more' "
    "ELSE '550 5.7.1 Sending is closed for this mailbox' END "
    "FROM mail_senders WHERE sender = {mailbox} AND NOT (sends AND {counts})".replace("{counts}", _COUNTS).replace(
        "{mailbox}", _MAILBOX
    ),
}
"""Postfix's maps, by the names of their files."""
