"""What was put back of the reserve, in words."""

from __future__ import annotations

from django import template

from webmail.services.put_back import words_of

register = template.Library()
register.filter("left_words", words_of)
