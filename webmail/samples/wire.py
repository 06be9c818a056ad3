"""Letters as octets: encoded words, transfer encodings, multiparts. Line ends are CRLF."""

from __future__ import annotations

from base64 import b64encode, encodebytes
from binascii import b2a_qp
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from webmail.samples.values import Contact, File

CRLF = b"\r\n"
WORD_LIMIT = 75
"""An encoded word is at most this long (RFC 2047 section 2)."""
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")


def fit_charset(text: str, charset: str) -> str:
    """The wished charset when it holds the text, else utf-8."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


@lru_cache(maxsize=4096)
def encode_words(text: str, charset: str = "utf-8", how: Literal["Q", "B"] = "Q") -> str:
    """Header text: as it is when ASCII, else encoded words (RFC 2047), folded, no character cut in two."""
    if text.isascii():
        return text
    charset = fit_charset(text, charset)
    room = WORD_LIMIT - len(charset) - 7
    words, run = [], ""
    for char in text:
        if len(_coded(run + char, charset, how)) > room:
            words.append(run)
            run = ""
        run += char
    words.append(run)
    return "\r\n ".join(f"=?{charset.upper()}?{how}?{_coded(word, charset, how)}?=" for word in words)


def _coded(text: str, charset: str, how: str) -> str:
    if how == "B":
        return b64encode(text.encode(charset)).decode()
    return "".join(_q(char, charset) for char in text)


@lru_cache(maxsize=2048)
def _q(char: str, charset: str) -> str:
    if char in _SAFE:
        return char
    return "_" if char == " " else "".join(f"={octet:02X}" for octet in char.encode(charset))


def field(name: str, value: str) -> bytes:
    """One header field; the value is ASCII, or UTF-8 where a writer breaks the rules."""
    return f"{name}: {value}\r\n".encode()


def fold_text(text: str, width: int = 74) -> str:
    """ASCII header text folded at spaces, unless it is folded already."""
    if len(text) <= width or "\r\n" in text:
        return text
    return "\r\n ".join(wrap(text, width))


def address(contact: Contact, sender: Contact) -> str:
    """A mailbox as in From and To (RFC 5322 section 3.4), encoded in the habit of who sends."""
    name = contact.name
    if name.isascii():
        shown = f'"{name}"' if any(char in ".,&()@" for char in name) else name
    else:
        shown = encode_words(name, sender.charset if contact is sender else "utf-8", sender.words)
    return f"{shown} <{contact.email}>"


def address_list(contacts: Sequence[Contact], sender: Contact) -> str:
    return ",\r\n ".join(address(contact, sender) for contact in contacts)


def wrap(text: str, width: int) -> list[str]:
    """Words in lines of at most `width` characters where the words allow it."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def text_part(text: str, *, charset: str, subtype: str = "plain", wide: bool = True, extra: str = "") -> bytes:
    """A text part with header: 7bit when it can be; else quoted-printable (`wide`, or a charset of one octet), base64 for
    charsets that quoted-printable makes unreadable."""
    charset = fit_charset(text, charset)
    body = text.replace("\n", "\r\n").encode(charset)
    if charset in {"gb2312", "koi8-r"}:
        how, body = "base64", base64_lines(body)
    elif body.isascii() and max(map(len, body.split(b"\n"))) < 200:
        how = "7bit"
    elif wide:
        how, body = "quoted-printable", b2a_qp(body.replace(CRLF, b"\n")).replace(b"\n", CRLF)
    else:
        how = "8bit"
    head = f"Content-Type: text/{subtype}; charset={charset}{extra}\r\nContent-Transfer-Encoding: {how}\r\n\r\n"
    return head.encode() + body


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 (RFC 2045 section 6.8), CRLF between and at the end."""
    return encodebytes(data).replace(b"\n", CRLF)


def file_part(file: File, sender: Contact) -> bytes:
    """A file as a part: inline with a Content-ID, else an attachment. Names outside ASCII by RFC 2231, as programs do
    now, or as an encoded word, as they did before."""
    disposition = "inline" if file.cid else "attachment"
    head = f"Content-Type: {file.media_type};\r\n {_name('name', file.name, old=True)}\r\n"
    head += "Content-Transfer-Encoding: base64\r\n"
    head += f"Content-Disposition: {disposition};\r\n {_name('filename', file.name, old=sender.words == 'B')}\r\n"
    if file.cid:
        head += f"Content-ID: <{file.cid}>\r\n"
    return head.encode() + CRLF + base64_lines(file.data)


def _name(parameter: str, value: str, *, old: bool) -> str:
    if value.isascii():
        return f'{parameter}="{value}"'
    if old:
        return f'{parameter}="{encode_words(value, "utf-8", "B")}"'
    octets = "".join(chr(o) if chr(o) in _SAFE - {"*", "!", "/"} or o == 0x2E else f"%{o:02X}" for o in value.encode())
    return f"{parameter}*=utf-8''{octets}"


def multipart(subtype: str, boundary: str, parts: Iterable[bytes], *, extra: str = "") -> bytes:
    """A multipart entity, its header first."""
    mark = boundary.encode()
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"{extra}\r\n\r\n'.encode()
    body = b"".join(b"--" + mark + CRLF + part + CRLF for part in parts)
    return head + body + b"--" + mark + b"--\r\n"
