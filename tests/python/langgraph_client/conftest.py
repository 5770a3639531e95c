"""A server with the family of the example, and ways to connect an agent's tools to it."""

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

from harness import family
from harness.server import REPOSITORY, Server, binary, clean_environment
from harness.wire import Wire

POLICY = REPOSITORY / "examples" / "family" / "policy.yaml"
PLACE = "pizza-palace"
HELLO_LIMIT_SECONDS = 30


@dataclass
class Agent:
    """A connected MCP session and its tools as LangChain sees them."""

    session: ClientSession
    tools: List[Any] = field(default_factory=list)

    async def use(self, tool: str, **arguments: Any) -> ToolMessage:
        """Calls one tool as a tool node would, without a graph."""
        chosen = next(known for known in self.tools if known.name == tool)
        return await chosen.ainvoke({"name": tool, "args": arguments, "id": "call", "type": "tool_call"})


class Evening:
    """One server with the example's policy: joe and jane are parents, henry and rose are children."""

    def __init__(self, server: Server):
        self.server = server
        self.wire = Wire(server.url, server.key)
        if POLICY.exists():
            server.cli_ok("policy", "apply", str(POLICY))
        else:
            family.write_policy(self.wire)
            family.settle(self.wire, mark="", place=PLACE)

    def tutorial_environment(self, **changes: Optional[str]) -> Dict[str, str]:
        """The variables of the tutorial's `.env`; `None` leaves one out."""
        variables: Dict[str, Optional[str]] = {
            "TENANT": "default",
            "RESOURCE_KEY": family.RESOURCE,
            "ACCESS_ELEMENTS_CONFIG_ID": family.ACCESS,
            "OPERATION_ELEMENTS_CONFIG_ID": family.DISHES,
            "LOCAL_PDP_URL": self.server.url,
            "PERMIT_API_KEY": self.server.key,
            "PROJECT_ID": "default",
            "ENV_ID": "dev",
        }
        variables.update(changes)
        return {name: value for name, value in variables.items() if value is not None}

    @asynccontextmanager
    async def stdio(self, *arguments: str, environment: Optional[Dict[str, str]] = None, cwd: Any = None) -> AsyncIterator[Agent]:
        """`askfirst mcp ARGUMENTS` as the client's child."""
        variables = self.tutorial_environment() if environment is None else environment
        child = StdioServerParameters(
            command=binary(),
            args=["mcp", *arguments],
            env=clean_environment(self.server.home, **variables),
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

    def status(self, request: str, kind: str = "access") -> str:
        """The state of one request, asked of the API and not of the tools."""
        as_joe = family.Permissions(self.wire, "joe")
        if kind == "access":
            return self.wire.get(f"{as_joe.access}/{request}")["status"]
        return as_joe.session.get(f"{as_joe.operations}/{request}")["status"]

    def may(self, user: str, action: str, place: str = PLACE) -> bool:
        return self.wire.allowed(user, action, f"{family.RESOURCE}:{place}")


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
