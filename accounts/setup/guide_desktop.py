"""Guides for programs on computers, and for all that have none of their own.

The words in quotation marks are those that the programs themselves show.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.setup.guide_parts import Facts, Field, Step, leave_words, password_step, server_fields

APPLE_MAIL_DAYS = (1, 7, 30)
"""After how many days Apple Mail can remove copies: a day, a week, a month."""


def thunderbird(facts: Facts) -> list[Step]:
    """It finds the servers (autoconfig); POP3's days alone have to be looked at."""
    steps = [
        Step(
            _(
                "Open Thunderbird. At its first start it asks for an account by itself; later it is in the menu: “New account”, “Email”."
            )
        ),
        Step(_("Type your name and your address, and continue."), (Field(_("Email address"), facts.address),)),
        Step(
            _("Thunderbird finds the servers by itself. Choose “%(protocol)s” among what it has found.")
            % {"protocol": facts.name}
        ),
        password_step(facts),
    ]
    if facts.pop3 and facts.leave_days:
        steps.append(
            Step(
                _(
                    "In “Account settings”, “Server settings”, check that “Leave messages on server” is on, for at most these days."
                ),
                (Field(_("For at most"), str(facts.leave_days)),),
            )
        )
    elif facts.pop3:
        steps.append(Step(_("In “Account settings”, “Server settings”, check that “Leave messages on server” is off.")))
    return steps


def outlook(facts: Facts) -> list[Step]:
    """The classic one, by hand."""
    kind = "POP" if facts.pop3 else "IMAP"
    steps = [
        Step(_("In Outlook choose “File”, then “Add account”.")),
        Step(
            _(
                "Type the address, open “Advanced options”, tick “Let me set up my account manually” and press “Connect”."
            ),
            (Field(_("Email address"), facts.address),),
        ),
        Step(_("Choose “%(kind)s”.") % {"kind": kind}),
        Step(_("Under “Incoming mail” type:"), server_fields(facts.incoming, _("Encryption method"))),
        Step(_("Under “Outgoing mail” type:"), server_fields(facts.outgoing, _("Encryption method"))),
        password_step(facts),
    ]
    if facts.pop3 and facts.leave_days:
        steps.append(
            Step(
                _(
                    "Open “File”, “Account settings”, the account, “More settings”, “Advanced”. Tick “Leave a copy of messages on "
                    "the server” and “Remove from server after”, with these days."
                ),
                (Field(_("Days"), str(facts.leave_days)),),
            )
        )
    elif facts.pop3:
        steps.append(
            Step(
                _(
                    "Open “File”, “Account settings”, the account, “More settings”, “Advanced”. Take the tick off “Leave a copy of "
                    "messages on the server”."
                )
            )
        )
    return steps


def new_outlook(facts: Facts) -> list[Step]:
    """With the warning that POP3 is not in each version."""
    steps = [
        Step(
            _("Open “Settings” (the gear), “Accounts”, “Add account”, and type the address."),
            (Field(_("Email address"), facts.address),),
        ),
        Step(
            _(
                "Press “Choose provider” and take “%(kind)s”. The account that Outlook proposes by itself may be another."
            )
            % {"kind": "POP" if facts.pop3 else "IMAP"}
        ),
        password_step(facts),
        Step(
            _("Open “Show more” and type for incoming mail:"),
            server_fields(facts.incoming, _("Secure connection type")),
        ),
        Step(_("And for outgoing mail:"), server_fields(facts.outgoing, _("Secure connection type"))),
    ]
    if facts.pop3:
        steps.insert(
            0,
            Step(
                _(
                    "Not every version of the new Outlook knows POP3. If it is not among the choices, use the classic Outlook or "
                    "Thunderbird."
                )
            ),
        )
    return steps


def apple_mail(facts: Facts) -> list[Step]:
    """By the profile where there is one, else by hand; POP3 keeps copies for spans of its own."""
    steps = []
    if facts.profile:
        steps += [
            Step(_("On this Mac, open this guide, press “Make the profile”, and open the file.")),
            Step(
                _(
                    "Open “System Settings”, “General”, “Device Management”, the profile, and press “Install”. That is all: the profile brings a password of its own."
                )
            ),
        ]
    steps += [
        Step(
            _(
                "By hand instead: in Mail choose “Mail”, “Add account”, “Other Mail account”, and type name, address and password."
            )
            if facts.profile
            else _("In Mail choose “Mail”, “Add account”, “Other Mail account”, and type name, address and password."),
            (Field(_("Email address"), facts.address),),
        ),
        Step(
            _("Mail then asks for the servers. Choose the account type and type:"),
            (
                Field(_("User name"), facts.login),
                Field(_("Account type"), "POP" if facts.pop3 else "IMAP"),
                Field(_("Incoming mail server"), facts.incoming.host),
                Field(_("Outgoing mail server"), facts.outgoing.host),
            ),
        ),
    ]
    if facts.pop3:
        steps.append(Step(_apple_leave(facts.leave_days)))
    return steps


def _apple_leave(days: int) -> str:
    """Apple Mail knows some spans only: the next longer one keeps what was promised."""
    if days == 0:
        when = _("Right away")
    else:
        span = next((one for one in APPLE_MAIL_DAYS if one >= days), 0)
        when = {1: _("After one day"), 7: _("After one week"), 30: _("After one month"), 0: _("When moved from Inbox")}[
            span
        ]
    return _(
        "In “Settings”, “Accounts”, “Account Information”, under “Remove copy from server after retrieving a message”, choose “%(when)s”."
    ) % {"when": when}


def other(facts: Facts) -> list[Step]:
    """The values alone, for a program that nobody here knows."""
    steps = [
        Step(
            _(
                "Look for “Add account” and for manual or advanced settings. If you may choose the program, take Thunderbird: it finds all of this by itself."
            )
        ),
        Step(
            _("Incoming mail, %(protocol)s:") % {"protocol": facts.name},
            (*server_fields(facts.incoming, _("Security")), Field(_("User name"), facts.login)),
        ),
        Step(
            _("Outgoing mail, SMTP, with the same user name and password (“normal password”):"),
            (*server_fields(facts.outgoing, _("Security")), Field(_("User name"), facts.login)),
        ),
        password_step(facts),
    ]
    if facts.pop3:
        steps.append(Step(leave_words(facts.leave_days) + "."))
    return steps
