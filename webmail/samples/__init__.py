"""Realistic mail, made from a seed: bytes out, nothing else. `generate_mailbox` is the door."""

from webmail.samples.mailbox import generate_mailbox, mailbox_folders
from webmail.samples.values import Sample

__all__ = ["Sample", "generate_mailbox", "mailbox_folders"]
