"""Chance without state: the same seed and the same question always give the same answer, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from statistics import NormalDist
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")
_MASK = (1 << 64) - 1
_NORMAL = NormalDist()


def draw(seed: int, question: str) -> int:
    """64 well mixed bits (the finaliser of SplitMix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + crc32(question.encode()) * 0xD1342543DE82EF95 + 1) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def pick(seed: int, question: str, options: Sequence[T]) -> T:
    """One of the options, all equally likely."""
    return options[draw(seed, question) % len(options)]


def fraction(seed: int, question: str) -> float:
    """A number from 0 up to, not including, 1."""
    return (draw(seed, question) >> 11) / (1 << 53)


def lognormal(seed: int, question: str, *, median: float, sigma: float) -> float:
    """A positive number around `median`, with the long tail that sizes and delays have."""
    return median * exp(sigma * _NORMAL.inv_cdf(fraction(seed, question) * 0.9998 + 0.0001))
