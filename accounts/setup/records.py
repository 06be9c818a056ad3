"""The DNS records that a mail domain needs, as they should be; and whether what was found will do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings

from accounts.setup.values import SetupValues

State = Literal["well", "missing", "differs", "unknown"]
Kind = Literal["MX", "TXT", "CNAME", "A", "AAAA", "SRV"]
SRV_SERVICES = {("imap", "tls"): "_imaps", ("imap", "starttls"): "_imap", ("pop3", "tls"): "_pop3s",
                ("pop3", "starttls"): "_pop3", ("smtp", "tls"): "_submissions", ("smtp", "starttls"): "_submission"}  # fmt: skip
"""RFC 6186 section 3, RFC 8314 section 5.1."""
POLICIES = ("none", "quarantine", "reject")
"""Of DMARC (RFC 7489 section 6.3), the weakest first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the DNS said: the records as texts; `answered` is False where it said nothing at all."""

    texts: tuple[str, ...] = ()
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """How it stands: the record to enter, "" where nothing is to be changed or no record can be told; and words for what else
    whoever keeps the domain has to know."""

    state: State
    change: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it should be. `purpose` is a word for pages; `needed` says that mail suffers without it. `judge` compares."""

    purpose: str
    kind: Kind
    name: str
    value: str
    needed: bool
    judge: Callable[[Record, Found], Judged]

    def compare(self, found: Found) -> Judged:
        """How what was found stands against it."""
        if not found.answered:
            return Judged("unknown")
        return self.judge(self, found)


def records_for(values: SetupValues) -> list[Record]:
    """Every record of a domain, those without which mail suffers first."""
    domain, web = values.domain, (urlsplit(settings.SITE_URL).hostname or "").lower()
    records = [
        Record("mx", "MX", domain, f"10 {settings.DNS_MX}.", True, _same_targets),
        Record("spf", "TXT", domain, f"v=spf1 {settings.DNS_SPF} ~all", True, _spf),
    ]
    if settings.DKIM_RECORD:
        name = f"{settings.DKIM_SELECTOR}._domainkey.{domain}"
        records.append(Record("dkim", "TXT", name, settings.DKIM_RECORD, True, _dkim))
    records.append(Record("dmarc", "TXT", f"_dmarc.{domain}", "v=DMARC1; p=quarantine", True, _dmarc))
    kind = _address_kind(web)
    value = web if kind else f"{web}."
    for word in ("autoconfig", "autodiscover"):
        records.append(Record(word, kind or "CNAME", f"{word}.{domain}", value, False, _same))
    records += _services(values)
    if not kind:
        records.append(
            Record("autodiscover", "SRV", f"_autodiscover._tcp.{domain}", f"0 1 443 {web}.", False, _same_service)
        )
    return records


def _address_kind(host: str) -> Literal["A", "AAAA"] | None:
    """The type of the record that leads to a host without a name; None where it has one."""
    try:
        return "A" if ip_address(host).version == 4 else "AAAA"
    except ValueError:
        return None


def _services(values: SetupValues) -> list[Record]:
    """SRV records: one for each way in, and "." for each that there is not."""
    records = []
    for (protocol, security), service in SRV_SERVICES.items():
        places = {"imap": values.imap, "pop3": values.pop3, "smtp": values.smtp}[protocol]
        place = next((one for one in places if one.security == security), None)
        value = f"0 1 {place.port} {place.host}." if place else "0 0 0 ."
        purpose = f"{protocol}-{security}"
        records.append(Record(purpose, "SRV", f"{service}._tcp.{values.domain}", value, False, _same_service))
    return records


# --- judging ---------------------------------------------------------------------------------------------------------


def _same(record: Record, found: Found) -> Judged:
    if not found.texts:
        return Judged("missing", record.value)
    return Judged("well") if found.texts == (record.value,) else Judged("differs", record.value)


