"""Open files of a process: each connection is one."""

from __future__ import annotations

import resource


def raise_file_limit() -> None:
    """Takes as many as the system allows; many begin with 1,024 and allow more."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
