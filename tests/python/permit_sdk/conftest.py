"""The `permit` SDK over a real server: 2.8 or 3.0 as installed, through its async and its blocking client."""

import asyncio
import importlib.metadata
import inspect
import secrets
from typing import Any

import permit
import permit.sync
import pytest

SDK_MAJOR = int(importlib.metadata.version("permit").split(".")[0])


class Sdk:
    """One SDK client; calling it runs what the async client returned and passes on what the blocking one did."""

    def __init__(self, url: str, key: str, facade: str, **options: Any):
        kind = {"async": permit.Permit, "sync": permit.sync.Permit}[facade]
        self.client = kind(token=key, pdp=url, api_url=url, **options)
        self.url, self.key = url, key
        self.major = SDK_MAJOR
        # the blocking client of 2.8 wraps its deprecated methods twice and cannot run them
        deprecated_runs = facade == "async" or SDK_MAJOR >= 3
        self.sync_user = self.api.sync_user if deprecated_runs else self.api.users.sync

    @property
    def api(self) -> Any:
        return self.client.api

    def __call__(self, value: Any) -> Any:
        if not inspect.isawaitable(value):
            return value

        async def finish() -> Any:
            return await value

        return asyncio.run(finish())

    def check(self, user: Any, action: str, resource: Any) -> bool:
        return self(self.client.check(user, action, resource))


@pytest.fixture(scope="module", params=["async", "sync"])
def facade(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def sdk(facade, empty_server) -> Sdk:
    """A client of a server without any policy."""
    return Sdk(empty_server.url, empty_server.key, facade)


@pytest.fixture
def name():
    """Keys that no other test uses."""
    mark = secrets.token_hex(4)
    return lambda word: f"{word}-{mark}"
