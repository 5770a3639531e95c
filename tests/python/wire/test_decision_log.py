"""The decision log of a server that really runs: read in the terminal, kept over a kill, switched off."""

import json

import pytest

from harness.wire import Wire


@pytest.fixture(scope="module")
def office(new_server):
    """Joe reads documents; ann does not."""
    server = new_server()
    wire = Wire(server.url, server.key)
    wire.ok("POST", "/v2/schema/default/dev/resources", {"key": "doc", "name": "Doc", "actions": {"read": {}}})
    wire.ok("POST", "/v2/schema/default/dev/roles", {"key": "reader", "name": "Reader", "permissions": ["doc:read"]})
    for user in ("joe", "ann"):
        wire.ok("PUT", f"/facts/users/{user}", {})
    wire.ok("POST", "/facts/users/joe/roles", {"role": "reader", "tenant": "default"})
    yield server
    wire.close()


def ask(server, user):
    wire = Wire(server.url, server.key)
    answer = wire.ok("POST", "/allowed", {"user": {"key": user}, "action": "read", "resource": {"type": "doc"}})
    wire.close()
    return answer["allow"]


def entries(server, *arguments):
    return [json.loads(line) for line in server.cli_ok("decisions", "--json", *arguments).splitlines()]


def test_the_terminal_shows_what_was_decided_and_why(office):
    assert ask(office, "joe") and not ask(office, "ann")
    office.cli("check", "ann", "read", "doc:7")
    allowed, denied, checked = entries(office)[-3:]
    assert (allowed["user"], allowed["allow"], allowed["door"]) == ("joe", True, "pdp")
    assert (denied["user"], denied["allow"], checked["door"]) == ("ann", False, "api")
    assert {entry["user"] for entry in entries(office, "--denied", "--since", "1h")} == {"ann"}
    assert entries(office, "--user", "joe", "--until", "2000-01-01T00:00:00Z") == []
    table = office.cli_ok("decisions", "--limit", "2").splitlines()
    assert table[0].split() == ["TIME", "(UTC)", "USER", "ACTION", "RESOURCE", "TENANT", "DOOR", "WHY"]
    assert table[1].startswith("deny ") and table[1].endswith("ann holds no role that allows it")
    shown = office.cli_ok("decisions", denied["id"])
    assert shown.startswith("deny  ann read doc\nann may not read doc:") and denied["id"] in shown


def test_a_killed_server_keeps_what_was_listed(new_server):
    server = new_server()
    assert not ask(server, "nobody")
    before = entries(server)
    assert [entry["user"] for entry in before] == ["nobody"]
    server.kill()
    server.start()
    assert not ask(server, "nobody")
    after = entries(server)
    assert after[:1] == before and len(after) == 2
    server.stop()
    server.start()
    assert entries(server) == after
    for file in server.data.glob("decisions.db*"):
        assert file.stat().st_mode & 0o077 == 0, f"others may read {file.name}"


def test_no_log_is_kept_where_none_is_wanted(new_server):
    server = new_server("--no-decision-log")
    assert not ask(server, "nobody")
    assert not (server.data / "decisions.db").exists()
    told = server.cli("decisions")
    assert told.returncode == 2 and "--no-decision-log" in told.stderr


def test_redacted_attributes_are_nowhere(new_server):
    server = new_server("--decision-log-redact")
    wire = Wire(server.url, server.key)
    question = {
        "user": {"key": "joe", "attributes": {"salary": "s3cret-value"}}, "action": "read", "resource": {"type": "doc"},
    }
    assert not wire.ok("POST", "/allowed", question)["allow"]
    (entry,) = entries(server)
    assert (entry["given"], entry["left_out"]) == (None, "redacted")
    server.stop()
    assert all(b"s3cret-value" not in file.read_bytes() for file in server.data.glob("decisions.db*"))
    wire.close()
