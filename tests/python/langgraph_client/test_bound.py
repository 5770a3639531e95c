"""The connection belongs to one person: `askfirst mcp --as`, and `/mcp` with a key of `key create --as`."""

import asyncio
import re

import httpx
import pytest
from mcp import McpError

from harness import family
from harness.wire import Wire

from .conftest import PLACE, refusal_of, rows_of, structure_of, text_of
from .scripted import Conversation, use

TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])


def run(story):
    return asyncio.run(story)


@TRANSPORTS
def test_an_evening_where_only_humans_decide(evening, transport):
    async def story():
        async with evening.bound(transport, "henry") as agent:
            henry = Conversation(
                agent.tools,
                use("create_access_request", user_id="henry", role="child-can-order", reason="18", resource_instance=PLACE),
                use("check_permission", action="read", resource_instance=PLACE),
                "I asked, and must wait.",
            )
            await henry.say("Ask for pizza palace.")
            request = structure_of(henry.results[0])["id"]
            assert structure_of(henry.last_result)["allowed"] is False

        async with evening.bound(transport, "joe") as agent:
            joe = Conversation(
                agent.tools,
                use("list_access_requests", user_id="joe"),
                use("approve_access_request", user_id="joe", access_request_id=request),
                "Follow the link to decide.",
            )
            assert await joe.say("Approve what henry asked.") is not None
            assert await joe.answer("yes") is None
            assert [row["id"] for row in rows_of(joe.results[0])] == [request]
            assert link_in(joe.last_result).startswith(evening.server.url)
            assert evening.status(request) == "pending", "the tool decides nothing by itself"
            assert not evening.may("henry", "read")

    run(story())


def link_in(message) -> str:
    assert message.status == "success", text_of(message)
    found = re.search(r"https?://[^\s\"<>\\)]+", text_of(message))
    assert found, f"no link in: {text_of(message)}"
    return found.group(0)


@TRANSPORTS
@pytest.mark.parametrize("tool", [
    "approve_access_request", "deny_access_request", "approve_operation_approval", "deny_operation_approval",
])
def test_decision_tools_answer_with_a_link(evening, transport, tool):
    henry = family.Permissions(evening.wire, "henry")
    operation = "operation" in tool
    request = (henry.ask_operation(PLACE) if operation else henry.ask_access(PLACE))["id"]
    argument = "operation_approval_id" if operation else "access_request_id"

    async def story():
        async with evening.bound(transport, "joe") as agent:
            return link_in(await agent.use(tool, user_id="joe", **{argument: request}))

    link = run(story())
    assert evening.status(request, "operation" if operation else "access") == "pending"
    assert evening.server.key not in link
    page = httpx.get(link, follow_redirects=True, trust_env=False)
    assert page.status_code in (200, 401, 403), "the link opens a page (or its sign-in)"
    assert evening.status(request, "operation" if operation else "access") == "pending", "opening it decides nothing"


@TRANSPORTS
def test_another_persons_name_is_refused(evening, transport):
    mine = family.Permissions(evening.wire, "henry").ask_access(PLACE)["id"]
    dish = family.Permissions(evening.wire, "henry").ask_operation(PLACE)["id"]

    async def story():
        async with evening.bound(transport, "henry") as agent:
            for tool, arguments in (
                ("create_access_request", {"role": "child-can-order", "reason": "x", "resource_instance": PLACE}),
                ("create_operation_approval", {"reason": "x", "resource_instance": PLACE}),
                ("list_access_requests", {}),
                ("list_operation_approvals", {}),
                ("approve_access_request", {"access_request_id": mine}),
                ("deny_access_request", {"access_request_id": mine}),
                ("approve_operation_approval", {"operation_approval_id": dish}),
                ("deny_operation_approval", {"operation_approval_id": dish}),
                ("check_permission", {"action": "read", "resource_instance": PLACE}),
            ):
                refusal = refusal_of(await agent.use(tool, user_id="joe", **arguments))
                assert "henry" in refusal, f"{tool}: the refusal does not say for whom the connection is: {refusal}"

    run(story())
    assert evening.status(mine) == "pending" and evening.status(dish, "operation") == "pending"
    assert family.Permissions(evening.wire, "joe").list_access(status="pending")["total_count"] == 1


@TRANSPORTS
def test_the_name_may_be_left_out(evening, transport):
    async def story():
        async with evening.bound(transport, "henry") as agent:
            tools = {tool.name: tool for tool in (await agent.session.list_tools()).tools}
            assert "user_id" not in tools["create_access_request"].inputSchema.get("required", [])
            asked = structure_of(await agent.use(
                "create_access_request", role="child-can-order", reason="18", resource_instance=PLACE))
            assert [row["id"] for row in rows_of(await agent.use("list_access_requests"))] == [asked["id"]]
            return asked["id"]

    request = run(story())
    requester = evening.wire.get(f"{family.Permissions(evening.wire, 'joe').access}/{request}")["requesting_user_id"]
    assert requester == family.user_id(evening.wire, "henry")


