"""What webmail keeps in the database."""

from webmail.models.bringing import Import
from webmail.models.comparing import Comparison
from webmail.models.download import Download, LedgerEntry, Pull
from webmail.models.moving import OpenMove
from webmail.models.notices import ReceiptAnswer, Report
from webmail.models.outgoing import Outgoing, folder_octets, folder_of
from webmail.models.store import LocalBody, LocalFolder, LocalMessage
from webmail.models.tags import OwnTag
from webmail.models.transfer import Transfer, TransferItem, item_for
from webmail.models.writing import Composing, Contact, ContactGroup, Identity, Upload

__all__ = [
    "Comparison",
    "Composing",
    "Contact",
    "ContactGroup",
    "Download",
    "Identity",
    "Import",
    "LedgerEntry",
    "LocalBody",
    "LocalFolder",
    "LocalMessage",
    "OpenMove",
    "Outgoing",
    "OwnTag",
    "Pull",
    "ReceiptAnswer",
    "Report",
    "Transfer",
    "TransferItem",
    "Upload",
    "folder_octets",
    "folder_of",
    "item_for",
]
