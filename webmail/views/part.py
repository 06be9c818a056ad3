"""Head and text of an opened message, drawn quickly: as `around.py` does it, the template draws them once for each form that
they can have, with marks where the message's own words go; then only those are put in. What is seldom (failed checks, notes,
many people in the head) the template draws itself."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from webmail.markup.text import TextBody
from webmail.services.reading import Letter
from webmail.values import Address
from webmail.views.drawing import render_part
from webmail.views.letters import Told

PEOPLE_MOST = 8
"""So many people in a head are a form; of more the template draws each."""
FORMS_KEPT = 1_000

Shape = tuple[tuple[tuple[bool, bool], ...], ...]
"""Of the sender, of whom is answered, of recipients, copies and blind copies: who has a name, who an address."""

_SEED = secrets.randbelow(10**9)
_PATTERN = re.compile(f"zq{_SEED:09}([a-z0-9_]+)qz")
_TOLD = ("iso", "date", "near", "received", "size", "to", "cc")


def _mark(name: str) -> str:
    return f"zq{_SEED:09}{name}qz"


def draw_part(request: HttpRequest, letter: Letter, context: Mapping[str, Any]) -> str:
    """What templates/webmail/letter_part.html draws of a letter, byte for byte; `context` is that of letters.py."""
    summary, message, told = letter.message.summary, letter.message, context["told"]
    heads = (summary.sender, message.reply_to, message.to, message.cc, message.bcc)
    shape = tuple(tuple((bool(one.name), bool(one.email)) for one in people) for people in heads)
    if letter.failed_checks or letter.notes or context["place"] or sum(map(len, shape)) > PEOPLE_MOST:
        return render_to_string("webmail/letter_part.html", dict(context), request)
    values = _people(heads) | {name: escape(getattr(told, name)) for name in _TOLD}
    values |= {
        "tls": escape(letter.tls),
        "unsubscribe": escape(context["unsubscribe"]),
        "images": escape(context["images_url"]),
        "files": _draw_files(context) if letter.files else "",
        "bodies": _draw_bodies(letter, context, context["theme"]),
    }
    checks = letter.authentication
    pieces = _form(
        get_language() or "",
        shape,
        (checks.spf, checks.dkim, checks.dmarc) == ("pass", "pass", "pass"),
        bool(letter.tls),
        bool(context["unsubscribe"]),
        bool(letter.files),
        letter.remote_count,
        context["images_target"],
    )
    return "".join(values[piece] if at % 2 else piece for at, piece in enumerate(pieces))


def _people(heads: Sequence[Sequence[Address]]) -> dict[str, str]:
    """Names and addresses by the names of their marks."""
    return {
        f"{kind}{at}_{number}": escape(word)
        for at, people in enumerate(heads)
        for number, one in enumerate(people)
        for kind, word in (("n", one.name), ("e", one.email))
    }


@lru_cache(FORMS_KEPT)
def _form(
    _language: str,
    shape: Shape,
    verified: bool,
    tls: bool,
    unsubscribe: bool,
    files: bool,
    remote_count: int,
    images_target: str,
) -> list[str]:
    """The text around, by turns with the name of what goes between."""
    sender, reply_to, to, cc, bcc = (
        [_marked(at, number, *has) for number, has in enumerate(people)] for at, people in enumerate(shape)
    )
    result = "pass" if verified else "none"
    letter = SimpleNamespace(
        authentication=SimpleNamespace(spf=result, dkim=result, dmarc=result),
        tls=_mark("tls") if tls else "",
        remote_count=remote_count,
    )
    values = {
        "s": SimpleNamespace(sender=sender),
        "message": SimpleNamespace(reply_to=reply_to, to=to, cc=cc, bcc=bcc),
        "letter": letter,
        "told": Told(**{name: _mark(name) for name in _TOLD}),
        "unsubscribe": _mark("unsubscribe") if unsubscribe else "",
        "images_url": _mark("images"),
        "images_target": images_target,
        "files_drawn": SafeString(_mark("files")) if files else "",
        "bodies_drawn": SafeString(_mark("bodies")),
    }
    return _PATTERN.split(render_part("webmail/letter_part.html", values))


def _marked(at: int, number: int, named: bool, addressed: bool) -> SimpleNamespace:
    """Somebody with marks for a name and an address."""
    name = _mark(f"n{at}_{number}") if named else ""
    email = _mark(f"e{at}_{number}") if addressed else ""
    return SimpleNamespace(name=name, email=email, display=name or email)


def _draw_files(context: Mapping[str, Any]) -> str:
    names = ("letter", "ref", "account", "compose_url")
    return render_part("webmail/files.html", {name: context[name] for name in names})


# --- text and frames --------------------------------------------------------------------------------------------------


def _draw_bodies(letter: Letter, context: Mapping[str, Any], theme: str) -> str:
    drawn = []
    for shown in letter.bodies:
        if shown.text:
            drawn.append(draw_plain(shown.text))
        elif shown.framed:
            url = context["frame_url"](shown.body.part.number)
            values = {"estimate": str(shown.framed.estimate), "src": escape(url)}
            pieces = _frame(get_language() or "", theme)
            drawn.append("".join(values[piece] if at % 2 else piece for at, piece in enumerate(pieces)))
    return "".join(f"\n  {one}\n" for one in drawn) or _no_bodies(get_language() or "")


@lru_cache(100)
def _frame(_language: str, theme: str) -> list[str]:
    values = {"estimate": _mark("estimate"), "src": _mark("src"), "ui": {"theme": theme}, "images": False}
    return _PATTERN.split(render_part("webmail/letter_frame.html", values))


@lru_cache(100)
def _no_bodies(_language: str) -> str:
    """What stands where there is nothing to show: the end of a message without bodies."""
    nobody = SimpleNamespace(sender=[])
    values = {"s": nobody, "message": SimpleNamespace(to=[]), "letter": SimpleNamespace(bodies=[])}
    whole = render_part("webmail/letter_part.html", values)
    around = _PATTERN.split(render_part("webmail/letter_part.html", values | {"bodies_drawn": _mark("bodies")}))
    return whole[len(around[0]) : len(whole) - len(around[2])]


def draw_plain(body: TextBody) -> str:
    """What templates/webmail/plain.html draws of a plain text, byte for byte."""
    language = get_language() or ""
    before, after = _plain(language, body.truncated)
    link = _link(language)
    drawn = [before]
    for block in body.blocks:
        begin, end = _block(language, block.kind, block.depth, block.kind == "quote" and block.line_count > 6)
        drawn.append(begin)
        for run in block.runs:
            text = escape(run.text)
            drawn.append(f"{link[0]}{escape(run.href)}{link[1]}{text}{link[2]}" if run.href else text)
        drawn.append(end)
    return "".join([*drawn, after])


@lru_cache(100)
def _plain(_language: str, truncated: bool) -> tuple[str, str]:
    """What stands before and after the blocks."""
    text = render_part("webmail/plain.html", {"body": SimpleNamespace(blocks=[], truncated=truncated)})
    at = text.index("</div>")
    return text[:at], text[at:]


@lru_cache(1_000)
def _block(language: str, kind: str, depth: int, long: bool) -> tuple[str, str]:
    """What stands before and after the text of a block."""
    begin, _word, end = _one_block(language, kind, depth, long, href="")
    return begin, end


@lru_cache(100)
def _link(language: str) -> tuple[str, str, str]:
    """What stands around and between the address and the text of a link."""
    begin, end = _block(language, "text", 0, False)
    pieces = _one_block(language, "text", 0, False, href=_mark("href"))
    return pieces[0][len(begin) :], pieces[2], pieces[4][: len(pieces[4]) - len(end)]


def _one_block(language: str, kind: str, depth: int, long: bool, *, href: str) -> list[str]:
    before, after = _plain(language, False)
    runs = [SimpleNamespace(text=_mark("text"), href=href)]
    block = SimpleNamespace(kind=kind, depth=depth, line_count=7 if long else 1, runs=runs)
    text = render_part("webmail/plain.html", {"body": SimpleNamespace(blocks=[block], truncated=False)})
    return _PATTERN.split(text[len(before) : len(text) - len(after)])
