"""Garbage that holds itself still goes away, though everything is looked through seldom."""

from __future__ import annotations

import gc
import weakref

from config.collecting import THRESHOLDS, collect_seldom


class Knot:
    def __init__(self) -> None:
        self.own = self


def test_garbage_of_a_request_goes_and_what_stays_is_left_out() -> None:
    before = gc.get_threshold()
    try:
        collect_seldom()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 10_000
        knot = Knot()
        gone = weakref.ref(knot)
        del knot
        held: list[list[int]] = [[] for _ in range(THRESHOLDS[0] * 2)]
        assert gone() is None
        assert held
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
