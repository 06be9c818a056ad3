"""The table of what was changed in one program and seen in the other: `docs/parity.md`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "parity.md"
TO_BIRD, TO_CASILLA = "Casilla → Thunderbird", "Thunderbird → Casilla"
ALONE = "by itself"
INTRODUCTION = """# The same in Thunderbird

Made by `make test-clients` with {versions}.

One mailbox is open in Chromium with live push (`manage.py watch` and the web server are running) and in Debian's Thunderbird.
Each change is made in one program and looked for in the other, at every frame in Casilla's page and every 50 ms in Thunderbird.
The delay is from the moment before the change is sent to the moment at which the other program shows it; the machine had other
work meanwhile.

"by itself" means that nobody touched the other program. "when it looks" means that Thunderbird told nothing within eight seconds,
as it does for folders that it does not have open, and for the list of folders: the delay is then that of a person's click on the
folder, or of Thunderbird's own next look at the folders.

{summary}

| change | direction | seen | delay ms |
| --- | --- | --- | ---: |
"""


@dataclass(frozen=True, slots=True)
class Line:
    kind: str
    direction: str
    seen: str
    delay_ms: int | None = None

    @property
    def well(self) -> bool:
        return self.delay_ms is not None


@dataclass(slots=True)
class Table:
    lines: list[Line] = field(default_factory=list)

    def write(self, versions: str, path: Path = DOCUMENT) -> None:
        rows = [
            f"| {one.kind} | {one.direction} | {one.seen} | {'' if one.delay_ms is None else one.delay_ms} |"
            for one in self.lines
        ]
        text = INTRODUCTION.format(versions=versions, summary="\n".join(map(self._summary, (TO_CASILLA, TO_BIRD))))
        path.write_text(text + "\n".join(rows) + "\n")

    def _summary(self, direction: str) -> str:
        lines = [one for one in self.lines if one.direction == direction]
        delays = sorted(one.delay_ms for one in lines if one.delay_ms is not None and one.seen.startswith(ALONE))
        if not delays:
            return f"- {direction}: nothing was seen."
        well = sum(one.well for one in lines)
        half, most = delays[len(delays) // 2], delays[-1]
        return (
            f"- {direction}: {well} of {len(lines)} seen, {len(delays)} of them by itself; of these half within {half} ms, "
            f"all within {most} ms."
        )
