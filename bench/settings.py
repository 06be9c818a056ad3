"""Casilla's settings for the benchmark: production's, but that thirty sign-ins a minute from one address are not too many
(the measured browser is one, and the peers' own limits are lifted as well)."""

from config.settings import *  # noqa: F403

ACCOUNT_RATE_LIMITS = {"login": False, "login_failed": "10000/m/ip"}
DEBUG = False
ROOT_URLCONF = "bench.urls"
