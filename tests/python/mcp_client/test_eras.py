"""Every revision of the protocol, from the first with a handshake to the newest without, over both transports."""

import asyncio

import httpx
import pytest

from harness.evening import PLACE
from harness.family import Permissions

ERAS = pytest.mark.parametrize("era, speaks", [
    ("legacy", "2025-11-25"), ("auto", "2026-07-28"), ("2026-07-28", "2026-07-28"),
])
TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])


def run(story):
    return asyncio.run(asyncio.wait_for(story, 60))


@TRANSPORTS
@ERAS
def test_an_agent_asks_waits_and_goes_on(evening, transport, era, speaks):
    async def story():
        async with evening.henry(transport, era) as client:
            assert client.protocol_version == speaks
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert len(tools) == 17
            assert tools["check_permission"].annotations.read_only_hint is True
            assert tools["create_access_request"].annotations.read_only_hint is False

            denied = await client.call_tool("check_permission", {"action": "read", "resource_instance": PLACE})
            assert not denied.is_error and denied.structured_content["allowed"] is False
            asked = await client.call_tool("create_access_request", {
                "role": "child-can-order", "reason": "I am now 18", "resource_instance": PLACE,
            })
            request = asked.structured_content["id"]
            waiting = asyncio.create_task(
                client.call_tool("wait_for_decision", {"request_id": request, "timeout_seconds": 40}))
            await asyncio.to_thread(Permissions(evening.wire, "joe").decide_access, request, "approve")
            assert (await waiting).structured_content["status"] == "approved"
            allowed = await client.call_tool("check_permission", {"action": "read", "resource_instance": PLACE})
            assert allowed.structured_content["allowed"] is True

            refused = await client.call_tool("check_permission", {
                "user_id": "joe", "action": "read", "resource_instance": PLACE,
            })
            assert refused.is_error and "henry" in refused.content[0].text

    run(story())


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_the_handshake_answers_in_the_clients_revision(evening, revision):
    headers = {
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {evening.server.new_key('--as', 'henry')}",
    }
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    }}
    answer = httpx.post(f"{evening.server.url}/mcp", json=hello, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert f'"protocolVersion":"{revision}"' in answer.text.replace(" ", ""), answer.text


@TRANSPORTS
def test_a_server_that_was_killed_goes_on(evening, transport):
    """No call depends on an earlier one, so a client with an open connection does not notice the restart."""

    async def story():
        async with evening.henry(transport, "2026-07-28") as client:
            asked = await client.call_tool("create_access_request", {
                "role": "child-can-order", "reason": "18", "resource_instance": PLACE,
            })
            request = asked.structured_content["id"]
            await asyncio.to_thread(evening.server.kill)
            await asyncio.to_thread(evening.server.start)
            seen = await client.call_tool("get_request", {"request_id": request})
            assert seen.structured_content["status"] == "pending"

    run(story())
