"""Fixtures that the tests of the edge share with the contract."""

from tests.contract.conftest import courier

__all__ = ["courier"]
