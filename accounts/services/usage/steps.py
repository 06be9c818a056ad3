"""Lists of thresholds: percentages at which somebody is told, the lowest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST = 6
LEAST = 10
"""What is passed counts as passed no longer when it is well below (alerts.py): below this there is nothing."""
NEAR = 90
"""From so many percent on a meter is red where the list says nothing else."""
Steps = tuple[int, ...]
_PERCENT = re.compile(r"([0-9]{1,4}) ?%?")


def check_steps(values: Iterable[int]) -> list[int]:
    """The same list. Raises ValidationError where it is empty, longer than six, beyond 10 to 100, or out of order."""
    found = list(values)
    if not found:
        raise ValidationError(_("Write at least one percentage."))
    if len(found) > MOST:
        raise ValidationError(_("At most six percentages."))
    if not all(LEAST <= one <= 100 for one in found):
        raise ValidationError(_("Each of them from 10 to 100 %."))
    if any(one >= following for one, following in pairwise(found)):
        raise ValidationError(_("From the lowest to the highest, each of them once."))
    return found


def parse_steps(text: str) -> list[int]:
    """The list that somebody wrote: "80, 90, 95 %", with commas, semicolons or spaces between. Raises ValidationError."""
    pieces = [piece.strip() for piece in re.split(r"[,;]|\s+(?!%)", text) if piece.strip()]
    found = [_PERCENT.fullmatch(piece) for piece in pieces]
    if not all(found):
        raise ValidationError(_("Write percentages with commas between, such as 80, 90, 95, 100."))
    return check_steps(int(one[1]) for one in found if one)


def steps_words(steps: Sequence[int]) -> str:
    """The list as it is written."""
    return ", ".join(map(str, steps))


def highest_passed(steps: Sequence[int], permille: int) -> int:
    """The highest that is passed; 0 for none."""
    return max((step for step in steps if permille >= step * 10), default=0)


def near_step(steps: Sequence[int]) -> int:
    """From how many percent on it is nearly full: from the second, as the first is a warning; of one alone, from that."""
    return steps[1] if len(steps) > 1 else steps[0]
