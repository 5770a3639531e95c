"""The live server against its own description: no fault of its own, and no answer that the description does not know."""

import subprocess
import sys
from pathlib import Path
from typing import Callable

import httpx
import pytest

from harness import family
from harness.server import Server, clean_environment
from harness.wire import Wire

HERE = Path(__file__).parent
EXAMPLES = 6
LIMIT_SECONDS = 110
PROJECT_KEYS = "Projects and keys"
IN_USE = "Elements in use"
FAMILIES = [
    "Schema", "Facts", "Facts of the decision point", "Access requests", "Elements", IN_USE, "Element sessions",
    "Decision log", "Audit log", PROJECT_KEYS, "AuthZEN", "askfirst", "Operation", "Decision point",
]


@pytest.fixture
def seeded(new_server: Callable[..., Server], tmp_path: Path) -> Server:
    """A server with the family's policy and its people."""
    routes = tmp_path / "kong.json"
    routes.write_text('[["^/restaurants", "restaurants"]]')
    running = new_server("--kong-routes", str(routes))
    wire = Wire(running.url, running.key)
    family.write_policy(wire)
    family.settle(wire, mark="", place="pizza-palace")
    wire.close()
    return running


def credential(server: Server, tag: str) -> str:
    """What opens a family: the key of the environment, that of the organisation, or a session of one of its users."""
    if tag == PROJECT_KEYS:
        return server.first_key("organization default")
    if tag != IN_USE:
        return server.key
    wire = Wire(server.url, server.key)
    token = family.Permissions(wire, "henry").token()
    wire.close()
    return token


def test_every_family_is_tried(server: Server) -> None:
    described = httpx.get(f"{server.url}/openapi.json", trust_env=False).json()
    used = {operation["tags"][0] for item in described["paths"].values() for operation in item.values()}
    assert used == set(FAMILIES)


@pytest.mark.parametrize("tag", FAMILIES)
def test_what_is_answered_is_described(seeded: Server, tag: str, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml"), "--no-color", "run",
        f"{seeded.url}/openapi.json", "--include-tag", tag, "--max-examples", str(EXAMPLES),
        "--exclude-path", "/api/v1/stream",  # its answer does not end
        "--phases", "fuzzing", "--header", f"Authorization: Bearer {credential(seeded, tag)}",
    ]
    run = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, text=True,
        timeout=LIMIT_SECONDS, stdin=subprocess.DEVNULL,
    )
    told = run.stdout[run.stdout.find("FAILURES") :]
    assert run.returncode == 0, f"{' '.join(command[:-2])}\n{told}\n{run.stderr}\n{seeded.log_tail()}"
