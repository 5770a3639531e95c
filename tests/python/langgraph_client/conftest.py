"""The family's evening, with an agent's tools as LangChain sees them."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, AsyncIterator, Dict, List, Optional

import pytest
from langchain_core.messages import ToolMessage
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

from harness import evening as harness
from harness.server import Server, binary

HELLO_LIMIT_SECONDS = 30
PLACE = harness.PLACE


@dataclass
class Agent:
    """A connected MCP session and its tools as LangChain sees them."""

    session: ClientSession
    tools: List[Any] = field(default_factory=list)

    async def use(self, tool: str, **arguments: Any) -> ToolMessage:
        """Calls one tool as a tool node would, without a graph."""
        chosen = next(known for known in self.tools if known.name == tool)
        return await chosen.ainvoke({"name": tool, "args": arguments, "id": "call", "type": "tool_call"})


class Evening(harness.Evening):
    """The evening, and ways to connect to it."""

    @asynccontextmanager
    async def stdio(self, *arguments: str, environment: Optional[Dict[str, str]] = None, cwd: Any = None) -> AsyncIterator[Agent]:
        """`askfirst mcp ARGUMENTS` as the client's child."""
        child = StdioServerParameters(
            command=binary(),
            args=["mcp", *arguments],
            env=self.child_environment(environment),
            cwd=cwd or self.server.home,
        )
        with open(self.server.home / "mcp.log", "a") as log:
            async with stdio_client(child, errlog=log) as (read, write), ClientSession(read, write) as session:
                await asyncio.wait_for(session.initialize(), HELLO_LIMIT_SECONDS)
                yield Agent(session, await load_mcp_tools(session))

    @asynccontextmanager
    async def http(self, key: str, **more: str) -> AsyncIterator[Agent]:
        """`/mcp` over Streamable HTTP with one key (and further headers, `_` for `-`)."""
        headers = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in more.items()}}
        async with streamablehttp_client(f"{self.server.url}/mcp", headers=headers) as (read, write, _):
            async with ClientSession(read, write) as session:
                await asyncio.wait_for(session.initialize(), HELLO_LIMIT_SECONDS)
                yield Agent(session, await load_mcp_tools(session))

    @asynccontextmanager
    async def bound(self, transport: str, person: str) -> AsyncIterator[Agent]:
        """A connection that belongs to one person, over either transport."""
        if transport == "stdio":
            async with self.stdio("--as", person) as agent:
                yield agent
        else:
            async with self.http(self.server.new_key("--as", person)) as agent:
                yield agent


@pytest.fixture
def evening(tmp_path) -> Evening:
    server = Server(tmp_path).start()
    try:
        yield Evening(server)
    finally:
        server.stop()


def text_of(message: ToolMessage) -> str:
    """What the model reads."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(block["text"] for block in message.content if block.get("type") == "text")


def structure_of(message: ToolMessage) -> Any:
    """What a program reads; the text must hold the same."""
    assert message.status == "success", text_of(message)
    assert message.artifact, f"no structured content beside: {text_of(message)}"
    structured = message.artifact["structured_content"]
    assert json.loads(text_of(message)) == structured
    return structured


def rows_of(message: ToolMessage) -> List[Any]:
    """The rows of a list tool: its structured content has exactly one list."""
    lists = [value for value in structure_of(message).values() if isinstance(value, list)]
    assert len(lists) == 1, text_of(message)
    return lists[0]


def refusal_of(message: ToolMessage) -> str:
    """A refusal is a tool error of one plain sentence: no JSON, no status code, no stack."""
    assert message.status == "error", f"not refused: {text_of(message)}"
    text = text_of(message)
    assert text.strip() and not text.lstrip().startswith(("{", "[")) and "\n" not in text.strip(), text
    return text
