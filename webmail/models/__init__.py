"""What webmail keeps in the database."""

from webmail.models.outgoing import Outgoing, folder_octets, folder_of
from webmail.models.writing import Composing, Contact, Identity, Upload

__all__ = ["Composing", "Contact", "Identity", "Outgoing", "Upload", "folder_octets", "folder_of"]