def _same_targets(record: Record, found: Found) -> Judged:
    """MX: the preference is the domain's own affair, the hosts are not."""
    if not found.texts:
        return Judged("missing", record.value)
    hosts = {text.lower().rpartition(" ")[2] for text in found.texts}
    wanted = {record.value.lower().rpartition(" ")[2]}
    return Judged("well") if hosts == wanted else Judged("differs", record.value)


def _same_service(record: Record, found: Found) -> Judged:
    """SRV: port and host; priority and weight are the domain's own affair. That a service is not offered may also be left
    unsaid."""
    wanted = tuple(record.value.lower().split()[2:])
    if not found.texts:
        return Judged("well") if wanted[-1] == "." else Judged("missing", record.value)
    ends = {tuple(text.lower().split()[2:]) for text in found.texts}
    return Judged("well") if ends == {wanted} else Judged("differs", record.value)


def _spf(record: Record, found: Found) -> Judged:
    """One record (RFC 7208 section 3.2) that lets our servers send. What is there already is kept."""
    mechanism = record.value.split()[1]
    records = [text for text in found.texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if not records:
        return Judged("missing", record.value)
    words = [word for text in records for word in text.split()[1:]]
    plain = [word.lower().lstrip("+") for word in words]
    ends = [word for word in words if word.lower().lstrip("+-~?") == "all"][:1]
    open_to_all = bool(ends) and ends[0].lower().lstrip("+") == "all"
    heard = plain[: words.index(ends[0])] if ends else plain  # what stands after "all" is never looked at (section 5.1)
    if len(records) == 1 and mechanism.lower() in heard and not open_to_all:
        return Judged("well")
    joined = dict.fromkeys(word for word in words if word.lower().lstrip("+-~?") != "all")
    if mechanism.lower() not in plain:
        joined = {mechanism: None} | joined
    if open_to_all or (not ends and not any(word.startswith("redirect=") for word in plain)):
        ends = ["~all"]
    notes = ("spf-two",) if len(records) > 1 else ()
    return Judged("differs", " ".join(["v=spf1", *joined, *ends]), notes)


def _dkim(record: Record, found: Found) -> Judged:
    keys = {_tag(text, "p") for text in found.texts}
    if not found.texts:
        return Judged("missing", record.value)
    return Judged("well") if keys == {_tag(record.value, "p")} else Judged("differs", record.value)


def _dmarc(record: Record, found: Found) -> Judged:
    """One policy of whichever strength: that is the domain's own affair, and so are all its other tags. A record without a policy
    that counts is as good as one of "none" (RFC 7489 section 6.6.3), so that is what the mended one has."""
    records = [_tags(text) for text in found.texts if text.lower().startswith("v=dmarc1")]
    if not records:
        return Judged("missing", record.value)
    names = list(records[0])
    if len(records) == 1 and names[:2] == ["v", "p"] and records[0]["p"].lower() in POLICIES:
        return Judged("well")
    told = [one["p"].lower() for one in records if one.get("p", "").lower() in POLICIES]
    policy = min(told, key=POLICIES.index, default="none")
    others: dict[str, str] = {}
    for name, value in (pair for one in records for pair in one.items() if pair[0] not in {"v", "p"}):
        if name in {"rua", "ruf"} and name in others:
            value = ",".join(dict.fromkeys([*others[name].split(","), *value.split(",")]))
        elif name in others:
            continue
        others[name] = value
    change = "; ".join(["v=DMARC1", f"p={policy}", *(f"{name}={value}" for name, value in others.items())])
    notes = ("dmarc-two",) if len(records) > 1 else ()
    return Judged("differs", change, (*notes, "dmarc-kept", *(("dmarc-none",) if policy == "none" else ())))


def _tags(text: str) -> dict[str, str]:
    """A list of tags (RFC 6376 section 3.2) in its order; the first of each name."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip() and value.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _tag(text: str, name: str) -> str:
    """The value of a tag in a list of tags (RFC 6376 section 3.2), without blanks."""
    for part in text.split(";"):
        tag, _equals, value = part.partition("=")
        if tag.strip() == name:
            return re.sub(r"\s", "", value)
    return ""
