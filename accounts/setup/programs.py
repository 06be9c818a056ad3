"""The mail programs for which there is a guide."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program: its name in addresses and on the page, what it runs on; whether it finds the servers by itself, and
    whether it takes Apple's profile. `device` is what its password is called at first."""

    slug: str
    name: str | Promise
    runs_on: str | Promise
    finds: bool = False
    profile: bool = False

    @property
    def device(self) -> str:
        return str(self.name)


PROGRAMS = (
    Program("thunderbird", "Thunderbird", _("Windows, Mac, Linux"), finds=True),
    Program("outlook", _("Outlook (classic)"), "Windows"),
    Program("new-outlook", _("New Outlook"), _("Windows, Mac")),
    Program("apple-mail", "Apple Mail", "Mac", profile=True),
    Program("iphone", _("iPhone and iPad"), _("Mail"), profile=True),
    Program("gmail", _("Gmail app"), "Android"),
    Program("thunderbird-android", "Thunderbird", "Android", finds=True),
    Program("other", _("Another one"), _("any device")),
)
_BY_SLUG = {program.slug: program for program in PROGRAMS}


def find_program(slug: str) -> Program | None:
    return _BY_SLUG.get(slug)
