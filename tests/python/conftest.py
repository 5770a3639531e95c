"""Fixtures of all suites: servers that really run, with the policy of the family or with nothing."""

import os
from pathlib import Path
from typing import Callable, Iterator

import pytest

from harness import family
from harness.server import Server, binary
from harness.wire import Wire


def pytest_sessionstart(session: pytest.Session) -> None:
    if not os.access(binary(), os.X_OK):
        pytest.exit(f"{binary()} is not there: build it with `cargo build -p askfirst`, or set ASKFIRST_BIN", 3)


@pytest.fixture(scope="module")
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers that are stopped when the module ends."""
    started = []

    def start(*extra: str) -> Server:
        home: Path = tmp_path_factory.mktemp("server")
        server = Server(home, extra)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def empty_server(new_server: Callable[..., Server]) -> Server:
    """A server as it stands after its first start: no policy yet."""
    return new_server()


@pytest.fixture(scope="module")
def server(new_server: Callable[..., Server]) -> Server:
    """A server with the policy of the family."""
    running = new_server()
    setting = Wire(running.url, running.key)
    family.write_policy(setting)
    setting.close()
    return running


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    client = Wire(server.url, server.key)
    yield client
    client.close()


@pytest.fixture
def home(wire: Wire) -> family.Household:
    """A household of this test alone."""
    return family.settle(wire)
