"""A POP3 server, tried before anything is changed: whether it answers, and whether it can do what a policy wants."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import MailAccount
from webmail.errors import MailError
from webmail.models import Download
from webmail.services import adding
from webmail.services.downloads import Policy, ServerReport
from webmail.services.pulls import Problem, code_of, problem_of


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test of the connection told: a report, or a problem with the server's own words."""

    report: ServerReport | None = None
    problem: Problem | None = None
    code: str = ""
    reply: str = ""
    allowed: bool = True

    @property
    def well(self) -> bool:
        """Whether this server and this policy go together."""
        return self.report is not None and self.allowed


def tested(account: MailAccount, source: adding.Source | None, policy: Policy, download: Download | None) -> Tested:
    """Asks the server, and says whether it can do what the policy wants."""
    try:
        report = adding.probe_source(account, source, download)
    except MailError as error:
        code = code_of(error)
        reply = error.detail if code in {"login", "refused", "busy", "too-soon", "trouble"} else ""
        return Tested(problem=problem_of(code), code=code, reply="" if reply.startswith("no password") else reply)
    if not report.allows(policy):
        return Tested(report, problem_of("no-uidl"), "no-uidl", allowed=False)
    return Tested(report)
