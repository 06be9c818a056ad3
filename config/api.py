"""The API as it is served."""

from __future__ import annotations

from accounts.api.v1 import api

__all__ = ["api"]
