"""The one-time step before the servers of docker-compose.yml: tables, static files, certificates, configuration.

Run as `python -m deploy.setup`, with the environment of config/settings.py and MAIL_DOMAIN_NAME. A certificate from
a public authority goes into the volume `tls` as cert.pem and key.pem; without one, a local one is made.
"""

from __future__ import annotations

import os
from pathlib import Path

from accounts.provisioning.render import MailPorts, Postgres, ServerValues, render_servers
from deploy.layout import make_folders
from deploy.tls import make_certificates

ROOT = Path("/srv/casilla")
NETWORK = "172.30.7.0/24"
MASTER_HOSTS = ("172.30.7.10", "172.30.7.11", "172.30.7.12", "172.30.7.13")
"""The addresses of web, worker, puller and watcher, as docker-compose.yml fixes them."""
DOVECOT_HOST = "172.30.7.20"
"""And that of Dovecot."""


def server_values(environment: dict[str, str]) -> ServerValues:
    """The mail servers as docker-compose.yml runs them: PostgreSQL, TLS required, the world as correspondent."""
    return ServerValues(
        root=ROOT,
        database=Postgres("postgres", 5432, "casilla", "casilla_mail", environment["MAIL_DB_PASSWORD"]),
        master_password=environment["MAIL_MASTER_PASSWORD"],
        doveadm_key=environment["DOVEADM_API_KEY"],
        master_hosts=MASTER_HOSTS,
        trusted_networks=(NETWORK,),
        ports=MailPorts(),
        listen="0.0.0.0",  # noqa: S104
        hostname=environment["MAIL_DOMAIN_NAME"],
        lmtp_host="dovecot",
        postfix_host="postfix",
        policy_host="policy",
        filter_hosts=(DOVECOT_HOST,),
        auth_penalty=True,
        outside_mail=True,
        require_tls=True,
        reserve_days=int(environment.get("RESERVE_DAYS", "30")),
    )


def main() -> None:
    import django
    from django.core.management import call_command, get_commands

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    values = server_values(dict(os.environ))
    make_folders(ROOT, database=None)
    make_certificates(ROOT / "tls", hostnames=(values.hostname, "dovecot", "postfix"))
    render_servers(values)
    call_command("migrate", interactive=False)
    call_command("grant_mail_role")
    if "build_icons" in get_commands():
        call_command("build_icons")
    call_command("collectstatic", interactive=False)


if __name__ == "__main__":
    main()
