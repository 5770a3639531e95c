"""The family's evening for a client of the newest MCP library, over either transport and in either era."""

from contextlib import asynccontextmanager
from typing import Any, AsyncIterator

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from harness import evening as harness
from harness.server import Server, binary


class Evening(harness.Evening):
    """The evening, and a way to connect to it as henry."""

    @asynccontextmanager
    async def henry(self, transport: str, era: str) -> AsyncIterator[Client]:
        async with self._transport(transport) as way, Client(way, mode=era) as client:
            yield client

    @asynccontextmanager
    async def _transport(self, transport: str) -> AsyncIterator[Any]:
        if transport == "stdio":
            with open(self.server.home / "mcp.log", "a") as log:
                child = StdioServerParameters(
                    command=binary(), args=["mcp", "--as", "henry"], env=self.child_environment(), cwd=self.server.home,
                )
                yield stdio_client(child, errlog=log)
        else:
            headers = {"authorization": f"Bearer {self.server.new_key('--as', 'henry')}"}
            async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
                yield streamable_http_client(f"{self.server.url}/mcp", http_client=http)


@pytest.fixture
def evening(tmp_path) -> Evening:
    server = Server(tmp_path).start()
    try:
        yield Evening(server)
    finally:
        server.stop()
