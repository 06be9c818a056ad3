"""Guides for programs on phones and tablets.

The words in quotation marks are those that the programs themselves show.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.setup.guide_parts import Facts, Field, Step, password_step, server_fields


def iphone(facts: Facts) -> list[Step]:
    """By the profile where there is one, else by hand; POP3 knows never, seven days and when removed."""
    steps = []
    if facts.profile:
        steps += [
            Step(
                _(
                    "On the iPhone or iPad itself, in Safari, open this guide (the QR code leads to it) and press “Make the profile”."
                )
            ),
            Step(
                _(
                    "Open “Settings”: at the top is “Profile Downloaded”. Press “Install” and type the code of the device. That is all: the profile brings a password of its own."
                )
            ),
        ]
    steps += [
        Step(
            _(
                "By hand instead: “Settings”, “Apps”, “Mail”, “Mail Accounts”, “Add Account”, “Other”, “Add Mail Account”. Type name, address and password."
            )
            if facts.profile
            else _(
                "Choose “Settings”, “Apps”, “Mail”, “Mail Accounts”, “Add Account”, “Other”, “Add Mail Account”. Type name, address and password."
            ),
            (Field(_("Email address"), facts.address),),
        ),
        Step(
            _("Choose “%(kind)s” at the top, and under “Incoming Mail Server” type:")
            % {"kind": "POP" if facts.pop3 else "IMAP"},
            (Field(_("Host name"), facts.incoming.host), Field(_("User name"), facts.login)),
        ),
        Step(
            _(
                "Under “Outgoing Mail Server” type the same user name and password; it says that they are optional, but they are needed."
            ),
            (Field(_("Host name"), facts.outgoing.host), Field(_("User name"), facts.login)),
        ),
        Step(
            _(
                "If it does not connect, open the account's “Advanced” settings: “Use SSL” is on, and these are the ports."
            ),
            (
                Field(_("Incoming port"), str(facts.incoming.port)),
                Field(_("Outgoing port"), str(facts.outgoing.port)),
            ),
        ),
    ]
    if facts.pop3:
        choice = _("When removed from Inbox") if facts.leave_days == 0 else _("Seven days")
        choice = choice if facts.leave_days <= 7 else _("Never")
        steps.append(Step(_("In “Advanced”, “Delete from server”, choose “%(choice)s”.") % {"choice": choice}))
    return steps


def gmail(facts: Facts) -> list[Step]:
    """By hand; it cannot leave copies for some days."""
    kind = _("Personal (POP3)") if facts.pop3 else _("Personal (IMAP)")
    steps = [
        Step(_("Open Gmail, touch your picture, “Add another account”, “Other”.")),
        Step(_("Type the address and touch “Manual setup”."), (Field(_("Email address"), facts.address),)),
        Step(_("Choose “%(kind)s”.") % {"kind": kind}),
        password_step(facts),
        Step(
            _("Under “Incoming server settings” type:"),
            (Field(_("User name"), facts.login), *server_fields(facts.incoming, _("Security type"))),
        ),
        Step(
            _("Under “Outgoing server settings”, with “Require sign-in” on, type:"),
            (Field(_("User name"), facts.login), *server_fields(facts.outgoing, _("Security type"))),
        ),
    ]
    if facts.pop3:
        steps.append(
            Step(_("Set “Delete email from server” to “Never”: this app cannot leave copies for some days only."))
        )
    return steps


def thunderbird_android(facts: Facts) -> list[Step]:
    """It finds the servers; the values stand there for who has to correct them."""
    steps = [
        Step(_("Open Thunderbird, “Add account”, and type the address."), (Field(_("Email address"), facts.address),)),
        Step(
            _(
                "It finds the servers by itself. If it proposes another protocol than %(protocol)s, touch “Edit configuration”."
            )
            % {"protocol": facts.name}
        ),
        Step(_("Incoming server:"), (Field(_("Protocol"), facts.name), *server_fields(facts.incoming, _("Security")))),
        Step(_("Outgoing server:"), server_fields(facts.outgoing, _("Security"))),
        password_step(facts),
    ]
    if facts.pop3:
        steps.append(
            Step(
                _(
                    "In the account's settings, “Fetching mail”, set “When I delete a message” to “Don't delete on server”: this app cannot leave copies for some days only."
                )
            )
        )
    return steps
