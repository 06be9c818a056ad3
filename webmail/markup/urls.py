"""Which foreign URLs may stay, in which exact form. Strict: what is not plainly one of the allowed shapes is dropped."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import quote, unquote

from webmail.markup.images import raster_type

LINK_LIMIT_CHARS = 8_192
DATA_LIMIT_CHARS = 768 * 1024
"""The longest data: URL that is kept, in base64 characters; about 570 kB of image."""

Remote = Literal["block", "proxy"]
RemoteUrl = Callable[[str], str]

_EDGES = "".join(map(chr, range(0x21)))
_IGNORED = str.maketrans("", "", "\t\n\r")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_WEB = re.compile(
    r"""(https?):// (\[[0-9a-f:.]{2,45}\] | [^\s/?#@\\<>"'`^{|}\[\]%:;,()]{1,253}) (:[0-9]{1,5})? ([/?#].*)?""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_MAIL = re.compile(r"mailto:[^\s\\<>\"`]{1,4000}", re.IGNORECASE)
_TEL = re.compile(r"tel:[+0-9().;=a-z*#\-]{1,100}", re.IGNORECASE)
_DATA = re.compile(r"data:image/(?:png|jpe?g|pjpeg|gif|webp|bmp|avif);base64,([a-z0-9+/]+={0,2})", re.IGNORECASE)
_SAFE_IN_URL = "!#$%&*+,-./:;=?@[]_~"


def strip_url(raw: str) -> str:
    """A URL without what browsers ignore in it: controls and spaces at its ends, tabs and line breaks anywhere
    (URL standard section 4.4). "" when other controls are left."""
    url = raw.strip(_EDGES).translate(_IGNORED)
    return "" if _CONTROLS.search(url) else url


def clean_link(raw: str) -> str | None:
    """The form of a link's address that is safe to write, None when it may not stay: http and https with a plain host
    and no user part, mailto and tel."""
    url = strip_url(raw)
    if len(url) > LINK_LIMIT_CHARS:
        return None
    web = _clean_web(url)
    if web:
        return web
    url = url.replace(" ", "%20")
    if _MAIL.fullmatch(url) or _TEL.fullmatch(url):
        scheme, _colon, rest = url.partition(":")
        return f"{scheme.lower()}:{_encode(rest)}"
    return None


def _clean_web(url: str) -> str | None:
    match = _WEB.fullmatch(url)
    if match is None:
        return None
    scheme, host, port, rest = match.groups()
    return f"{scheme.lower()}://{host}{port or ''}{_encode(rest or '')}"


def _encode(rest: str) -> str:
    """Percent-encodes what has a meaning in HTML or CSS, and leaves letters of any script."""
    return "".join(char if char.isalnum() or char in _SAFE_IN_URL else quote(char) for char in rest)


class ImageUrls:
    """Decides about every image address of one body, and counts the remote ones. What it returned is in `issued`."""

    def __init__(self, cid_urls: Mapping[str, str], remote: Remote, remote_url: RemoteUrl | None) -> None:
        self._cid_urls = cid_urls
        self._remote_url = remote_url if remote == "proxy" else None
        self._issued_data: dict[str, bool] = {}
        self.issued: set[str] = set()
        self.remote_count = 0

    def resolve(self, raw: str) -> str | None:
        """The address to write for an image, None when there is none (blocked, unknown cid, or not allowed)."""
        url = strip_url(raw[: DATA_LIMIT_CHARS + 100])
        scheme = url[:5].lower()
        if scheme.startswith("cid:"):
            found = self._by_cid(url[4:])
        elif scheme == "data:":
            found = url if len(raw) <= DATA_LIMIT_CHARS and self._is_raster(url) else None
        else:
            found = self._by_web(url)
        if found is not None:
            self.issued.add(found)
        return found

    def _by_cid(self, cid: str) -> str | None:
        for name in (cid, unquote(cid), unquote(cid).strip("<>")):
            if name in self._cid_urls:
                return _encode(self._cid_urls[name])
        return None

    def _by_web(self, url: str) -> str | None:
        if len(url) > LINK_LIMIT_CHARS:
            return None
        web = _clean_web("https:" + url if url.startswith("//") else url)
        if web is None:
            return None
        self.remote_count += 1
        return _encode(self._remote_url(web)) if self._remote_url else None

    def _is_raster(self, url: str) -> bool:
        """True for base64 of an image type whose first bytes are such an image."""
        if url not in self._issued_data:
            match = _DATA.fullmatch(url)
            self._issued_data[url] = bool(match) and _decodes_to_raster(match[1]) if match else False
        return self._issued_data[url]


def _decodes_to_raster(text: str) -> bool:
    head = text[:64]
    try:
        return raster_type(base64.b64decode(head[: len(head) // 4 * 4])) is not None
    except binascii.Error:
        return False
