"""The mail programs for which there is a guide."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program: its name in addresses and on the page, what it runs on; whether it finds the servers by itself, and
    whether it takes Apple's profile. `named` is what the device is called, where that is not the name."""

    slug: str
    name: str | Promise
    runs_on: str | Promise
    finds: bool = False
    profile: bool = False
    named: str = ""

    @property
    def device(self) -> str:
        """What its password is called at first."""
        return self.named or str(self.name)


PROGRAMS = (
    Program("thunderbird", "Thunderbird", _("Windows, Mac, Linux"), finds=True),
    Program("outlook", _("Outlook (classic)"), "Windows"),
    Program("new-outlook", _("New Outlook"), _("Windows, Mac")),
    Program("apple-mail", "Apple Mail", "Mac", profile=True, named="Mac"),
    Program("iphone", _("iPhone and iPad"), _("Mail"), profile=True, named="iPhone"),
    Program("gmail", _("Gmail app"), "Android", named="Android"),
    Program("thunderbird-android", "Thunderbird", "Android", finds=True, named="Android"),
    Program("other", _("Another one"), _("any device")),
)
_BY_SLUG = {program.slug: program for program in PROGRAMS}


def find_program(slug: str) -> Program | None:
    """The program with this key; None where there is no guide for it."""
    return _BY_SLUG.get(slug)
