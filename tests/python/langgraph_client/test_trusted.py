"""The tutorial's evening: a LangGraph agent drives `askfirst mcp --trust-user-id`, and a human reviews what is risky."""

import asyncio
import uuid

import pytest

from harness import family

from .conftest import PLACE, refusal_of, rows_of, structure_of, text_of
from .scripted import Conversation, both, use

TUTORIAL_TOOLS = {
    "list_resource_instances", "create_access_request", "list_access_requests", "approve_access_request",
    "deny_access_request", "create_operation_approval", "list_operation_approvals", "approve_operation_approval",
    "deny_operation_approval",
}
MORE_TOOLS = {
    "check_permission", "get_request", "cancel_request", "wait_for_decision", "redeem_operation_approval", "record_outcome",
    "answer_question", "what_would_it_need",
}


def run(story):
    return asyncio.run(story)


def newest(kind):
    """The line of a model that approves the first request it was shown."""
    tool = f"approve_{kind}"
    argument = f"{kind}_id"

    def line(messages):
        shown = next(rows_of(m) for m in reversed(messages) if m.type == "tool" and m.name == f"list_{kind}s")
        return use(tool, user_id="joe", **{argument: shown[0]["id"], "reviewer_comment": "enjoy"})

    return line


def test_the_tools_and_what_they_take(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            return {tool.name: tool for tool in (await agent.session.list_tools()).tools}

    tools = run(story())
    assert set(tools) == TUTORIAL_TOOLS | MORE_TOOLS
    takes = {
        "list_resource_instances": ({"page", "per_page"}, set()),
        "create_access_request": ({"user_id", "role", "reason", "resource_instance"}, {"user_id", "role", "reason"}),
        "list_access_requests": (
            {"user_id", "status", "role", "resource_instance", "page", "per_page"}, {"user_id"}),
        "approve_access_request": ({"user_id", "access_request_id", "reviewer_comment"}, {"user_id", "access_request_id"}),
        "deny_access_request": ({"user_id", "access_request_id", "reviewer_comment"}, {"user_id", "access_request_id"}),
        "create_operation_approval": ({"user_id", "reason", "resource_instance"}, {"user_id", "reason"}),
        "list_operation_approvals": ({"user_id", "status", "resource_instance", "page", "per_page"}, {"user_id"}),
        "approve_operation_approval": (
            {"user_id", "operation_approval_id", "reviewer_comment"}, {"user_id", "operation_approval_id"}),
        "deny_operation_approval": (
            {"user_id", "operation_approval_id", "reviewer_comment"}, {"user_id", "operation_approval_id"}),
        "check_permission": ({"user_id", "action", "resource_instance"}, {"action"}),
        "get_request": ({"request_id"}, {"request_id"}),
        "cancel_request": ({"request_id", "reason"}, {"request_id"}),
        "wait_for_decision": ({"request_id", "timeout_seconds"}, {"request_id"}),
    }
    for name, (arguments, required) in takes.items():
        schema = tools[name].inputSchema
        assert arguments <= set(schema["properties"]), f"{name}: {sorted(schema['properties'])}"
        assert required <= set(schema.get("required", [])), f"{name} requires {schema.get('required')}"
        assert tools[name].description and tools[name].annotations is not None, name
    for name in takes:
        reads = name.startswith(("list_", "check_", "get_", "wait_"))
        assert tools[name].annotations.readOnlyHint is reads, name


def test_an_access_request_from_wish_to_grant(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            henry = Conversation(
                agent.tools,
                use("list_resource_instances"),
                use("create_access_request", user_id="henry", role="child-can-order", reason="I am now 18", resource_instance=PLACE),
                "Joe or Jane must agree; I asked them.",
            )
            assert await henry.say("My user id is henry, request access to pizza palace.") is None
            assert set(henry.model.offered) == TUTORIAL_TOOLS | MORE_TOOLS
            assert PLACE in [row["key"] for row in rows_of(henry.results[0])]
            request = structure_of(henry.last_result)["id"]
            assert evening.status(request) == "pending" and not evening.may("henry", "read")

            joe = Conversation(
                agent.tools,
                use("list_access_requests", user_id="joe", status="pending"),
                "One request waits: henry wants to order.",
                newest("access_request"),
                "As you wish, it stays open.",
                newest("access_request"),
                use("check_permission", user_id="henry", action="read", resource_instance=PLACE),
                "Done: henry may order.",
            )
            assert await joe.say("My user id is joe, list all access requests.") is None
            assert [row["id"] for row in rows_of(joe.last_result)] == [request]
            assert "henry" in text_of(joe.last_result), "a reviewer must see who asks"

            asked = await joe.say("Approve it.")
            assert asked["calls"][0]["name"] == "approve_access_request"
            assert asked["calls"][0]["args"]["access_request_id"] == request
            assert evening.status(request) == "pending", "nothing ran before the human answered"
            assert await joe.answer("no") is None
            assert "declined" in text_of(joe.last_result)
            assert evening.status(request) == "pending" and not evening.may("henry", "read")

            assert await joe.say("I changed my mind, approve it.") is not None
            assert await joe.answer("yes") is None
            approved, checked = joe.results[-2:]
            assert structure_of(approved)["status"] == "approved" and structure_of(approved)["id"] == request
            assert structure_of(checked)["allowed"] is True
            assert evening.status(request) == "approved" and evening.may("henry", "read")

    run(story())


def test_an_operation_from_wish_to_one_order(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            henry = Conversation(
                agent.tools,
                use("create_operation_approval", user_id="henry", reason="lobster, $25", resource_instance=PLACE),
                "I asked.",
            )
            await henry.say("I am henry and want the lobster.")
            request = structure_of(henry.last_result)["id"]

            joe = Conversation(
                agent.tools,
                use("list_operation_approvals", user_id="joe", resource_instance=PLACE),
                newest("operation_approval"),
                "Left open.",
                newest("operation_approval"),
                use("check_permission", user_id="henry", action="operate", resource_instance=PLACE),
                "Henry may order it.",
            )
            assert (await joe.say("I am joe, approve the lobster."))["calls"][0]["name"] == "approve_operation_approval"
            assert await joe.answer("no") is None
            assert evening.status(request, "operation") == "pending" and not evening.may("henry", "operate")
            assert await joe.say("Well, all right.") is not None
            assert await joe.answer("yes") is None
            approved, checked = joe.results[-2:]
            assert structure_of(approved)["status"] == "approved"
            assert structure_of(checked)["allowed"] is True
            assert evening.may("henry", "operate")

    run(story())


def test_a_declined_call_takes_its_siblings_with_it(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            asked = await agent.use(
                "create_access_request", user_id="henry", role="child-can-order", reason="18", resource_instance=PLACE)
            request = structure_of(asked)["id"]
            joe = Conversation(
                agent.tools,
                both(
                    ("approve_access_request", {"user_id": "joe", "access_request_id": request}),
                    ("list_access_requests", {"user_id": "joe"}),
                ),
                "Neither ran.",
            )
            assert len((await joe.say("Approve, and list."))["calls"]) == 1
            assert await joe.answer("no") is None
            assert len(joe.results) == 2 and evening.status(request) == "pending"

    run(story())


def test_the_deny_tools(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            access = structure_of(await agent.use(
                "create_access_request", user_id="rose", role="child-can-order", reason="me too", resource_instance=PLACE))
            dish = structure_of(await agent.use(
                "create_operation_approval", user_id="rose", reason="oysters", resource_instance=PLACE))
            denied = structure_of(await agent.use(
                "deny_access_request", user_id="jane", access_request_id=access["id"], reviewer_comment="too young"))
            assert denied["status"] == "denied" and denied["reviewer_comment"] == "too young"
            denied = structure_of(await agent.use(
                "deny_operation_approval", user_id="jane", operation_approval_id=dish["id"]))
            assert denied["status"] == "denied"
            assert not evening.may("rose", "read") and not evening.may("rose", "operate")

    run(story())


def test_look_wait_and_withdraw(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            asked = structure_of(await agent.use(
                "create_access_request", user_id="henry", role="child-can-order", reason="18", resource_instance=PLACE))
            seen = structure_of(await agent.use("get_request", user_id="henry", request_id=asked["id"]))
            assert (seen["id"], seen["status"]) == (asked["id"], "pending")
            waited = structure_of(await agent.use("wait_for_decision", user_id="henry", request_id=asked["id"], timeout_seconds=1))
            assert waited["status"] == "pending"

            waiting = asyncio.create_task(agent.use("wait_for_decision", user_id="henry", request_id=asked["id"], timeout_seconds=50))
            await asyncio.to_thread(
                family.Permissions(evening.wire, "joe").decide_access, asked["id"], "approve", {"reviewer_comment": "ok"})
            decided = structure_of(await asyncio.wait_for(waiting, 20))
            assert decided["status"] == "approved"

            dish = structure_of(await agent.use(
                "create_operation_approval", user_id="henry", reason="lobster", resource_instance=PLACE))
            gone = structure_of(await agent.use("cancel_request", user_id="henry", request_id=dish["id"], reason="not hungry"))
            assert gone["status"] == "canceled" and evening.status(dish["id"], "operation") == "canceled"

    run(story())


def test_a_denied_check_says_what_to_ask_for(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            answer = await agent.use("check_permission", user_id="henry", action="read", resource_instance=PLACE)
            assert structure_of(answer)["allowed"] is False
            assert "child-can-order" in text_of(answer), "the role that would do, and that henry may ask for"

    run(story())


@pytest.mark.parametrize("tool, arguments, says", [
    ("create_access_request", {"user_id": "nobody", "role": "child-can-order", "reason": "x", "resource_instance": PLACE}, "nobody"),
    ("create_access_request", {"user_id": "henry", "role": "parent", "reason": "x", "resource_instance": PLACE}, "child-can-order"),
    ("create_access_request", {"user_id": "henry", "role": "emperor", "reason": "x", "resource_instance": PLACE}, "child-can-order"),
    ("create_access_request", {"user_id": "henry", "role": "child-can-order", "reason": "x", "resource_instance": "nowhere"}, "nowhere"),
    ("create_operation_approval", {"user_id": "nobody", "reason": "x", "resource_instance": PLACE}, "nobody"),
    ("list_access_requests", {"user_id": "nobody"}, "nobody"),
    ("approve_access_request", {"user_id": "joe", "access_request_id": str(uuid.UUID(int=7))}, str(uuid.UUID(int=7))),
    ("approve_operation_approval", {"user_id": "joe", "operation_approval_id": "pizza"}, "pizza"),
    ("get_request", {"user_id": "henry", "request_id": str(uuid.UUID(int=7))}, str(uuid.UUID(int=7))),
])
def test_refusals_are_tool_errors_of_one_sentence(evening, tool, arguments, says):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            assert says in refusal_of(await agent.use(tool, **arguments))

    run(story())


def test_a_call_for_nobody_asks_for_whom(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            for tool, arguments in (
                ("create_access_request", {"role": "child-can-order", "reason": "x", "resource_instance": PLACE}),
                ("check_permission", {"action": "read", "resource_instance": PLACE}),
            ):
                answer = await agent.session.call_tool(tool, arguments)
                assert answer.isError and "user_id" in answer.content[0].text

    run(story())


def test_decisions_that_are_not_theirs(evening):
    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            asked = structure_of(await agent.use(
                "create_access_request", user_id="henry", role="child-can-order", reason="18", resource_instance=PLACE))
            for user in ("henry", "rose"):
                refusal_of(await agent.use("approve_access_request", user_id=user, access_request_id=asked["id"]))
            assert evening.status(asked["id"]) == "pending"
            structure_of(await agent.use("deny_access_request", user_id="jane", access_request_id=asked["id"]))
            second = refusal_of(await agent.use("approve_access_request", user_id="joe", access_request_id=asked["id"]))
            assert "jane" in second and "denied" in second
            assert not evening.may("henry", "read")

    run(story())


def test_a_resource_instance_may_be_a_number(evening):
    evening.wire.ok("POST", f"{evening.wire.facts}/resource_instances", {
        "resource": family.RESOURCE, "key": "42", "tenant": "default",
    })
    evening.wire.ok("POST", f"{evening.wire.facts}/role_assignments", {
        "user": "joe", "role": "parent", "tenant": "default", "resource_instance": f"{family.RESOURCE}:42",
    })

    async def story():
        async with evening.stdio("--trust-user-id") as agent:
            asked = structure_of(await agent.use(
                "create_access_request", user_id="henry", role="child-can-order", reason="18", resource_instance=42))
            listed = rows_of(await agent.use("list_access_requests", user_id="joe", resource_instance=42))
            assert [row["id"] for row in listed] == [asked["id"]]
            structure_of(await agent.use("approve_access_request", user_id="joe", access_request_id=asked["id"]))
            assert evening.may("henry", "read", "42")

    run(story())


def ids(evening):
    scope = evening.wire.get("/v2/api-key/scope")
    return scope["project_id"], scope["environment_id"]


def environment(evening, how):
    if how == "permit names":
        return evening.tutorial_environment()
    if how == "other pdp name":
        return evening.tutorial_environment(LOCAL_PDP_URL=None, PERMIT_PDP_URL=evening.server.url)
    if how == "uuids":
        project, env = ids(evening)
        return evening.tutorial_environment(PROJECT_ID=project, ENV_ID=env)
    if how == "hex":
        project, env = (uuid.UUID(ident).hex for ident in ids(evening))
        return evening.tutorial_environment(PROJECT_ID=project, ENV_ID=env)
    if how == "element ids":
        config = f"{evening.wire.elements}/config"
        return evening.tutorial_environment(
            ACCESS_ELEMENTS_CONFIG_ID=evening.wire.get(f"{config}/{family.ACCESS}")["id"],
            OPERATION_ELEMENTS_CONFIG_ID=evening.wire.get(f"{config}/{family.DISHES}")["id"],
        )
    assert how == "own names"
    return evening.tutorial_environment(
        LOCAL_PDP_URL=None, PERMIT_API_KEY=None, PROJECT_ID=None, ENV_ID=None,
        ASKFIRST_URL=evening.server.url, ASKFIRST_API_KEY=evening.server.key,
    )


@pytest.mark.parametrize("how", ["permit names", "other pdp name", "uuids", "hex", "element ids", "own names"])
def test_the_tutorials_variables(evening, how):
    variables = environment(evening, how)
    run(a_short_evening(evening, environment=variables))


def test_variables_from_a_dotenv_file(evening, tmp_path):
    folder = tmp_path / "agent"
    folder.mkdir()
    lines = [f"{name}={value}" for name, value in evening.tutorial_environment().items()]
    (folder / ".env").write_text("# as in the tutorial\n" + "\n".join(lines) + "\n")
    run(a_short_evening(evening, environment={}, cwd=folder))


async def a_short_evening(evening, **connection):
    async with evening.stdio("--trust-user-id", **connection) as agent:
        assert PLACE in [row["key"] for row in rows_of(await agent.use("list_resource_instances"))]
        access = structure_of(await agent.use(
            "create_access_request", user_id="henry", role="child-can-order", reason="18", resource_instance=PLACE))
        assert [r["id"] for r in rows_of(await agent.use("list_access_requests", user_id="joe"))] == [access["id"]]
        dish = structure_of(await agent.use(
            "create_operation_approval", user_id="henry", reason="lobster", resource_instance=PLACE))
        assert [r["id"] for r in rows_of(await agent.use("list_operation_approvals", user_id="joe"))] == [dish["id"]]


def test_a_wrong_key_is_said_to_be_one(evening):
    async def story():
        variables = evening.tutorial_environment(PERMIT_API_KEY="wrong")
        async with evening.stdio("--trust-user-id", environment=variables) as agent:
            assert "key" in refusal_of(await agent.use("list_resource_instances")).lower()

    run(story())


def test_the_modes_exclude_each_other(evening):
    done = evening.server.cli("mcp", "--as", "henry", "--trust-user-id", **evening.tutorial_environment())
    assert done.returncode != 0 and done.stdout == ""
    assert "--as" in done.stderr and "--trust-user-id" in done.stderr, done.stderr


def test_an_environments_key_needs_a_mode(evening):
    async def story():
        async with evening.stdio() as agent:
            refusal = refusal_of(await agent.use("list_access_requests", user_id="joe"))
            assert "--as" in refusal and "--trust-user-id" in refusal

    run(story())


def test_a_persons_key_needs_none(evening):
    async def story():
        variables = evening.tutorial_environment(PERMIT_API_KEY=evening.server.new_key("--as", "henry"))
        async with evening.stdio(environment=variables) as agent:
            structure_of(await agent.use(
                "create_access_request", role="child-can-order", reason="18", resource_instance=PLACE))
            assert "henry" in refusal_of(await agent.use("list_access_requests", user_id="joe"))

    run(story())
