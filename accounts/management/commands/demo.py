"""`manage.py demo`: the whole of Casilla on this machine. The work is done in deploy/demo.py."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deploy import demo


class Command(BaseCommand):
    help = "Runs the demo until Ctrl-C; DEMO_DIR and DEMO_PORT choose where. With --reset, removes its state."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="remove the demo's state and end")

    def handle(self, *args: Any, **options: Any) -> None:
        code = demo.reset(self._say) if options["reset"] else demo.run(self._say)
        if code:
            sys.exit(code)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
