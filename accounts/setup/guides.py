"""Guides: numbered steps for a mail program and a protocol, with the exact values, from the one settings object."""

from __future__ import annotations

from collections.abc import Callable

from accounts.setup import guide_desktop as desktop
from accounts.setup import guide_phones as phones
from accounts.setup.guide_parts import Facts, Step
from accounts.setup.programs import Program
from accounts.setup.values import Protocol, SetupValues

_STEPS: dict[str, Callable[[Facts], list[Step]]] = {
    "thunderbird": desktop.thunderbird,
    "outlook": desktop.outlook,
    "new-outlook": desktop.new_outlook,
    "apple-mail": desktop.apple_mail,
    "iphone": phones.iphone,
    "gmail": phones.gmail,
    "thunderbird-android": phones.thunderbird_android,
    "other": desktop.other,
}


def steps_for(
    program: Program, protocol: Protocol, values: SetupValues, address: str, *, profile: bool, hosted: bool = True
) -> list[Step] | None:
    """The steps for a mailbox that is `hosted` here or elsewhere, in the language that is active; None where the protocol is not
    offered or nothing can be sent."""
    places = values.places(protocol)
    if not places or not values.smtp:
        return None
    days = values.choice.leave_days
    login = values.login_for(address)
    facts = Facts(address, login, protocol, places[0], values.smtp[0], days, profile and program.profile, hosted)
    return _STEPS[program.slug](facts)
