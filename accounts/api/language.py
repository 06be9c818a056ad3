"""In which language the API says what goes wrong."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header


def speak(request: HttpRequest) -> None:
    """Has all that follows told in the first of our languages that the request asks for, else in English; no cookie counts."""
    known = [code for code, _name in settings.LANGUAGES]
    asked = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    wanted = (code.partition("-")[0] for code, _weight in asked)
    language = next((code for code in wanted if code in known), "en")
    translation.activate(language)
    request.LANGUAGE_CODE = language
