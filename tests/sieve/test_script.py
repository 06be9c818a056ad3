"""Rows written as a script and read back, and texts that try to leave their string."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webmail.sieve.client import ScriptRefused, SieveSession
from webmail.sieve.quote import quote
from webmail.sieve.rules import About, Condition, Filters, Match, Op, Rule, Vacation, Where
from webmail.sieve.script import read_join, read_script, words_of, write_join, write_script

texts = st.text(st.characters(exclude_categories=()), max_size=60) | st.lists(
    st.sampled_from(
        [
            '"',
            "\\",
            "\r\n",
            "\n",
            "\r",
            ".",
            "#{",
            "/*",
            "*/",
            "text:",
            ";",
            "discard",
            "]",
            "${a}",
            "\0",
            "ñ",
            "*",
            "?",
        ]
    ),
    max_size=12,
).map("".join)
sized = st.builds(
    Condition, st.just(About.SIZE), st.sampled_from([Op.OVER, Op.UNDER]), size_bytes=st.integers(1, 2**31)
)
worded = st.builds(
    Condition,
    st.sampled_from([About.FROM, About.TO, About.SUBJECT]),
    st.sampled_from([o for o in Op if o not in {Op.OVER, Op.UNDER}]),
    texts,
)
keywords = st.from_regex(r"[A-Za-z$][A-Za-z0-9_-]{0,12}", fullmatch=True)
addresses = st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.test", fullmatch=True)
folders = st.from_regex(r"[A-Za-z][A-Za-zñ&é \"'*%]{0,12}", fullmatch=True)
rules = st.builds(
    Rule,
    name=texts,
    on=st.booleans(),
    match=st.sampled_from(Match),
    conditions=st.lists(sized | worded, max_size=4).map(tuple),
    where=st.sampled_from(Where),
    folder=folders,
    tags=st.lists(keywords, max_size=3).map(tuple),
    read=st.booleans(),
    star=st.booleans(),
    forward=st.lists(addresses, max_size=2).map(tuple),
    stop=st.booleans(),
)
vacations = st.builds(
    Vacation,
    on=st.booleans(),
    subject=texts,
    text=texts,
    days=st.integers(1, 30),
    addresses=st.lists(addresses, max_size=2).map(tuple),
    first=st.none() | st.dates(),
    last=st.none() | st.dates(),
    zone_first=st.sampled_from(["+0000", "-0300"]),
    zone_last=st.sampled_from(["+0000", "-0400"]),
)
filters = st.builds(Filters, st.lists(rules, max_size=5).map(tuple), vacations)
bounded = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@bounded
@given(filters)
def test_what_was_written_is_read_back_exactly(some: Filters) -> None:
    read = read_script(write_script(some).replace("\n", "\r\n"))
    assert read.intact
    assert read.filters == some


@bounded
@given(filters, st.integers(0, 10_000), st.sampled_from(["x", "\n", "#", " stop;"]))
def test_a_change_by_hand_is_seen(some: Filters, at: int, put: str) -> None:
    text = write_script(some).rstrip("\n")
    at %= len(text)
    changed = text[:at] + put + text[at:]
    assert not read_script(changed).intact or changed.partition("\n")[2] == text.partition("\n")[2]


@given(st.text(max_size=300))
def test_any_script_can_be_looked_at(text: str) -> None:
    read_script(text)
    read_join(text)
    words_of(text)


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@settings(bounded, max_examples=150)
@given(texts)
def test_no_text_leaves_its_string(one_session: SieveSession, text: str) -> None:
    """After the string comes a word that the server does not know. It complains of that one, on its line, and of nothing else:
    so the string ended exactly where it was meant to."""
    quoted = quote(text)
    with pytest.raises(ScriptRefused) as refused:
        one_session.check(f'if header :is "subject" {quoted} {{ keep; }} unheard_of;\n')
    assert [one.line for one in refused.value.problems] == [quoted.count("\n") + 1]
    assert "unheard_of" in refused.value.problems[0].text


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@bounded
@given(filters)
def test_whatever_the_rows_hold_the_server_can_run_it(one_session: SieveSession, some: Filters) -> None:
    assert [one for one in one_session.check(write_script(some)) if "redirect" not in one.text] == []


def test_a_script_reads_like_one() -> None:
    rule = Rule(
        "Facturas",
        conditions=(Condition(About.FROM, Op.CONTAINS, "cobros"), Condition(About.SIZE, Op.OVER, size_bytes=2048)),
        where=Where.MOVE,
        folder="Facturas/Año",
        tags=("$label1",),
        read=True,
        stop=True,
    )
    text = write_script(Filters((rule, replace(rule, name="Apagada", on=False))))
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert (
        code.split()
        == (
            'require ["fileinto", "imap4flags", "mailbox"];'
            'if allof ( header :contains ["from"] "cobros", size :over 2048) {'
            ' addflag ["\\\\Seen", "$label1"]; fileinto :create "Facturas/Año"; stop; }'
        )
        .replace("if allof", " if allof")
        .split()
    )
    assert "# Facturas\n" in text
    assert "# Apagada\n" in text


def test_the_days_of_a_reply_are_compared_in_their_zone() -> None:
    away = Vacation(True, "Fuera", "Vuelvo.", 3, (), date(2026, 12, 1), date(2027, 1, 4), "-0300", "-0300")
    text = write_script(Filters(vacation=away))
    assert 'currentdate :zone "-0300" :value "ge" "date" "2026-12-01"' in text
    assert 'currentdate :zone "-0300" :value "le" "date" "2027-01-04"' in text
    assert re.search(r'require \["date", "relational", "vacation"\];', text)


def test_a_join_names_others_and_is_known_again() -> None:
    text = write_join(['rou"nd\\cube', "a\nb"])
    assert read_join(text.replace("\n", "\r\n")) == ('rou"nd\\cube', "a\nb")
    assert read_join(text + "discard;") is None
    assert read_join("keep;") is None


def test_words_of_a_script_are_not_those_of_its_strings_and_comments() -> None:
    text = '# vacation\n/* vacation */ if header :is "x" "vacation" { fileinto text:\nvacation\n.\n; }'
    assert "vacation" not in words_of(text)
    assert "vacation" in words_of(text + "Vacation;")


def test_a_name_in_a_comment_stays_on_its_line() -> None:
    text = write_script(Filters((Rule("a\n discard; #\r\u2028b\x85c", match=Match.EVERY, stop=True),)))
    code = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert code == ["if true {", "  stop;", "}"]
    assert all(unicodedata.category(one) not in {"Cc", "Zl", "Zp"} for one in text.replace("\n", ""))
