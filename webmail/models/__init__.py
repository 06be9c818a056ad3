"""What webmail keeps in the database."""

from webmail.models.notices import ReceiptAnswer, Report
from webmail.models.outgoing import Outgoing, folder_octets, folder_of
from webmail.models.writing import Composing, Contact, ContactGroup, Identity, Upload

__all__ = [
    "Composing",
    "Contact",
    "ContactGroup",
    "Identity",
    "Outgoing",
    "ReceiptAnswer",
    "Report",
    "Upload",
    "folder_octets",
    "folder_of",
]
