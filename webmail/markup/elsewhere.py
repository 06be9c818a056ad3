"""Pictures from elsewhere in a text that is being written. In the editor a picture of ours stands for each, with its address
behind a #, which a browser keeps to itself; what goes out has the address again."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from webmail.markup.urls import RemoteUrl, clean_link

PICTURE = "img/elsewhere.svg"
_STANDING_IN = re.compile(rf"""src=["'](?:[^"'<>\s#]{{0,200}})/{re.escape(PICTURE)}#([^"'<>\s]{{1,25000}})["']""")


def stand_in(static_url: str) -> RemoteUrl:
    """What gives the address that stands for one from elsewhere."""
    return lambda url: f"{static_url}{PICTURE}#{quote(url, safe='')}"


def give_back(html: str) -> tuple[str, dict[str, str]]:
    """(the text, where a Content-ID of its own stands for each of those pictures, their addresses by it), for `sanitize`."""
    addresses: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        address = clean_link(unquote(match[1])) or ""
        if not address.startswith("http"):
            return ""
        cid = f"elsewhere-{len(addresses)}"
        addresses[cid] = address
        return f'src="cid:{cid}"'

    return _STANDING_IN.sub(named, html), addresses
