"""Hypothesis without a deadline: on a loaded machine a slow example is no fault; times are tested on their own."""

from hypothesis import settings

settings.register_profile("casilla", deadline=None)
settings.load_profile("casilla")
