"""Fixtures that the tests of the edge share with the contract and with signing in."""

from tests.accounts.conftest import foreign
from tests.contract.conftest import courier

__all__ = ["courier", "foreign"]