@TRANSPORTS
def test_requests_of_others_stay_closed(evening, transport):
    hers = family.Permissions(evening.wire, "rose").ask_access(PLACE)["id"]

    async def story():
        async with evening.bound(transport, "henry") as agent:
            refusal_of(await agent.use("get_request", request_id=hers))
            refusal_of(await agent.use("cancel_request", request_id=hers, reason="mine"))
            refusal_of(await agent.use("wait_for_decision", request_id=hers, timeout_seconds=1))

    run(story())
    assert evening.status(hers) == "pending"


@TRANSPORTS
def test_the_agent_goes_on_when_the_human_has_decided(evening, transport):
    async def story():
        async with evening.bound(transport, "henry") as agent:
            asked = structure_of(await agent.use(
                "create_access_request", role="child-can-order", reason="18", resource_instance=PLACE))
            waiting = asyncio.create_task(agent.use("wait_for_decision", request_id=asked["id"], timeout_seconds=50))
            await asyncio.to_thread(family.Permissions(evening.wire, "joe").decide_access, asked["id"], "deny")
            assert structure_of(await asyncio.wait_for(waiting, 20))["status"] == "denied"

    run(story())


def test_the_key_opens_mcp_and_nothing_else(evening):
    asked = family.Permissions(evening.wire, "henry").ask_access(PLACE)["id"]
    key = evening.server.new_key("--as", "joe")
    agent = Wire(evening.server.url, key)
    joe = family.Permissions(agent, "joe")
    for method, path, body in (
        ("GET", "/v2/api-key/scope", None),
        ("GET", f"{agent.facts}/users", None),
        ("PUT", f"{agent.facts}/users/joe", {"key": "joe"}),
        ("GET", f"{agent.schema}/resources", None),
        ("GET", f"{agent.elements}/config", None),
        ("GET", joe.access, None),
        ("PUT", f"{joe.access}/{asked}/approve", {}),
        ("POST", "/v2/auth/elements_login_as", {"user_id": "joe", "tenant_id": "default"}),
        ("POST", "/allowed", {"user": {"key": "joe"}, "action": "read", "resource": {"type": family.RESOURCE}}),
        ("POST", joe.operations, family.operation_body(PLACE)),
    ):
        answer = agent.send(method, path, body)
        assert answer.status_code in (401, 403), f"{method} {path}: {answer.status_code} {answer.text}"
    assert evening.status(asked) == "pending"


@pytest.mark.parametrize("key", [None, "wrong"])
def test_mcp_needs_a_key(evening, key):
    headers = {"accept": "application/json, text/event-stream"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    }
    answer = httpx.post(f"{evening.server.url}/mcp", json=hello, headers=headers, trust_env=False)
    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("name", ["rose", "joe"])
def test_an_environments_key_alone_is_nobody(evening, name):
    async def story():
        async with evening.http(evening.server.key) as agent:
            return await agent.session.call_tool("create_access_request", {
                "user_id": name, "role": "child-can-order", "reason": "x", "resource_instance": PLACE,
            })

    assert refused(story)
    assert family.Permissions(evening.wire, "joe").list_access()["total_count"] == 0


@pytest.mark.parametrize("claim", [{"x_askfirst_as": "joe"}, {"x_askfirst_trust_user_id": "true"}])
def test_a_persons_key_cannot_be_talked_into_more(evening, claim):
    """The headers by which an environment's key names a person mean nothing on a person's own key."""
    request = family.Permissions(evening.wire, "henry").ask_access(PLACE)["id"]
    key = evening.server.new_key("--as", "henry")

    async def story():
        async with evening.http(key, **claim) as agent:
            return await agent.session.call_tool("approve_access_request", {"user_id": "joe", "access_request_id": request})

    assert refused(story)
    assert evening.status(request) == "pending" and not evening.may("henry", "read")


def refused(story) -> bool:
    """Whether the connection or the call was turned down."""
    try:
        return run(story()).isError
    except BaseException as failure:
        assert any(type(cause).__name__ in ("McpError", "HTTPStatusError") for cause in causes(failure)), failure
        return True


def causes(failure: BaseException):
    """The exceptions of a group, however deep; or the one that is none."""
    for inner in getattr(failure, "exceptions", ()):
        yield from causes(inner)
    yield failure


def test_a_page_of_another_origin_cannot_use_it(evening):
    key = evening.server.new_key("--as", "henry")
    answer = httpx.post(
        f"{evening.server.url}/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        headers={
            "accept": "application/json, text/event-stream", "authorization": f"Bearer {key}",
            "origin": "https://evil.example",
        },
        trust_env=False,
    )
    assert answer.status_code == 403, answer.text


def test_nobody_cannot_be_served(evening):
    done = evening.server.cli("key", "create", "--as", "nobody")
    assert done.returncode != 0 and "nobody" in done.stderr and done.stdout.strip() == ""

    async def story():
        async with evening.stdio("--as", "nobody") as agent:
            refusal_of(await agent.use("list_access_requests"))

    done = evening.server.cli("mcp", "--as", "nobody", **evening.tutorial_environment())
    if done.returncode == 0:
        run(story())
    else:
        assert "nobody" in done.stderr


def test_no_tool_of_that_name(evening):
    async def story():
        async with evening.stdio("--as", "henry") as agent:
            try:
                answer = await agent.session.call_tool("grant_everything", {})
            except McpError as refused:
                return "grant_everything" in str(refused)
            return answer.isError

    assert run(story())
