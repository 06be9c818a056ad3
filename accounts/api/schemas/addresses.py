"""Addresses that are no mailboxes: aliases and groups."""

from __future__ import annotations

from ninja import Schema
from pydantic import Field

from accounts.api.schemas.common import Address, Given, Id, example
from accounts.models import Alias, Group


class AliasOut(Schema):
    """An address that delivers into `mailbox`."""

    id: int
    address: str
    mailbox: int

    @classmethod
    def of(cls, alias: Alias) -> AliasOut:
        """The row as it is shown."""
        return cls(id=alias.pk, address=alias.address, mailbox=alias.target_id)


class AliasIn(Given):
    """`local` is the part before the @, `mailbox` where it leads."""

    model_config = example(local="ventas", mailbox=41)

    local: str = Address
    mailbox: Id


class GroupOut(Schema):
    """An address whose mail goes to each of `members`."""

    id: int
    address: str
    name: str
    members: list[str]

    @classmethod
    def of(cls, group: Group) -> GroupOut:
        """The row as it is shown."""
        members = sorted(one.address for one in group.members.all())
        return cls(id=group.pk, address=group.address, name=group.name, members=members)


class GroupIn(Given):
    """`local` is the part before the @; a member without one is an address of the domain."""

    model_config = example(local="taller", name="Taller", members=["marcela@quillay.example", "jorge@otra.example"])

    local: str = Address
    name: str = Field("", max_length=120)
    members: list[str] = Field(max_length=200)


class GroupChange(Given):
    """All of a group but its address."""

    model_config = example(name="Taller", members=["marcela@quillay.example"])

    name: str = Field(max_length=120)
    members: list[str] = Field(max_length=200)


class GroupPart(Given):
    """What is left out stays."""

    model_config = example(members=["marcela@quillay.example"])

    name: str = Field(default_factory=str, max_length=120)
    members: list[str] = Field(default_factory=list, max_length=200)
