"""From rows to a script (RFC 5228), readable, with the rows themselves in comments."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.sieve.quote import escape_wildcards, quote, quote_list
from webmail.sieve.rules import About, Condition, Filters, Match, Op, Rule, Vacation, Where

HEADERS = {About.FROM: ("from",), About.TO: ("to", "cc"), About.SUBJECT: ("subject",)}
_INDENT = "  "


def write_blocks(filters: Filters, *, create: bool = True) -> tuple[list[str], list[str]]:
    """(what the script requires, sorted; one block of text for the vacation reply, "" while it is off, and one for each row,
    "" for one that is off). With `create` folders that are missing are made (RFC 5490)."""
    needs: set[str] = set()
    blocks = [write_vacation(filters, needs)]
    blocks += [write_rule(rule, needs, create=create) if rule.on else "" for rule in filters.rules]
    return sorted(needs), blocks


def write_rule(rule: Rule, needs: set[str], *, create: bool) -> str:
    """One row as an `if`; what it requires goes into `needs`."""
    lines = [*_marks(rule, needs), *_places(rule, needs, create=create)]
    if rule.stop:
        lines.append("stop;")
    body = "".join(f"{_INDENT}{line}\n" for line in lines or ["keep;"])
    return f"if {write_test(rule)} {{\n{body}}}\n"


def write_test(rule: Rule) -> str:
    """What a row asks of a message."""
    if rule.match is Match.EVERY or not rule.conditions:
        return "true"
    tests = [_condition(one) for one in rule.conditions]
    if len(tests) == 1:
        return tests[0]
    joined = f",\n{_INDENT * 2}".join(tests)
    return f"{'allof' if rule.match is Match.ALL else 'anyof'} (\n{_INDENT * 2}{joined})"


def _condition(one: Condition) -> str:
    if one.about is About.SIZE:
        return f"size :{'over' if one.op is Op.OVER else 'under'} {one.size_bytes}"
    test = _text_test(one)
    return f"not {test}" if one.op in {Op.LACKS, Op.IS_NOT} else test


def _text_test(one: Condition) -> str:
    """ "Contains" looks at a whole header, names and addresses; the others at addresses alone, where it is about people."""
    headers = quote_list(HEADERS[one.about])
    if one.op in {Op.CONTAINS, Op.LACKS}:
        return f"header :contains {headers} {quote(one.value)}"
    kind = "header" if one.about is About.SUBJECT else "address :all"
    if one.op in {Op.IS, Op.IS_NOT}:
        return f"{kind} :is {headers} {quote(one.value)}"
    value = escape_wildcards(one.value)
    return f"{kind} :matches {headers} {quote(f'{value}*' if one.op is Op.BEGINS else f'*{value}')}"


def _marks(rule: Rule, needs: set[str]) -> Iterator[str]:
    flags = (*((r"\Seen",) if rule.read else ()), *((r"\Flagged",) if rule.star else ()), *rule.tags)
    if flags:
        needs.add("imap4flags")
        yield f"addflag {quote_list(flags)};"


def _places(rule: Rule, needs: set[str], *, create: bool) -> Iterator[str]:
    """Forwarding goes first and never takes the message away by itself, but where nothing is to stay."""
    for address in rule.forward:
        if rule.where is Where.AWAY:
            yield f"redirect {quote(address)};"
        else:
            needs.add("copy")
            yield f"redirect :copy {quote(address)};"
    if rule.where in {Where.MOVE, Where.COPY, Where.TRASH}:
        needs |= {"fileinto"} | ({"mailbox"} if create else set()) | ({"copy"} if rule.where is Where.COPY else set())
        options = (" :copy" if rule.where is Where.COPY else "") + (" :create" if create else "")
        yield f"fileinto{options} {quote(rule.folder)};"


def write_vacation(filters: Filters, needs: set[str]) -> str:
    """The answer, within its days: not to lists, bulk mail and spam, and not to what a row throws away. RFC 5230 section 4.6
    asks servers for the first two as well. "" while it is off."""
    vacation = filters.vacation
    if not vacation.on:
        return ""
    needs.add("vacation")
    tests = [*_days(vacation, needs), 'not exists ["list-id"]', *_unwanted(filters)]
    joined = f",\n{_INDENT * 2}".join(tests)
    subject = f" :subject {quote(vacation.subject)}" if vacation.subject else ""
    addresses = f" :addresses {quote_list(vacation.addresses)}" if vacation.addresses else ""
    answer = f"vacation :days {vacation.days}{subject}{addresses}\n{quote(vacation.text)};"
    return f"if allof (\n{_INDENT * 2}{joined}) {{\n{answer}\n}}\n"


def _days(vacation: Vacation, needs: set[str]) -> Iterator[str]:
    """RFC 5260 section 4: days as text, compared in the zone of who is away."""
    ends = (("ge", vacation.first, vacation.zone_first), ("le", vacation.last, vacation.zone_last))
    for relation, day, zone in ends:
        if day:
            needs |= {"date", "relational"}
            yield f'currentdate :zone {quote(zone)} :value "{relation}" "date" {quote(day.isoformat())}'


def _unwanted(filters: Filters) -> Iterator[str]:
    yield 'not header :is ["precedence"] ["bulk", "list", "junk"]'
    yield 'not header :contains ["x-spam-flag", "x-spam"] "yes"'
    for rule in filters.rules:
        if rule.on and rule.where is Where.TRASH:
            yield f"not {test}" if not (test := write_test(rule)).startswith("not ") else test[4:]
