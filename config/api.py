"""The API with all its parts: those of accounts, and those of webmail, which stands above them."""

from __future__ import annotations

from accounts.api.v1 import api
from webmail.api import figures, filters, mode, problems, reserve, retention, vacation

__all__ = ["api"]

problems.install(api)
for part in (mode, figures, vacation, filters, reserve, retention):
    api.add_router("", part.router)
