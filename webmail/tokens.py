"""Ids as they stand in addresses: a folder is its server name in base64url, so that every byte survives every proxy."""

from __future__ import annotations

import base64
import binascii

from webmail.values import FolderId, PartNumber

FOLDER_LIMIT = 2_000
TOKEN_LIMIT = 2_700


def encode_folder(folder: FolderId) -> str:
    """A folder id as it stands in an address."""
    return base64.urlsafe_b64encode(folder.encode("utf-8", "surrogateescape")).rstrip(b"=").decode("ascii")


def decode_folder(token: str) -> FolderId:
    """The folder id of an address. Raises ValueError when it is none."""
    if len(token) > TOKEN_LIMIT:
        raise ValueError("longer than any folder")
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not a folder token") from error
    return FolderId(raw.decode("utf-8", "surrogateescape"))


class FolderConverter:
    regex = f"[A-Za-z0-9_-]{{1,{TOKEN_LIMIT}}}"

    def to_python(self, value: str) -> FolderId:
        return decode_folder(value)

    def to_url(self, value: str) -> str:
        return encode_folder(FolderId(value))


class IdConverter:
    regex = "[0-9A-Za-z]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class PartConverter:
    regex = r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,60}"

    def to_python(self, value: str) -> PartNumber:
        return PartNumber(value)

    def to_url(self, value: str) -> str:
        return value
